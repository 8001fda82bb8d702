"""A loop that does what is due in a table: a few pieces at once, each by one process alone, on any number of instances."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from typing import Generic, TypeVar

PAUSE_S = 2.0  # after trouble with our own database

Piece = TypeVar("Piece")


class LeasedWork(ABC, Generic[Piece]):
    """Runs between `start` and `stop`; who inherits says how a piece is claimed, held and done.

    Args:
        name: what is done, for the log.
        parallel: how many pieces at once.
        poll_s: how often to ask for what other instances put in.
        lease_s: how long a claim lasts; it is held anew three times as often.
    """

    def __init__(self, name: str, *, parallel: int, poll_s: float, lease_s: float) -> None:
        self._name = name
        self._parallel = parallel
        self._poll_s = poll_s
        self._lease_s = lease_s
        self._log = logging.getLogger(type(self).__module__)
        self._woken = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def _free_left(self) -> object:
        """Free what an earlier run of this instance had claimed."""

    @abstractmethod
    async def _claim(self) -> Piece | None:
        """Take one piece that is due."""

    @abstractmethod
    async def _next_at(self) -> datetime | None:
        """When the next piece is due."""

    @abstractmethod
    async def _hold(self, piece: Piece) -> object:
        """Prolong the claim."""

    @abstractmethod
    async def _do(self, piece: Piece) -> None:
        """Do it and give it back; whatever goes wrong is this method's own."""

    def wake(self) -> None:
        """Something may be due: look now."""
        self._woken.set()

    async def start(self) -> None:
        """Take up what an earlier run left, and go on from then on."""
        await self._free_left()
        self._loop = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """What is under way is left off; the next start takes it up."""
        for task in (self._loop, *self._running):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        self._loop = None

    async def drain(self) -> int:
        """Do everything that is due now, one after the other; how many that were."""
        count = 0
        while (piece := await self._claim()) is not None:
            await self._held(piece)
            count += 1
        return count

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                while len(self._running) < self._parallel and (piece := await self._claim()) is not None:
                    task = asyncio.create_task(self._held(piece), name=f"a piece of {self._name}")
                    self._running.add(task)
                    task.add_done_callback(self._ended)
                wait_s = await self._until_next()
            except Exception:
                self._log.exception("What is due of %s could not be read", self._name)
                wait_s = PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)

    async def _until_next(self) -> float:
        """Seconds until the next is due; what other instances put in is found by asking."""
        next_at = await self._next_at()
        if next_at is None or len(self._running) >= self._parallel:
            return self._poll_s
        return min(self._poll_s, max(0.05, (next_at - datetime.now(UTC)).total_seconds()))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._woken.set()

    async def _held(self, piece: Piece) -> None:
        holding = asyncio.create_task(self._keep_holding(piece), name=f"lease of {self._name}")
        try:
            await self._do(piece)
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding

    async def _keep_holding(self, piece: Piece) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with contextlib.suppress(Exception):  # the next round tries again, well before the lease is over
                await self._hold(piece)
