"""The loop that empties the outbox: several titles at once, never two things about one title."""

from __future__ import annotations

import contextlib
import logging
from datetime import UTC, datetime, timedelta

from medianest.leased_work import LeasedWork
from medianest.requests.delivery import Delivery, SendRules
from medianest.requests.repository.outbox import Letter, Outbox

log = logging.getLogger(__name__)


class Sender(LeasedWork[Letter]):
    """Runs between `start` and `stop`; what is on its way at a stop is left, and the next start looks where it arrived.

    Args:
        instance: the data folder's name, by which letters are known that an earlier run had taken.
    """

    def __init__(self, outbox: Outbox, delivery: Delivery, rules: SendRules, instance: str) -> None:
        super().__init__("requests", parallel=rules.parallel, poll_s=rules.poll_s, lease_s=rules.lease_s)
        self._outbox = outbox
        self._delivery = delivery
        self._rules = rules
        self._instance = instance

    async def hurry(self) -> None:
        """Overseerr answers again: nothing waits for its time any longer."""
        await self._outbox.hurry(datetime.now(UTC))
        self.wake()

    async def _free_left(self) -> None:
        await self._outbox.release_dead(self._instance)

    async def _claim(self) -> Letter | None:
        return await self._outbox.claim(datetime.now(UTC), timedelta(seconds=self._rules.lease_s))

    async def _next_at(self) -> datetime | None:
        return await self._outbox.next_at()

    async def _hold(self, piece: Letter) -> None:
        await self._outbox.hold(piece.id, datetime.now(UTC) + timedelta(seconds=self._rules.lease_s))

    async def _do(self, piece: Letter) -> None:
        try:
            later = await self._delivery.deliver(piece)
            if later is None:
                await self._outbox.done(piece.id)
            else:
                await self._outbox.later(piece.id, later.at, later.code, is_refusal=later.is_refusal)
        except Exception:
            log.exception("Letter %d about request %d could not be delivered", piece.id, piece.request_id)
            at = datetime.now(UTC) + timedelta(seconds=self._rules.longest_s)
            with contextlib.suppress(Exception):  # its lease runs out by itself
                await self._outbox.later(piece.id, at, "internal_error", is_refusal=True)
