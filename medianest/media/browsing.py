"""What a person sees of the Plex server: libraries, their items, what is new, what they have begun, collections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import msgspec

from medianest.accounts.model import User
from medianest.errors import NotFound
from medianest.integrations.plex_media import PAGE, PlexItem, PlexMedia, PlexPage
from medianest.integrations.plex_server import Section
from medianest.media.items import ItemMaker, is_shown, show_key_of
from medianest.media.kept import AnswerCache, Kept, trouble_of
from medianest.media.model import ItemDetail, ItemPage, Library, LibraryItem, Trouble
from medianest.media.viewers import Viewer, Viewers
from medianest.system.model import CacheFigures

KINDS = ("movie", "show")
MOST_OF_A_SECTION = 5000  # rows that are read to filter a library for a child
RECENT = 50
ROW = 20  # items in a row of the home page
GONE = "This is not in the library any more, or it is not shared with you."


class Sort(StrEnum):
    """The orders of a library."""

    TITLE = "title"
    ADDED = "added"
    YEAR = "year"
    SCORE = "score"


PLEX_SORT = {
    Sort.TITLE: "titleSort",
    Sort.ADDED: "addedAt:desc",
    Sort.YEAR: "year:desc",
    Sort.SCORE: "audienceRating:desc",
}
OWN_SORT: dict[Sort, Callable[[PlexItem], Any]] = {
    Sort.TITLE: lambda item: item.title.casefold(),
    Sort.ADDED: lambda item: -item.added_at_s,
    Sort.YEAR: lambda item: -(item.year or 0),
    Sort.SCORE: lambda item: -(item.score or 0),
}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a library: `words` are looked for in titles."""

    sort: Sort = Sort.TITLE
    words: str = ""
    is_unwatched: bool = False


class Browsing:
    """Reads for somebody, each with their own sharing; answers are kept for all who see the same."""

    def __init__(self, viewers: Viewers, maker: ItemMaker) -> None:
        self._viewers = viewers
        self._maker = maker
        self._libraries = AnswerCache("libraries", 300, service="plex")
        self._items = AnswerCache("items", 1800, service="plex", most=400)
        self._recent = AnswerCache("recent", 1800, service="plex")
        self._deck = AnswerCache("begun", 60, service="plex")
        self._details = AnswerCache("item", 300, service="plex")
        self._caches = (self._libraries, self._items, self._recent, self._deck, self._details)

    # libraries

    async def libraries(self, by: User) -> tuple[tuple[Library, ...], Trouble | None]:
        """The libraries with films and series that are shared with somebody."""
        viewer = await self._viewers.of(by)
        kept = await self.sections(viewer)
        found = tuple(Library(key=one.key, type=one.type, title=one.title) for one in kept.value)
        return found, _trouble(kept)

    async def sections(self, viewer: Viewer) -> Kept[tuple[Section, ...]]:
        """The same as Plex names them."""

        async def ask() -> tuple[Section, ...]:
            await self._viewers.media(viewer.machine_id)
            found = await self._viewers.sections(viewer.token)
            return tuple(one for one in found if one.type in KINDS)

        return await self._libraries.get(viewer.share, ask)

    async def library(self, key: str, by: User) -> Library:
        """One of them.

        Raises:
            NotFound: there is none, or it is not shared.
        """
        found, _trouble_of_it = await self.libraries(by)
        for library in found:
            if library.key == key:
                return library
        raise NotFound("There is no such library, or it is not shared with you.")

    async def items(self, key: str, by: User, wish: Wish, *, limit: int, offset: int) -> ItemPage:
        """A slice of a library."""
        library = await self.library(key, by)
        viewer = await self._viewers.of(by)
        if viewer.limit is not None:
            return await self._items_for_a_child(library, viewer, wish, limit, offset)
        is_unwatched = wish.is_unwatched and viewer.is_own

        async def ask() -> PlexPage:
            media = await self._viewers.media(viewer.machine_id)
            return await media.section_items(
                viewer.token, key, library.type, start=offset, size=limit, sort=PLEX_SORT[wish.sort],
                title=wish.words, is_unwatched=is_unwatched,
            )  # fmt: skip

        asked = (viewer.share, key, wish.sort, wish.words.casefold(), is_unwatched, offset, limit)
        return self._page(await self._items.get(asked, ask), viewer, offset, limit)

    async def _items_for_a_child(
        self, library: Library, viewer: Viewer, wish: Wish, limit: int, offset: int
    ) -> ItemPage:
        """Filtered here: Plex can not be told the limits of somebody who has no account there."""
        kept = await self._whole(library, viewer)
        words = wish.words.casefold()
        shown = [item for item in kept.value if is_shown(item, viewer) and words in item.title.casefold()]
        shown.sort(key=OWN_SORT[wish.sort])
        page = PlexPage(tuple(shown[offset : offset + limit]), len(shown), offset)
        return self._page(Kept(page, kept.age_s, kept.trouble), viewer, offset, limit)

    async def _whole(self, library: Library, viewer: Viewer) -> Kept[tuple[PlexItem, ...]]:
        async def ask() -> tuple[PlexItem, ...]:
            media = await self._viewers.media(viewer.machine_id)
            return await whole_section(media, viewer.token, library.key, library.type)

        return await self._items.get((viewer.share, library.key, "whole"), ask)

    # rows

    async def recent(self, by: User, *, limit: int = ROW) -> ItemPage:
        """What is new in the libraries, the newest first."""
        viewer = await self._viewers.of(by)

        async def ask() -> tuple[PlexItem, ...]:
            media = await self._viewers.media(viewer.machine_id)
            return await media.recently_added(viewer.token, size=RECENT)

        kept = await self._recent.get(viewer.share, ask)
        shown = await self._shown(once_each(kept.value), viewer)
        return self._page(_sliced(kept, shown[:limit], len(shown)), viewer, 0, limit)

    async def continue_watching(self, by: User, *, limit: int = ROW) -> ItemPage:
        """What somebody has begun; empty for people who see with the owner's eyes."""
        viewer = await self._viewers.of(by)
        if not viewer.is_own:
            return ItemPage(items=(), total=0, offset=0, limit=limit)

        async def ask() -> tuple[PlexItem, ...]:
            media = await self._viewers.media(viewer.machine_id)
            return await media.on_deck(viewer.token)

        kept = await self._deck.get(viewer.share, ask)
        shown = await self._shown(kept.value, viewer)
        return self._page(_sliced(kept, shown[:limit], len(shown)), viewer, 0, limit)

    async def collections(self, by: User) -> tuple[tuple[tuple[Library, tuple[LibraryItem, ...]], ...], Trouble | None]:
        """The collections of each library."""
        libraries, trouble = await self.libraries(by)
        viewer = await self._viewers.of(by)
        found = []
        for library in libraries:
            kept = await self._collections_of(library.key, viewer)
            shown = tuple(self._maker.make(item, viewer) for item in kept.value if is_shown(item, viewer))
            trouble = trouble or _trouble(kept)
            if shown:
                found.append((library, shown))
        return tuple(found), trouble

    async def _collections_of(self, key: str, viewer: Viewer) -> Kept[tuple[PlexItem, ...]]:
        async def ask() -> tuple[PlexItem, ...]:
            media = await self._viewers.media(viewer.machine_id)
            return (await media.collections(viewer.token, key, size=PAGE)).items

        return await self._items.get((viewer.share, key, "collections"), ask)

    # one item

    async def item(self, rating_key: str, by: User) -> ItemDetail:
        """An item with what lies inside it.

        Raises:
            NotFound: there is none, it is not shared, or it is above the limit of a child.
        """
        viewer = await self._viewers.of(by)

        async def ask() -> tuple[PlexItem, PlexItem | None, tuple[PlexItem, ...]]:
            media = await self._viewers.media(viewer.machine_id)
            found = await media.item(viewer.token, rating_key)
            show_key = show_key_of(found)
            above = await media.several(viewer.token, (show_key,)) if show_key else ()
            inside: tuple[PlexItem, ...] = ()
            if found.type in ("show", "season"):
                inside = (await media.children(viewer.token, rating_key)).items
            elif found.type == "collection":
                inside = (await media.members(viewer.token, rating_key)).items
            return found, above[0] if above else None, inside

        kept = await self._details.get((viewer.share, rating_key), ask)
        item, show, inside = kept.value
        if not is_shown(item, viewer, show):
            raise NotFound(GONE)
        top = show or (item if item.type == "show" else None)
        children = [self._maker.make(one, viewer) for one in inside if is_shown(one, viewer, top)]
        return ItemDetail(item=self._maker.make(item, viewer), children=tuple(children), trouble=_trouble(kept))

    async def sees(self, rating_key: str, viewer: Viewer) -> bool:
        """Whether an item is shared with somebody; raises when Plex can not say."""

        async def ask() -> bool:
            media = await self._viewers.media(viewer.machine_id)
            return bool(await media.several(viewer.token, (rating_key,)))

        return (await self._details.get((viewer.share, rating_key, "sees"), ask)).value

    async def seen_of(self, rating_keys: Iterable[str], viewer: Viewer) -> frozenset[str]:
        """Those of some items that are shared with somebody; raises when Plex can not say."""
        keys = sorted(set(rating_keys))
        if not keys or viewer.share.endswith("/owner"):
            return frozenset(keys)

        async def ask() -> frozenset[str]:
            media = await self._viewers.media(viewer.machine_id)
            return frozenset(item.rating_key for item in await media.several(viewer.token, keys))

        return (await self._details.get((viewer.share, "seen", *keys), ask)).value

    async def _shown(self, items: Iterable[PlexItem], viewer: Viewer) -> list[PlexItem]:
        """Those that a child may see: seasons and episodes by the rating of their show, which is asked for."""
        items = list(items)
        if viewer.limit is None:
            return items
        keys = sorted({key for item in items if (key := show_key_of(item))})
        shows: dict[str, PlexItem] = {}
        if keys:

            async def ask() -> tuple[PlexItem, ...]:
                media = await self._viewers.media(viewer.machine_id)
                return await media.several(viewer.token, keys)

            kept = await self._details.get((viewer.share, "shows", *keys), ask)
            shows = {show.rating_key: show for show in kept.value}
        return [item for item in items if is_shown(item, viewer, shows.get(show_key_of(item) or ""))]

    def _page(self, kept: Kept[PlexPage], viewer: Viewer, offset: int, limit: int) -> ItemPage:
        items = tuple(self._maker.make(item, viewer) for item in kept.value.items)
        return ItemPage(items=items, total=kept.value.total, offset=offset, limit=limit, trouble=_trouble(kept))

    # upkeep

    def forget(self) -> None:
        """The server is another one, or something new is there."""
        for cache in self._caches:
            cache.forget()

    def figures(self) -> tuple[CacheFigures, ...]:
        return tuple(cache.figures for cache in self._caches)

    async def close(self) -> None:
        await asyncio.gather(*(cache.close() for cache in self._caches))


def once_each(items: Iterable[PlexItem]) -> tuple[PlexItem, ...]:
    """Of several new episodes or seasons of one show only the newest."""
    seen: set[str] = set()
    found = []
    for item in items:
        key = show_key_of(item) or item.rating_key
        if key not in seen:
            seen.add(key)
            found.append(item)
    return tuple(found)


async def whole_section(media: PlexMedia, token: str, key: str, kind: str) -> tuple[PlexItem, ...]:
    """All of a library, page by page."""
    found: list[PlexItem] = []
    while len(found) < MOST_OF_A_SECTION:
        page = await media.section_items(token, key, kind, start=len(found), size=PAGE)
        found += page.items
        if not page.items or len(found) >= page.total:
            break
    return tuple(found)


def _sliced(kept: Kept[tuple[PlexItem, ...]], items: list[PlexItem], total: int) -> Kept[PlexPage]:
    return Kept(PlexPage(tuple(items), total), kept.age_s, kept.trouble)


def _trouble(kept: Kept[Any]) -> Trouble | None:
    return trouble_of("plex", kept.trouble, kept.age_s) if kept.trouble else None
