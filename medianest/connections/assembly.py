"""Builds the connection's objects around one outgoing client."""

from __future__ import annotations

from dataclasses import dataclass

from medianest.connections.clients import PlexClients
from medianest.connections.connecting import PlexConnecting
from medianest.connections.owner_link import OwnerLink
from medianest.connections.pins import Pins
from medianest.connections.repository import ConnectionRepository, PinRepository
from medianest.connections.service import ConnectionService
from medianest.events import EventBus
from medianest.integrations.http import HttpClient, Reach
from medianest.settings import Settings
from medianest.vault import Vault


@dataclass(frozen=True)
class Connections:
    """What other slices take: `service` and `pins`; the rest is for the page of the connection."""

    service: ConnectionService
    connecting: PlexConnecting
    pins: Pins
    owner_link: OwnerLink
    http: HttpClient


def build_connections(settings: Settings, vault: Vault, events: EventBus) -> Connections:
    """Everything about the Plex connection; nothing is called yet."""
    http = HttpClient(Reach.OWNER)  # plex.tv and the server are the owner's settings
    repository = ConnectionRepository()
    clients = PlexClients(settings, http, repository)
    service = ConnectionService(settings, repository, clients, vault, events)
    return Connections(
        service=service,
        connecting=PlexConnecting(service, repository, clients, vault, events),
        pins=Pins(PinRepository(), clients, vault),
        owner_link=OwnerLink(service),
        http=http,
    )
