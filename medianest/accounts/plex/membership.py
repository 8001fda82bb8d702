"""Who a Plex token stands for, and whether our server is shared with them.

Their own list of servers decides: the owner's list knows some rightful people under other names. It is asked only for the
words to say to somebody who does not get in.
"""

from __future__ import annotations

import asyncio
import logging

from medianest.accounts.plex.model import Finding, Refusal
from medianest.connections.model import PlexConnection
from medianest.connections.service import ConnectionService
from medianest.errors import MediaNestError
from medianest.integrations.plex_server import ServerRefused
from medianest.integrations.plex_tv import PlexPerson

log = logging.getLogger(__name__)

SERVER_S = 5.0
OWNERS_LIST_S = 8.0


class Membership:
    """Reads it from plex.tv."""

    def __init__(self, connections: ConnectionService) -> None:
        self._connections = connections

    async def read(self, token: str, connection: PlexConnection, *, is_sign_in: bool = True) -> Finding:
        """Two successful reads at plex.tv, or an error that says nothing about the person.

        Args:
            is_sign_in: ask the server as well, and find out why ours is missing, for the words to say. Otherwise the
                list of servers at plex.tv alone counts.

        Raises:
            TokenDead: plex.tv does not take the token.
            UpstreamFailed: plex.tv gave no answer that counts.
        """
        plex_tv = await self._connections.plex_tv()
        person = await plex_tv.user(token)
        ours = [
            one for one in await plex_tv.resources(token) if one.is_server and one.machine_id == connection.machine_id
        ]
        if not ours:
            refusal = await self._why(person, connection) if is_sign_in else Refusal.NO_ACCESS
            return Finding(person=person, refusal=refusal)
        found = ours[0]
        if is_sign_in and not found.is_owned and not await self._is_taken(found.access_token):
            return Finding(person=person, refusal=Refusal.NO_ACCESS)
        return Finding(person=person, is_owner=found.is_owned, server_token=found.access_token)

    async def _is_taken(self, server_token: str) -> bool:
        """Whether the server takes the person's own token; one that is down keeps nobody out."""
        if not server_token:
            return True
        try:
            await (await self._connections.plex_server()).sections(server_token, timeout_s=SERVER_S)
        except ServerRefused:
            return False
        except MediaNestError as error:
            log.info("The Plex server could not be asked about somebody who signs in (%s)", error.code)
        return True

    async def _why(self, person: PlexPerson, connection: PlexConnection) -> Refusal:
        """What the owner's list says about somebody who does not have our server."""
        token = await self._connections.plex_token()
        if not token:
            return Refusal.NO_ACCESS
        try:
            async with asyncio.timeout(OWNERS_LIST_S):
                people = await (await self._connections.background_plex_tv()).people(token)
        except (MediaNestError, TimeoutError):
            return Refusal.NO_ACCESS
        known = next((one for one in people if one.id == person.id), None)
        if known is None:
            return Refusal.STRANGER
        servers = [server for server in known.servers if server.machine_id == connection.machine_id]
        return Refusal.PENDING if any(server.is_pending for server in servers) else Refusal.NOTHING_SHARED
