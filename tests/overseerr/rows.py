"""Rows of media and requests, and what they look like from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from tests.overseerr.people import Person


class Asked(IntEnum):
    """Notes 1a: request status."""

    PENDING = 1
    APPROVED = 2
    DECLINED = 3
    FAILED = 4
    COMPLETED = 5  # Seerr only


class There(IntEnum):
    """Notes 1a: media status, also of a season."""

    UNKNOWN = 1
    PENDING = 2
    PROCESSING = 3
    PARTIALLY_AVAILABLE = 4
    AVAILABLE = 5
    BLOCKLISTED = 6  # Seerr only
    DELETED = 7  # Seerr only


def moment() -> str:
    """Now, as the server writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(eq=False)
class MediaRow:
    """What the server knows of one title."""

    id: int
    media_type: str
    tmdb_id: int
    tvdb_id: int | None = None
    status: int = There.UNKNOWN
    status_4k: int = There.UNKNOWN
    seasons: dict[int, int] = field(default_factory=dict)
    rating_key: str | None = None
    downloads: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = field(default_factory=moment)

    def set_status(self, status: int, *, is_4k: bool) -> None:
        if is_4k:
            self.status_4k = status
        else:
            self.status = status

    def shown(self, requests: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
        """Document: MediaInfo; notes 2b: about 25 fields, not 7. `mediaAddedAt` is set at request time."""
        found: dict[str, Any] = {
            "downloadStatus": self.downloads, "downloadStatus4k": [], "id": self.id, "mediaType": self.media_type,
            "tmdbId": self.tmdb_id, "tvdbId": self.tvdb_id, "imdbId": None, "status": int(self.status),
            "status4k": int(self.status_4k), "createdAt": self.created_at, "updatedAt": self.created_at,
            "lastSeasonChange": self.created_at, "mediaAddedAt": self.created_at, "serviceId": 0, "serviceId4k": None,
            "externalServiceId": None, "externalServiceSlug": None, "ratingKey": self.rating_key, "ratingKey4k": None,
            "seasons": [
                {"id": self.id * 100 + number, "seasonNumber": number, "status": int(status), "status4k": 1,
                 "createdAt": self.created_at, "updatedAt": self.created_at}
                for number, status in sorted(self.seasons.items())
            ],
        }  # fmt: skip
        if requests is not None:
            found |= {"requests": requests, "issues": []}
        return found | more


@dataclass(eq=False)
class RequestRow:
    """One request as the server stores it; `is_4k` is None when the caller left it out."""

    id: int
    media: MediaRow
    requested_by: Person
    status: int
    seasons: dict[int, int] = field(default_factory=dict)
    is_4k: bool | None = False
    modified_by: Person | None = None
    created_at: str = field(default_factory=moment)
    updated_at: str = field(default_factory=moment)

    def shown(self, *, is_seerr: bool, has_media: bool = True, may_manage: bool = False) -> dict[str, Any]:
        """Document: MediaRequest. Notes 2b `GET /request`: no title or poster. Notes 3: Seerr's extras."""
        found: dict[str, Any] = {
            "id": self.id, "status": int(self.status), "createdAt": self.created_at, "updatedAt": self.updated_at,
            "type": self.media.media_type, "is4k": bool(self.is_4k), "serverId": 0, "profileId": 4,
            "rootFolder": "/films", "languageProfileId": None, "tags": [], "isAutoRequest": False,
            "requestedBy": self.requested_by.shown(),
            "modifiedBy": self.modified_by.shown() if self.modified_by else None,
            "seasons": [
                {"id": self.id * 100 + number, "seasonNumber": number, "status": int(status),
                 "createdAt": self.created_at, "updatedAt": self.updated_at}
                for number, status in sorted(self.seasons.items())
            ],
            "seasonCount": len(self.seasons),
        }  # fmt: skip
        if has_media:
            found["media"] = self.media.shown()
        if is_seerr:
            found["profileName"] = "HD-1080p"
            if may_manage:
                found["canRemove"] = False
        return found
