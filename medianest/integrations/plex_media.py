"""Reading what a Plex server holds. Each call takes the token it is made with, so that Plex applies that person's sharing.

Every key of an answer may be missing, and every number may be text: `plex_answers.py` reads them leniently.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations.http import Answer, HttpClient
from medianest.integrations.plex_answers import as_int, as_object, as_text, plex_headers, rows
from medianest.integrations.plex_server import ServerRefused

PAGE = 200  # rows in one answer at most
READ_S = 30.0  # while it scans, an answer takes many seconds: slow is not down
PICTURE_BYTES = 4 * 1024 * 1024
TYPE_NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "collection": 18}
LONGEST_TEXT = 4000


class PlexItem(msgspec.Struct, frozen=True, kw_only=True):
    """A film, show, season, episode or collection. `thumb` and `art` are paths on the server; durations are milliseconds."""

    rating_key: str
    type: str
    title: str
    year: int | None = None
    summary: str = ""
    thumb: str | None = None
    art: str | None = None
    duration_ms: int = 0
    added_at_s: int = 0
    guids: tuple[str, ...] = ()  # tmdb://603, imdb://tt0133093, tvdb://…
    content_rating: str | None = None
    genres: tuple[str, ...] = ()
    score: float | None = None
    index: int | None = None
    parent_index: int | None = None
    parent_key: str | None = None
    parent_title: str = ""
    parent_thumb: str | None = None
    show_key: str | None = None
    show_title: str = ""
    show_thumb: str | None = None
    section: str = ""
    section_title: str = ""
    child_count: int | None = None
    leaf_count: int | None = None
    viewed_leaf_count: int | None = None
    view_count: int = 0
    viewed_at_s: int = 0  # last, by the holder of the token
    view_offset_ms: int = 0

    def number_at(self, place: str) -> str | None:
        """Its number at `tmdb`, `imdb` or `tvdb`, also out of the guid of an old agent."""
        for guid in self.guids:
            scheme, _, number = guid.partition("://")
            if scheme.lower().rpartition(".")[2] in NAMES[place]:
                return number.partition("?")[0].partition("/")[0] or None
        return None

    @property
    def tmdb_id(self) -> int | None:
        found = self.number_at("tmdb")
        return int(found) if found and found.isdecimal() and len(found) < 12 else None

    @property
    def tvdb_id(self) -> int | None:
        found = self.number_at("tvdb")
        return int(found) if found and found.isdecimal() and len(found) < 12 else None

    @property
    def imdb_id(self) -> str | None:
        return self.number_at("imdb")


# old agents say `com.plexapp.agents.themoviedb://603?lang=en`
NAMES = {"tmdb": ("tmdb", "themoviedb"), "imdb": ("imdb",), "tvdb": ("tvdb", "thetvdb")}


class PlexPage(msgspec.Struct, frozen=True):
    """A slice of a list: `total` is the size of the whole."""

    items: tuple[PlexItem, ...]
    total: int
    offset: int = 0


class PlexMedia:
    """Calls one server at one address."""

    def __init__(self, http: HttpClient, url: str, client_id: str) -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._client_id = client_id

    async def section_items(
        self,
        token: str,
        section: str,
        kind: str,
        *,
        start: int = 0,
        size: int = 50,
        sort: str = "titleSort",
        title: str = "",
        is_unwatched: bool = False,
    ) -> PlexPage:
        """Part of a library.

        Args:
            kind: movie, show, season, episode or collection.
            sort: a field of Plex, with `:desc` for the other way round.
            title: only what has this in its title.
        """
        query = {"type": str(TYPE_NUMBERS[kind]), "sort": sort, "includeGuids": "1"}
        if title:
            query["title"] = title
        if is_unwatched:
            query["unwatched"] = "1"
        return await self._page(token, f"/library/sections/{_key(section)}/all", query, start, size)

    async def collections(self, token: str, section: str, *, start: int = 0, size: int = 50) -> PlexPage:
        """The collections of a library."""
        return await self._page(token, f"/library/sections/{_key(section)}/collections", {}, start, size)

    async def children(self, token: str, rating_key: str, *, start: int = 0, size: int = PAGE) -> PlexPage:
        """Seasons of a show, episodes of a season."""
        return await self._page(token, f"/library/metadata/{_key(rating_key)}/children", {}, start, size)

    async def members(self, token: str, rating_key: str, *, start: int = 0, size: int = PAGE) -> PlexPage:
        """What a collection holds."""
        path = f"/library/collections/{_key(rating_key)}/children"
        return await self._page(token, path, {"includeGuids": "1"}, start, size)

    async def item(self, token: str, rating_key: str) -> PlexItem:
        """One item.

        Raises:
            NotFound: there is none, or it is not shared with the holder of `token`.
        """
        found = await self.several(token, (rating_key,))
        if not found:
            raise NotFound("This is not in the library any more, or it is not shared with you.")
        return found[0]

    async def several(self, token: str, rating_keys: Iterable[str]) -> tuple[PlexItem, ...]:
        """Items by their keys: those that are found."""
        keys = ",".join(_key(key) for key in rating_keys)
        if not keys:
            return ()
        answer = await self._call(f"/library/metadata/{keys}", token, {"includeGuids": "1"}, may_be_absent=True)
        return () if answer is None else _items(_container(answer))

    async def search(self, token: str, words: str, *, limit: int = 10) -> tuple[PlexItem, ...]:
        """Films and shows, the best hits first."""
        query = {"query": words, "limit": str(limit), "includeGuids": "1"}
        container = _container(await self._must("/hubs/search", token, query))
        found: list[tuple[float, int, PlexItem]] = []
        for hub in rows(container, "Hub"):
            if as_text(hub.get("type")) in ("movie", "show"):
                for row in rows(hub, "Metadata"):
                    if (item := read_item(row)) is not None and item.type in ("movie", "show"):
                        found.append((-(_number(row.get("score")) or 0.0), len(found), item))
        return tuple(item for _score, _place, item in sorted(found, key=lambda one: one[:2]))

    async def recently_added(self, token: str, *, size: int = 50) -> tuple[PlexItem, ...]:
        """What is new in all libraries, the newest first."""
        page = await self._page(token, "/hubs/home/recentlyAdded", {"includeGuids": "1"}, 0, size)
        return page.items

    async def on_deck(self, token: str, *, size: int = 20) -> tuple[PlexItem, ...]:
        """What the holder of the token has begun to watch."""
        return (await self._page(token, "/library/onDeck", {"includeGuids": "1"}, 0, size)).items

    async def picture(self, token: str, path: str, *, width: int, height: int) -> bytes:
        """A picture in a size, whatever type it is.

        Args:
            path: where it lies on the server; one slash at its front, and no address.

        Raises:
            NotFound: there is none.
        """
        if not is_picture_path(path):
            raise NotFound("There is no such picture.")
        query = {"width": str(width), "height": str(height), "minSize": "1", "upscale": "1", "url": path}
        answer = await self._call(
            "/photo/:/transcode", token, query, may_be_absent=True, largest_bytes=PICTURE_BYTES, accept="image/*"
        )
        if answer is None:
            raise NotFound("There is no such picture.")
        return answer.content

    async def _page(self, token: str, path: str, query: Mapping[str, str], start: int, size: int) -> PlexPage:
        size = max(1, min(size, PAGE))
        paging = {"X-Plex-Container-Start": str(max(0, start)), "X-Plex-Container-Size": str(size)}
        container = _container(await self._must(path, token, {**query, **paging}))
        items = _items(container)
        return PlexPage(items, as_int(container.get("totalSize"), start + len(items)), start)

    async def _must(self, path: str, token: str, query: Mapping[str, str]) -> Answer:
        answer = await self._call(path, token, query, may_be_absent=True)
        if answer is None:
            raise NotFound("This is not in the library any more, or it is not shared with you.")
        return answer

    async def _call(
        self,
        path: str,
        token: str,
        query: Mapping[str, str],
        *,
        may_be_absent: bool = False,
        largest_bytes: int | None = None,
        accept: str = "application/json",
    ) -> Answer | None:
        address = f"{self.url}{path}" + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        headers = {**plex_headers(self._client_id, token), "Accept": accept}
        answer = await self._http.request(
            "GET", address, headers=headers, timeout_s=READ_S, largest_bytes=largest_bytes
        )
        if answer.status == 404 and may_be_absent:
            return None
        if answer.status in (401, 403):
            raise ServerRefused(f"The Plex server at {answer.host} does not take this token.")
        if answer.status != 200:
            raise UpstreamFailed(f"The Plex server at {answer.host} answered with an error ({answer.status}).")
        return answer


def is_picture_path(path: str) -> bool:
    """Whether `path` is one on the server: exactly one slash at its front, no address, no way up."""
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "://" not in path
        and "\\" not in path
        and ".." not in path
        and path.isprintable()
        and len(path) <= 500
    )


def read_item(row: Mapping[str, Any]) -> PlexItem | None:
    """A row of `Metadata`; None for what has no key or title, and for what is no item (a show's "All episodes")."""
    rating_key, title = as_text(row.get("ratingKey")), as_text(row.get("title"))
    if not rating_key or not title:
        return None
    guids = [as_text(guid.get("id")) for guid in rows(row, "Guid")] or [as_text(row.get("guid"))]
    score = _number(row.get("audienceRating"))
    return PlexItem(
        rating_key=rating_key,
        type=as_text(row.get("type")),
        title=title[:500],
        year=as_int(row.get("year")) or None,
        summary=as_text(row.get("summary"))[:LONGEST_TEXT],
        thumb=as_text(row.get("thumb")) or None,
        art=as_text(row.get("art")) or None,
        duration_ms=max(0, as_int(row.get("duration"))),
        added_at_s=max(0, as_int(row.get("addedAt"))),
        guids=tuple(guids),
        content_rating=as_text(row.get("contentRating")) or None,
        genres=tuple(as_text(tag.get("tag")) for tag in rows(row, "Genre"))[:10],
        score=_number(row.get("rating")) if score is None else score,
        index=_maybe(row.get("index")),
        parent_index=_maybe(row.get("parentIndex")),
        parent_key=as_text(row.get("parentRatingKey")) or None,
        parent_title=as_text(row.get("parentTitle"))[:500],
        parent_thumb=as_text(row.get("parentThumb")) or None,
        show_key=as_text(row.get("grandparentRatingKey")) or None,
        show_title=as_text(row.get("grandparentTitle"))[:500],
        show_thumb=as_text(row.get("grandparentThumb")) or None,
        section=as_text(row.get("librarySectionID")),
        section_title=as_text(row.get("librarySectionTitle")),
        child_count=_maybe(row.get("childCount")),
        leaf_count=_maybe(row.get("leafCount")),
        viewed_leaf_count=_maybe(row.get("viewedLeafCount")),
        view_count=as_int(row.get("viewCount")),
        viewed_at_s=as_int(row.get("lastViewedAt")),
        view_offset_ms=max(0, as_int(row.get("viewOffset"))),
    )


def _items(container: Mapping[str, Any]) -> tuple[PlexItem, ...]:
    # collections stand in `Directory` on some servers; so does a show's "All episodes", which has no key of its own
    found = [read_item(row) for row in (*rows(container, "Metadata"), *rows(container, "Directory"))]
    return tuple(item for item in found if item is not None)


def _container(answer: Answer) -> Mapping[str, Any]:
    return as_object(as_object(answer.json(), answer.host).get("MediaContainer"), answer.host)


def _key(key: str) -> str:
    """A key as it may stand in a path: Plex's are digits."""
    if not key.isdecimal() or not key.isascii() or len(key) > 18:
        raise NotFound("There is no such thing in the library.")
    return key


def _maybe(value: Any) -> int | None:
    return None if value is None else as_int(value)


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if -1e9 < found < 1e9 else None
