"""A house whose requests go to a stand-in for Overseerr; nothing runs by itself, a test says when something is sent or read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.accounts.model import User
from medianest.accounts.repository import AccountRepository
from medianest.app import Application
from medianest.database import fetch
from medianest.media.model import MediaType
from medianest.requests.model import MediaRequest, NewRequest
from tests.harness.application import Visit
from tests.overseerr import OverseerrWorld
from tests.security.cast import session_headers

# for tests of what Overseerr does: the statements are tried on both engines elsewhere
on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
FILM, OTHER_FILM, CHILDRENS_FILM, SERIES = 603, 604, 862, 1399
# name → role, child, permissions (None: the default ones), number at Plex
PEOPLE: dict[str, tuple[str, bool, str | None, int | None]] = {
    "ada": ("admin", False, None, 1001),
    "frida": ("user", False, "request_films request_shows auto_approve", 1002),
    "kim": ("user", False, "request_films request_shows auto_approve", None),  # nobody at Overseerr
    "noa": ("user", False, None, None),  # needs somebody's yes
    "eva": ("user", False, "request_films manage_requests", None),
    "mia": ("user", True, None, None),
    "otto": ("user", False, "", None),  # may ask for nothing
}


class House:
    """`users` by name; `ask` and `client` act as one of them."""

    def __init__(self, application: Application, overseerr: OverseerrWorld, visit: Visit) -> None:
        self.application, self.overseerr, self.visit = application, overseerr, visit
        self.service, self.sender = application.requests.service, application.requests.sender
        self.sync, self.hints = application.requests.sync, application.requests.hints
        self.users: dict[str, User] = {}
        self.events: list[Any] = []
        application.events.tap(self._note)

    async def _note(self, event: Any) -> None:
        self.events.append(event)

    async def fill(self) -> None:
        for name, (role, is_child, permissions, plex_id) in PEOPLE.items():
            await self.add(name, role=role, is_child=is_child, permissions=permissions, plex_id=plex_id)

    async def add(
        self, name: str, *, role: str = "user", is_child: bool = False, permissions: str | None = None,
        plex_id: int | None = None,
    ) -> User:  # fmt: skip
        """Somebody more."""
        rows = await fetch(
            "INSERT INTO users (username, username_key, display_name, role, state, created_at, is_child, permissions, rating_limit) "
            "VALUES ({}, {}, {}, {}, 'active', {}, {}, {}, {}) RETURNING id",
            *(
                name,
                name,
                name.capitalize(),
                role,
                datetime.now(UTC),
                is_child,
                permissions,
                "12" if is_child else None,
            ),
        )
        if plex_id is not None:
            await fetch(
                "INSERT INTO plex_accounts (user_id, plex_id, username, is_owner, linked_at) VALUES ({}, {}, {}, {}, {})",
                *(rows[0]["id"], plex_id, name, False, datetime.now(UTC)),
            )
        return await self.again(name, rows[0]["id"])

    async def again(self, name: str, user_id: int | None = None) -> User:
        """Read somebody anew, after their row was changed."""
        self.users[name] = await AccountRepository().get(user_id or self.users[name].id)
        return self.users[name]

    async def close(self) -> None:
        await self.application.media.close()
        await self.application.connections.close()

    async def ask(
        self,
        name: str,
        tmdb_id: int = FILM,
        seasons: tuple[int, ...] | None = None,
        *,
        is_4k: bool = False,
        **more: Any,
    ) -> MediaRequest:
        """Ask as somebody; the request."""
        kind = MediaType.TV if tmdb_id == SERIES else MediaType.MOVIE
        new = NewRequest(media_type=kind, tmdb_id=tmdb_id, seasons=seasons, is_4k=is_4k)
        made, _is_new = await self.service.submit(new, self.users[name], **more)
        return made

    async def get(self, request_id: int, name: str = "ada") -> MediaRequest:
        return await self.service.get(request_id, self.users[name])

    async def client(self, name: str) -> httpx.AsyncClient:
        """The API as somebody."""
        return self.visit(self.application, headers=await session_headers(self.application, self.users[name].id))

    async def deliver(self) -> int:
        """Send what is due."""
        return await self.sender.drain()

    async def time_passes(self, hours: float = 1.0) -> None:
        """What waits for its time is due; what was sent long ago has settled; nobody is left alone any more."""
        rows = await fetch("SELECT id, posted_at FROM outbox")
        for row in rows:
            posted = row["posted_at"] - timedelta(hours=hours) if row["posted_at"] else None
            past = datetime.now(UTC) - timedelta(hours=hours)
            await fetch("UPDATE outbox SET next_attempt_at = {}, posted_at = {} WHERE id = {}", past, posted, row["id"])
        self.application.connections.overseerr._http.breaker.reset()

    async def outbox(self) -> list[dict[str, Any]]:
        return await fetch("SELECT * FROM outbox ORDER BY id")

    def sent(self, method: str = "POST", path: str = "/api/v1/request") -> list[Any]:
        """Calls that reached Overseerr."""
        return [call for call in self.overseerr.calls if call.method == method and call.path == path]
