"""Finds the person behind every call: API key, bearer token, or cookie, renewed on the way when it has run out.

Who may do what is decided by the guards; here only a wrong API key is refused.
"""

from __future__ import annotations

from typing import Any

from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from medianest.accounts.keys.service import PREFIX, KeyService
from medianest.accounts.model import Caller, Device, Tokens
from medianest.accounts.service import AccountService
from medianest.errors import NotSignedIn, TooMany
from medianest.walls.client_address import client_address
from medianest.web.cookies import SessionCookies
from medianest.web.same_origin import BEARER, KEY_HEADER, has_bearer, has_key


def device_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Device:
    """Address and browser of a call."""
    return Device(
        address=client_address(connection.scope),
        user_agent=connection.headers.get("user-agent", ""),
        token=connection.scope["state"].get("device_token", ""),
    )


class AuthMiddleware(ASGIMiddleware):
    """Puts `caller` (a `Caller` or None) into the state of every call."""

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, accounts: AccountService, cookies: SessionCookies, keys: KeyService) -> None:
        self._accounts = accounts
        self._keys = keys
        self._cookies = cookies

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope, receive, send)
        scope["state"]["device_token"] = connection.cookies.get(self._cookies.device_name, "")
        handler = scope.get("route_handler")
        if handler is not None and handler.opt.get("public") and not handler.opt.get("knows_caller"):
            scope["state"]["caller"] = None
            await next_app(scope, receive, send)
            return
        caller, tokens = await self._find(connection)
        scope["state"]["caller"] = caller
        if tokens is None:
            await next_app(scope, receive, send)
            return
        cookies = [
            c.to_encoded_header() for c in self._cookies.give(tokens, is_secure=self._cookies.is_secure(connection))
        ]
        own = self._cookies.access_name.encode() + b"="

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                # a handler that sets or removes the cookies itself (sign-out) has the last word
                if not any(name.lower() == b"set-cookie" and value.startswith(own) for name, value in headers):
                    message = {**message, "headers": [*headers, *cookies]}
            await send(message)

        await next_app(scope, receive, send_with_cookies)

    async def _by_key(self, connection: ASGIConnection[Any, Any, Any, Any], key: str, address: str) -> Caller | None:
        try:
            return await self._keys.caller(key, address=address)
        except (NotSignedIn, TooMany):
            if connection.scope["type"] == ScopeType.HTTP:
                raise
            return None  # a handshake is refused by the guard, like any other without a sign-in

    async def _find(self, connection: ASGIConnection[Any, Any, Any, Any]) -> tuple[Caller | None, Tokens | None]:
        address = client_address(connection.scope)
        # whoever sends a key or a bearer token means it: a cookie beside it does not count
        if has_key(connection.headers):
            return await self._by_key(connection, connection.headers[KEY_HEADER].strip(), address), None
        if has_bearer(connection.headers):
            token = connection.headers["authorization"][len(BEARER) :].strip()
            if token.startswith(PREFIX):
                return await self._by_key(connection, token, address), None
            return await self._accounts.caller(token, is_cookie=False, address=address), None
        access = connection.cookies.get(self._cookies.access_name)
        if access:
            caller = await self._accounts.caller(access, is_cookie=True, address=address)
            if caller:
                return caller, None
        refresh = connection.cookies.get(self._cookies.refresh_name)
        if refresh and connection.scope["type"] == ScopeType.HTTP:
            renewed = await self._accounts.renewed_caller(refresh, address)
            if renewed:
                return renewed
        return None, None
