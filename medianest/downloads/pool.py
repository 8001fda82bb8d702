"""Warm workers: started on demand, kept while downloads are recent, replaced after some work and after every mishap."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from medianest.downloads.child import Child, WorkerDied

log = logging.getLogger(__name__)

STOP_S = 2.5


class PoolRules(msgspec.Struct, frozen=True, kw_only=True):
    """How long workers are kept."""

    jobs_per_worker: int = 20
    spare_after_s: float = 10.0  # beyond one spare, an idle worker ends after this time
    none_after_s: float = 300.0  # after this time without work the last one ends too
    look_every_s: float = 5.0


class WorkerPool:
    """Hands out workers. Whoever acquires one gives it back by `release`, or by `discard` when it is to be ended.

    Args:
        command: starts a worker.
        environment: its environment, without secrets.
        configuration: the first line it is told, less its temporary folder.
        folder: of this run, for the temporary folders of the workers; what lies beside it is of earlier runs.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Callable[[], Mapping[str, str]],
        configuration: Callable[[], Awaitable[Mapping[str, Any]]],
        folder: Path,
        rules: PoolRules = PoolRules(),  # noqa: B008  # frozen
    ) -> None:
        self._command = command
        self._environment = environment
        self._configuration = configuration
        self._folder = folder
        self._rules = rules
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._starting: dict[asyncio.Task[Child], bool] = {}  # → whether somebody waits for it
        self._ending: set[asyncio.Task[None]] = set()
        self._janitor: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._stale: set[Child] = set()  # of an earlier version: they finish what they do and end
        self._generation = 0
        self.last_started: Child | None = None  # it says what workers run with
        self._has_started = False

    @property
    def size(self) -> int:
        """Workers that are there or being started."""
        return len(self._idle) + len(self._busy) + len(self._starting)

    @property
    def version(self) -> str:
        """The yt-dlp that the workers use, empty while none has started."""
        return next((child.version for child in (*self._idle, *self._busy)), "")

    @property
    def engine_problem(self) -> str:
        """Why the newest worker does not run with the yt-dlp that was chosen; empty when it does, or none has started."""
        return self.last_started.engine_problem if self.last_started is not None else ""

    async def acquire(self) -> Child:
        """A warm worker.

        Raises:
            WorkerDied: none could be started.
        """
        if self._is_stopped:
            raise WorkerDied("MediaNest is stopping.")
        self._watch()
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return self._hand_out(child)
            self._end(child)
        task = next((one for one, is_taken in self._starting.items() if not is_taken), None) or self._start()
        self._starting[task] = True
        try:
            return self._hand_out(await asyncio.shield(task))
        except asyncio.CancelledError:
            if task in self._starting:
                self._starting[task] = False
            elif not task.cancelled() and task.exception() is None:
                self._idle.append(task.result())
            raise

    def warm(self) -> None:
        """Have one worker ready soon, when there is none."""
        self._watch()
        if self.size == 0 and not self._is_stopped:
            self._start()

    def release(self, child: Child) -> None:
        """Take a worker back after work that went well or failed in an orderly way."""
        self._busy.discard(child)
        child.used_at = time.monotonic()
        is_spent = child.jobs >= self._rules.jobs_per_worker or child in self._stale
        self._stale.discard(child)
        if not self._is_stopped and child.is_alive and not is_spent:
            self._idle.append(child)
            return
        self._end(child)
        if not self._is_stopped and not self._idle and not self._starting:
            self._start()  # its place as the warm spare

    def renew(self) -> None:
        """Another yt-dlp is chosen: idle workers end now, busy ones when they have done what they do."""
        self._generation += 1
        self._stale |= self._busy
        for child in self._idle:
            self._end(child)
        self._idle.clear()
        self.last_started = None

    async def discard(self, child: Child) -> None:
        """End a worker and all it started; returns when its process group is gone."""
        self._busy.discard(child)
        self._stale.discard(child)
        await asyncio.shield(self._end(child))

    async def stop(self) -> None:
        """End every worker; at most some seconds."""
        self._is_stopped = True
        if self._janitor:
            self._janitor.cancel()
        for task in tuple(self._starting):
            task.cancel()
        for child in (*self._idle, *self._busy):
            self._end(child)
        self._idle.clear()
        self._busy.clear()
        waiting = [*self._starting, *self._ending, *([self._janitor] if self._janitor else [])]
        if waiting:
            await asyncio.wait(waiting, timeout=STOP_S)
        if self._ending:  # a start that was cut off ends its child in a task of its own
            await asyncio.wait(tuple(self._ending), timeout=1)

    def _hand_out(self, child: Child) -> Child:
        self._busy.add(child)
        child.jobs += 1
        child.used_at = time.monotonic()
        return child

    def _start(self) -> asyncio.Task[Child]:
        task = asyncio.create_task(self._start_one(), name="start worker")
        self._starting[task] = False
        task.add_done_callback(self._on_started)
        return task

    async def _start_one(self) -> Child:
        if not self._has_started:
            self._has_started = True
            await asyncio.to_thread(self._clean_up)
        while True:
            generation = self._generation
            child = await self._start_in(self._folder / f"worker-{uuid.uuid4().hex}")
            if generation == self._generation:
                self.last_started = child
                return child
            self._end(child)  # another yt-dlp was chosen meanwhile

    async def _start_in(self, folder: Path) -> Child:
        started = time.monotonic()
        configuration = asyncio.create_task(self._configured())
        try:
            child = await Child.start(self._command, self._environment(), configuration, folder)
        finally:
            configuration.cancel()
        log.info(
            "Download worker %d is ready after %.1f s with yt-dlp %s",
            child.pid,
            time.monotonic() - started,
            child.version,
        )
        return child

    async def _configured(self) -> Mapping[str, Any]:
        return await self._configuration()

    def _clean_up(self) -> None:
        """Remove what the workers of earlier runs left behind."""
        if self._folder.parent.is_dir():
            for old in self._folder.parent.iterdir():
                if old != self._folder:
                    shutil.rmtree(old, ignore_errors=True)

    def _on_started(self, task: asyncio.Task[Child]) -> None:
        is_taken = self._starting.pop(task, False)
        if task.cancelled():
            return
        if task.exception() is not None:
            log.error("A download worker could not be started: %s", task.exception())
        elif self._is_stopped:
            self._end(task.result())
        elif not is_taken:
            self._idle.append(task.result())

    def _end(self, child: Child) -> asyncio.Task[None]:
        task = child.kill()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task

    def _watch(self) -> None:
        if self._janitor is None and not self._is_stopped:
            self._janitor = asyncio.create_task(self._keep_house(), name="worker pool")

    async def _keep_house(self) -> None:
        while True:
            await asyncio.sleep(self._rules.look_every_s)
            with contextlib.suppress(Exception):
                self.trim(time.monotonic())

    def trim(self, now: float) -> None:
        """End workers that are not needed: all but one soon, the last one after a quiet time."""
        for child in [child for child in self._idle if not child.is_alive]:
            self._idle.remove(child)
            self._end(child)
        self._idle.sort(key=lambda child: child.used_at)
        while len(self._idle) > 1 and now - self._idle[0].used_at > self._rules.spare_after_s:
            self._end(self._idle.pop(0))
        if self._idle and not self._busy and now - self._idle[-1].used_at > self._rules.none_after_s:
            for child in self._idle:
                self._end(child)
            self._idle.clear()
