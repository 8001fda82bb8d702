"""Browsing the Plex libraries as pages and fragments."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template
from litestar.response.base import Response

from medianest.accounts.model import Caller
from medianest.errors import Conflict, MediaNestError, NotAllowed, UpstreamFailed
from medianest.media.browsing import Sort, Wish
from medianest.media.kept import trouble_of
from medianest.media.model import ItemPage, Library
from medianest.media.pages import unavailable
from medianest.media.service import MediaService
from medianest.web.templating import gettext as _
from medianest.web.urls import Urls

Media = NamedDependency[MediaService]
Person = NamedDependency[Caller]

MOST_CARDS = 50
LARGEST_OFFSET = 1_000_000
LONGEST_WORDS = 100
# said on the page, in the place of its content
TROUBLES = (Conflict, NotAllowed, UpstreamFailed)


class LibraryPages(Controller):
    path = "/library"
    include_in_schema = False

    @get()
    async def index(self, media: Media, caller: Person, urls: NamedDependency[Urls]) -> Response[Any]:
        """The first library."""
        try:
            libraries, _trouble = await media.libraries(caller.user)
        except TROUBLES as error:
            return missing(error, "/library")
        return Redirect(urls.to(f"/library/{libraries[0].key}" if libraries else "/library/recent"), status_code=303)

    @get("/recent")
    async def recent(self, media: Media, caller: Person) -> Template:
        try:
            page = await media.recent(caller.user, limit=MOST_CARDS)
            libraries, _trouble = await media.libraries(caller.user)
        except TROUBLES as error:
            return missing(error, "/library/recent")
        return Template("media/recent.html", context={"page": page, "libraries": libraries})

    @get("/collections")
    async def collections(self, media: Media, caller: Person) -> Template:
        try:
            found, trouble = await media.collections(caller.user)
            libraries, _trouble = await media.libraries(caller.user)
        except TROUBLES as error:
            return missing(error, "/library/collections")
        context = {"collections": found, "trouble": trouble, "libraries": libraries}
        return Template("media/collections.html", context=context)

    @get("/item/{rating_key:str}")
    async def item(self, rating_key: FromPath[str], media: Media, caller: Person) -> Template:
        try:
            found = await media.item(rating_key, caller.user)
        except TROUBLES as error:
            return missing(error, f"/library/item/{rating_key}")
        context = {"item": found.item, "children": found.children, "trouble": found.trouble}
        return Template("media/item.html", context=context)

    @get("/{key:str}")
    async def library(
        self, key: FromPath[str], media: Media, caller: Person, sort: FromQuery[str] = "", words: FromQuery[str] = "",
        unwatched: FromQuery[str] = "", offset: FromQuery[int] = 0,
    ) -> Template:  # fmt: skip
        wish = wish_of(sort, words, unwatched)
        try:
            library = await media.library(key, caller.user)
            libraries, _trouble = await media.libraries(caller.user)
            page = await page_of(media, caller, key, wish, offset)
        except TROUBLES as error:
            return missing(error, f"/library/{key}")
        context = {
            "library": library,
            "libraries": libraries,
            **grid(library, wish, page),
            "may_unwatched": not caller.user.is_child,
        }
        return Template("media/library.html", context=context)

    @get("/{key:str}/items")
    async def items(
        self, key: FromPath[str], media: Media, caller: Person, sort: FromQuery[str] = "", words: FromQuery[str] = "",
        unwatched: FromQuery[str] = "", offset: FromQuery[int] = 0,
    ) -> Template:  # fmt: skip
        """The grid after another wish, or what comes after it."""
        wish = wish_of(sort, words, unwatched)
        library = await media.library(key, caller.user)
        page = await page_of(media, caller, key, wish, offset)
        name = "media/_item_cards.html" if offset > 0 else "media/_items.html"
        return Template(name, context=grid(library, wish, page))


def wish_of(sort: str, words: str, unwatched: str) -> Wish:
    """What the form asks for; nonsense is left out."""
    return Wish(
        sort=Sort(sort) if sort in tuple(Sort) else Sort.TITLE,
        words=" ".join("".join(char if char.isprintable() else " " for char in words).split())[:LONGEST_WORDS],
        is_unwatched=unwatched == "true",
    )


async def page_of(media: MediaService, caller: Caller, key: str, wish: Wish, offset: int) -> ItemPage:
    limit = min(caller.preferences.page_size, MOST_CARDS)
    return await media.items(key, caller.user, wish, limit=limit, offset=max(0, min(offset, LARGEST_OFFSET)))


def grid(library: Library, wish: Wish, page: ItemPage) -> dict[str, Any]:
    """What the grid of a library shows."""
    chosen = {"sort": wish.sort.value, "words": wish.words, "unwatched": "true" if wish.is_unwatched else ""}
    kept = {name: value for name, value in chosen.items() if value}
    after = page.offset + len(page.items)
    query = urlencode({**kept, "offset": str(after)})
    has_more = bool(page.items) and after < page.total
    return {
        "library": library,
        "wish": wish,
        "page": page,
        "more": f"/library/{library.key}?{query}" if has_more else "",
        "more_part": f"/library/{library.key}/items?{query}",
        "earlier": f"/library/{library.key}?{urlencode(kept)}",
    }


def missing(error: MediaNestError, again: str) -> Template:
    """The page while Plex can not be read."""
    return unavailable(_("Library"), trouble_of("plex", error), again)
