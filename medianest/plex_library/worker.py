"""The loop that does what is due in Plex: folders to look into, playlists to keep. One task of each process.

The rows are the queue: what came while the process was off, or Plex was, is found there when either is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from medianest.connections.service import ConnectionService
from medianest.errors import MediaNestError
from medianest.plex_library.collecting import Collecting
from medianest.plex_library.finding import Finding
from medianest.plex_library.repository.work import Claim, WorkTable

log = logging.getLogger(__name__)

IDLE_S = 60.0  # without a word; a row's own time or `wake` comes before
AT_ONCE = 3  # folders and lists together: Plex is asked by at most four at a time
STOP_S = 5.0


class LostClaim(Exception):
    """Somebody else took the work: this process was silent for longer than its lease."""


class PlexWorker:
    """Takes what is due and does it."""

    def __init__(
        self,
        connections: ConnectionService,
        scans: WorkTable,
        collections: WorkTable,
        finding: Finding,
        collecting: Collecting,
        catch_up: Callable[[], Awaitable[object]],
        instance: str,
    ) -> None:
        self._connections = connections
        self._tables = (scans, collections)
        self._finding = finding
        self._collecting = collecting
        self._catch_up = catch_up
        self._instance = instance
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take over what an earlier run left, then work."""
        for table in self._tables:
            await table.free_all_of(self._instance)
        self._task = asyncio.create_task(self._run(), name="plex library")

    async def stop(self) -> None:
        """End; what is being done is given back and goes on in the next process."""
        for task in (*self._running, *((self._task,) if self._task else ())):
            task.cancel()
        tasks = [*self._running, *([self._task] if self._task else [])]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)

    def wake(self) -> None:
        """Something is due."""
        self._wake.set()

    async def hurry(self) -> None:
        """Plex is there again: what waited for it is due."""
        for table in self._tables:
            await table.hurry(datetime.now(UTC))
        self.wake()

    async def run_due(self) -> None:
        """Do all that is due now, and end: for tests, and for a page that waits for it."""
        while await self._take():
            await asyncio.wait(set(self._running))

    async def _run(self) -> None:
        try:
            await self._catch_up()
        except Exception:
            log.exception("What was filed while nobody listened could not be looked up")
        while True:
            try:
                self._wake.clear()
                while len(self._running) < AT_ONCE and await self._take():
                    pass
                await self._sleep()
            except Exception:
                log.exception("Looking for what is due in Plex failed")
                await asyncio.sleep(5)

    async def _sleep(self) -> None:
        """Until something is due, a task ends, or somebody wakes it."""
        now, wait_s = datetime.now(UTC), IDLE_S
        if len(self._running) < AT_ONCE and await self._connections.plex() is not None:
            for table in self._tables:
                due = await table.next_due(now)
                wait_s = wait_s if due is None else min(wait_s, max(0.05, (due - now).total_seconds()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), wait_s)

    async def _take(self) -> bool:
        """Begin one piece of work; False when nothing is due or no server is connected."""
        if await self._connections.plex() is None:
            return False
        for table in self._tables:
            claim = await table.claim(datetime.now(UTC))
            if claim is not None:
                task = asyncio.create_task(self._do(table, claim), name=f"plex {claim.name}")
                self._running.add(task)
                task.add_done_callback(self._done)
                return True
        return False

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _do(self, table: WorkTable, claim: Claim) -> None:
        async def beat() -> None:
            if not await table.beat(claim, datetime.now(UTC)):
                raise LostClaim

        try:
            if table is self._tables[0]:
                await self._finding.look(claim.name, beat)
            else:
                await self._collecting.bring_up_to_date(claim.id, beat)
            await table.finish(claim, datetime.now(UTC))
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await asyncio.shield(table.free(claim))
            raise
        except LostClaim:
            log.warning("The work on %s in Plex went on elsewhere", claim.name)
        except MediaNestError as error:
            wait_s = await table.give_back(claim, error.message, datetime.now(UTC))
            log.info("Plex, %s: %s Tried again in %.0f s", claim.name, error.message, wait_s)
        except Exception:
            log.exception("The work on %s in Plex failed", claim.name)
            await table.give_back(claim, "An error inside MediaNest; the log has more.", datetime.now(UTC))
