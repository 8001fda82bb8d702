"""What stands before handlers costs no thread, and every handler can be made ready."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from litestar.routes import HTTPRoute

from medianest.app import Application


def http_routes(application: Application) -> list[HTTPRoute]:
    """Every address, from below the layers around Litestar."""
    router: Any = application.asgi
    while not hasattr(router, "routes"):
        router = router._app
    return [route for route in router.routes if isinstance(route, HTTPRoute)]


async def test_every_guard_is_a_coroutine_function(application: Application) -> None:
    # Litestar hands any other guard to a thread, which costs more than all it does
    plain = {
        str(guard)
        for route in http_routes(application)
        for handler in route.route_handlers
        for layer in handler.ownership_layers
        for guard in layer.guards or ()
        if not iscoroutinefunction(guard)
    }
    assert plain == set()


async def test_every_handler_can_be_made_ready(application: Application) -> None:
    # the application makes one ready at its first request: a mistake in its signature must not wait until then
    for route in http_routes(application):
        assert {method: route.route_handler_map[method][1] is not None for method in route.methods} == dict.fromkeys(
            route.methods, True
        ), route.path
