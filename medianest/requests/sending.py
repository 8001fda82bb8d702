"""The loop that empties the outbox: several titles at once, never two things about one title, on any number of instances."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

from medianest.requests.delivery import Delivery, SendRules
from medianest.requests.repository.outbox import Letter, Outbox

log = logging.getLogger(__name__)

PAUSE_S = 2.0  # after trouble with our own database


class Sender:
    """Runs between `start` and `stop`.

    Args:
        instance: the data folder's name, by which letters are known that an earlier run had taken.
    """

    def __init__(self, outbox: Outbox, delivery: Delivery, rules: SendRules, instance: str) -> None:
        self._outbox = outbox
        self._delivery = delivery
        self._rules = rules
        self._instance = instance
        self._woken = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """There may be something to send: look now."""
        self._woken.set()

    async def start(self) -> None:
        """Take up what an earlier run left, and go on from then on."""
        await self._outbox.release_dead(self._instance)
        self._loop = asyncio.create_task(self._run(), name="request sender")

    async def stop(self) -> None:
        """What is on its way is left; the next start looks where it arrived."""
        for task in (self._loop, *self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._loop = None

    async def drain(self) -> int:
        """Deliver everything that is due now, one after the other; how many letters that were."""
        count = 0
        while letter := await self._claim():
            await self._deliver(letter)
            count += 1
        return count

    async def hurry(self) -> None:
        """Overseerr answers again: nothing waits for its time any longer."""
        await self._outbox.hurry(datetime.now(UTC))
        self.wake()

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                while len(self._running) < self._rules.parallel and (letter := await self._claim()):
                    task = asyncio.create_task(self._deliver(letter), name=f"letter {letter.id}")
                    self._running.add(task)
                    task.add_done_callback(self._ended)
                wait_s = await self._until_next()
            except Exception:
                log.exception("The outbox could not be read")
                wait_s = PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)

    async def _until_next(self) -> float:
        """Seconds until the next is due; other instances' rows are found by asking every few seconds."""
        next_at = await self._outbox.next_at()
        if next_at is None or len(self._running) >= self._rules.parallel:
            return self._rules.poll_s
        return min(self._rules.poll_s, max(0.05, (next_at - datetime.now(UTC)).total_seconds()))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()

    async def _claim(self) -> Letter | None:
        return await self._outbox.claim(datetime.now(UTC), timedelta(seconds=self._rules.lease_s))

    async def _deliver(self, letter: Letter) -> None:
        holding = asyncio.create_task(self._hold(letter), name=f"lease of letter {letter.id}")
        try:
            later = await self._delivery.deliver(letter)
            if later is None:
                await self._outbox.done(letter.id)
            else:
                await self._outbox.later(letter.id, later.at, later.code, is_refusal=later.is_refusal)
        except Exception:
            log.exception("Letter %d about request %d could not be delivered", letter.id, letter.request_id)
            at = datetime.now(UTC) + timedelta(seconds=self._rules.longest_s)
            with contextlib.suppress(Exception):  # its lease runs out by itself
                await self._outbox.later(letter.id, at, "internal_error", is_refusal=True)
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding

    async def _hold(self, letter: Letter) -> None:
        while True:
            await asyncio.sleep(self._rules.lease_s / 3)
            with contextlib.suppress(Exception):  # the next round tries again, well before the lease is over
                await self._outbox.hold(letter.id, datetime.now(UTC) + timedelta(seconds=self._rules.lease_s))
