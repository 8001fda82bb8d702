"""The connection to Overseerr for programs. The key goes in and never comes out."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from medianest.accounts.model import Caller, Permission, Scope
from medianest.connections.overseerr.connecting import OverseerrConnecting
from medianest.connections.overseerr.model import OverseerrChange, OverseerrCheck, OverseerrStatus
from medianest.connections.overseerr.service import OverseerrService
from medianest.web.auth import device_of
from medianest.web.guards import requires


class OverseerrApi(Controller):
    path = "/api/v1/integrations/overseerr"
    tags = ("Integrations",)
    guards = (requires(Permission.MANAGE_SETTINGS),)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="The Overseerr or Seerr of this house")
    async def show(self, overseerr: NamedDependency[OverseerrService]) -> OverseerrStatus:
        return await overseerr.status()

    @put(summary="Connect Overseerr or Seerr, or change its address, its key or who asks for people without an account")
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[OverseerrChange],
        overseerr: NamedDependency[OverseerrService],
        overseerr_connecting: NamedDependency[OverseerrConnecting],
        caller: NamedDependency[Caller],
    ) -> OverseerrStatus:
        await overseerr_connecting.connect(data, by=caller, address=device_of(request).address)
        return await overseerr.status()

    @delete(summary="Disconnect; what people asked for stays")
    async def remove(
        self,
        request: Request[Any, Any, Any],
        overseerr_connecting: NamedDependency[OverseerrConnecting],
        caller: NamedDependency[Caller],
    ) -> None:
        await overseerr_connecting.disconnect(by=caller, address=device_of(request).address)

    @post("/test", status_code=200, summary="Ask the server whether the connection works")
    async def test(self, overseerr: NamedDependency[OverseerrService]) -> OverseerrCheck:
        return await overseerr.test()
