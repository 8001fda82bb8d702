"""A person's API keys through the API: for sessions only, since no key may make another."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from medianest.accounts.keys.model import ApiKey, MadeApiKey, NewApiKey
from medianest.accounts.keys.service import KeyService
from medianest.accounts.model import Caller
from medianest.web.auth import device_of


class KeyApi(Controller):
    path = "/api/v1/api-keys"
    tags = ("API keys",)

    @get(summary="Own API keys, newest first")
    async def list_keys(self, caller: NamedDependency[Caller], keys: NamedDependency[KeyService]) -> list[ApiKey]:
        return list(await keys.list(caller.user))

    @post(status_code=201, summary="Make an API key; this answer alone holds it in full")
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
