"""The engine through the API."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from medianest.accounts.model import Caller, Scope
from medianest.engine.model import Channel, EngineReport
from medianest.engine.service import EngineService
from medianest.engine.showing import EngineBoard
from medianest.engine.updating import EngineUpdates
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin

AnyRequest = Request[Any, Any, Any]
Board = NamedDependency[EngineBoard]
Service = NamedDependency[EngineService]
Person = NamedDependency[Caller]


class ChannelChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where updates come from by themselves."""

    channel: Channel


class EngineApi(Controller):
    path = "/api/v1/system/engine"
    tags = ("System",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="yt-dlp and the programs beside it: versions, age, a running update, what happened lately")
    async def show(self, engine_board: Board) -> EngineReport:
        return await engine_board.report()

    @post("/update", status_code=202, summary="Look for a newer yt-dlp now")
    async def update(
        self, request: AnyRequest, engine_updates: NamedDependency[EngineUpdates], engine_board: Board, caller: Person
    ) -> EngineReport:
        await engine_updates.begin_update(by=caller.user, address=device_of(request).address)
        return await engine_board.report()

    @post("/rollback", status_code=200, summary="Run the version before again")
    async def rollback(self, request: AnyRequest, engine: Service, engine_board: Board, caller: Person) -> EngineReport:
        await engine.go_back(by=caller.user, address=device_of(request).address)
        return await engine_board.report()

    @post("/channel", status_code=200, summary="Choose where updates come from by themselves")
    async def channel(
        self, request: AnyRequest, data: JSONBody[ChannelChoice], engine: Service, engine_board: Board, caller: Person
    ) -> EngineReport:
        await engine.set_channel(data.channel, by=caller.user, address=device_of(request).address)
        return await engine_board.report()
