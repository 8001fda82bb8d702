"""Takes into the history what lies in the folder already: nothing of it is downloaded again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from medianest.keeping.model import LibraryWork
from medianest.keeping.reading import media_in, read_video
from medianest.keeping.repository.adopted import AdoptedRepository
from medianest.keeping.work import Report

REPORT_EVERY = 20
SHOWN = 200


class Adopting:
    """`tell_plex` has Plex's numbers looked up for what was taken in."""

    def __init__(self, root: Path, adopted: AdoptedRepository, tell_plex: Callable[[], Awaitable[object]]) -> None:
        self._root = root
        self._adopted = adopted
        self._tell_plex = tell_plex

    async def run(self, work: LibraryWork, by: int | None, report: Report) -> tuple[str, tuple[str, ...]]:
        """Look at every file; a dry run takes nothing in. Doing it again finds only what is new."""
        paths = await asyncio.to_thread(lambda: list(media_in(self._root)))
        known = await self._adopted.known_paths()
        fresh = [path for path in paths if path.relative_to(self._root).as_posix() not in known]
        taken: list[str] = []
        unread: list[str] = []
        twice = 0
        for number, path in enumerate(fresh):
            if number % REPORT_EVERY == 0:
                await report("reading", number, len(fresh))
            name = path.relative_to(self._root).as_posix()
            video = await asyncio.to_thread(read_video, self._root, path)
            if video is None:
                unread.append(name)
            elif work.is_dry_run and await self._adopted.identities([video.identity]):
                twice += 1
            elif work.is_dry_run or await self._adopted.adopt(video, by, datetime.now(UTC)):
                taken.append(name)
            else:
                twice += 1
        await report("reading", len(fresh), len(fresh))
        if taken and not work.is_dry_run:
            await self._tell_plex()
        would = "would be taken" if work.is_dry_run else "were taken" if len(taken) != 1 else "was taken"
        message = (
            f"{len(taken)} of {len(paths)} videos {would} into the history; {len(paths) - len(fresh)} were known, {twice} are "
            f"there twice, {len(unread)} have neither an id in their name nor an .nfo that tells one."
        )
        shown = [f"+ {name}" for name in taken[:SHOWN]] + [f"? {name}" for name in unread[:SHOWN]]
        return message, tuple(shown)
