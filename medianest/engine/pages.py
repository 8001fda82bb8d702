"""System → Engine: what downloads run with, in pages and fragments."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller
from medianest.engine.model import Channel
from medianest.engine.service import EngineService
from medianest.engine.showing import EngineBoard
from medianest.engine.updating import EngineUpdates
from medianest.errors import Conflict, Invalid
from medianest.integrations.yt_dlp_releases import LARGEST_PROGRAM_BYTES, LARGEST_TEXT_BYTES
from medianest.web.auth import device_of
from medianest.web.forms import read_form
from medianest.web.guards import requires_admin
from medianest.web.templating import gettext as _
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Board = NamedDependency[EngineBoard]
Service = NamedDependency[EngineService]
Updates = NamedDependency[EngineUpdates]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]

PAGE = "/system/engine"
LARGEST_UPLOAD = LARGEST_PROGRAM_BYTES + LARGEST_TEXT_BYTES + 20_000  # the form around them
TWO_FILES = "Choose both files of one release: yt-dlp and SHA2-256SUMS."


class ChannelForm(msgspec.Struct):
    channel: Channel = Channel.STABLE


class EnginePages(Controller):
    path = PAGE
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, engine_board: Board, saved: FromQuery[bool] = False) -> Template:
        return await page(engine_board, saved=saved)

    @get("/state")
    async def state(self, engine_board: Board) -> Template:
        return Template("engine/_state.html", context={"report": await engine_board.report()})

    @post("/update", status_code=200)
    async def update(
        self, request: AnyRequest, engine_updates: Updates, engine_board: Board, caller: Person, urls: Addresses
    ) -> Response[Any]:
        try:
            await engine_updates.begin_update(by=caller.user, address=device_of(request).address)
        except Conflict as error:
            return await done(request, engine_board, urls, error)
        return await done(request, engine_board, urls)

    @post("/rollback", status_code=200)
    async def rollback(
        self, request: AnyRequest, engine: Service, engine_board: Board, caller: Person, urls: Addresses
    ) -> Response[Any]:
        try:
            await engine.go_back(by=caller.user, address=device_of(request).address)
        except Conflict as error:
            return await done(request, engine_board, urls, error)
        return await done(request, engine_board, urls)

    @post("/look-again", status_code=200)
    async def look_again(self, request: AnyRequest, engine_board: Board, urls: Addresses) -> Response[Any]:
        engine_board.look_again()
        return await done(request, engine_board, urls)

    @post("/channel", status_code=200)
    async def channel(
        self, request: AnyRequest, engine: Service, engine_board: Board, caller: Person, urls: Addresses
    ) -> Response[Any]:
        try:
            sent = read_form(await request.form(), ChannelForm)
        except Invalid as error:
            return await page(engine_board, errors=error.fields, status=error.status)
        await engine.set_channel(sent.channel, by=caller.user, address=device_of(request).address)
        if request.headers.get("HX-Request"):
            return await page(engine_board, saved=True)
        return Redirect(urls.to(PAGE + "?saved=true"), status_code=303)

    @post("/file", status_code=200, opt={"largest_form_bytes": LARGEST_UPLOAD}, request_max_body_size=LARGEST_UPLOAD)
    async def take_file(
        self, request: AnyRequest, engine_updates: Updates, engine_board: Board, caller: Person, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        program, sums = await content(form.get("program")), await content(form.get("sums"))
        if not program or not sums or len(sums) > LARGEST_TEXT_BYTES:
            return await page(engine_board, errors={"program": TWO_FILES}, status=400)
        try:
            await engine_updates.begin_file(
                program, sums.decode("utf-8", "replace"), by=caller.user, address=device_of(request).address
            )
        except Conflict as error:
            return await page(engine_board, errors={"": error.message}, status=error.status)
        return Redirect(urls.to(PAGE), status_code=303)


async def content(sent: Any) -> bytes:
    """What was uploaded in a field; nothing for a field without a file."""
    return bytes(await sent.read()) if isinstance(sent, UploadFile) else b""


async def done(request: AnyRequest, board: EngineBoard, urls: Urls, refused: Conflict | None = None) -> Response[Any]:
    """The state as it is now; or the page again."""
    if request.headers.get("HX-Request"):
        context = {"report": await board.report(), "refused": refused.message if refused else ""}
        return Template("engine/_state.html", context=context)
    if refused:
        return await page(board, errors={"": refused.message}, status=refused.status)
    return Redirect(urls.to(PAGE), status_code=303)


async def page(
    board: EngineBoard, *, saved: bool = False, errors: dict[str, str] | None = None, status: int = 200
) -> Template:
    """Everything about the engine."""
    context = {
        "report": await board.report(),
        "saved": saved,
        "errors": errors or {},
        "channels": tuple((one.value, channel_words(one)) for one in Channel),
    }
    return Template("engine/index.html", context=context, status_code=status)


def channel_words(channel: Channel) -> str:
    """What a channel means, for its line in the list."""
    words = {
        Channel.STABLE: _("Stable: about every month"),
        Channel.NIGHTLY: _("Nightly: every day, what big sites changed yesterday"),
        Channel.OFF: _("Off: by the button only"),
    }
    return words[channel]
