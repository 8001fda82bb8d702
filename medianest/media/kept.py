"""Answers of services kept in memory: one call for all who ask at once, old copies while a service fails or is slow.

A copy is good for its time. After that it is asked again; whoever has an old copy waits for that only a moment, whoever has
none waits a while. The call goes on meanwhile, so that the next one finds its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar, cast

import msgspec

from medianest.errors import MediaNestError, UpstreamFailed
from medianest.media.model import Trouble
from medianest.media.words import plain
from medianest.system.model import CacheFigures

T = TypeVar("T")

STALE_S = 24 * 3600.0  # an older copy is no answer any more
WITH_COPY_S = 1.5
WITHOUT_COPY_S = 8.0
NOT_AGAIN_S = 5.0  # after a failure nobody is made to wait for the same one


class Kept(msgspec.Struct, Generic[T], frozen=True):
    """An answer. `trouble` is why it is an old one; None when it is good."""

    value: T
    age_s: int = 0
    trouble: MediaNestError | None = None


class _Copy:
    __slots__ = ("at", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.at = time.monotonic()


class AnswerCache:
    """Answers of one kind by key.

    Args:
        name: for the owner's page.
        lives_s: how long a copy is good.
        most: how many are kept; the oldest go.
        service: plex, overseerr or videos: who is spoken of when something fails.
    """

    def __init__(self, name: str, lives_s: float, *, service: str, most: int = 1000) -> None:
        self.name = name
        self._lives_s = lives_s
        self._most = most
        self._service = service
        self._copies: dict[Hashable, _Copy] = {}
        self._asking: dict[Hashable, asyncio.Task[Any]] = {}
        self._failed: dict[Hashable, tuple[float, MediaNestError]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._hits = self._misses = 0

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> Kept[T]:
        """The answer for `key`, asked for by `ask` when it is not there.

        Raises:
            MediaNestError: `ask` failed, or took too long, and there is no copy.
        """
        copy = self._copies.get(key)
        age = time.monotonic() - copy.at if copy else 0.0
        if copy and age < self._lives_s:
            self._hits += 1
            return Kept(copy.value)
        self._misses += 1
        if copy and age > STALE_S:
            copy = None
        problem = self._recent_failure(key)
        if problem is None:
            try:
                return Kept(await self._wait(key, ask, WITH_COPY_S if copy else WITHOUT_COPY_S))
            except TimeoutError:
                problem = plain(self._service, UpstreamFailed("", code="slow"))
            except MediaNestError as error:
                problem = plain(self._service, error)
                # what is not there, or not theirs, is an answer; only a service that fails is worth an old copy
                if not is_passing(error):
                    self._copies.pop(key, None)
                    raise problem from error
                self._remember(key, problem)
        if copy is None:
            raise problem
        return Kept(copy.value, int(age), problem)

    def known(self, key: Hashable) -> Any:
        """The copy for `key`, however old; None without one."""
        copy = self._copies.get(key)
        return copy.value if copy else None

    async def _wait(self, key: Hashable, ask: Callable[[], Awaitable[T]], patience_s: float) -> T:
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, ask), name=f"ask {self.name}")
            self._asking[key] = task
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._done(key, done))
        async with asyncio.timeout(patience_s):
            return cast("T", await asyncio.shield(task))

    async def _ask(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        value = await ask()
        if self._asking.get(key) is not asyncio.current_task():
            return value  # forgotten meanwhile: it may tell of before
        while len(self._copies) >= self._most and key not in self._copies:
            del self._copies[min(self._copies, key=lambda one: self._copies[one].at)]
        self._copies[key] = _Copy(value)
        self._failed.pop(key, None)
        return value

    def _done(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, MediaNestError) and is_passing(error):  # nobody may have waited so long
            self._remember(key, plain(self._service, error))

    def _remember(self, key: Hashable, error: MediaNestError) -> None:
        now = time.monotonic()
        self._failed = {one: (at, e) for one, (at, e) in self._failed.items() if now - at < NOT_AGAIN_S}
        self._failed.setdefault(key, (now, error))

    def _recent_failure(self, key: Hashable) -> MediaNestError | None:
        at, error = self._failed.get(key, (0.0, None))
        return error if error is not None and time.monotonic() - at < NOT_AGAIN_S else None

    def forget(self, key: Hashable | None = None) -> None:
        """Drop the copy for `key`, or everything; what is asked right now belongs to before, too."""
        if key is None:
            self._copies.clear()
            self._failed.clear()
            self._asking.clear()
        else:
            self._copies.pop(key, None)
            self._failed.pop(key, None)
            self._asking.pop(key, None)

    @property
    def figures(self) -> CacheFigures:
        return CacheFigures(name=self.name, kept=len(self._copies), hits=self._hits, misses=self._misses)

    async def close(self) -> None:
        """Let go of calls that still run."""
        running = list(self._tasks)
        for task in running:
            task.cancel()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def is_passing(error: MediaNestError) -> bool:
    """Whether a service failed, rather than said no."""
    return isinstance(error, UpstreamFailed) and error.code not in ("plex_server_refused",)


def trouble_of(service: str, error: MediaNestError, age_s: int | None = None) -> Trouble:
    """What is said about a failure beside what could be shown."""
    told = plain(service, error)
    return Trouble(service=service, code=told.code, text=told.message, age_s=age_s)
