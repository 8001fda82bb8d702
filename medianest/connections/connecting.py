"""Changes the Plex connection: by the owner's own PIN, by hand, to another address, or away."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec
from msgspec.structs import replace

from medianest.accounts.model import Caller
from medianest.connections.addresses import addresses_of, first_that_answers, read_address
from medianest.connections.clients import PlexClients
from medianest.connections.model import (
    OfferedServer,
    PlexChange,
    PlexConnection,
    PlexConnectionChanged,
    PlexOptions,
    PlexOwner,
)
from medianest.connections.repository import ConnectionRepository
from medianest.connections.service import NAME, PLACE, ConnectionService, StoredSecrets
from medianest.errors import Conflict, Invalid, MediaNestError, UpstreamFailed
from medianest.events import EventBus
from medianest.integrations.plex_server import ServerRefused
from medianest.integrations.plex_tv import PlexPerson, TokenDead
from medianest.logs import redactor
from medianest.system.audit import record
from medianest.vault import Vault

log = logging.getLogger(__name__)


def _owner(person: PlexPerson) -> PlexOwner:
    return PlexOwner(id=person.id, username=person.username, title=person.title, thumb=person.thumb)


class PlexConnecting:
    """What the page and the API of the connection do. Nothing is saved before the server has answered."""

    def __init__(
        self,
        connections: ConnectionService,
        repository: ConnectionRepository,
        clients: PlexClients,
        vault: Vault,
        events: EventBus,
    ) -> None:
        self._connections = connections
        self._repository = repository
        self._clients = clients
        self._vault = vault
        self._events = events

    async def offered(self, token: str) -> tuple[OfferedServer, ...]:
        """The servers that the holder of `token` owns; those of other people are not offered."""
        found = await (await self._connections.background_plex_tv()).resources(token)
        await self._keep_newest(token, {one.machine_id for one in found if one.is_server and one.is_owned})
        return tuple(
            OfferedServer(machine_id=one.machine_id, name=one.name, addresses=addresses_of(one))
            for one in found
            if one.is_server and one.is_owned and one.machine_id
        )

    async def _keep_newest(self, token: str, owned: set[str]) -> None:
        """Save a newer token of the connected server at once: the PIN it came from may have ended the one before."""
        stored = await self._repository.find(NAME)
        if stored is None or stored.options.machine_id not in owned or self._connections.is_fixed:
            return
        if token != await self._connections.plex_token():
            options, now = replace(stored.options, is_token_ours=True), datetime.now(UTC)
            await self._repository.put(
                NAME,
                url=stored.url,
                secrets=self._sealed(token),
                options=options,
                by=stored.options.connected_by,
                at=now,
            )

    def _sealed(self, token: str) -> str:
        redactor.learn(token)
        return self._vault.seal(msgspec.json.encode(StoredSecrets(token)).decode(), PLACE)

    async def connect(self, token: str, machine_id: str, typed: str, *, by: Caller, address: str) -> PlexConnection:
        """Take the server `machine_id`, at the first address where it answers.

        Args:
            token: the owner's, from a PIN of ours.
            typed: an address to try before the ones that Plex names; may be empty.

        Raises:
            Conflict: the settings name the server.
            Invalid: the server is not the holder's own, or answers nowhere.
        """
        self._refuse_when_fixed()
        wanted = read_address(typed) if typed.strip() else ""
        client = await self._connections.background_plex_tv()
        found = next((one for one in await client.resources(token) if one.machine_id == machine_id), None)
        if found is None or not found.is_server:
            raise Invalid(
                "Choose one of your servers.", fields={"machine_id": "Choose one of the servers in the list."}
            )
        if not found.is_owned:
            whose = f"belongs to {found.source_title}" if found.source_title else "is not yours"
            sentence = f"{found.name} {whose}. Only the owner of a server can connect it."
            raise Invalid(sentence, fields={"machine_id": sentence})
        person = await client.user(token)
        answering = await first_that_answers(addresses_of(found, wanted), machine_id, self._clients.server)
        if answering is None:
            sentence = (
                f"{found.name} answers at none of its addresses from here. Type the one at which this machine reaches "
                "it, such as http://192.168.1.5:32400."
            )
            raise Invalid(sentence, fields={"address": sentence})
        about = await (await self._clients.server(answering.url)).about(token)
        options = PlexOptions(
            machine_id=machine_id,
            name=about.name or found.name,
            version=answering.version,
            connected_at=datetime.now(UTC),
            connected_by=by.user.id,
            owner=_owner(person),
            is_token_ours=True,
        )
        return await self._save(answering.url, token, options, by=by, address=address)

    async def connect_by_hand(self, change: PlexChange, *, by: Caller, address: str) -> PlexConnection:
        """Take the server at a typed address; a token left out stays when it is the same server.

        Raises:
            Conflict: the settings name the server.
            Invalid: nothing fits there, or the token is refused.
        """
        self._refuse_when_fixed()
        url, before = read_address(change.url, "url"), await self._repository.find(NAME)
        server = await self._clients.server(url)
        try:
            identity = await server.identity(timeout_s=10)
        except UpstreamFailed as error:
            raise Invalid(error.message, fields={"url": error.message}) from error
        token, is_new = (change.token or "").strip(), bool((change.token or "").strip())
        if not token:
            if before is None or before.options.machine_id != identity.machine_id:
                raise Invalid("A token is needed.", fields={"token": "This is a new server: type its token too."})
            token = await self._connections.plex_token() or ""
        owner = before.options.owner if before and not is_new else await self._owner_by_hand(token, identity.machine_id)
        try:
            about = await server.about(token)
        except ServerRefused as error:
            raise Invalid("The server refuses the token.", fields={"token": error.message}) from error
        options = PlexOptions(
            machine_id=identity.machine_id,
            name=about.name,
            version=identity.version,
            connected_at=before.options.connected_at if before and not is_new else datetime.now(UTC),
            connected_by=by.user.id,
            owner=owner,
            is_token_ours=bool(before and before.options.is_token_ours and not is_new),
        )
        return await self._save(url, token, options, by=by, address=address)

    async def _owner_by_hand(self, token: str, machine_id: str) -> PlexOwner | None:
        """Whose token was typed; refused when plex.tv says plainly that the server is somebody else's."""
        client = await self._connections.background_plex_tv()
        try:
            found = next((one for one in await client.resources(token) if one.machine_id == machine_id), None)
            person = await client.user(token)
        except TokenDead:
            return None  # the server may still take it, which is tried next
        except UpstreamFailed as error:
            log.info("plex.tv could not be asked about a typed token: %s", error.message)
            return None
        if found is None or not found.is_owned:
            sentence = "This token belongs to somebody who does not own this server. The owner's token is needed."
            raise Invalid(sentence, fields={"token": sentence})
        return _owner(person)

    async def change_address(self, typed: str, *, by: Caller, address: str) -> PlexConnection:
        """Reach the same server elsewhere.

        Raises:
            Conflict: none is connected, or the settings name it.
            Invalid: another server, or none, answers there.
        """
        self._refuse_when_fixed()
        stored = await self._repository.find(NAME)
        if stored is None:
            raise Conflict("No Plex server is connected yet.", code="plex_not_connected")
        url = read_address(typed)
        try:
            identity = await (await self._clients.server(url)).identity(timeout_s=10)
        except UpstreamFailed as error:
            raise Invalid(error.message, fields={"address": error.message}) from error
        if identity.machine_id != stored.options.machine_id:
            sentence = f"Another Plex server answers there, not {stored.options.name}."
            raise Invalid(sentence, fields={"address": sentence})
        now = datetime.now(UTC)
        options = replace(stored.options, version=identity.version)
        await self._repository.put(NAME, url=url, secrets=stored.secrets, options=options, by=by.user.id, at=now)
        return await self._changed("plex.address_changed", stored.url, url, options.name, by=by, address=address)

    async def disconnect(self, *, by: Caller, address: str) -> None:
        """Let the server go, and end the token at plex.tv when it was made for this.

        Raises:
            Conflict: the settings name the server.
        """
        self._refuse_when_fixed()
        stored = await self._repository.find(NAME)
        if stored is None:
            return
        token = await self._connections.plex_token()
        await self._repository.remove(NAME)
        await record(
            "plex.disconnected",
            stored.options.name,
            actor_id=by.user.id,
            actor_name=by.user.username,
            address=address,
            before={"url": stored.url, "server": stored.options.name},
        )
        await self._events.publish(PlexConnectionChanged())
        if token and stored.options.is_token_ours and "token" not in self._connections.sources:
            try:
                await (await self._connections.background_plex_tv()).sign_out(token)
            except MediaNestError as error:
                log.info("The Plex token was forgotten, but plex.tv could not be told: %s", error.message)

    async def _save(self, url: str, token: str, options: PlexOptions, *, by: Caller, address: str) -> PlexConnection:
        before = await self._repository.find(NAME)
        sealed = self._sealed(token)
        now = datetime.now(UTC)
        await self._repository.put(NAME, url=url, secrets=sealed, options=options, by=by.user.id, at=now)
        return await self._changed(
            "plex.connected", before.url if before else "", url, options.name, by=by, address=address
        )

    async def _changed(
        self, action: str, before: str, after: str, name: str, *, by: Caller, address: str
    ) -> PlexConnection:
        await record(
            action,
            name,
            actor_id=by.user.id,
            actor_name=by.user.username,
            address=address,
            before={"url": before},
            after={"url": after},
        )
        await self._events.publish(PlexConnectionChanged())
        connection = await self._connections.plex()
        if connection is None:
            raise Conflict("Somebody has disconnected the server meanwhile.")
        return connection

    def _refuse_when_fixed(self) -> None:
        if self._connections.is_fixed:
            raise Conflict(
                "MEDIANEST_PLEX_URL names the server. Change it there, or take it out and restart MediaNest.",
                code="plex_from_settings",
            )
