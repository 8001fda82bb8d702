"""The loop that looks after the subscriptions whose time has come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

from medianest.leased_work import LeasedWork
from medianest.subscriptions.announcer import Announcer
from medianest.subscriptions.checking import Check, failed_inside
from medianest.subscriptions.repository.work import Claim, Result, WorkRepository
from medianest.subscriptions.rules import FAILING_AFTER, CheckRules

log = logging.getLogger(__name__)


class Checker(LeasedWork[Claim]):
    """Runs between `start` and `stop`; a check that runs at a stop is done again by the next start.

    Args:
        instance: the data folder's name, by which claims of an earlier run are known.
    """

    def __init__(
        self, work: WorkRepository, check: Check, announcer: Announcer, rules: CheckRules, instance: str
    ) -> None:
        super().__init__("subscriptions", parallel=rules.parallel, poll_s=rules.poll_s, lease_s=rules.lease_s)
        self._work = work
        self._check = check
        self._announcer = announcer
        self._instance = instance

    async def _free_left(self) -> None:
        await self._work.free_all_of(self._instance)

    async def _claim(self) -> Claim | None:
        return await self._work.claim(datetime.now(UTC))

    async def _next_at(self) -> datetime | None:
        return await self._work.next_due(datetime.now(UTC))

    async def _hold(self, piece: Claim) -> None:
        await self._work.beat(piece, datetime.now(UTC))

    async def _do(self, piece: Claim) -> None:
        try:
            await self._announcer.changed(piece.id, piece.user_id)
            result = await self._result_of(piece)
            if result is not None:
                await self._work.finish(piece, result, datetime.now(UTC), failing_after=FAILING_AFTER)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._work.free(piece))
            raise
        except Exception:
            log.exception("Subscription %d could not be given back", piece.id)  # its lease runs out by itself
        await self._announcer.changed(piece.id, piece.user_id)

    async def _result_of(self, claim: Claim) -> Result | None:
        try:
            return await self._check.run(claim)
        except Exception as error:
            log.exception("Subscription %d (%s) could not be checked", claim.id, claim.title)
            return failed_inside(claim, error)
