"""What can be watched or asked for: titles, what of them is there, what a search finds, what a library holds.

`poster`, `backdrop` and `still` are addresses of our own below the base path, signed for the person they were made for
(`pictures.py`); the `…_path` fields say where the picture comes from.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from medianest.events import Event


class MediaType(StrEnum):
    MOVIE = "movie"
    TV = "tv"


class TitleKey(NamedTuple):
    """How a title is known everywhere: kind, and its number at TMDB."""

    media_type: MediaType
    tmdb_id: int


class Availability(StrEnum):
    """How much of a title, or of a season, is on the server."""

    NONE = "none"
    REQUESTED = "requested"  # asked for at Overseerr, waits for approval
    PROCESSING = "processing"  # approved, not there yet
    PARTIAL = "partial"
    AVAILABLE = "available"
    UNKNOWN = "unknown"

    @property
    def is_there(self) -> bool:
        return self in (Availability.AVAILABLE, Availability.PARTIAL)


# from nothing to everything: of two sources the one that knows of more is right
ORDER = (
    Availability.UNKNOWN,
    Availability.NONE,
    Availability.REQUESTED,
    Availability.PROCESSING,
    Availability.PARTIAL,
    Availability.AVAILABLE,
)


def further(*found: Availability) -> Availability:
    """The one that is furthest along."""
    return max(found, key=ORDER.index, default=Availability.UNKNOWN)


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """A season; 0 are the specials. `episodes_there` is None where Plex was not asked."""

    number: int
    title: str = ""
    episodes: int = 0
    episodes_there: int | None = None
    availability: Availability = Availability.NONE
    rating_key: str | None = None


class CastMember(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    character: str = ""


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A film or series.

    `is_whole`: its details were read, not only a line of a search. `is_stale`: the newest could not be had, this is what
    was known at `fetched_at`. `is_shared` is False when it is on the server and the person's own sharing does not show it.
    `age` is the least age by its certification, None where nobody says. Addresses at Plex are empty where there is none.
    """

    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None = None
    original_title: str = ""
    overview: str = ""
    poster: str | None = None
    backdrop: str | None = None
    poster_path: str | None = None
    backdrop_path: str | None = None
    genres: tuple[str, ...] = ()
    score: float | None = None  # 0 to 10
    certification: str | None = None
    age: int | None = None
    runtime_min: int | None = None
    release_date: str | None = None  # YYYY-MM-DD
    seasons: tuple[Season, ...] = ()
    cast: tuple[CastMember, ...] = ()
    availability: Availability = Availability.NONE
    availability_4k: Availability = Availability.NONE
    plex_rating_key: str | None = None
    plex_url: str | None = None
    plex_app_url: str | None = None
    is_shared: bool = True
    imdb_id: str | None = None
    tvdb_id: int | None = None
    media_id: int | None = None  # Overseerr's own number of it
    is_blocklisted: bool = False
    is_whole: bool = False
    is_stale: bool = False
    fetched_at: datetime | None = None

    @property
    def key(self) -> TitleKey:
        return TitleKey(self.media_type, self.tmdb_id)

    @property
    def is_series(self) -> bool:
        return self.media_type is MediaType.TV

    @property
    def counted_seasons(self) -> tuple[Season, ...]:
        """All but the specials: what decides whether a series is complete."""
        return tuple(season for season in self.seasons if season.number > 0)

    @property
    def seasons_there(self) -> int:
        return sum(season.availability is Availability.AVAILABLE for season in self.counted_seasons)


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing from an answer, in words; `age_s` is how old the copy is that stands in its place."""

    service: str  # plex, overseerr or videos
    code: str
    text: str
    age_s: int | None = None


class FoundKind(StrEnum):
    MOVIE = "movie"
    SHOW = "show"
    VIDEO = "video"


class FoundGroup(StrEnum):
    WATCH = "watch"  # it is in the person's libraries
    REQUEST = "request"
    DOWNLOAD = "download"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what a search found. `url` is a video's own address at its site, `href` our page of it."""

    kind: FoundKind
    group: FoundGroup
    title: str
    href: str
    tmdb_id: int | None = None
    year: int | None = None
    overview: str = ""
    poster: str | None = None
    availability: Availability = Availability.NONE
    certification: str | None = None
    plex_url: str | None = None
    rating_key: str | None = None
    url: str | None = None
    uploader: str = ""
    duration_s: int | None = None

    @property
    def key(self) -> TitleKey | None:
        """The title it stands for; None for a video and for what nobody has matched."""
        if self.tmdb_id is None or self.kind is FoundKind.VIDEO:
            return None
        return TitleKey(MediaType.MOVIE if self.kind is FoundKind.MOVIE else MediaType.TV, self.tmdb_id)


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for `q`, what is in the libraries first; `link` is `q` when that is an address to download."""

    q: str
    page: int = 1
    items: tuple[Found, ...] = ()
    has_more: bool = False
    link: str | None = None
    troubles: tuple[Trouble, ...] = ()


class Library(msgspec.Struct, frozen=True, kw_only=True):
    """A library of the Plex server that the person may see."""

    key: str
    type: str  # movie or show
    title: str


class LibraryItem(msgspec.Struct, frozen=True, kw_only=True):
    """A film, series, season, episode or collection as Plex knows it. `kind` is Plex's word for it."""

    rating_key: str
    kind: str
    title: str
    href: str
    year: int | None = None
    summary: str = ""
    poster: str | None = None
    still: str | None = None  # 16:9, of episodes and home videos
    backdrop: str | None = None
    certification: str | None = None
    age: int | None = None
    genres: tuple[str, ...] = ()
    score: float | None = None
    duration_min: int | None = None
    added_at: datetime | None = None
    tmdb_id: int | None = None
    index: int | None = None  # of a season or an episode
    parent_title: str = ""
    parent_key: str | None = None
    show_title: str = ""
    show_key: str | None = None
    library_title: str = ""
    items_total: int | None = None  # seasons of a series, episodes of a season, members of a collection
    items_watched: int | None = None
    is_watched: bool = False
    watched_percent: int | None = None
    plex_url: str | None = None
    plex_app_url: str | None = None

    @property
    def key(self) -> TitleKey | None:
        if self.tmdb_id is None or self.kind not in ("movie", "show"):
            return None
        return TitleKey(MediaType.MOVIE if self.kind == "movie" else MediaType.TV, self.tmdb_id)


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of a list out of Plex; `trouble` says when it is an old copy."""

    items: tuple[LibraryItem, ...]
    total: int
    offset: int
    limit: int
    trouble: Trouble | None = None


class ItemDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One item and what lies inside it: seasons of a series, episodes of a season, members of a collection."""

    item: LibraryItem
    children: tuple[LibraryItem, ...] = ()
    trouble: Trouble | None = None


class TitleAvailabilityChanged(Event, frozen=True):
    """More, or less, of a title is on the server than was known."""

    media_type: MediaType
    tmdb_id: int
    availability: Availability
