"""What pages, API and other slices ask about films and series. The parts stand in modules of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from medianest.accounts.model import User
from medianest.media.browsing import Browsing, Wish
from medianest.media.model import (
    Availability,
    ItemDetail,
    ItemPage,
    Library,
    LibraryItem,
    MediaType,
    SearchAnswer,
    Title,
    TitleKey,
    Trouble,
)
from medianest.media.plex_looks import PlexLooks
from medianest.media.search import Search
from medianest.media.titles import Titles, key_of
from medianest.system.model import CacheFigures

POPULAR = 12


class MediaService:
    """`by` is the person who looks: their sharing, and the rating limit of a child, hold for every answer."""

    def __init__(self, titles: Titles, search: Search, browsing: Browsing, looks: PlexLooks) -> None:
        self._titles = titles
        self._search = search
        self._browsing = browsing
        self._looks = looks

    # titles

    async def title(self, media_type: MediaType, tmdb_id: int, by: User | None) -> Title:
        """All of a title; `by` None is MediaNest itself.

        Raises:
            NotFound: there is no such title, or nobody is connected who knows it.
            NotAllowed: it is above the limit of a child.
            UpstreamFailed: nothing is known of it and nobody answers.
        """
        return await self._titles.title(key_of(media_type, tmdb_id), by)

    async def known(self, keys: Collection[TitleKey], by: User | None = None) -> dict[TitleKey, Title]:
        """What the database knows, without a call to anybody. Without `by` there are no pictures: they are signed."""
        return await self._titles.known(keys, by)

    async def remember(self, title: Title) -> None:
        """Keep what is known of a title, for `known` and for times when a service is down."""
        await self._titles.remember(title)

    async def in_plex(self, key: TitleKey) -> Availability:
        """How much of it Plex has, found by its numbers; unknown when Plex can not say."""
        return await self._titles.in_plex(key)

    # search

    async def search(self, q: str, page: int, by: User) -> SearchAnswer:
        """Everything for some words; services that fail are named in the answer."""
        return await self._search.find(q, page, by)

    async def videos(self, q: str, by: User) -> SearchAnswer:
        """Videos at YouTube for some words."""
        return await self._search.videos(q, by)

    async def popular(self, by: User, *, limit: int = POPULAR) -> SearchAnswer:
        """What many people watch now."""
        return await self._search.popular(by, limit=limit)

    # the libraries

    async def libraries(self, by: User) -> tuple[tuple[Library, ...], Trouble | None]:
        """The libraries that are shared with somebody; raises as all that follows.

        Raises:
            Conflict: Plex is not connected.
            NotAllowed: they have to sign in with Plex again.
            UpstreamFailed: Plex does not answer and there is no copy.
        """
        return await self._browsing.libraries(by)

    async def library(self, key: str, by: User) -> Library:
        """One of them; raises `NotFound`."""
        return await self._browsing.library(key, by)

    async def items(self, key: str, by: User, wish: Wish, *, limit: int, offset: int) -> ItemPage:
        """A slice of a library."""
        return await self._browsing.items(key, by, wish, limit=limit, offset=offset)

    async def item(self, rating_key: str, by: User) -> ItemDetail:
        """An item with its seasons, episodes or members; raises `NotFound`."""
        return await self._browsing.item(rating_key, by)

    async def recent(self, by: User, *, limit: int = 20) -> ItemPage:
        """What is new, the newest first."""
        return await self._browsing.recent(by, limit=limit)

    async def continue_watching(self, by: User, *, limit: int = 20) -> ItemPage:
        """What they have begun."""
        return await self._browsing.continue_watching(by, limit=limit)

    async def collections(self, by: User) -> tuple[tuple[tuple[Library, tuple[LibraryItem, ...]], ...], Trouble | None]:
        """Collections by library."""
        return await self._browsing.collections(by)

    # upkeep

    async def look_again(self) -> str:
        """The recurring look for what has arrived."""
        return await self._titles.look_again()

    async def server_changed(self, _event: object = None) -> None:
        """Plex or the request manager is another one now: nothing kept in memory counts."""
        for part in (self._titles, self._search, self._browsing, self._looks):
            part.forget()

    async def library_changed(self, _event: object = None) -> None:
        """Something new lies in a library."""
        self._browsing.forget()

    def figures(self) -> tuple[CacheFigures, ...]:
        """How often answers were there already."""
        return (
            *self._search.figures(), *self._titles.figures(), *self._looks.figures(), *self._browsing.figures()
        )  # fmt: skip

    async def close(self) -> None:
        """Let go of what still runs."""
        await asyncio.gather(self._search.close(), self._titles.close(), self._looks.close(), self._browsing.close())
