"""What Overseerr and Seerr say, in our words. `overseerr_reading.py` makes these of their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum

import msgspec


class MediaState(StrEnum):
    """How far a title is there; of seasons too."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    PROCESSING = "processing"
    PARTIALLY_AVAILABLE = "partially_available"
    AVAILABLE = "available"
    BLOCKLISTED = "blocklisted"
    DELETED = "deleted"


class RowState(StrEnum):
    """How far a request is; Overseerr leaves a good one APPROVED, Seerr makes it COMPLETED."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    APPROVED = "approved"
    DECLINED = "declined"
    FAILED = "failed"
    COMPLETED = "completed"


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is no semantic version in development builds."""

    version: str
    restart_required: bool = False


class PublicSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the server tells everybody. `kind` is overseerr or seerr."""

    kind: str
    title: str
    is_initialized: bool
    allows_4k_movies: bool
    allows_4k_shows: bool


class OverseerrUser(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody there; e-mail and Plex id come only with the right to manage people."""

    id: int
    name: str
    email: str = ""
    plex_id: int | None = None
    permissions: int = 0
    created_at: datetime | None = None


class PlexCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the server's Plex knows and who has no account there yet."""

    plex_id: int
    name: str
    email: str


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A quota: films, or seasons, in `days`. No limit: `limit` and `remaining` are None."""

    days: int
    limit: int | None
    used: int
    remaining: int | None
    is_restricted: bool


class UserQuota(msgspec.Struct, frozen=True, kw_only=True):
    movie: Share
    tv: Share


class DownloadState(msgspec.Struct, frozen=True, kw_only=True):
    """What Radarr or Sonarr is fetching; refreshed there once a minute."""

    title: str
    size_bytes: int
    left_bytes: int
    status: str
    done_at: datetime | None = None

    @property
    def percent(self) -> int:
        done = self.size_bytes - self.left_bytes
        return max(0, min(100, round(100 * done / self.size_bytes))) if self.size_bytes > 0 else 0


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the server stores it. It holds no title; `media` is None inside a title's own list."""

    id: int
    status: RowState
    media_type: str
    media: MediaInfo | None
    requested_by_id: int | None
    requested_by_name: str = ""
    modified_by_id: int | None = None
    modified_by_name: str = ""
    seasons: tuple[int, ...] = ()
    is_4k: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None


class MediaInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the server knows of a title. `seasons` maps a number to its state."""

    id: int
    media_type: str
    tmdb_id: int
    status: MediaState
    status_4k: MediaState = MediaState.UNKNOWN
    tvdb_id: int | None = None
    seasons: Mapping[int, MediaState] = {}
    rating_key: str | None = None
    downloads: tuple[DownloadState, ...] = ()
    requests: tuple[RequestRow, ...] = ()


class FoundTitle(msgspec.Struct, frozen=True, kw_only=True):
    """A film or series in a list. Pictures are paths of the film database, `/abc.jpg`."""

    media_type: str  # movie or tv
    tmdb_id: int
    title: str
    year: int | None = None
    overview: str = ""
    poster_path: str | None = None
    backdrop_path: str | None = None
    vote_average: float | None = None
    media: MediaInfo | None = None


class FoundPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of titles; people and collections of the answer are left out."""

    page: int
    pages: int
    total: int
    results: tuple[FoundTitle, ...]


class CastMember(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    character: str = ""


class SeasonSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A season in the details of a series; 0 holds the specials."""

    number: int
    name: str
    episodes: int
    air_date: date | None = None
    overview: str = ""
    poster_path: str | None = None


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    title: str
    overview: str = ""
    air_date: date | None = None


class SeasonDetails(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    name: str
    overview: str
    episodes: tuple[Episode, ...]


class TitleDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about a title. `certifications` by country; `certification` is that of the country asked first."""

    media_type: str
    tmdb_id: int
    title: str
    year: int | None
    overview: str
    tagline: str
    poster_path: str | None
    backdrop_path: str | None
    genres: tuple[str, ...]
    vote_average: float | None
    certification: str
    certification_country: str
    certifications: Mapping[str, str]
    runtime_min: int | None
    release_date: date | None
    status: str
    seasons: tuple[SeasonSummary, ...]
    imdb_id: str | None
    tvdb_id: int | None
    cast: tuple[CastMember, ...]
    media: MediaInfo | None


class RequestPage(msgspec.Struct, frozen=True, kw_only=True):
    total: int
    results: tuple[RequestRow, ...]


class RequestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody's requests; `completed` is Seerr's."""

    total: int
    pending: int
    approved: int
    declined: int
    processing: int
    available: int
    completed: int = 0
