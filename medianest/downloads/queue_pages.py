"""Buttons for the whole queue, and for a site that is left alone."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from medianest.accounts.model import Caller
from medianest.downloads.pauses import SitePauses
from medianest.downloads.whole import WholeQueueService
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]


class WholeQueuePages(Controller):
    path = "/downloads"
    include_in_schema = False

    @post("/all/{act:str}", status_code=200)
    async def act_on_all(
        self,
        request: AnyRequest,
        act: FromPath[str],
        whole_queue: NamedDependency[WholeQueueService],
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        """Pause, resume, cancel or retry all."""
        await whole_queue.act(act, caller.user)
        form = await request.form()
        return Redirect(urls.safe_next(str(form.get("back", "")), "/downloads"), status_code=303)

    @post("/sites/go-on", status_code=200, guards=[requires_admin])
    async def go_on(
        self, request: AnyRequest, site_pauses: NamedDependency[SitePauses], caller: Person, urls: Addresses
    ) -> Response[Any]:
        """Let one download of a paused site try now."""
        form = await request.form()
        await site_pauses.go_on(str(form.get("site", ""))[:300], caller.user, address=device_of(request).address)
        return Redirect(urls.safe_next(str(form.get("back", "")), "/downloads"), status_code=303)


HANDLERS: tuple[Any, ...] = (WholeQueuePages,)
