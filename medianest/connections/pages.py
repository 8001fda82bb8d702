"""The page of the Plex connection. Every form works without script."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission
from medianest.connections.connecting import PlexConnecting
from medianest.connections.model import PlexChange
from medianest.connections.owner_link import OwnerLink
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict, Invalid, MediaNestError, UpstreamFailed
from medianest.web.auth import device_of
from medianest.web.forms import read_form
from medianest.web.guards import requires
from medianest.web.headers import forms_may_go_to
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Connections = NamedDependency[ConnectionService]
Connecting = NamedDependency[PlexConnecting]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
Link = NamedDependency[OwnerLink]

PAGE = "/system/plex"


class HandForm(msgspec.Struct):
    url: str = ""
    token: str = ""


class AddressForm(msgspec.Struct):
    address: str = ""


class PlexPages(Controller):
    """Connect, test, change and let go."""

    path = PAGE
    guards = (requires(Permission.MANAGE_SETTINGS),)
    include_in_schema = False

    @get()
    async def show(
        self, connections: Connections, owner_link: Link, caller: Person, note: FromQuery[str] = ""
    ) -> Template:
        return await page(connections, owner_link, caller, note=note)

    @post("/by-hand", status_code=200)
    async def by_hand(
        self,
        request: AnyRequest,
        connections: Connections,
        owner_link: Link,
        plex_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        sent = read_form(await request.form(), HandForm)
        try:
            await plex_connecting.connect_by_hand(
                PlexChange(url=sent.url, token=sent.token), by=caller, address=device_of(request).address
            )
        except (Invalid, UpstreamFailed) as error:
            errors = error.fields if isinstance(error, Invalid) else {"": error.message}
            return await page(
                connections, owner_link, caller, errors=errors, values={"url": sent.url}, status=error.status
            )
        return Redirect(urls.to(PAGE + "?note=connected"), status_code=303)

    @post("/address", status_code=200)
    async def change_address(
        self,
        request: AnyRequest,
        connections: Connections,
        owner_link: Link,
        plex_connecting: Connecting,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        sent = read_form(await request.form(), AddressForm)
        try:
            await plex_connecting.change_address(sent.address, by=caller, address=device_of(request).address)
        except Invalid as error:
            values = {"address": sent.address}
            return await page(connections, owner_link, caller, errors=error.fields, values=values, status=error.status)
        return Redirect(urls.to(PAGE + "?note=address"), status_code=303)

    @post("/test", status_code=200)
    async def test(
        self, request: AnyRequest, connections: Connections, owner_link: Link, caller: Person, urls: Addresses
    ) -> Response[Any]:
        try:
            found = await connections.test()
        except (Conflict, UpstreamFailed) as error:
            return await page(connections, owner_link, caller, errors={"": error.message}, status=error.status)
        if request.headers.get("HX-Request"):
            return Template("connections/_check.html", context={"check": found, "is_new": True})
        return Redirect(urls.to(PAGE + "?note=tested#check"), status_code=303)

    @post("/disconnect", status_code=200)
    async def disconnect(
        self, request: AnyRequest, plex_connecting: Connecting, caller: Person, urls: Addresses
    ) -> Response[Any]:
        await plex_connecting.disconnect(by=caller, address=device_of(request).address)
        return Redirect(urls.to(PAGE + "?note=disconnected"), status_code=303)

    @post("/link", status_code=200)
    async def link(self, connections: Connections, owner_link: Link, caller: Person, urls: Addresses) -> Response[Any]:
        try:
            await owner_link.link(caller)
        except MediaNestError as error:
            return await page(connections, owner_link, caller, errors={"": error.message}, status=error.status)
        return Redirect(urls.to(PAGE + "?note=linked"), status_code=303)


async def page(
    connections: ConnectionService,
    owner_link: OwnerLink,
    caller: Caller,
    *,
    note: str = "",
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    status: int = 200,
) -> Template:
    """The connection as it is, or the ways to one."""
    connection = await connections.plex()
    context = {
        "current": "plex",
        "connection": connection,
        "check": await connections.last_check() if connection else None,
        "is_fixed": connections.is_fixed,
        "sources": connections.sources,
        "may_link": await owner_link.is_offered(caller),
        "note": note,
        "errors": errors or {},
        "values": values or {},
    }
    headers = forms_may_go_to(connections.sign_in_page)
    return Template("connections/plex.html", context=context, status_code=status, headers=headers)
