"""Who may call: nobody who is not signed in, unless a route says `opt={"public": True}`.

Every guard is a coroutine function: Litestar runs plain ones in a thread each, for every call.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from medianest.accounts.limits import Limits
from medianest.accounts.model import Caller, Permission, Scope
from medianest.errors import NotAllowed, NotFound, NotSignedIn, PasswordChangeNeeded, TooLarge
from medianest.walls.client_address import client_address
from medianest.walls.rules import SAFE_METHODS

LARGEST_FORM_BYTES = 100_000
LIMIT_THEMSELVES = frozenset(("/sign-in", "/setup", "/api/v1/auth/login", "/api/v1/setup"))
RENEWAL = "/api/v1/auth/refresh"
LARGEST_ID = 2**63 - 1
READABLE = frozenset((Scope.READ, Scope.REQUESTS, Scope.DOWNLOADS))  # what a key for reading reads

Connection = ASGIConnection[Any, Any, Any, Any]
Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


def caller_of(connection: Connection) -> Caller | None:
    """The person behind a call, found by `auth.py`."""
    caller: Caller | None = connection.scope["state"].get("caller")
    return caller


async def requires_sign_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of the whole application: default-deny.

    A route opens for API keys only when it names their scope: `opt={"scope": Scope.DOWNLOADS}`, or several.
    """
    if handler.opt.get("public"):
        return
    caller = caller_of(connection)
    if caller is None:
        raise NotSignedIn("Please sign in to go on.")
    method = str(connection.scope.get("method", "GET"))
    if caller.scopes is not None and not opens(caller.scopes, handler.opt.get("scope"), method):
        raise NotAllowed("This API key does not open this. Make one with the scope it needs.", code="scope_missing")


async def requires_own_password(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of the whole application: who was given a password changes it before anything else, sockets included."""
    caller = caller_of(connection)
    if caller is None or not caller.user.must_change_password:
        return
    if not handler.opt.get("public") and not handler.opt.get("password_change"):
        raise PasswordChangeNeeded("Choose a password of your own first.")


def opens(scopes: frozenset[Scope], wanted: Scope | tuple[Scope, ...] | None, method: str) -> bool:
    """Whether a key with `scopes` may call a route that names `wanted`; no route opens that names none."""
    if wanted is None:
        return False
    named = {wanted} if isinstance(wanted, Scope) else set(wanted)
    if Scope.ADMIN in scopes or named & scopes:
        return True
    return Scope.READ in scopes and method in SAFE_METHODS and bool(named & READABLE)


async def requires_admin(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard of the owner's pages and calls."""
    caller = caller_of(connection)
    if caller is None or not caller.user.is_admin:
        raise NotAllowed("Only an administrator can do this.")


def requires(permission: Permission) -> Guard:
    """A guard: only for people with `permission`; administrators have all."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        caller = caller_of(connection)
        if caller is None or not caller.user.may(permission):
            raise NotAllowed("Your account may not do this. Ask whoever runs this server.", code="permission_missing")

    return guard


async def requires_csrf_token(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard of the whole application: a write that is signed in by cookie must carry the session's token.

    Calls with a bearer token or an API key need none: no browser sends those by itself.
    """
    caller = caller_of(connection)
    if caller is None or not caller.is_cookie or connection.scope.get("method", "GET") in SAFE_METHODS:
        return
    sent = connection.headers.get("x-csrf-token")
    if sent is None and _is_form(connection.headers.get("content-type", "")):
        form = await connection.form()  # type: ignore[attr-defined]  # the body is kept for the handler
        sent = form.get("_csrf")
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), caller.csrf_token.encode()):
        raise NotAllowed(
            "This page was open for too long. Load it again and repeat the last step.", code="csrf_token_missing"
        )


async def refuses_large_forms(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard of the whole application: no form of ours comes near 100 kB, and taking one apart costs time."""
    length = connection.headers.get("content-length", "")
    is_large = length.isdigit() and int(length) > handler.opt.get("largest_form_bytes", LARGEST_FORM_BYTES)
    if is_large and _is_form(connection.headers.get("content-type", "")):
        raise TooLarge("That is more than this form takes. Shorten it and send it again.")


async def refuses_impossible_ids(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Guard of the whole application: a number that no row can have is looked up in no database."""
    if any(isinstance(value, int) and abs(value) > LARGEST_ID for value in connection.path_params.values()):
        raise NotFound("There is nothing at this address.")


def limits_acts(limits: Limits) -> Guard:
    """Guard of the whole application: a person does a hundred things a minute at most, a stranger's address sixty.

    Counted in the database, so that it holds over all instances. Signing in has limits of its own (`Limits.sign_in`).
    """

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        if connection.scope.get("method", "GET") in SAFE_METHODS:
            return
        caller = caller_of(connection)
        if caller is not None:
            await limits.act(caller.user.id)
        elif connection.scope["path"] == RENEWAL:
            await limits.renewal(client_address(connection.scope))
        elif connection.scope["path"] not in LIMIT_THEMSELVES:
            await limits.strangers_act(client_address(connection.scope))

    return guard


def _is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    )
