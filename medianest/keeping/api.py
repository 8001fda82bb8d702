"""The history and the rules as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, Parameter, QueryParameter

from medianest.accounts.model import Caller, Scope
from medianest.keeping.model import (
    DryRun,
    HistoryDetail,
    HistoryFilter,
    HistoryPage,
    KeepingSettings,
    Planned,
    VideoKind,
    VideoState,
)
from medianest.keeping.service import KeepingService
from medianest.web.auth import device_of
from medianest.web.guards import LARGEST_ID, requires_admin
from medianest.web.paging import Limit

Keeping = NamedDependency[KeepingService]
Person = NamedDependency[Caller]
Id = FromPath[int]
AnyRequest = Request[Any, Any, Any]
RecordId = Annotated[int | None, Parameter(ge=0, le=LARGEST_ID)]
Words = Annotated[str, Parameter(max_length=200)]


class HistoryApi(Controller):
    path = "/api/v1/history"
    tags = ("Downloads",)
    opt = {"scope": Scope.DOWNLOADS}  # noqa: RUF012

    @get(summary="What the library has and had, newest first; go on with before=<older>")
    async def page(
        self,
        keeping: Keeping,
        caller: Person,
        q: Words = "",
        in_state: Annotated[VideoState | None, QueryParameter(name="state")] = None,
        kind: FromQuery[VideoKind | None] = None,
        site: Words = "",
        person: Words = "",
        since: Annotated[datetime | None, QueryParameter(name="from")] = None,
        until: FromQuery[datetime | None] = None,
        limit: Limit = 50,
        before: RecordId = None,
        after: RecordId = None,
    ) -> HistoryPage:
        wanted = HistoryFilter(
            words=q, state=in_state, kind=kind, site=site, person=person, since=_aware(since), until=_aware(until)
        )
        return await keeping.page(wanted, caller.user, limit=limit, before=before, after=after)

    @get("/{history_id:int}", summary="One video with its files and what Plex knows")
    async def one(self, history_id: Id, keeping: Keeping, caller: Person) -> HistoryDetail:
        return await keeping.one(history_id, caller.user)

    @put("/{history_id:int}/shield", summary="Keep it whatever the rules say")
    async def shield(self, history_id: Id, keeping: Keeping, caller: Person) -> HistoryDetail:
        return await keeping.shield(history_id, caller.user)

    @delete("/{history_id:int}/shield", status_code=200, summary="Let the rules hold for it again")
    async def unshield(self, history_id: Id, keeping: Keeping, caller: Person) -> HistoryDetail:
        return await keeping.unshield(history_id, caller.user)

    @delete("/{history_id:int}", status_code=200, summary="Delete it from the library; it does not come back by itself")
    async def remove(self, request: AnyRequest, history_id: Id, keeping: Keeping, caller: Person) -> HistoryDetail:
        return await keeping.remove(history_id, caller, address=device_of(request).address)


class KeepingApi(Controller):
    path = "/api/v1/keeping"
    tags = ("Downloads",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="How long videos stay")
    async def show(self, keeping: Keeping) -> KeepingSettings:
        return await keeping.settings()

    @put(summary="Change how long videos stay; people are told at least a week before anything goes")
    async def change(
        self, request: AnyRequest, data: JSONBody[KeepingSettings], keeping: Keeping, caller: Person
    ) -> KeepingSettings:
        return await keeping.change_settings(data, by=caller, address=device_of(request).address)

    @post("/dry-run", status_code=200, summary="What these rules would delete now; nothing is kept or deleted")
    async def dry_run(self, data: JSONBody[KeepingSettings], keeping: Keeping) -> DryRun:
        return await keeping.dry_run(data)

    @get("/planned", summary="Deletions that are announced, the first to go first")
    async def planned(self, keeping: Keeping) -> list[Planned]:
        return await keeping.planned()


def _aware(at: datetime | None) -> datetime | None:
    return at if at is None or at.tzinfo else at.replace(tzinfo=UTC)


HANDLERS: tuple[Any, ...] = (HistoryApi, KeepingApi)
