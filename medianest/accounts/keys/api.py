"""A person's API keys through the API: for sessions only, since no key may make another."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, delete, get, post
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody

from medianest.accounts.keys.model import ApiKey, MadeApiKey, NewApiKey
from medianest.accounts.keys.service import NOT_FOR_CHILDREN, KeyService
from medianest.accounts.model import Caller
from medianest.errors import NotAllowed
from medianest.web.auth import device_of
from medianest.web.guards import caller_of


async def refuses_children(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: before the form is looked at, so that a child reads why."""
    caller = caller_of(connection)
    if caller is not None and caller.user.is_child:
        raise NotAllowed(NOT_FOR_CHILDREN, code="no_keys_for_children")


class KeyApi(Controller):
    path = "/api/v1/api-keys"
    tags = ("API keys",)

    @get(summary="Own API keys, newest first")
    async def list_keys(self, caller: NamedDependency[Caller], keys: NamedDependency[KeyService]) -> list[ApiKey]:
        return list(await keys.list(caller.user))

    @post(status_code=201, guards=[refuses_children], summary="Make an API key; this answer alone holds it in full")
    async def make(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewApiKey],
        caller: NamedDependency[Caller],
        keys: NamedDependency[KeyService],
    ) -> MadeApiKey:
        return await keys.make(data, by=caller.user, address=device_of(request).address)

    @delete("/{key_id:int}", summary="Revoke an API key; it stops working at once")
    async def revoke(
        self,
        request: Request[Any, Any, Any],
        key_id: FromPath[int],
        caller: NamedDependency[Caller],
        keys: NamedDependency[KeyService],
    ) -> None:
        await keys.revoke(key_id, by=caller.user, address=device_of(request).address)
