"""Builds the connection's objects around one outgoing client."""

from __future__ import annotations

from dataclasses import dataclass

from medianest.connections.clients import PlexClients
from medianest.connections.connecting import PlexConnecting
from medianest.connections.overseerr.connecting import OverseerrConnecting
from medianest.connections.overseerr.model import OverseerrOptions
from medianest.connections.overseerr.people import IdentityOf, OverseerrPeople
from medianest.connections.overseerr.secrets import OverseerrSecrets
from medianest.connections.overseerr.service import OverseerrService
from medianest.connections.owner_link import OwnerLink
from medianest.connections.pins import Pins
from medianest.connections.repository import ConfigRepository, ConnectionRepository, PinRepository
from medianest.connections.service import ConnectionService
from medianest.connections.services import OVERSEERR, PLEX, ServiceStates
from medianest.events import EventBus
from medianest.integrations.breaker import Breaker, GuardedClient
from medianest.integrations.http import HttpClient, Reach
from medianest.settings import Settings
from medianest.vault import Vault

PLEX_FAILURES, OVERSEERR_FAILURES, OPEN_S = 5, 5, 30.0


@dataclass(frozen=True)
class Connections:
    """What other slices take: `service`, `pins`, `overseerr` and `states`; the rest is for the pages of the connections."""

    service: ConnectionService
    connecting: PlexConnecting
    pins: Pins
    owner_link: OwnerLink
    overseerr: OverseerrService
    overseerr_connecting: OverseerrConnecting
    states: ServiceStates
    http: HttpClient
    overseerr_http: HttpClient

    async def close(self) -> None:
        """Close what calls have left open."""
        await self.http.close()
        await self.overseerr_http.close()


def build_connections(settings: Settings, vault: Vault, events: EventBus, identity_of: IdentityOf) -> Connections:
    """Everything about the connections to Plex and to Overseerr; nothing is called yet.

    Args:
        identity_of: by what a person is known at Plex, by their number here.
    """
    http = HttpClient(Reach.OWNER)  # plex.tv and the server are the owner's settings
    breakers = {
        PLEX: Breaker("Plex", PLEX_FAILURES, OPEN_S),
        OVERSEERR: Breaker("Overseerr", OVERSEERR_FAILURES, OPEN_S, counts_slow=True),
    }
    repository = ConnectionRepository()
    clients = PlexClients(settings, http, GuardedClient(http, breakers[PLEX]), repository)
    service = ConnectionService(settings, repository, clients, vault, events)
    # connections of its own: while it hangs, it must not keep those that Plex needs
    overseerr_http = HttpClient(Reach.OWNER)
    configs = ConfigRepository(OverseerrOptions)
    secrets = OverseerrSecrets(configs, vault)
    overseerr = OverseerrService(
        settings, configs, GuardedClient(overseerr_http, breakers[OVERSEERR]), overseerr_http,
        OverseerrPeople(identity_of), secrets, events,
    )  # fmt: skip
    return Connections(
        overseerr=overseerr,
        overseerr_connecting=OverseerrConnecting(settings, overseerr, configs, secrets, overseerr_http, events),
        states=ServiceStates(service, overseerr, breakers, events),
        overseerr_http=overseerr_http,
        service=service,
        connecting=PlexConnecting(service, repository, clients, vault, events),
        pins=Pins(PinRepository(), clients, vault),
        owner_link=OwnerLink(service),
        http=http,
    )
