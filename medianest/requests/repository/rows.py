"""From rows of requests to what the rest of the slice works with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from medianest.media.model import MediaType, TitleKey
from medianest.requests.model import OPEN_STATUSES, ReasonCode, RequestStatus

FILM = -1  # the one part of a film
COLUMNS = (
    "r.id, r.media_type, r.tmdb_id, r.is_4k, r.seasons, r.requested_by, r.title, r.year, r.status, r.reason_code, r.reason, "
    "r.is_approved, r.overseerr_id, r.quota_cost, r.version, r.created_at, r.changed_at"
)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `media_requests` as the rules need it."""

    id: int
    media_type: MediaType
    tmdb_id: int
    is_4k: bool
    seasons: tuple[int, ...]
    requested_by: int | None
    title: str
    year: int | None
    status: RequestStatus
    reason_code: ReasonCode | None
    reason: str | None
    is_approved: bool
    overseerr_id: int | None
    quota_cost: int
    version: int
    created_at: datetime
    changed_at: datetime

    @property
    def key(self) -> TitleKey:
        return TitleKey(self.media_type, self.tmdb_id)

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def parts(self) -> tuple[int, ...]:
        return self.seasons or (FILM,)


def to_row(found: Mapping[str, Any]) -> Row:
    """A row as the driver gives it. Statuses of a newer build do not come: the schema would be newer too."""
    return Row(
        id=found["id"],
        media_type=MediaType(found["media_type"]),
        tmdb_id=found["tmdb_id"],
        is_4k=bool(found["is_4k"]),
        seasons=seasons_of(found["seasons"]),
        requested_by=found["requested_by"],
        title=found["title"],
        year=found["year"],
        status=RequestStatus(found["status"]),
        reason_code=ReasonCode(found["reason_code"]) if found["reason_code"] else None,
        reason=found["reason"],
        is_approved=bool(found["is_approved"]),
        overseerr_id=found["overseerr_id"],
        quota_cost=found["quota_cost"],
        version=found["version"],
        created_at=found["created_at"],
        changed_at=found["changed_at"],
    )


def seasons_of(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def seasons_text(seasons: Iterable[int]) -> str:
    return ",".join(str(one) for one in sorted(set(seasons)))


def title_key(title: str) -> str:
    """A title as it is found and sorted: folded, without an article in front."""
    folded = " ".join(title.casefold().split())
    for article in ("the ", "a ", "an "):
        if folded.startswith(article) and len(folded) > len(article):
            return folded.removeprefix(article)
    return folded


def lane_of(key: TitleKey) -> str:
    """What must not happen at once at Overseerr: it takes no lock on a title."""
    return f"{key.media_type}:{key.tmdb_id}"


def marks(count: int) -> str:
    """`{}, {}, …` for that many values."""
    return ", ".join(["{}"] * count)
