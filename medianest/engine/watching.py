"""Watches what a new yt-dlp makes of the sites, and goes back by itself when it breaks one that worked.

The rule: three links in a row of one site that worked within the last seven days fail with a fault that a version can
cause, inside one hour, and the version before finds one of them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from medianest.engine.model import CurrentEngine, LinkTried, TrialReport
from medianest.engine.repository import EngineRepository, SiteFailure, SiteRecord

log = logging.getLogger(__name__)

# what a version can be guilty of: it does not understand the site any more
BLAMED = frozenset(("engine_error", "bug", "unsupported", "no_format", "format"))
IN_A_ROW = 3
INSIDE = timedelta(hours=1)
WORKED_WITHIN = timedelta(days=7)
NOT_AGAIN_S = 1800.0  # a site that the version before does not know either is not asked at once again
REMEMBERED_S = 3600.0  # a success is written down once in this time

Probe = Callable[[str], Awaitable[TrialReport]]


class EngineWatch:
    """Listens to every link that was tried.

    Args:
        current: the version that new downloads run with.
        probe: looks at a link with the version that a way back would lead to.
        go_back: chooses that version; is told the site and the number of failures.
    """

    def __init__(
        self,
        repository: EngineRepository,
        current: Callable[[], Awaitable[CurrentEngine]],
        probe: Probe,
        go_back: Callable[[str, int], Awaitable[None]],
    ) -> None:
        self._repository = repository
        self._current = current
        self._probe = probe
        self._go_back = go_back
        self._worked: dict[str, float] = {}  # site and version → when it was written down (monotonic)
        self._asked: dict[str, float] = {}  # site → when the version before was tried
        self._task: asyncio.Task[None] | None = None

    async def stop(self) -> None:
        """End a trial that goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self) -> None:
        """Until a trial that goes on has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def on_link_tried(self, event: LinkTried) -> None:
        """Count it; three failures in a row start a trial beside the queue."""
        if not event.site:
            return
        key = f"{event.site} {event.version}"
        if not event.failure:
            if time.monotonic() - self._worked.get(key, -REMEMBERED_S) >= REMEMBERED_S:
                self._worked = {one: at for one, at in self._worked.items() if time.monotonic() - at < REMEMBERED_S}
                await self._repository.site_worked(event.site, event.version, at=datetime.now(UTC))
                self._worked[key] = time.monotonic()
            return
        if event.failure not in BLAMED:
            return
        current = await self._current()
        if current.is_inside or event.version != current.version:
            return
        self._worked.pop(key, None)
        now = datetime.now(UTC)
        failure = SiteFailure(event.url, event.failure, now.timestamp())
        record = await self._repository.site_failed(event.site, event.version, failure, at=now, within=INSIDE)
        if is_broken(record, now) and self._may_ask(event.site):
            self._asked[event.site] = time.monotonic()
            self._task = asyncio.create_task(self._judge(record), name="trial of the version before")

    def _may_ask(self, site: str) -> bool:
        is_free = self._task is None or self._task.done()
        return is_free and time.monotonic() - self._asked.get(site, -NOT_AGAIN_S) >= NOT_AGAIN_S

    async def _judge(self, record: SiteRecord) -> None:
        try:
            for failure in reversed(record.failures[-IN_A_ROW:]):
                report = await self._probe(failure.url)
                if report.version and not report.failure:
                    await self._go_back(record.site, len(record.failures))
                    return
            log.info("%s fails with the yt-dlp before as well: it is the site", record.site)
        except Exception:
            log.exception("The version before could not be tried")


def is_broken(record: SiteRecord, now: datetime) -> bool:
    """Whether the failures of a site call for a trial."""
    worked_lately = record.worked_at is not None and now - record.worked_at <= WORKED_WITHIN
    return worked_lately and len(record.failures) >= IN_A_ROW
