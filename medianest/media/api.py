"""Search, titles and libraries as JSON: each person's own view."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, Parameter

from medianest.accounts.model import Caller, Scope
from medianest.errors import Conflict
from medianest.media.browsing import Sort, Wish
from medianest.media.model import (
    Availability,
    Found,
    FoundKind,
    ItemPage,
    Library,
    LibraryItem,
    MediaType,
    Title,
    Trouble,
)
from medianest.media.service import MediaService
from medianest.requests.model import AskedState
from medianest.requests.service import RequestService
from medianest.web.paging import Limit, Offset, Page

Media = NamedDependency[MediaService]
Requests = NamedDependency[RequestService]
Person = NamedDependency[Caller]

Words = Annotated[str, Parameter(max_length=200, description="Words, or the link of a video")]
PageNumber = Annotated[int, Parameter(ge=1, le=500)]


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `url` is a video's address, to be sent to `POST /downloads`; `request` what was asked for already."""

    kind: FoundKind
    title: str
    tmdb_id: int | None
    year: int | None
    overview: str
    poster: str | None
    availability: Availability
    plex_url: str | None
    url: str | None
    request: AskedState | None


class SearchPage(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the person's libraries comes first. `troubles` names services that did not answer."""

    items: list[SearchHit]
    page: int
    has_more: bool
    link: str | None
    troubles: list[Trouble]


class TitleView(msgspec.Struct, frozen=True, kw_only=True):
    """A title, and what was asked for of it."""

    title: Title
    request: AskedState | None


class SearchApi(Controller):
    path = "/api/v1/search"
    tags = ("Media",)
    opt = {"scope": (Scope.READ, Scope.REQUESTS)}  # noqa: RUF012

    @get(summary="Films, series and, as a link, videos")
    async def search(
        self, media: Media, media_requests: Requests, caller: Person, q: Words = "", page: PageNumber = 1
    ) -> SearchPage:
        answer = await media.search(q, page, caller.user)
        keys = [one.key for one in answer.items if one.key is not None]
        asked = await media_requests.states_of(keys, caller.user) if keys else {}
        return SearchPage(
            items=[hit_of(one, asked.get(one.key) if one.key else None) for one in answer.items],
            page=answer.page,
            has_more=answer.has_more,
            link=answer.link,
            troubles=list(answer.troubles),
        )


class MediaApi(Controller):
    path = "/api/v1/media"
    tags = ("Media",)
    opt = {"scope": (Scope.READ, Scope.REQUESTS)}  # noqa: RUF012

    @get("/recent", summary="What is new in the person's libraries; nothing while Plex is not connected")
    async def recent(self, media: Media, caller: Person, limit: Limit = 20) -> Page[LibraryItem]:
        try:
            page = await media.recent(caller.user, limit=limit)
        except Conflict:
            page = ItemPage(items=(), total=0, offset=0, limit=limit)
        return Page(items=list(page.items), total=page.total, limit=limit, offset=0)

    @get("/{media_type:str}/{tmdb_id:int}", summary="A film or series, with its seasons and what of them is there")
    async def title(
        self,
        media_type: FromPath[MediaType],
        tmdb_id: FromPath[int],
        media: Media,
        media_requests: Requests,
        caller: Person,
    ) -> TitleView:
        found = await media.title(media_type, tmdb_id, caller.user)
        asked = await media_requests.states_of([found.key], caller.user)
        return TitleView(title=found, request=asked.get(found.key))


class LibraryApi(Controller):
    path = "/api/v1/libraries"
    tags = ("Media",)
    opt = {"scope": (Scope.READ, Scope.REQUESTS)}  # noqa: RUF012

    @get(summary="The Plex libraries that are shared with the person; none while Plex is not connected")
    async def libraries(self, media: Media, caller: Person, limit: Limit = 50, offset: Offset = 0) -> Page[Library]:
        try:
            found, _trouble = await media.libraries(caller.user)
        except Conflict:
            found = ()
        return Page(items=list(found[offset : offset + limit]), total=len(found), limit=limit, offset=offset)

    @get("/{key:str}/items", summary="What a library holds")
    async def items(
        self,
        key: FromPath[str],
        media: Media,
        caller: Person,
        sort: FromQuery[Sort] = Sort.TITLE,
        words: Annotated[str, Parameter(max_length=100)] = "",
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Page[LibraryItem]:
        page = await media.items(key, caller.user, Wish(sort=sort, words=words), limit=limit, offset=offset)
        return Page(items=list(page.items), total=page.total, limit=limit, offset=offset)


def hit_of(found: Found, asked: AskedState | None) -> SearchHit:
    """A line of a search as the API shows it."""
    return SearchHit(
        kind=found.kind,
        title=found.title,
        tmdb_id=found.tmdb_id,
        year=found.year,
        overview=found.overview,
        poster=found.poster,
        availability=found.availability,
        plex_url=found.plex_url,
        url=found.url,
        request=asked,
    )
