"""Which Plex server this house belongs to, how it answers, and clients for it. `connecting.py` changes it."""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from medianest.connections.checking import check_connection
from medianest.connections.clients import PlexClients
from medianest.connections.model import (
    PlexCheck,
    PlexConnection,
    PlexConnectionChanged,
    PlexOptions,
    PlexStatus,
    ServiceChecked,
)
from medianest.connections.repository import ConnectionRepository, StoredConnection
from medianest.errors import Conflict, UpstreamFailed
from medianest.events import EventBus
from medianest.integrations.plex_media import PlexMedia
from medianest.integrations.plex_server import PlexServer
from medianest.integrations.plex_tv import PlexTv
from medianest.integrations.plex_writing import PlexWriting
from medianest.logs import redactor
from medianest.settings import Settings
from medianest.system.model import HealthProblem, Severity
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

NAME = "plex"
FROM_SETTINGS = "plex_from_settings"  # what was learned of the server that the settings name
PLACE = "integration_configs.secrets:plex"
CHECK, PINGED = "plex_check", "plex_pinged_at"
FAILURES_TOLD = 2  # one failed check may be a restart of Plex
KEPT_S = 30.0
LEARN_AGAIN_S = 10.0
PING_EVERY = timedelta(days=7)


class StoredSecrets(msgspec.Struct):
    """What is sealed in the column `secrets`."""

    token: str


class ConnectionService:
    """The one Plex connection, and clients for it."""

    def __init__(
        self,
        settings: Settings,
        repository: ConnectionRepository,
        clients: PlexClients,
        vault: Vault,
        events: EventBus,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._clients = clients
        self._vault = vault
        self._events = events
        self._kept: PlexConnection | None = None
        self._kept_until = 0.0
        self._loading = asyncio.Lock()
        events.subscribe(PlexConnectionChanged, self._forget)

    # what other slices ask

    async def plex(self) -> PlexConnection | None:
        """The server of this house, None while there is none."""
        if time.monotonic() >= self._kept_until:
            async with self._loading:
                if time.monotonic() >= self._kept_until:
                    self._kept = await self._load()
                    is_awaited = self._kept is None and bool(self._settings.plex_url)
                    self._kept_until = time.monotonic() + (LEARN_AGAIN_S if is_awaited else KEPT_S)
        return self._kept

    async def plex_token(self) -> str | None:
        """The owner's lasting token; None without one, or when it can not be read any more."""
        if self._settings.plex_token:
            return self._settings.plex_token
        stored = await self._repository.find(NAME)
        if stored is None or not stored.secrets:
            return None
        try:
            token = msgspec.json.decode(self._vault.open(stored.secrets, PLACE), type=StoredSecrets).token
        except (SealBroken, msgspec.DecodeError) as error:
            log.error("The Plex token can not be read (%s); connect the server again", type(error).__name__)
            return None
        redactor.learn(token)
        return token

    async def plex_tv(self) -> PlexTv:
        """plex.tv under the identifier that people sign in with."""
        return await self._clients.plex_tv()

    async def background_plex_tv(self) -> PlexTv:
        """plex.tv under the identifier of the owner's lasting token."""
        return await self._clients.plex_tv(is_background=True)

    async def plex_server(self) -> PlexServer:
        """The server, to be called with a token of one's own choice.

        Raises:
            Conflict: none is connected.
        """
        connection = await self.plex()
        if connection is None:
            raise Conflict("No Plex server is connected yet.", code="plex_not_connected")
        return await self._clients.server(connection.url, is_guarded=True)

    async def plex_media(self) -> PlexMedia:
        """What the server holds; raises as `plex_server` does."""
        connection = await self.plex()
        if connection is None:
            raise Conflict("No Plex server is connected yet.", code="plex_not_connected")
        return await self._clients.media(connection.url)

    async def plex_writing(self) -> PlexWriting:
        """The server with the owner's token; raises Conflict where there is no server or no token."""
        connection, token = await self.plex(), await self.plex_token()
        if connection is None or not token:
            raise Conflict("No Plex server is connected yet.", code="plex_not_connected")
        return await self._clients.writing(connection.url, token, connection.machine_id)

    async def status(self) -> PlexStatus:
        connection = await self.plex()
        if connection is None:
            return PlexStatus(is_connected=False, url=self._settings.plex_url, is_from_settings=self.is_fixed)
        return PlexStatus(
            is_connected=True,
            url=connection.url,
            name=connection.name,
            machine_id=connection.machine_id,
            version=connection.version,
            has_token=connection.has_token,
            is_from_settings=connection.is_from_settings,
            connected_at=connection.connected_at,
        )

    @property
    def is_fixed(self) -> bool:
        """Whether the address comes from the settings, so that the pages can not change it."""
        return bool(self._settings.plex_url)

    @property
    def public_url(self) -> str:
        """Where people find MediaNest, for return addresses; empty when nobody said."""
        return self._settings.public_url

    @property
    def sign_in_page(self) -> str:
        """Where Plex's own sign-in lives, which forms of ours lead to."""
        return self._settings.plex_app_url

    @property
    def sources(self) -> dict[str, str]:
        """Where what the settings name comes from, by `url` and `token`."""
        found = self._settings.sources
        return {short: found[name] for short, name in (("url", "plex_url"), ("token", "plex_token")) if name in found}

    # loading

    async def _forget(self, _event: PlexConnectionChanged) -> None:
        self._kept_until = 0.0
        self._clients.breaker.reset()

    async def _load(self) -> PlexConnection | None:
        stored = await self._repository.find(NAME)
        if self._settings.plex_url:
            learned = await self._repository.find(FROM_SETTINGS)
            if learned is None or learned.url != self._settings.plex_url:
                learned = await self._learn()
            return self._made(learned, stored) if learned else None
        return self._made(stored, stored) if stored else None

    def _made(self, stored: StoredConnection, saved: StoredConnection | None) -> PlexConnection:
        options = stored.options
        return PlexConnection(
            machine_id=options.machine_id,
            name=options.name,
            url=stored.url,
            version=options.version,
            is_from_settings=self.is_fixed,
            has_token=bool(self._settings.plex_token or (saved and saved.secrets)),
            is_token_from_settings=bool(self._settings.plex_token),
            connected_at=options.connected_at or stored.updated_at,
            connected_by=options.connected_by,
            owner=options.owner,
        )

    async def _learn(self) -> StoredConnection | None:
        """Ask the server that the settings name which one it is; kept, so that a restart without it is no loss."""
        url, now = self._settings.plex_url, datetime.now(UTC)
        server, token = await self._clients.server(url), await self.plex_token()
        try:
            identity = await server.identity(timeout_s=5)
        except UpstreamFailed as error:
            log.warning("The Plex server of MEDIANEST_PLEX_URL does not answer yet: %s", error.message)
            return None
        options = PlexOptions(machine_id=identity.machine_id, version=identity.version, connected_at=now)
        try:
            if token:
                options = replace(options, name=(await server.about(token)).name)
        except UpstreamFailed as error:
            log.warning("The Plex server of MEDIANEST_PLEX_URL does not take its token: %s", error.message)
        await self._repository.put(FROM_SETTINGS, url=url, secrets=None, options=options, by=None, at=now)
        return await self._repository.find(FROM_SETTINGS)

    # how it answers

    async def test(self) -> PlexCheck:
        """Ask the server and plex.tv now, and keep the answer for the health list.

        Raises:
            Conflict: none is connected.
        """
        connection = await self.plex()
        if connection is None:
            if self.is_fixed:
                raise UpstreamFailed(
                    "The Plex server of MEDIANEST_PLEX_URL does not answer. Is it running?", code="plex_unreachable"
                )
            raise Conflict("No Plex server is connected yet.", code="plex_not_connected")
        before = await self.last_check()
        found = await check_connection(connection, await self.plex_token(), self._clients)
        if found.code:
            found = replace(found, failures=(before.failures if before else 0) + 1)
        text = msgspec.json.encode(found).decode()
        await self._repository.put_setting(CHECK, text, at=found.at)
        (self._clients.breaker.succeeded if found.is_reachable else self._clients.breaker.failed)()
        await self._events.publish(ServiceChecked(service=NAME))
        return found

    async def last_check(self) -> PlexCheck | None:
        """The newest answer at the present address."""
        kept, connection = await self._repository.setting(CHECK), await self.plex()
        if not kept or connection is None:
            return None
        try:
            found = msgspec.json.decode(kept, type=PlexCheck)
        except msgspec.DecodeError:
            return None
        return found if found.url == connection.url else None

    async def check(self) -> str:
        """The recurring test; once a week it also keeps the token alive at plex.tv."""
        if await self.plex() is None:
            return "No Plex server is connected."
        found = await self.test()
        token = await self.plex_token()
        if token and found.is_good:
            await self._ping(token)
        return found.text or f"Plex answers in {found.took_ms} ms with {found.libraries} libraries."

    async def _ping(self, token: str) -> None:
        now, last = datetime.now(UTC), await self._repository.setting(PINGED)
        if last and now - datetime.fromisoformat(last) < PING_EVERY:
            return
        try:
            await (await self.background_plex_tv()).ping(token)
        except UpstreamFailed as error:
            log.info("plex.tv did not answer a ping: %s", error.message)
        else:
            await self._repository.put_setting(PINGED, now.isoformat(), at=now)

    async def problems(self) -> tuple[HealthProblem, ...]:
        """For the health list: Plex has not answered twice in a row, or its token is no longer good."""
        unreadable = await self._unreadable()
        if unreadable is not None:
            return (unreadable,)
        connection, advice = await self.plex(), "Open the page Plex and press Test to see what is wrong."
        if connection is None:
            if not self.is_fixed:
                return ()
            text = "The Plex server of MEDIANEST_PLEX_URL has not answered yet, so that nobody can sign in with Plex."
            return (HealthProblem(code="plex_unreachable", severity=Severity.ERROR, text=text, advice=advice),)
        found = await self.last_check()
        if found is None or found.is_good or found.failures < FAILURES_TOLD:
            return ()
        is_dead = found.code in ("plex_token_refused", "plex_token_dead", "plex_no_token")
        severity = Severity.WARNING if is_dead else Severity.ERROR
        return (HealthProblem(code=found.code, severity=severity, text=found.text, advice=advice),)

    async def _unreadable(self) -> HealthProblem | None:
        """What is stored of the connection was damaged, or sealed with another secret key."""
        if not self.is_fixed and await self._repository.is_damaged(NAME):
            return HealthProblem(
                code="plex_connection_unreadable",
                severity=Severity.ERROR,
                text="What is stored of the Plex connection can not be read, so that nobody can sign in with Plex.",
                advice="Open the page Plex and connect the server again.",
            )
        stored = None if self._settings.plex_token else await self._repository.find(NAME)
        if stored is None or not stored.secrets or await self.plex_token() is not None:
            return None
        return HealthProblem(
            code="plex_token_unreadable",
            severity=Severity.ERROR,
            text="The stored Plex token can not be read: it is damaged, or was stored with another secret key.",
            advice="Open the page Plex and connect the server again. If the secret key was changed by mistake, put the "
            "right one back.",
        )
