"""The loop that looks after what is due: a few at once, each by one process alone, on any number of instances."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime

from medianest.subscriptions.announcer import Announcer
from medianest.subscriptions.checking import Check, failed_inside
from medianest.subscriptions.repository.work import Claim, Result, WorkRepository
from medianest.subscriptions.rules import FAILING_AFTER, CheckRules

log = logging.getLogger(__name__)

PAUSE_S = 2.0  # after trouble with our own database


class Checker:
    """Runs between `start` and `stop`.

    Args:
        instance: the data folder's name, by which claims of an earlier run are known.
    """

    def __init__(
        self, work: WorkRepository, check: Check, announcer: Announcer, rules: CheckRules, instance: str
    ) -> None:
        self._work = work
        self._check = check
        self._announcer = announcer
        self._rules = rules
        self._instance = instance
        self._woken = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something may be due: look now."""
        self._woken.set()

    async def start(self) -> None:
        """Take up what an earlier run left, and go on from then on."""
        await self._work.free_all_of(self._instance)
        self._loop = asyncio.create_task(self._run(), name="subscriptions")

    async def stop(self) -> None:
        """A check that runs is left off; the next start does it again."""
        for task in (self._loop, *self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._loop = None

    async def drain(self) -> int:
        """Do everything that is due now, one after the other; how many that were."""
        count = 0
        while claim := await self._work.claim(datetime.now(UTC)):
            await self._look_after(claim)
            count += 1
        return count

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                while len(self._running) < self._rules.parallel and (
                    claim := await self._work.claim(datetime.now(UTC))
                ):
                    task = asyncio.create_task(self._look_after(claim), name=f"subscription {claim.id}")
                    self._running.add(task)
                    task.add_done_callback(self._ended)
                wait_s = await self._until_next()
            except Exception:
                log.exception("What is to be checked could not be read")
                wait_s = PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)

    async def _until_next(self) -> float:
        """Seconds until the next is due; what other instances were told is found by asking every few seconds."""
        now = datetime.now(UTC)
        next_at = await self._work.next_due(now)
        if next_at is None or len(self._running) >= self._rules.parallel:
            return self._rules.poll_s
        return min(self._rules.poll_s, max(0.05, (next_at - now).total_seconds()))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()

    async def _look_after(self, claim: Claim) -> None:
        holding = asyncio.create_task(self._hold(claim), name=f"lease of subscription {claim.id}")
        try:
            await self._announcer.changed(claim.id, claim.user_id)
            result = await self._work_on(claim)
            if result is not None:
                await self._work.finish(claim, result, datetime.now(UTC), failing_after=FAILING_AFTER)
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(self._work.free(claim))
            raise
        except Exception:
            log.exception("Subscription %d could not be given back", claim.id)  # its lease runs out by itself
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding
        await self._announcer.changed(claim.id, claim.user_id)

    async def _work_on(self, claim: Claim) -> Result | None:
        try:
            return await self._check.run(claim)
        except Exception as error:
            log.exception("Subscription %d (%s) could not be checked", claim.id, claim.title)
            return failed_inside(claim, error)

    async def _hold(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self._rules.lease_s / 3)
            with contextlib.suppress(Exception):  # the next round tries again, well before the lease is over
                await self._work.beat(claim, datetime.now(UTC))
