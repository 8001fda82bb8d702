"""The whole queue as JSON: what holds it up, and acts on all of it."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from medianest.accounts.model import Caller, Scope
from medianest.downloads.pauses import SitePauses
from medianest.downloads.whole import Acted, WholeQueue, WholeQueueService
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin

Whole = NamedDependency[WholeQueueService]
Person = NamedDependency[Caller]
AnyRequest = Request[Any, Any, Any]


class QueueApi(Controller):
    path = "/api/v1/queue"
    tags = ("Downloads",)
    opt = {"scope": Scope.DOWNLOADS}  # noqa: RUF012

    @get(summary="What holds the queue up, and how many downloads an act on all would change")
    async def show(self, whole_queue: Whole, caller: Person) -> WholeQueue:
        return await whole_queue.show(caller.user)

    @post("/pause", status_code=200, summary="Pause all; an administrator everybody's")
    async def pause_all(self, whole_queue: Whole, caller: Person) -> Acted:
        return await whole_queue.act("pause", caller.user)

    @post("/resume", status_code=200, summary="Go on with all that was paused; an administrator with everybody's")
    async def resume_all(self, whole_queue: Whole, caller: Person) -> Acted:
        return await whole_queue.act("resume", caller.user)

    @post("/cancel", status_code=200, summary="Cancel all of one's own")
    async def cancel_all(self, whole_queue: Whole, caller: Person) -> Acted:
        return await whole_queue.act("cancel", caller.user)

    @post("/retry", status_code=200, summary="Try all again that failed; an administrator everybody's")
    async def retry_all(self, whole_queue: Whole, caller: Person) -> Acted:
        return await whole_queue.act("retry", caller.user)

    @post(
        "/sites/{site:str}/resume",
        status_code=200,
        guards=[requires_admin],
        opt={"scope": Scope.ADMIN},
        summary="Let one download of a paused site (`*`: of all) try now",
    )
    async def go_on(
        self,
        request: AnyRequest,
        site: FromPath[str],
        whole_queue: Whole,
        site_pauses: NamedDependency[SitePauses],
        caller: Person,
    ) -> WholeQueue:
        await site_pauses.go_on(site, caller.user, address=device_of(request).address)
        return await whole_queue.show(caller.user)


HANDLERS: tuple[Any, ...] = (QueueApi,)
