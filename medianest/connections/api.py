"""The Plex connection for programs. Tokens go in and never come out."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from medianest.accounts.model import Caller, Permission, Scope
from medianest.connections.connecting import PlexConnecting
from medianest.connections.model import PlexChange, PlexCheck, PlexStatus
from medianest.connections.service import ConnectionService
from medianest.web.auth import device_of
from medianest.web.guards import requires


class PlexConnectionApi(Controller):
    path = "/api/v1/integrations/plex"
    tags = ("Integrations",)
    guards = (requires(Permission.MANAGE_SETTINGS),)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="The Plex server of this house")
    async def show(self, connections: NamedDependency[ConnectionService]) -> PlexStatus:
        return await connections.status()

    @put(summary="Connect a Plex server, or change its address or token")
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[PlexChange],
        connections: NamedDependency[ConnectionService],
        plex_connecting: NamedDependency[PlexConnecting],
        caller: NamedDependency[Caller],
    ) -> PlexStatus:
        await plex_connecting.connect_by_hand(data, by=caller, address=device_of(request).address)
        return await connections.status()

    @post("/test", status_code=200, summary="Ask the Plex server whether the connection works")
    async def test(self, connections: NamedDependency[ConnectionService]) -> PlexCheck:
        return await connections.test()
