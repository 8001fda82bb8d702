"""Search, titles and the rows of the home page as pages and fragments. Everything works without script."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Template

from medianest.accounts.model import Caller
from medianest.errors import MediaNestError, UpstreamFailed
from medianest.media.kept import trouble_of
from medianest.media.model import Found, FoundGroup, FoundKind, ItemPage, MediaType, SearchAnswer, TitleKey, Trouble
from medianest.media.search import may_search_videos
from medianest.media.service import MediaService
from medianest.requests.model import AskedState
from medianest.requests.service import RequestService
from medianest.web.templating import gettext as _
from medianest.web.templating import ngettext

Media = NamedDependency[MediaService]
Requests = NamedDependency[RequestService]
Person = NamedDependency[Caller]

ROW = 12  # cards in a row of the home page
KINDS = {"films": FoundKind.MOVIE, "series": FoundKind.SHOW}
VIDEOS = "videos"
NOT_CONNECTED = {"plex_not_connected", "overseerr_not_connected"}


class MediaPages(Controller):
    """`/search`, `/media/…` and what the home page fetches."""

    include_in_schema = False

    @get("/search")
    async def search(
        self, media: Media, media_requests: Requests, caller: Person, q: FromQuery[str] = "", show: FromQuery[str] = "",
        page: FromQuery[int] = 1,
    ) -> Template:  # fmt: skip
        return Template("media/search.html", context=await results(media, media_requests, caller, q, show, page))

    @get("/search/results")
    async def search_results(
        self, media: Media, media_requests: Requests, caller: Person, q: FromQuery[str] = "", show: FromQuery[str] = ""
    ) -> Template:
        context = await results(media, media_requests, caller, q, show, 1)
        return Template("media/_results.html", context=context)

    @get("/search/more")
    async def more(
        self, media: Media, media_requests: Requests, caller: Person, q: FromQuery[str] = "", show: FromQuery[str] = "",
        page: FromQuery[int] = 2,
    ) -> Template:  # fmt: skip
        context = await results(media, media_requests, caller, q, show, page)
        return Template("media/_found.html", context={**context, "group": context["request_group"]})

    @get("/search/suggestions")
    async def suggestions(
        self, media: Media, media_requests: Requests, caller: Person, q: FromQuery[str] = ""
    ) -> Template:
        answer = await media.search(q, 1, caller.user) if len(q.strip()) > 1 else SearchAnswer(q="")
        asked = await asked_of(answer.items[:5], media_requests, caller)
        said = count_words(len(answer.items), answer.has_more) if answer.q and not answer.link else ""
        return Template("media/_suggestions.html", context={"answer": answer, "asked": asked, "said": said})

    @get("/media/{media_type:str}/{tmdb_id:int}")
    async def title(
        self,
        media_type: FromPath[MediaType],
        tmdb_id: FromPath[int],
        media: Media,
        media_requests: Requests,
        caller: Person,
    ) -> Template:
        try:
            found = await media.title(media_type, tmdb_id, caller.user)
        except UpstreamFailed as error:
            again = f"/media/{media_type.value}/{tmdb_id}"
            return unavailable(_("Not to be seen right now"), trouble_of("overseerr", error), again)
        panel = await media_requests.panel(found, caller.user)
        context = {"title": found, "panel": panel, "asked": panel.existing, "released": day_of(found.release_date)}
        return Template("media/title.html", context=context)

    @get("/home/rows")
    async def home_rows(self, media: Media, media_requests: Requests, caller: Person) -> Template:
        begun, recent, popular = await asyncio.gather(
            quietly(media.continue_watching(caller.user, limit=ROW)),
            quietly(media.recent(caller.user, limit=ROW)),
            media.popular(caller.user, limit=ROW),
        )
        troubles = {one.code: one for one in (begun[1], recent[1], *popular.troubles) if one is not None}
        context = {
            "begun": begun[0],
            "recent": recent[0],
            "popular": popular.items,
            "asked": await asked_of(popular.items, media_requests, caller),
            "troubles": list(troubles.values()),
        }
        return Template("media/_home_rows.html", context=context)


async def results(
    media: MediaService, media_requests: RequestService, caller: Caller, q: str, show: str, page: int
) -> dict[str, Any]:
    """What the page of results and its fragments show."""
    show = show if show in KINDS or (show == VIDEOS and may_search_videos(caller.user)) else ""
    answer = await (media.videos(q, caller.user) if show == VIDEOS else media.search(q, page, caller.user))
    items = [one for one in answer.items if show not in KINDS or one.kind is KINDS[show]]
    codes = {one.code for one in answer.troubles}
    query = {"q": answer.q, **({"show": show} if show else {}), "page": str(answer.page + 1)}
    tabs = [("", _("All")), ("films", _("Films")), ("series", _("Series"))]
    return {
        "answer": answer,
        "show": show,
        "tabs": [*tabs, (VIDEOS, "YouTube")] if may_search_videos(caller.user) else tabs,
        "watch": [one for one in items if one.group is FoundGroup.WATCH],
        "request_group": [one for one in items if one.group is FoundGroup.REQUEST],
        "videos": [one for one in items if one.group is FoundGroup.DOWNLOAD],
        "asked": await asked_of(items, media_requests, caller),
        "more": f"/search?{urlencode(query)}" if answer.has_more else "",
        "more_part": f"/search/more?{urlencode(query)}",
        "said": count_words(len(items), answer.has_more) if answer.q and not answer.link else "",
        "is_nothing_connected": codes >= NOT_CONNECTED,
        "is_troubled": bool(codes - NOT_CONNECTED),
    }


async def asked_of(
    items: Iterable[Found], media_requests: RequestService, caller: Caller
) -> dict[TitleKey, AskedState]:
    """What was asked for already, for badges."""
    keys = [one.key for one in items if one.key is not None]
    return await media_requests.states_of(keys, caller.user) if keys else {}


async def quietly(reading: Any) -> tuple[tuple[Any, ...], Trouble | None]:
    """The items of a row; a service that fails leaves it empty, with the reason."""
    try:
        page: ItemPage = await reading
    except MediaNestError as error:
        return (), trouble_of("plex", error)
    return page.items, page.trouble


def unavailable(heading: str, trouble: Trouble, again: str) -> Template:
    """A page for which nothing at all could be had: it says what is missing, and is no error of ours."""
    return Template("media/unavailable.html", context={"heading": heading, "trouble": trouble, "again": again})


def count_words(number: int, has_more: bool) -> str:
    """What is announced after a search."""
    if has_more:
        return _("%(num)d results, and more") % {"num": number}
    return ngettext("%(num)d result", "%(num)d results", number) % {"num": number}


def day_of(text: str | None) -> date | None:
    """A date as the film database writes it."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
