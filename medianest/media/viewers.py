"""Who looks: with which token Plex is read for them, and what a child profile sees."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

import msgspec

from medianest.accounts.model import User
from medianest.connections.model import PlexConnection, ServerAccess
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict, UpstreamFailed
from medianest.integrations.plex_media import PlexMedia
from medianest.integrations.plex_server import Section
from medianest.media.ratings import limit_of

IDENTITY_S = 60.0  # so often it is made sure that it is still our server that answers
IDENTITY_PATIENCE_S = 5.0

AccessOf = Callable[[User | None], Awaitable[ServerAccess]]


class Viewer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who reads the server. `share` is the same for all who see the same of it."""

    user_id: int  # 0 is MediaNest itself
    share: str
    token: str
    is_own: bool
    limit: int | None  # the oldest age rating shown; None: everything
    machine_id: str


class Viewers:
    """Finds out how somebody reads the server, and gives the client for it."""

    def __init__(self, connections: ConnectionService, access_of: AccessOf) -> None:
        self._connections = connections
        self._access_of = access_of
        self._known_as: tuple[str, str] = ("", "")  # address and machine that were seen to belong together
        self._known_until = 0.0

    async def of(self, user: User | None) -> Viewer:
        """How `user` reads the server; None is MediaNest itself, which sees all of it.

        Raises:
            Conflict: no Plex server is connected.
            NotAllowed: they have to sign in with Plex again.
        """
        connection = await self.connection()
        access = await self._access_of(user)
        return Viewer(
            user_id=user.id if user else 0,
            share=f"{connection.machine_id}/{access.key}",
            token=access.token,
            is_own=access.is_own,
            limit=limit_of(user),
            machine_id=connection.machine_id,
        )

    async def connection(self) -> PlexConnection:
        """The connected server.

        Raises:
            Conflict: there is none.
        """
        connection = await self._connections.plex()
        if connection is None:
            raise Conflict("Plex is not connected yet.", code="plex_not_connected")
        return connection

    async def is_connected(self) -> bool:
        return await self._connections.plex() is not None

    @property
    def plex_app_url(self) -> str:
        """Where Plex's web app lives."""
        return self._connections.sign_in_page

    async def media(self, machine_id: str) -> PlexMedia:
        """The client; it is made sure now and then that the server is still the one that was connected.

        Raises:
            UpstreamFailed: it does not answer, or another one answers in its place.
        """
        connection = await self.connection()
        known = (connection.url, connection.machine_id)
        if self._known_as != known or time.monotonic() >= self._known_until:
            identity = await (await self._connections.plex_server()).identity(timeout_s=IDENTITY_PATIENCE_S)
            if identity.machine_id != machine_id:
                raise UpstreamFailed("Another Plex server answers in the place of ours.", code="plex_other_server")
            self._known_as, self._known_until = known, time.monotonic() + IDENTITY_S
        return await self._connections.plex_media()

    async def sections(self, token: str) -> tuple[Section, ...]:
        """The libraries that the holder of `token` may see."""
        return await (await self._connections.plex_server()).sections(token)
