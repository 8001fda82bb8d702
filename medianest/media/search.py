"""One search for everything: what is in the libraries first, then what can be asked for; a pasted link is a download."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlencode

from msgspec.structs import replace

from medianest.accounts.model import Permission, User
from medianest.downloads.model import FoundVideo
from medianest.errors import Conflict, MediaNestError
from medianest.integrations.overseerr_answers import FoundPage, FoundTitle
from medianest.integrations.plex_links import web_link
from medianest.integrations.plex_media import PlexItem
from medianest.media.browsing import Browsing
from medianest.media.items import is_shown
from medianest.media.kept import AnswerCache, Kept, trouble_of
from medianest.media.model import (
    Availability,
    Found,
    FoundGroup,
    FoundKind,
    MediaType,
    SearchAnswer,
    TitleKey,
    Trouble,
    further,
)
from medianest.media.plex_index import Entry, PlexIndex
from medianest.media.ratings import is_within, limit_of
from medianest.media.repository import MediaRepository
from medianest.media.signing import PictureSigner, Source
from medianest.media.standing import availability_of
from medianest.media.titles import Manager, Titles
from medianest.media.viewers import Viewer, Viewers
from medianest.system.model import CacheFigures

LONGEST = 200
LAST_PAGE = 500
LINK = re.compile(r"https?://\S+", re.IGNORECASE)
HITS = 20
RATINGS_S = 3.0  # how long is waited for the age ratings of what a child may not see otherwise
KINDS = {MediaType.MOVIE: FoundKind.MOVIE, MediaType.TV: FoundKind.SHOW}

FindVideos = Callable[[str, User], Awaitable[tuple[FoundVideo, ...]]]


class Search:
    """Built with the slice."""

    def __init__(
        self, repository: MediaRepository, viewers: Viewers, browsing: Browsing, index: PlexIndex, titles: Titles,
        manager: Manager, signer: PictureSigner, find_videos: FindVideos,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._viewers = viewers
        self._browsing = browsing
        self._index = index
        self._titles = titles
        self._manager = manager
        self._signer = signer
        self._find_videos = find_videos
        self._hits = AnswerCache("search in Plex", 60, service="plex")
        self._found = AnswerCache("search", 60, service="overseerr")
        self._popular = AnswerCache("popular", 1800, service="overseerr")

    async def find(self, q: str, page: int, by: User) -> SearchAnswer:
        """What there is for the words `q`; each service that fails is named and the rest is there."""
        words = normalised(q)
        page = max(1, min(page, LAST_PAGE))
        if not words or LINK.fullmatch(words):
            return SearchAnswer(q=words, page=page, link=words or None)
        (viewer, hits, plex_trouble), (found, trouble) = await asyncio.gather(
            self._plex(words, by), self._overseerr(words, page)
        )
        titles = await self._shown_to(found.results if found else (), by)
        watch, rest = await self._sorted(hits, titles, viewer, by)
        return SearchAnswer(
            q=words,
            page=page,
            items=(*(watch if page == 1 else ()), *rest),
            has_more=found is not None and page < min(found.pages, LAST_PAGE),
            troubles=tuple(one for one in (plex_trouble, trouble) if one is not None),
        )

    async def videos(self, q: str, by: User) -> SearchAnswer:
        """Videos for the words `q`. Nobody rates them, so that children find none."""
        words = normalised(q)
        if not words or LINK.fullmatch(words):
            return SearchAnswer(q=words, link=words or None)
        if not may_search_videos(by):
            return SearchAnswer(q=words)
        try:
            found = await self._find_videos(words, by)
        except MediaNestError as error:
            return SearchAnswer(q=words, troubles=(Trouble(service="videos", code=error.code, text=error.message),))
        return SearchAnswer(q=words, items=tuple(self._video(one, by) for one in found))

    async def popular(self, by: User, *, limit: int) -> SearchAnswer:
        """What many people watch now."""

        async def ask() -> FoundPage:
            return await (await self._manager()).discover("trending")

        try:
            kept = await self._popular.get("trending", ask)
        except Conflict:
            return SearchAnswer(q="")
        except MediaNestError as error:
            return SearchAnswer(q="", troubles=(trouble_of("overseerr", error),))
        titles = (await self._shown_to(kept.value.results, by))[:limit]
        viewer = await self._viewer(by)
        watch, rest = await self._sorted((), titles, viewer, by)
        order = {title.tmdb_id: place for place, title in enumerate(titles)}
        items = sorted((*watch, *rest), key=lambda one: order.get(one.tmdb_id or 0, 0))
        return SearchAnswer(q="", items=tuple(items), troubles=_troubles(kept))

    # the services

    async def _viewer(self, by: User) -> Viewer | None:
        try:
            return await self._viewers.of(by)
        except MediaNestError:
            return None

    async def _plex(self, words: str, by: User) -> tuple[Viewer | None, tuple[PlexItem, ...], Trouble | None]:
        try:
            viewer = await self._viewers.of(by)
        except MediaNestError as error:
            return None, (), trouble_of("plex", error)
        try:
            kept = await self._hits.get((viewer.share, words.casefold()), lambda: self._ask_plex(words, viewer))
        except MediaNestError as error:
            return viewer, (), trouble_of("plex", error)
        hits = tuple(item for item in kept.value if is_shown(item, viewer))
        return viewer, hits, next(iter(_troubles(kept, "plex")), None)

    async def _ask_plex(self, words: str, viewer: Viewer) -> tuple[PlexItem, ...]:
        media = await self._viewers.media(viewer.machine_id)
        return await media.search(viewer.token, words, limit=HITS)

    async def _overseerr(self, words: str, page: int) -> tuple[FoundPage | None, Trouble | None]:
        async def ask() -> FoundPage:
            return await (await self._manager()).search(words, page)

        try:
            kept = await self._found.get((words.casefold(), page), ask)
        except MediaNestError as error:
            return None, trouble_of("overseerr", error)
        return kept.value, next(iter(_troubles(kept)), None)

    async def _shown_to(self, titles: Iterable[FoundTitle], by: User) -> list[FoundTitle]:
        """Those that a child may see: their ratings are asked for where nobody knows them yet."""
        titles, limit = list(titles), limit_of(by)
        if limit is None:
            return titles
        ratings = await self._titles.certifications([_key(one) for one in titles], patience_s=RATINGS_S)
        return [one for one in titles if is_within(ratings.get(_key(one)), limit)]

    # putting together

    async def _sorted(
        self, hits: tuple[PlexItem, ...], titles: list[FoundTitle], viewer: Viewer | None, by: User
    ) -> tuple[list[Found], list[Found]]:
        """What can be watched and what can be asked for; each title once."""
        by_key = {_key(one): one for one in titles}
        known = await self._repository.known([*by_key, *(key for hit in hits if (key := _key_of_hit(hit)))])
        remembered = {key: one.title.availability for key, one in known.items()}
        watch = [self._hit(hit, by_key, remembered, viewer, by) for hit in hits] if viewer else []
        seen = {one.key for one in watch}
        entries = await self._entries([key for key in by_key if key not in seen], viewer)
        rest: list[Found] = []
        for key, one in by_key.items():
            if key in seen:
                continue
            found = self._title(one, remembered.get(key), by)
            entry, is_visible = entries.get(key, (None, False))
            if entry is not None:
                least = Availability.AVAILABLE if key.media_type is MediaType.MOVIE else Availability.PARTIAL
                found = replace(found, availability=further(found.availability, least))
            if entry is not None and is_visible and viewer is not None:
                link = web_link(self._viewers.plex_app_url, viewer.machine_id, entry.rating_key)
                group = FoundGroup.WATCH
                watch.append(replace(found, group=group, rating_key=entry.rating_key, plex_url=link))
            else:
                rest.append(found)
        return watch, rest

    async def _entries(self, keys: list[TitleKey], viewer: Viewer | None) -> dict[TitleKey, tuple[Entry, bool]]:
        """What of `keys` is on the server, and whether the viewer sees it."""
        if viewer is None:
            return {}
        self._index.refresh_soon()
        entries = {key: e for key in keys if (e := self._index.find(key.media_type, tmdb_id=key.tmdb_id)) is not None}
        try:
            visible = await self._browsing.seen_of([entry.rating_key for entry in entries.values()], viewer)
        except MediaNestError:
            visible = frozenset()
        return {key: (entry, entry.rating_key in visible) for key, entry in entries.items()}

    def _hit(
        self,
        hit: PlexItem,
        titles: dict[TitleKey, FoundTitle],
        remembered: dict[TitleKey, Availability],
        viewer: Viewer,
        by: User,
    ) -> Found:
        key = _key_of_hit(hit)
        title = titles.get(key) if key else None
        availability = Availability.AVAILABLE
        if key and key.media_type is MediaType.TV:
            told = further(availability_of(title.media if title else None), remembered.get(key, Availability.UNKNOWN))
            availability = told if told.is_there else Availability.AVAILABLE
        return Found(
            kind=FoundKind.MOVIE if hit.type == "movie" else FoundKind.SHOW,
            group=FoundGroup.WATCH,
            title=hit.title,
            href=_href(key) if key else f"/library/item/{hit.rating_key}",
            tmdb_id=hit.tmdb_id,
            year=hit.year,
            overview=hit.summary,
            poster=self._signer.address(Source.PLEX, hit.thumb, "poster", by.id),
            availability=availability,
            certification=hit.content_rating,
            plex_url=web_link(self._viewers.plex_app_url, viewer.machine_id, hit.rating_key),
            rating_key=hit.rating_key,
        )

    def _title(self, one: FoundTitle, remembered: Availability | None, by: User) -> Found:
        key = _key(one)
        return Found(
            kind=KINDS[key.media_type],
            group=FoundGroup.REQUEST,
            title=one.title,
            href=_href(key),
            tmdb_id=one.tmdb_id,
            year=one.year,
            overview=one.overview,
            poster=self._signer.address(Source.TMDB, one.poster_path, "poster", by.id),
            availability=further(availability_of(one.media), remembered or Availability.NONE),
        )

    def _video(self, one: FoundVideo, by: User) -> Found:
        return Found(
            kind=FoundKind.VIDEO,
            group=FoundGroup.DOWNLOAD,
            title=one.title,
            href="/downloads?" + urlencode({"url": one.url}),
            url=one.url,
            uploader=one.uploader,
            duration_s=one.duration_s,
            poster=self._signer.address(Source.YOUTUBE, one.video_id, "still", by.id),
        )

    # upkeep

    def forget(self) -> None:
        """A service is another one now."""
        for cache in (self._hits, self._found, self._popular):
            cache.forget()

    def figures(self) -> tuple[CacheFigures, ...]:
        return self._hits.figures, self._found.figures, self._popular.figures

    async def close(self) -> None:
        await asyncio.gather(self._hits.close(), self._found.close(), self._popular.close())


def normalised(q: str) -> str:
    """The words as they are looked for: one line, single spaces, not endless."""
    return " ".join("".join(char if char.isprintable() else " " for char in q[: 4 * LONGEST]).split())[:LONGEST]


def may_search_videos(by: User) -> bool:
    """Whether the search for videos is open to somebody."""
    return by.may(Permission.DOWNLOAD) and not by.is_child


def _key(one: FoundTitle) -> TitleKey:
    return TitleKey(MediaType(one.media_type), one.tmdb_id)


def _key_of_hit(hit: PlexItem) -> TitleKey | None:
    if hit.tmdb_id is None:
        return None
    return TitleKey(MediaType.MOVIE if hit.type == "movie" else MediaType.TV, hit.tmdb_id)


def _href(key: TitleKey) -> str:
    return f"/media/{key.media_type.value}/{key.tmdb_id}"


def _troubles(kept: Kept[Any], service: str = "overseerr") -> tuple[Trouble, ...]:
    return (trouble_of(service, kept.trouble, kept.age_s),) if kept.trouble else ()
