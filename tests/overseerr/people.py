"""People of the stand-in: rights, quotas, and who is known at Plex but not yet here. Their Plex ids are those of `tests/plex`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import Any


class Permission(IntFlag):
    """Notes 1b: permission flags."""

    NONE = 0
    ADMIN = 2
    MANAGE_USERS = 8
    MANAGE_REQUESTS = 16
    REQUEST = 32
    AUTO_APPROVE = 128
    AUTO_APPROVE_MOVIE = 256
    AUTO_APPROVE_TV = 512
    REQUEST_4K = 1024
    REQUEST_4K_MOVIE = 2048
    REQUEST_4K_TV = 4096
    REQUEST_ADVANCED = 8192
    REQUEST_VIEW = 16384
    AUTO_APPROVE_4K = 32768
    AUTO_APPROVE_4K_MOVIE = 65536
    AUTO_APPROVE_4K_TV = 131072
    REQUEST_MOVIE = 262144
    REQUEST_TV = 524288


@dataclass(eq=False)
class Person:
    """One account; a quota is `(limit, days)`, limit 0 for none."""

    id: int
    email: str
    plex_id: int | None = None
    plex_username: str | None = None
    username: str | None = None
    permissions: Permission = Permission.REQUEST
    movie_quota: tuple[int, int] = (0, 7)
    tv_quota: tuple[int, int] = (0, 7)
    created_at: str = "2024-03-01T10:00:00.000Z"

    @property
    def display_name(self) -> str:
        return self.username or self.plex_username or self.email

    def may(self, *wanted: Permission) -> bool:
        """Any of `wanted`; notes 1b: ADMIN passes every check."""
        return bool(self.permissions & Permission.ADMIN) or any(self.permissions & one for one in wanted)

    def shown(self, *, requests: int = 0, is_full: bool = True) -> dict[str, Any]:
        """Document: User. Notes 2b `GET /user`: e-mail, Plex id and settings only for MANAGE_USERS."""
        common: dict[str, Any] = {
            "permissions": int(self.permissions), "warnings": [], "id": self.id, "plexUsername": self.plex_username,
            "username": self.username, "userType": 1 if self.plex_id else 2, "avatar": "/avatar/1.png",
            "createdAt": self.created_at, "updatedAt": self.created_at, "requestCount": requests,
            "displayName": self.display_name,
        }  # fmt: skip
        if not is_full:
            return common
        return common | {
            "email": self.email, "plexId": self.plex_id, "recoveryLinkExpirationDate": None,
            "movieQuotaLimit": self.movie_quota[0] or None, "movieQuotaDays": self.movie_quota[1],
            "tvQuotaLimit": self.tv_quota[0] or None, "tvQuotaDays": self.tv_quota[1],
        }  # fmt: skip


@dataclass(frozen=True)
class PlexKnown:
    """Somebody the owner's Plex knows. Notes 2f: without an e-mail or a share they are skipped, silently."""

    id: int
    username: str
    email: str
    has_share: bool = True

    def shown(self) -> dict[str, Any]:
        """Document: `GET /settings/plex/users`; notes 2f: ids are strings."""
        return {"id": str(self.id), "title": self.username, "username": self.username, "email": self.email, "thumb": ""}


def everybody() -> dict[str, Person]:
    """The accounts there are at the start."""
    managing = Permission.MANAGE_REQUESTS | Permission.MANAGE_USERS | Permission.REQUEST
    return {
        "owner": Person(1, "olive@example.org", 1001, "olive", permissions=Permission.ADMIN),
        "friend": Person(2, "frida@example.org", 1002, "frida"),
        "portal": Person(3, "portal@example.org", username="Portal"),
        "manager": Person(4, "mona@example.org", 1010, "mona", permissions=managing),
        "powerless": Person(5, "paul@example.org", 1011, "paul", permissions=Permission.NONE),
    }


def known_at_plex() -> list[PlexKnown]:
    """Who can be imported, and who is skipped."""
    return [
        PlexKnown(1002, "frida", "frida@example.org"),
        PlexKnown(1003, "finn", "finn@example.org"),
        PlexKnown(1004, "Charlie", ""),
        PlexKnown(1005, "penny", "penny@example.org", has_share=False),
        PlexKnown(1010, "mona", "mona@example.org"),
    ]
