"""What stands before handlers costs no thread."""

from __future__ import annotations

from inspect import iscoroutinefunction

from litestar.routes import HTTPRoute

from medianest.app import Application


async def test_every_guard_is_a_coroutine_function(application: Application) -> None:
    # Litestar hands any other guard to a thread, which costs more than all it does
    router = application.asgi
    while not hasattr(router, "routes"):
        router = router._app
    plain = {
        str(guard)
        for route in router.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for layer in handler.ownership_layers
        for guard in layer.guards or ()
        if not iscoroutinefunction(guard)
    }
    assert plain == set()
