"""The download queue as JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from medianest.accounts.model import Caller, Permission, Scope
from medianest.downloads.approvals import Approvals
from medianest.downloads.model import Download, DownloadState, NewDownload, Preview, QueueSettings
from medianest.downloads.service import DownloadService
from medianest.web.auth import device_of
from medianest.web.forms import read_json
from medianest.web.guards import requires, requires_admin
from medianest.web.paging import Limit, Offset, Page

Downloads = NamedDependency[DownloadService]
ToApprove = NamedDependency[Approvals]
Person = NamedDependency[Caller]
Id = FromPath[int]
APPROVES = requires(Permission.MANAGE_REQUESTS)
AnyRequest = Request[Any, Any, Any]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    url: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    reason: str = ""


class PlaceChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays. `position` 1 is next."""

    priority: str | None = None
    position: int | None = None


class DownloadApi(Controller):
    path = "/api/v1/downloads"
    tags = ("Downloads",)
    opt = {"scope": Scope.DOWNLOADS}  # noqa: RUF012

    @post(status_code=202, summary="Queue a link; 200 with the existing one when it is there already")
    async def add(self, data: JSONBody[NewDownload], downloads: Downloads, caller: Person) -> Response[Download]:
        download, is_new = await downloads.add(data, by=caller.user)
        return Response(download, status_code=202 if is_new else 200)

    @get(
        summary="Top-level downloads, newest first; a group (active, waiting, finished, failed, approval) in its own order"
    )
    async def list_downloads(
        self,
        downloads: Downloads,
        approvals: ToApprove,
        caller: Person,
        in_state: Annotated[DownloadState | None, QueryParameter(name="state")] = None,  # `state` is Litestar's own
        show: FromQuery[str | None] = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Page[Download]:
        if show == "approval":
            waiting, total = await approvals.list(caller.user, limit=limit, offset=offset)
            return Page(items=[one.download for one in waiting], total=total, limit=limit, offset=offset)
        found, total = await downloads.list(by=caller.user, group=show, state=in_state, limit=limit, offset=offset)
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @post("/preview", status_code=200, summary="What a link leads to")
    async def preview(self, data: JSONBody[Link], downloads: Downloads, caller: Person) -> Preview:
        return await downloads.preview(data.url, by=caller.user)

    @get("/{download_id:int}", summary="One download")
    async def one(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.get(download_id, by=caller.user)

    @get("/{download_id:int}/items", summary="The videos of a playlist or channel")
    async def items(
        self, download_id: Id, downloads: Downloads, caller: Person, limit: Limit = 50, offset: Offset = 0
    ) -> Page[Download]:
        found, total = await downloads.items(download_id, by=caller.user, limit=limit, offset=offset)
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @delete("/{download_id:int}", summary="Remove it, with its files")
    async def remove(self, download_id: Id, downloads: Downloads, caller: Person) -> None:
        await downloads.remove(download_id, by=caller.user)

    @post("/{download_id:int}/cancel", status_code=200, summary="Stop it; what was fetched is kept for a day")
    async def cancel(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.cancel(download_id, by=caller.user)

    @post("/{download_id:int}/pause", status_code=200, summary="Stop it until it is resumed")
    async def pause(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.pause(download_id, by=caller.user)

    @post("/{download_id:int}/resume", status_code=200, summary="Go on with what was paused")
    async def resume(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.resume(download_id, by=caller.user)

    @post("/{download_id:int}/retry", status_code=200, summary="Try again what failed or was cancelled")
    async def retry(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.retry(download_id, by=caller.user)

    @post("/{download_id:int}/record", status_code=200, summary="Record a broadcast from now on")
    async def record(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.broadcasts.record(download_id, caller.user)

    @post("/{download_id:int}/replay", status_code=200, summary="Wait until a broadcast is over, then take all of it")
    async def replay(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.broadcasts.replay(download_id, caller.user)

    @post("/{download_id:int}/finish", status_code=200, summary="End a recording and keep what there is")
    async def finish(self, download_id: Id, downloads: Downloads, caller: Person) -> Download:
        return await downloads.broadcasts.finish(download_id, caller.user)

    @post("/{download_id:int}/approve", status_code=200, guards=[APPROVES], summary="Let a child's download begin")
    async def approve(self, request: AnyRequest, download_id: Id, approvals: ToApprove, caller: Person) -> Download:
        return await approvals.approve(download_id, caller.user, address=device_of(request).address)

    @post(
        "/{download_id:int}/decline",
        status_code=200,
        guards=[APPROVES],
        summary="Refuse a child's download, with a reason for the child",
    )
    async def decline(self, request: AnyRequest, download_id: Id, approvals: ToApprove, caller: Person) -> Download:
        sent = read_json(await request.body(), Refusal)
        return await approvals.decline(download_id, sent.reason, caller.user, address=device_of(request).address)

    @patch("/{download_id:int}", summary="Another priority or place in the line")
    async def change(
        self, download_id: Id, data: JSONBody[PlaceChange], downloads: Downloads, caller: Person
    ) -> Download:
        return await downloads.change(download_id, by=caller.user, priority=data.priority, position=data.position)


class QueueSettingsApi(Controller):
    path = "/api/v1/queue-settings"
    tags = ("Downloads",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="What holds for the whole queue")
    async def show(self, downloads: Downloads) -> QueueSettings:
        return await downloads.queue_settings()

    @put(summary="Change what holds for the whole queue")
    async def change(self, data: JSONBody[QueueSettings], downloads: Downloads, caller: Person) -> QueueSettings:
        return await downloads.change_queue_settings(data, by=caller.user)


HANDLERS: tuple[Any, ...] = (DownloadApi, QueueSettingsApi)
