"""Runs long work on the library beside the pages; what a killed process began goes on in the next."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from medianest.accounts.model import Caller
from medianest.errors import Conflict, MediaNestError
from medianest.keeping.model import LibraryWork, WorkKind, WorkState
from medianest.keeping.repository.work import WorkRepository
from medianest.system.audit import record

log = logging.getLogger(__name__)

BEAT_S = 2.0
LOOK_S = 15.0

Report = Callable[[str, int, int], Awaitable[None]]


class Stopped(Exception):
    """Somebody stopped the work, or another process has it."""


class Worker(Protocol):
    """Does one kind of work."""

    async def run(self, work: LibraryWork, by: int | None, report: Report) -> tuple[str, tuple[str, ...]]:
        """A sentence about how it ended, and the first of what was found.

        Raises:
            MediaNestError: it can not be done, with a sentence.
        """
        ...


class LibraryWorks:
    """Starts, stops and takes over. `report` of a worker raises `Stopped` when it is to end."""

    def __init__(self, rows: WorkRepository, workers: Mapping[WorkKind, Worker]) -> None:
        self._rows = rows
        self._workers = workers
        self._task: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now and then for work that nobody holds."""
        self._watch = asyncio.create_task(self._look(), name="work on the library")

    async def stop(self) -> None:
        """End what runs here; it goes on after the next start."""
        for task in (self._watch, self._task):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def finished(self) -> None:
        """Wait until the work of this process is over."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def last(self, kind: WorkKind) -> LibraryWork | None:
        return await self._rows.last(kind)

    async def begin(
        self, kind: WorkKind, *, by: Caller, target: str = "", is_dry_run: bool = False, address: str = ""
    ) -> LibraryWork | None:
        """Start it.

        Raises:
            Conflict: other work on the library runs.
        """
        made = await self._rows.add(kind, target, by.user.id, datetime.now(UTC), is_dry_run=is_dry_run)
        if made is None:
            raise Conflict("Other work on the library runs already. Wait for it, or stop it.")
        if not is_dry_run:
            await record(
                f"library.{kind}", target or kind, actor_id=by.user.id, actor_name=by.user.username, address=address
            )
        work = await self._rows.last(kind)
        if work is not None:
            self._run(work)
        return work

    async def end(self, kind: WorkKind) -> None:
        """Stop what runs; raises `Conflict` when nothing does."""
        work = await self._rows.last(kind)
        stopped = "Stopped. What was done stays."
        if work is None or not await self._rows.end(work.id, WorkState.STOPPED, stopped, datetime.now(UTC)):
            raise Conflict("Nothing runs that could be stopped.")

    async def take_over(self) -> None:
        """Go on with what a killed process left."""
        if self._task is None or self._task.done():
            work = await self._rows.claim(datetime.now(UTC))
            if work is not None:
                self._run(work)

    async def _look(self) -> None:
        while True:
            try:
                await self.take_over()
            except Exception:
                log.exception("Work on the library can not be looked for")
            await asyncio.sleep(LOOK_S)

    def _run(self, work: LibraryWork) -> None:
        self._task = asyncio.create_task(self._do(work), name=f"{work.kind} the library")

    async def _do(self, work: LibraryWork) -> None:
        told = (work.step, work.done, work.total)

        async def keep_alive() -> None:
            while True:
                await asyncio.sleep(BEAT_S)
                with contextlib.suppress(MediaNestError):  # the next beat comes soon
                    await self._rows.beat(work.id, *told, datetime.now(UTC))

        async def report(step: str, done: int, total: int) -> None:
            nonlocal told
            told = (step, done, total)
            if not await self._rows.beat(work.id, step, done, total, datetime.now(UTC)):
                raise Stopped

        beating = asyncio.create_task(keep_alive(), name="lease of the library work")
        state, found = WorkState.DONE, tuple[str, ...]()
        try:
            message, found = await self._workers[work.kind].run(work, await self._rows.started_by(work.id), report)
        except Stopped:
            return
        except asyncio.CancelledError:
            await self._rows.release(work.id)
            raise
        except MediaNestError as error:
            state, message = WorkState.FAILED, error.message
        except OSError as error:
            state, message = WorkState.FAILED, f"The folder can not be read or written: {error.strerror or error}."
        except Exception:
            log.exception("Work on the library failed")
            state, message = WorkState.FAILED, "It stopped with an error inside MediaNest; the log has more."
        finally:
            beating.cancel()
        await self._rows.end(work.id, state, message, datetime.now(UTC), found=found)
        log.info("Work on the library (%s): %s", work.kind, message)
