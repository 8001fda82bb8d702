"""The walls through the API."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from medianest.accounts.model import Caller, Permission, Scope
from medianest.system.security.model import SecuritySettings, SecurityView
from medianest.system.security.service import SecurityService
from medianest.walls.client_address import client_address
from medianest.web.guards import requires


class SecurityApi(Controller):
    path = "/api/v1/system/security"
    tags = ("System",)
    guards = (requires(Permission.MANAGE_SETTINGS),)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="Trusted proxies, host names, addresses, https, and other sites' pages")
    async def show(self, security: NamedDependency[SecurityService]) -> SecurityView:
        return await security.view()

    @put(summary="Change them; they hold at once")
    async def change(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[SecuritySettings],
        caller: NamedDependency[Caller],
        security: NamedDependency[SecurityService],
    ) -> SecurityView:
        return await security.change(
            data,
            by=caller.user,
            address=client_address(request.scope),
            is_https=request.scope["scheme"] == "https",
        )
