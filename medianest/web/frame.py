"""What the frame around every page shows beside the page itself: how many downloads run and wait."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from medianest.accounts.model import Caller

KNOWS_COUNTS = "knows_counts"  # a handler's opt: its own context has them


class FrameMiddleware(ASGIMiddleware):
    """Puts `counts` into the state of calls for whole pages, where `templating.py` finds them."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, counts: Callable[[Caller], Awaitable[Any]]) -> None:
        self._counts = counts

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        caller = scope["state"].get("caller")
        if caller is not None and self._is_page(scope):
            scope["state"]["counts"] = await self._counts(caller)
        await next_app(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        handler = scope.get("route_handler")
        if handler is None or scope["path"].startswith(("/api/", "/pictures/")) or handler.opt.get(KNOWS_COUNTS):
            return False
        return "hx-request" not in Headers.from_scope(scope)
