"""Looking into Plex for one title: is it there, and which of its seasons. With the owner's token: it is about the server."""

from __future__ import annotations

import asyncio
import logging

from medianest.errors import MediaNestError
from medianest.integrations.plex_media import PlexItem
from medianest.media.kept import AnswerCache
from medianest.media.model import Availability, MediaType, Title, TitleKey
from medianest.media.plex_index import Entry, PlexIndex
from medianest.media.ratings import age_of
from medianest.media.standing import Look, SeasonThere
from medianest.media.viewers import Viewers
from medianest.system.model import CacheFigures

log = logging.getLogger(__name__)


class PlexLooks:
    """Built with the slice."""

    def __init__(self, viewers: Viewers, index: PlexIndex) -> None:
        self._viewers = viewers
        self._index = index
        self._answers = AnswerCache("titles in Plex", 60, service="plex", most=2000)

    async def refresh(self) -> None:
        """Read what is new on the server; raises when it does not answer."""
        await self._index.refresh()

    def entry(self, title: Title) -> Entry | None:
        """The title on the server, as far as its libraries were read."""
        return self._index.find(title.media_type, tmdb_id=title.tmdb_id, imdb_id=title.imdb_id, tvdb_id=title.tvdb_id)

    async def of(self, title: Title) -> Look | None:
        """What Plex has of it; None when it can not be known now."""
        try:
            owner = await self._viewers.of(None)
            self._index.refresh_soon()
            entry = self.entry(title)
            if entry is None and not self._index.is_whole:
                entry = await self._searched(title, owner.token, owner.machine_id)
                if entry is None:
                    return None
            if entry is None or title.media_type is MediaType.MOVIE:
                return Look(server_id=owner.machine_id, entry=entry)
            key = entry.rating_key

            async def ask() -> dict[int, SeasonThere]:
                media = await self._viewers.media(owner.machine_id)
                page = await media.children(owner.token, key)
                return {
                    one.index: SeasonThere(one.rating_key, one.leaf_count or 0)
                    for one in page.items
                    if one.type == "season" and one.index is not None
                }

            seasons = await self._answers.get((owner.machine_id, key), ask)
            return Look(server_id=owner.machine_id, entry=entry, seasons=seasons.value)
        except MediaNestError as error:
            log.debug("Plex can not say whether it has a title (%s)", error.code)
            return None

    async def _searched(self, title: Title, token: str, machine_id: str) -> Entry | None:
        """By its name, while the libraries are not read yet; the numbers decide."""
        if not title.title:
            return None

        async def ask() -> tuple[PlexItem, ...]:
            media = await self._viewers.media(machine_id)
            return await media.search(token, title.title)

        for item in (await self._answers.get((machine_id, "search", title.title), ask)).value:
            is_same_kind = (item.type == "movie") is (title.media_type is MediaType.MOVIE)
            is_same = item.tmdb_id == title.tmdb_id or (title.imdb_id is not None and item.imdb_id == title.imdb_id)
            if is_same_kind and is_same:
                return Entry(item.rating_key, item.title)
        return None

    async def title(self, key: TitleKey) -> Title | None:
        """What Plex tells of a title that nobody else knows."""
        try:
            owner = await self._viewers.of(None)
            entry = self._index.find(key.media_type, tmdb_id=key.tmdb_id)
            if entry is None:
                await self._index.refresh()
                entry = self._index.find(key.media_type, tmdb_id=key.tmdb_id)
            if entry is None:
                return None
            item = await (await self._viewers.media(owner.machine_id)).item(owner.token, entry.rating_key)
        except MediaNestError:
            return None
        return Title(
            media_type=key.media_type,
            tmdb_id=key.tmdb_id,
            title=item.title,
            year=item.year,
            overview=item.summary,
            genres=item.genres,
            score=item.score,
            certification=item.content_rating,
            age=age_of(item.content_rating),
            runtime_min=round(item.duration_ms / 60000) or None,
            imdb_id=item.imdb_id,
            tvdb_id=item.tvdb_id,
            availability=Availability.AVAILABLE,
            plex_rating_key=entry.rating_key,
        )

    # upkeep

    def forget(self) -> None:
        """The server is another one."""
        self._answers.forget()
        self._index.forget()

    def figures(self) -> tuple[CacheFigures, ...]:
        return (self._answers.figures,)

    async def close(self) -> None:
        await asyncio.gather(self._answers.close(), self._index.close())
