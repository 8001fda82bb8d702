"""The services on the System page: how they are, and a hand to let calls through again."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template

from medianest.connections.services import ServiceStates
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls


class ServicePages(Controller):
    path = "/system/services"
    guards = (requires_admin,)
    include_in_schema = False

    @post("/{name:str}/reset", status_code=200)
    async def reset(
        self,
        request: Request[Any, Any, Any],
        name: FromPath[str],
        service_states: NamedDependency[ServiceStates],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        state = await service_states.reset(name)
        if request.headers.get("HX-Request"):
            context = {"state": state, "breaker": service_states.breakers()[name]}
            return Template("connections/_service.html", context=context)
        return Redirect(urls.to("/system#services"), status_code=303)
