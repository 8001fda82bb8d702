"""The page of the connection to Overseerr or Seerr. Every form works without script."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission
from medianest.connections.overseerr.connecting import OverseerrConnecting
from medianest.connections.overseerr.model import OverseerrChange
from medianest.connections.overseerr.service import OverseerrService
from medianest.errors import Conflict, Invalid, MediaNestError
from medianest.integrations.overseerr_answers import OverseerrUser
from medianest.web.auth import device_of
from medianest.web.forms import read_form
from medianest.web.guards import requires
from medianest.web.urls import Urls, external_base

AnyRequest = Request[Any, Any, Any]
Connection = NamedDependency[OverseerrService]
Connecting = NamedDependency[OverseerrConnecting]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]

PAGE = "/system/overseerr"
WEBHOOK = "/api/v1/webhooks/overseerr"
PEOPLE_S = 3.0  # the page does not wait longer for the list of people


class ServerForm(msgspec.Struct):
    url: str = ""
    api_key: str = ""


class UserForm(msgspec.Struct):
    default_user_id: int = 0


class OverseerrPages(Controller):
    """Connect, test, choose who asks for others, and let go."""

    path = PAGE
    guards = (requires(Permission.MANAGE_SETTINGS),)
    include_in_schema = False

    @get()
    async def show(
        self, request: AnyRequest, overseerr: Connection, urls: Addresses, note: FromQuery[str] = ""
    ) -> Template:
        return await page(request, overseerr, urls, note=note)

    @post(status_code=200)
    async def save(
        self,
        request: AnyRequest,
        overseerr: Connection,
        overseerr_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        sent = read_form(await request.form(), ServerForm)
        change = OverseerrChange(url=sent.url, api_key=sent.api_key)
        try:
            await overseerr_connecting.connect(change, by=caller, address=device_of(request).address)
        except MediaNestError as error:
            return await page(request, overseerr, urls, error=error, values={"url": sent.url})
        return Redirect(urls.to(PAGE + "?note=connected"), status_code=303)

    @post("/test", status_code=200)
    async def test(self, request: AnyRequest, overseerr: Connection, urls: Addresses) -> Response[Any]:
        try:
            found = await overseerr.test()
        except Conflict as error:
            return await page(request, overseerr, urls, error=error)
        if request.headers.get("HX-Request"):
            context = {"check": found, "is_new": True, "connection": await overseerr.connection()}
            return Template("connections/overseerr/_check.html", context=context)
        return Redirect(urls.to(PAGE + "?note=tested#check"), status_code=303)

    @post("/user", status_code=200)
    async def choose_user(
        self,
        request: AnyRequest,
        overseerr: Connection,
        overseerr_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        try:
            sent = read_form(await request.form(), UserForm)
            await overseerr_connecting.choose_user(sent.default_user_id, by=caller, address=device_of(request).address)
        except MediaNestError as error:
            return await page(request, overseerr, urls, error=error)
        return Redirect(urls.to(PAGE + "?note=user"), status_code=303)

    @post("/accept", status_code=200)
    async def accept(
        self,
        request: AnyRequest,
        overseerr: Connection,
        overseerr_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        try:
            await overseerr_connecting.accept(by=caller, address=device_of(request).address)
        except MediaNestError as error:
            return await page(request, overseerr, urls, error=error)
        return Redirect(urls.to(PAGE + "?note=connected"), status_code=303)

    @post("/webhook-secret", status_code=200)
    async def renew_webhook_secret(
        self, request: AnyRequest, overseerr_connecting: Connecting, caller: Person, urls: Addresses
    ) -> Response[Any]:
        await overseerr_connecting.renew_webhook_secret(by=caller, address=device_of(request).address)
        return Redirect(urls.to(PAGE + "?note=secret#webhook"), status_code=303)

    @post("/disconnect", status_code=200)
    async def disconnect(
        self,
        request: AnyRequest,
        overseerr: Connection,
        overseerr_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        try:
            await overseerr_connecting.disconnect(by=caller, address=device_of(request).address)
        except Conflict as error:
            return await page(request, overseerr, urls, error=error)
        return Redirect(urls.to(PAGE + "?note=disconnected"), status_code=303)


async def page(
    request: AnyRequest,
    overseerr: OverseerrService,
    urls: Urls,
    *,
    note: str = "",
    error: MediaNestError | None = None,
    values: dict[str, str] | None = None,
) -> Template:
    """The connection as it is, or the form for one."""
    connection = await overseerr.connection()
    errors = error.fields if isinstance(error, Invalid) else {"": error.message} if error else {}
    context = {
        "current": "overseerr",
        "connection": connection,
        "check": await overseerr.last_check() if connection else None,
        "is_fixed": overseerr.is_fixed,
        "sources": overseerr.sources,
        "people": await _people(overseerr) if connection and connection.has_key else (),
        "webhook_url": external_base(request, overseerr.public_url) + urls.to(WEBHOOK),
        "webhook_secret": await overseerr.webhook_secret() if connection else "",
        "note": note,
        "errors": errors,
        "values": values or {},
    }
    return Template("connections/overseerr/index.html", context=context, status_code=error.status if error else 200)


async def _people(overseerr: OverseerrService) -> tuple[OverseerrUser, ...]:
    """Who can be chosen; empty while the server does not answer."""
    try:
        async with asyncio.timeout(PEOPLE_S):
            return await overseerr.people()
    except (MediaNestError, TimeoutError):
        return ()
