"""The administrator who connected the server may sign in with the same Plex account: offered once, done on request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from medianest.accounts.model import Caller
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict
from medianest.integrations.plex_tv import PlexPerson


class OwnerLink:
    """Links through what `app.py` gives; while nothing is given, nothing is offered."""

    def __init__(self, connections: ConnectionService) -> None:
        self._connections = connections
        self._is_linked: Callable[[int], Awaitable[bool]] | None = None
        self._link_owner: Callable[[int, PlexPerson], Awaitable[object]] | None = None

    def use(
        self,
        is_linked: Callable[[int], Awaitable[bool]],
        link_owner: Callable[[int, PlexPerson], Awaitable[object]],
    ) -> None:
        """Take the two calls of the accounts: whether somebody has a Plex account, and link this one."""
        self._is_linked, self._link_owner = is_linked, link_owner

    async def is_offered(self, caller: Caller) -> bool:
        """Whether the caller connected the server and has no Plex account linked."""
        connection = await self._connections.plex()
        if connection is None or connection.owner is None or connection.connected_by != caller.user.id:
            return False
        return self._is_linked is not None and not await self._is_linked(caller.user.id)

    async def link(self, caller: Caller) -> None:
        """Let the caller sign in with the Plex account that connects the server.

        Raises:
            Conflict: it is not the caller's to link.
        """
        connection = await self._connections.plex()
        if not await self.is_offered(caller) or not connection or not connection.owner or not self._link_owner:
            raise Conflict("Only who connected the server can link its Plex account, once.", code="plex_not_yours")
        owner = connection.owner
        person = PlexPerson(id=owner.id, username=owner.username, title=owner.title, email=None, thumb=owner.thumb)
        await self._link_owner(caller.user.id, person)
