"""What the frame around every page shows beside the page itself: counts of downloads and requests, and what the person is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from medianest.accounts.model import AccountNotice, Caller

KNOWS_COUNTS = "knows_counts"  # a handler's opt: its own context has them


class FrameMiddleware(ASGIMiddleware):
    """Puts `counts`, `requests_waiting` and `notices` into the state of calls for whole pages, where `templating.py` finds them."""

    scopes = (ScopeType.HTTP,)

    def __init__(
        self,
        counts: Callable[[Caller], Awaitable[Any]],
        notices: Callable[[int], Awaitable[tuple[AccountNotice, ...]]],
        requests_waiting: Callable[[Caller], Awaitable[int]],
    ) -> None:
        self._counts = counts
        self._notices = notices
        self._requests_waiting = requests_waiting

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        caller = scope["state"].get("caller")
        handler = scope.get("route_handler")
        if caller is not None and handler is not None and self._is_page(scope):
            if not handler.opt.get(KNOWS_COUNTS):
                scope["state"]["counts"] = await self._counts(caller)
            scope["state"]["requests_waiting"] = await self._requests_waiting(caller)
            if caller.open_notices:
                scope["state"]["notices"] = await self._notices(caller.user.id)
        await next_app(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        if scope["path"].startswith(("/api/", "/pictures/")):
            return False
        return "hx-request" not in Headers.from_scope(scope)
