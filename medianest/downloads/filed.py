"""What lies in the library, given to whoever looks after it in Plex."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from medianest.downloads.announcer import Announcer
from medianest.downloads.pictures import PictureStore
from medianest.downloads.repository.filed import FiledRepository, FiledVideo, ListFacts
from medianest.errors import NotFound


class FiledVideos:
    """Videos of the library, the playlists they came in, and under which number Plex has them."""

    def __init__(self, rows: FiledRepository, pictures: PictureStore, announcer: Announcer) -> None:
        self._rows = rows
        self._pictures = pictures
        self._announcer = announcer

    async def video(self, history_id: int) -> FiledVideo | None:
        return await self._rows.video(history_id)

    async def changed_since(self, at: datetime, after_id: int, limit: int) -> tuple[FiledVideo, ...]:
        """What was filed or deleted since then, by id, from `after_id` on."""
        return await self._rows.changed_since(at, after_id, limit)

    async def remember(self, history_id: int, rating_key: str | None, server_id: str | None) -> None:
        """Under which number the server `server_id` has it; None when it has it no more."""
        await self._rows.remember(history_id, rating_key, server_id)

    async def lists_with(self, history_ids: Sequence[int]) -> tuple[int, ...]:
        """Playlists that have one of these videos."""
        return await self._rows.lists_with(history_ids)

    async def playlists_since(self, at: datetime) -> tuple[int, ...]:
        """Playlists with a finished video that changed since then."""
        return await self._rows.playlists_since(at)

    async def list_of(self, download_id: int) -> ListFacts | None:
        """A list by its download; None when it was taken off the queue."""
        return await self._rows.list_of(download_id)

    async def videos_of(self, download_id: int) -> tuple[int, ...]:
        """Records of a list's videos that lie in the library, in the list's order."""
        return await self._rows.videos_of(download_id)

    async def poster(self, facts: ListFacts, *, but: str | None) -> tuple[str, bytes, str] | None:
        """Name, content and media type of a list's picture, else of its first video's.

        None when there is none, or when it is the one called `but`.
        """
        name = facts.picture or await self._rows.picture_of_first(facts.id)
        if name is None or name == but:
            return None
        try:
            content, media_type = await asyncio.to_thread(self._pictures.read, name)
        except NotFound:
            return None
        return name, content, media_type

    async def announce(self, history_ids: Sequence[int]) -> None:
        """Open pages that show these videos read them again."""
        for history_id in history_ids:
            for changed in await self._rows.rows_showing(history_id):
                await self._announcer.shown_otherwise(changed)

    async def announce_list(self, download_id: int) -> None:
        """Open pages of this list read it again."""
        changed = await self._rows.row(download_id)
        if changed is not None:
            await self._announcer.shown_otherwise(changed)
