"""The nightly keeping: what is due goes, what will go is announced, and people are told first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from medianest.downloads.filing import Library
from medianest.downloads.model import LibraryFile
from medianest.downloads.repository.history import HistoryRepository
from medianest.keeping.model import LEAST_NOTICE_DAYS, DryRun, Going, KeepingSettings, Outcome, Planned
from medianest.keeping.planning import judge
from medianest.keeping.repository.candidates import CandidateRepository
from medianest.keeping.repository.plans import PlanRepository
from medianest.keeping.repository.settings import KeepingSettingsRepository
from medianest.keeping.words import deleted_by, sum_of
from medianest.system.audit import record

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos

log = logging.getLogger(__name__)

SHOWN = 100
ENDED_KEPT = timedelta(days=365)

Tell = Callable[[int, str], Awaitable[None]]  # person and sentence


class Retention:
    """Built once. `tell_plex` has Plex look at what went; `tell` puts a word before a person."""

    def __init__(
        self, settings: KeepingSettingsRepository, candidates: CandidateRepository, plans: PlanRepository,
        history: HistoryRepository, library: Library, filed: FiledVideos, *, tell: Tell, tell_plex: Callable[[], Awaitable[object]],
    ) -> None:  # fmt: skip
        self._settings = settings
        self._candidates = candidates
        self._plans = plans
        self._history = history
        self._library = library
        self._filed = filed
        self._tell = tell
        self._tell_plex = tell_plex
        self._lock = asyncio.Lock()

    async def judged(self, settings: KeepingSettings | None = None) -> tuple[Going, ...]:
        """What the rules let go now, oldest first; with rules that are not kept, or with those that are."""
        settings = settings or await self._settings.get()
        now = datetime.now(UTC)
        videos, followed = await self._candidates.videos(now), await self._candidates.followed()
        people = await self._candidates.people_of({one.history_id for one in followed})
        free = None
        if settings.free_space_bytes is not None and await asyncio.to_thread(self._library.root.is_dir):
            free = (await asyncio.to_thread(shutil.disk_usage, self._library.root)).free
        return await asyncio.to_thread(judge, videos, followed, people, settings, free_bytes=free, now=now)

    async def dry_run(self, settings: KeepingSettings | None = None) -> DryRun:
        """What would be deleted; nothing is."""
        going = await self.judged(settings)
        by_rule: dict[str, int] = {}
        for one in going:
            by_rule[one.why] = by_rule.get(one.why, 0) + 1
        return DryRun(
            count=len(going),
            size_bytes=sum(one.size_bytes for one in going),
            by_rule=by_rule,
            items=going[:SHOWN],
        )

    async def run(self) -> str:
        """One night: finish, withdraw, delete what is due, announce. A sentence about it."""
        async with self._lock:
            gone = await self._finish_begun()
            settings = await self._settings.get()
            going = {one.history_id: one for one in await self.judged(settings)}
            now = datetime.now(UTC)
            planned = await self._plans.open_ones()
            for one in planned:
                if one.history_id not in going and await self._plans.end(one.history_id, Outcome.WITHDRAWN, now):
                    log.info("“%s” stays: no rule lets it go any more", one.title)
            due = [one for one in planned if one.history_id in going and one.due_at <= now]
            if due and not await self.is_library_there():
                log.warning("The library folder is empty or not there, so nothing is deleted: is its disk mounted?")
                due = []
            gone += [one.history_id for one in due if await self._delete(one)]
            fresh = await self._announce(list(going.values()), {one.history_id for one in planned}, settings, now)
            await self._plans.clean(now - ENDED_KEPT)
        if gone:
            await self.gone(gone)
        return f"Deleted {len(gone)}, announced {fresh}."

    async def gone(self, history_ids: Sequence[int]) -> None:
        """Videos were deleted: Plex and open pages are told."""
        await self._tell_plex()
        await self._filed.announce(history_ids)

    async def is_library_there(self) -> bool:
        """Whether the folder holds anything: that of a disk that is not mounted is empty."""
        return await asyncio.to_thread(_holds_anything, self._library.root)

    async def remove_files(self, files: Sequence[LibraryFile]) -> bool:
        """Take away a deleted video's files; False when its media could not be removed and still lies there."""
        await asyncio.to_thread(self._library.delete, files)
        return not await asyncio.to_thread(self._library.has_media, files)

    async def _finish_begun(self) -> list[int]:
        """What a crash left between the record and the files."""
        finished = []
        for plan_id, history_id in await self._plans.begun():
            found = await self._history.get(history_id)
            # one that was fetched again meanwhile stays
            if found is None or not found.is_deleted or await self.remove_files(found.files):
                await self._plans.finish(plan_id, datetime.now(UTC))
                finished.append(history_id)
        return finished

    async def _delete(self, one: Planned) -> bool:
        now = datetime.now(UTC)
        found = await self._history.get(one.history_id)
        if found is not None and not await asyncio.to_thread(self._library.has_media, found.files):
            await self._plans.end(one.history_id, Outcome.GONE, now)  # somebody removed the file by hand
            await self._history.mark_missing(one.history_id)
            return False
        files = await self._plans.begin(one.id, one.history_id, deleted_by(one.why, one.detail), now)
        if files is None:
            return False
        if not await self.remove_files(files):
            return False  # the next night tries again
        await self._plans.finish(one.id, datetime.now(UTC))
        await record(
            "video.deleted_by_rule",
            one.title,
            actor_id=None,
            actor_name="MediaNest",
            detail=f"{one.why}: {one.detail}; announced {one.announced_at:%Y-%m-%d} to {one.told}",
        )
        log.info("Deleted “%s” (%s)", one.title, one.why)
        return True

    async def _announce(
        self, going: Sequence[Going], known: Iterable[int], settings: KeepingSettings, now: datetime
    ) -> int:
        fresh = [one for one in going if one.history_id not in set(known)]
        people = await self._candidates.people_of([one.history_id for one in fresh])
        due_at = now + timedelta(days=max(LEAST_NOTICE_DAYS, settings.notice_days))
        theirs: dict[int, list[Going]] = {}
        number = 0
        for one in fresh:
            told = people.get(one.history_id, frozenset())
            if await self._plans.announce(one, sorted(told), at=now, due_at=due_at):
                number += 1
                for person in told:
                    theirs.setdefault(person, []).append(one)
        for person, videos in theirs.items():
            await self._tell(person, sum_of(len(videos), sum(one.size_bytes for one in videos), due_at))
        return number


def _holds_anything(root: Path) -> bool:
    with contextlib.suppress(OSError):
        return any(not path.name.startswith(".") for path in root.iterdir())
    return False
