"""Makes the clients of Plex under this installation's own identifiers."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from medianest.connections.model import PinPurpose
from medianest.connections.repository import ConnectionRepository
from medianest.integrations.breaker import Breaker, GuardedClient
from medianest.integrations.http import HttpClient
from medianest.integrations.plex_media import PlexMedia
from medianest.integrations.plex_server import PlexServer
from medianest.integrations.plex_tv import PlexTv
from medianest.integrations.plex_writing import PlexWriting
from medianest.settings import Settings

CLIENT_ID = "plex_client_id"
BACKGROUND = "-server"  # a sign-in of the owner would end a token under the same identifier


class PlexClients:
    """Clients of plex.tv and of a Plex server; the identifier is made once and kept, the same on all instances.

    Args:
        guarded: under the breaker of the connected server. plex.tv, addresses that are only tried and checks go without.
    """

    def __init__(
        self, settings: Settings, http: HttpClient, guarded: GuardedClient, repository: ConnectionRepository
    ) -> None:
        self._settings = settings
        self._http = http
        self._guarded = guarded
        self._repository = repository
        self._client_id = ""

    async def client_id(self) -> str:
        """What this installation is called at Plex: a plain UUID, made from nothing that could be guessed or shared."""
        if not self._client_id:
            now = datetime.now(UTC)
            self._client_id = await self._repository.setting_made_once(CLIENT_ID, str(uuid4()), at=now)
        return self._client_id

    async def plex_tv(self, *, is_background: bool = False) -> PlexTv:
        """plex.tv for people's sign-ins, or for the owner's lasting token."""
        identifier = await self.client_id() + (BACKGROUND if is_background else "")
        return PlexTv(self._http, self._settings.plex_tv_url, self._settings.plex_app_url, identifier)

    async def for_purpose(self, purpose: PinPurpose) -> PlexTv:
        return await self.plex_tv(is_background=purpose is PinPurpose.CONNECT)

    @property
    def breaker(self) -> Breaker:
        """Of the connected server."""
        return self._guarded.breaker

    async def server(self, url: str, *, is_guarded: bool = False) -> PlexServer:
        http = self._guarded if is_guarded else self._http
        return PlexServer(http, url, await self.client_id() + BACKGROUND)

    async def media(self, url: str) -> PlexMedia:
        return PlexMedia(self._guarded, url, await self.client_id() + BACKGROUND)

    async def writing(self, url: str, token: str, machine_id: str) -> PlexWriting:
        return PlexWriting(self._guarded, url, await self.client_id() + BACKGROUND, token, machine_id)

    @property
    def link_url(self) -> str:
        """The page where people type a short code."""
        return f"{self._settings.plex_tv_url}/link"
