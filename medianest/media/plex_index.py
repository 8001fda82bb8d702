"""Which titles the server has, by their numbers at TMDB, IMDb and TVDB: read once, then kept up by what is new.

Plex has no question "is this number there?", so the libraries are read page by page: all of them every few hours, the
newest entries whenever somebody wants to know, at most once a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

import msgspec

from medianest.errors import MediaNestError
from medianest.integrations.plex_media import PAGE, PlexItem, PlexMedia
from medianest.media.model import MediaType

log = logging.getLogger(__name__)

WHOLE_S = 6 * 3600.0
NEWEST_S = 60.0
NEWEST_PAGE = 50
MOST_ROWS = 50_000  # of one library
KINDS = {"movie": MediaType.MOVIE, "show": MediaType.TV}


class Entry(msgspec.Struct, frozen=True):
    """A title on the server."""

    rating_key: str
    title: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the index reads: one server with the owner's token."""

    machine_id: str
    media: PlexMedia
    token: str
    sections: tuple[tuple[str, str], ...]  # key and type


class _Section:
    """What one library holds."""

    def __init__(self) -> None:
        self.by_number: dict[tuple[MediaType, str, str], Entry] = {}
        self.keys: set[str] = set()

    def add(self, item: PlexItem) -> None:
        self.keys.add(item.rating_key)
        media_type = KINDS.get(item.type)
        if media_type is None:
            return
        entry = Entry(item.rating_key, item.title)
        for place in ("tmdb", "imdb", "tvdb"):
            if number := item.number_at(place):
                self.by_number[media_type, place, number] = entry


class PlexIndex:
    """Built once; `reads` says where, and raises when there is no server or it does not answer."""

    def __init__(self, reads: Callable[[], Awaitable[Place]]) -> None:
        self._reads = reads
        self._machine_id = ""
        self._sections: dict[str, _Section] = {}
        self._whole_at = self._newest_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything was read once, so that what is not found is not there."""
        return self._whole_at > float("-inf")

    def find(
        self, media_type: MediaType, *, tmdb_id: int | None, imdb_id: str | None = None, tvdb_id: int | None = None
    ) -> Entry | None:
        """The title on the server by any of its numbers."""
        for place, number in (("tmdb", tmdb_id), ("imdb", imdb_id), ("tvdb", tvdb_id)):
            if number:
                for section in self._sections.values():
                    if (entry := section.by_number.get((media_type, place, str(number)))) is not None:
                        return entry
        return None

    async def refresh(self) -> None:
        """Bring it up to date, together with whoever does so already.

        Raises:
            MediaNestError: the server did not answer; what was known stays.
        """
        task = self._refreshing
        if task is None:
            if time.monotonic() - self._newest_at < NEWEST_S:
                return
            task = self._refreshing = asyncio.create_task(self._refresh(), name="read what Plex has")
            task.add_done_callback(self._done)
        await asyncio.shield(task)

    def refresh_soon(self) -> None:
        """The same in the background."""
        if self._refreshing is None and time.monotonic() - self._newest_at >= NEWEST_S:
            self._refreshing = asyncio.create_task(self._refresh(), name="read what Plex has")
            self._refreshing.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._refreshing = None
        error = None if task.cancelled() else task.exception()
        if isinstance(error, MediaNestError):
            self._newest_at = time.monotonic()  # not again at once
            log.info("What Plex has could not be read (%s)", error.code)
        elif error is not None:
            log.error("What Plex has could not be read", exc_info=error)

    async def _refresh(self) -> None:
        place = await self._reads()
        if place.machine_id != self._machine_id:
            self.forget()
            self._machine_id = place.machine_id
        is_due = time.monotonic() - self._whole_at >= WHOLE_S
        known = {key for key, _kind in place.sections}
        for key in [key for key in self._sections if key not in known]:
            del self._sections[key]
        for key, kind in place.sections:
            section = self._sections.get(key)
            if is_due or section is None or not await self._add_newest(place, key, kind, section):
                self._sections[key] = await self._read(place, key, kind)
        now = time.monotonic()
        self._newest_at = now
        if is_due:
            self._whole_at = now

    async def _read(self, place: Place, key: str, kind: str) -> _Section:
        """All of a library; it takes the place of what was known only when it was read to its end."""
        section, start = _Section(), 0
        while start < MOST_ROWS:
            page = await place.media.section_items(place.token, key, kind, start=start, size=PAGE)
            for item in page.items:
                section.add(item)
            start += len(page.items)
            if not page.items or start >= page.total:
                break
        return section

    async def _add_newest(self, place: Place, key: str, kind: str, section: _Section) -> bool:
        """Whether the newest entries were enough; False when something went, or more came than a page."""
        page = await place.media.section_items(place.token, key, kind, start=0, size=NEWEST_PAGE, sort="addedAt:desc")
        fresh = [item for item in page.items if item.rating_key not in section.keys]
        if len(section.keys) + len(fresh) != page.total:
            return False
        for item in fresh:
            section.add(item)
        return True

    def forget(self) -> None:
        """Everything anew: the server is another one."""
        self._sections = {}
        self._whole_at = self._newest_at = float("-inf")

    async def close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._refreshing
