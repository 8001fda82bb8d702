"""Refuses what another site's page asked the browser to send: the first check against forged requests, a token is the second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from medianest.walls.rules import SAFE_METHODS

BEARER = "bearer "
KEY_HEADER = "x-api-key"
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def is_same_origin(headers: Any) -> bool:
    """Judged by Sec-Fetch-Site or, on a plain HTTP network where browsers leave it out, by Origin against Host.

    A call with neither comes from no browser page (curl, an app): the token decides.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:  # the browser's own word, which holds behind a proxy that changes Host as well
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
        if not theirs.hostname or theirs.scheme not in DEFAULT_PORTS:
            return False
        default = DEFAULT_PORTS[theirs.scheme]
        return theirs.hostname == ours.hostname and (theirs.port or default) == (ours.port or default)
    except ValueError:  # brackets or a port that make no address
        return False


def has_key(headers: Any) -> bool:
    """Whether the call brings an API key, which then is the only thing that says who calls."""
    return KEY_HEADER in headers


def has_bearer(headers: Any) -> bool:
    """Whether the call brings a bearer token, which then is the only thing that says who calls."""
    return str(headers.get("authorization", "")).lower().startswith(BEARER)


class SameOriginMiddleware(ASGIMiddleware):
    """For every write, and for every WebSocket, which browsers open across sites without asking.

    A call with a bearer token or an API key is not looked at: no page of another site can make a browser send those.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, opens_socket_for: Callable[[str | None], bool] = lambda _origin: False) -> None:
        self._opens_socket_for = opens_socket_for

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        headers = Headers.from_scope(scope)
        is_watched = scope["type"] == ScopeType.WEBSOCKET or scope["method"] not in SAFE_METHODS
        if is_watched and not has_bearer(headers) and not has_key(headers) and not is_same_origin(headers):
            if scope["type"] == ScopeType.WEBSOCKET:
                if self._opens_socket_for(headers.get("origin")):
                    await next_app(scope, receive, send)
                    return
                await receive()
                await send({"type": "websocket.close", "code": 4403, "reason": "another site"})
                return
            raise PermissionDeniedException("This was sent from another site's page, so it was refused.")
        await next_app(scope, receive, send)
