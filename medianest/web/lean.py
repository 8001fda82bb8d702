"""Litestar with what we need of it, and what handlers are given."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.routes import ASGIRoute, HTTPRoute, WebSocketRoute
from litestar.types import ControllerRouterHandler

from medianest.accounts.model import Caller


class LeanLitestar(Litestar):
    """Litestar without its plug-ins for pydantic and attrs, and with handlers that are made ready when they are asked.

    Loading pydantic would cost a third of the start, the handlers of 300 addresses another third and 10 MB.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.asgi_router.construct_routing_trie()

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]

    def register(self, value: ControllerRouterHandler) -> None:  # type: ignore[override]
        """As Litestar's, but for HTTP handlers, and for the tree of addresses, which is made once."""
        for route in Router.register(self, value):
            if isinstance(route, HTTPRoute):
                route.route_handler_map = HandlersWhenAsked(self, route)
            elif isinstance(route, WebSocketRoute | ASGIRoute):
                route.route_handler.on_registration(self)
            if isinstance(route, WebSocketRoute):
                route.handler_parameter_model = route.route_handler.create_kwargs_model(route.path_parameters)
            for plugin in self.plugins.receive_route:
                plugin.receive_route(route)


class HandlersWhenAsked(dict[Any, tuple[HTTPRouteHandler, Any]]):
    """The handlers of one address by method, each with what it takes; that is worked out at the first request."""

    def __init__(self, app: Litestar, route: HTTPRoute) -> None:
        super().__init__(
            {method: (handler, None) for handler in route.route_handlers for method in handler.http_methods}
        )
        self._app, self._path_parameters = app, route.path_parameters
        for handler in route.route_handlers:
            handler.resolve_opts()  # middleware reads them before the handler is asked

    def __getitem__(self, method: Any) -> tuple[HTTPRouteHandler, Any]:
        handler, takes = super().__getitem__(method)
        if takes is None:
            handler.on_registration(self._app)
            takes = handler.create_kwargs_model(path_parameters=self._path_parameters)
            self[method] = handler, takes
        return handler, takes


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The person signed in; the guards have made sure there is one."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


class Given(Provide):
    """A dependency that is one object for the whole process.

    Each is like itself alone: Litestar compares every dependency with every other for every handler, at each start.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(lambda: value, sync_to_thread=False, use_cache=True)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__
