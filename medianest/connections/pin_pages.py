"""Connecting by the owner's own PIN: begun here, allowed at Plex, ended with the choice of a server.

A PIN is found by a cookie of the browser that began it, so that closing the page or restarting MediaNest loses nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission
from medianest.connections.connecting import PlexConnecting
from medianest.connections.model import HeldPin, OfferedServer, PinPurpose, PinState
from medianest.connections.pages import PAGE, Addresses, AnyRequest, Connecting, Connections, Link, Person, page
from medianest.connections.pins import Pins
from medianest.errors import Conflict, Invalid, UpstreamFailed
from medianest.integrations.plex_tv import TokenDead
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_form
from medianest.web.guards import requires
from medianest.web.headers import forms_may_go_to
from medianest.web.qr import qr_code
from medianest.web.urls import Urls, external_base

HeldPins = NamedDependency[Pins]
Cookies = NamedDependency[SessionCookies]

WAITING, SERVERS = PAGE + "/waiting", PAGE + "/servers"
PIN_S = 1800


class BeginForm(msgspec.Struct):
    way: str = "app"


class ServerForm(msgspec.Struct):
    machine_id: str = ""
    address: str = ""


class PlexPinPages(Controller):
    """The owner's PIN, and the servers that it opens."""

    path = PAGE
    guards = (requires(Permission.MANAGE_SETTINGS),)
    include_in_schema = False

    @post("/begin", status_code=200)
    async def begin(
        self,
        request: AnyRequest,
        connections: Connections,
        owner_link: Link,
        pins: HeldPins,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        sent = read_form(await request.form(), BeginForm)
        back = external_base(request, connections.public_url) + urls.to(PAGE + "/return")
        try:
            pin, secret = await pins.begin(
                PinPurpose.CONNECT, is_strong=sent.way != "code", forward_base=back, user_id=caller.user.id
            )
        except UpstreamFailed as error:
            return await page(connections, owner_link, caller, errors={"": error.message}, status=error.status)
        target = pin.auth_url if pin.is_strong else urls.to(WAITING)
        return Redirect(target, status_code=303, cookies=[pin_cookie(request, session_cookies, urls, secret)])

    @get("/return")
    async def come_back(
        self,
        request: AnyRequest,
        pins: HeldPins,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        # Plex comes back here whether the sign-in was allowed or not; the word of the address must be this browser's
        state = request.query_params.get("state", "")
        pin = await own_pin(request, pins, caller, session_cookies, state=state)
        return Redirect(urls.to(WAITING if pin else PAGE + "?note=lost"), status_code=303)

    @get("/waiting")
    async def wait(
        self,
        request: AnyRequest,
        connections: Connections,
        pins: HeldPins,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        pin = await own_pin(request, pins, caller, session_cookies)
        pin = await pins.look(pin) if pin else None
        target = next_page(pin)
        if request.headers.get("HX-Request"):
            if target:
                return Response("", headers={"HX-Redirect": urls.to(target)}, media_type="text/html")
            return Template("connections/_waiting.html", context={"pin": pin})
        if target or pin is None:
            return Redirect(urls.to(target or PAGE), status_code=303)
        context = {"current": "plex", "pin": pin, "qr": qr_code(pin.auth_url)}
        return Template("connections/waiting.html", context=context, headers=forms_may_go_to(connections.sign_in_page))

    @get("/servers")
    async def servers(
        self,
        request: AnyRequest,
        plex_connecting: Connecting,
        pins: HeldPins,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        pin = await own_pin(request, pins, caller, session_cookies)
        token = await pins.token_of(pin) if pin else None
        if pin is None or token is None:
            return Redirect(urls.to(PAGE + "?note=lost"), status_code=303)
        return await servers_page(plex_connecting, pins, pin, token, ServerForm())

    @post("/servers", status_code=200)
    async def choose(
        self,
        request: AnyRequest,
        plex_connecting: Connecting,
        pins: HeldPins,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        sent = read_form(await request.form(), ServerForm)
        pin = await own_pin(request, pins, caller, session_cookies)
        token = await pins.token_of(pin) if pin else None
        if pin is None or token is None:
            return Redirect(urls.to(PAGE + "?note=lost"), status_code=303)
        try:
            made = await plex_connecting.connect(
                token, sent.machine_id, sent.address, by=caller, address=device_of(request).address
            )
        except (Invalid, UpstreamFailed, Conflict) as error:
            errors = error.fields if isinstance(error, Invalid) else {"": error.message}
            return await servers_page(plex_connecting, pins, pin, token, sent, errors, error.status)
        await pins.finish(pin, PinState.AUTHORIZED, result_user_id=caller.user.id)
        is_elsewhere = bool(sent.address) and sent.address.strip().rstrip("/").removeprefix("http://") not in made.url
        note = "connected_elsewhere" if is_elsewhere else "connected"
        return Redirect(
            urls.to(f"{PAGE}?note={note}"), status_code=303, cookies=[pin_cookie(request, session_cookies, urls, None)]
        )

    @post("/cancel", status_code=200)
    async def cancel(
        self, request: AnyRequest, pins: HeldPins, caller: Person, urls: Addresses, session_cookies: Cookies
    ) -> Response[Any]:
        pin = await own_pin(request, pins, caller, session_cookies)
        if pin:
            await pins.finish(pin, PinState.CANCELLED)
        return Redirect(urls.to(PAGE), status_code=303, cookies=[pin_cookie(request, session_cookies, urls, None)])


async def servers_page(
    connecting: PlexConnecting,
    pins: Pins,
    pin: HeldPin,
    token: str,
    sent: ServerForm,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Template:
    """The owner's servers to choose from, or why there are none."""
    servers: tuple[OfferedServer, ...] = ()
    trouble = ""
    try:
        servers = await connecting.offered(token)
    except TokenDead as error:
        await pins.finish(pin, PinState.REFUSED, error.code)
        trouble = error.message
    except UpstreamFailed as error:
        trouble = error.message
    context = {
        "current": "plex",
        "servers": servers,
        "trouble": trouble,
        "chosen": sent.machine_id or (servers[0].machine_id if len(servers) == 1 else ""),
        "values": {"address": sent.address},
        "errors": errors or {},
    }
    return Template("connections/servers.html", context=context, status_code=status)


def next_page(pin: HeldPin | None) -> str:
    """Where the waiting page leads on to; empty while it still waits."""
    if pin is None or pin.state is PinState.CANCELLED:
        return PAGE
    if pin.state is PinState.PENDING:
        return ""
    if pin.state is PinState.HELD:
        return SERVERS
    return PAGE + ("" if pin.state is PinState.AUTHORIZED else f"?note={pin.state.value}")


async def own_pin(
    request: AnyRequest, pins: Pins, caller: Caller, cookies: SessionCookies, *, state: str | None = None
) -> HeldPin | None:
    """The PIN that this browser and this person began."""
    secret = request.cookies.get(cookie_name(cookies))
    pin = await pins.of_browser(secret, PinPurpose.CONNECT, state=state)
    return pin if pin and pin.user_id == caller.user.id else None


def cookie_name(cookies: SessionCookies) -> str:
    """Of this installation, as the session's cookies are."""
    return cookies.access_name.removesuffix("_access") + "_connect"


def pin_cookie(request: AnyRequest, cookies: SessionCookies, urls: Urls, secret: str | None) -> Cookie:
    """The secret of a PIN for this browser; None takes it away. Lax, since Plex leads back here."""
    return Cookie(
        key=cookie_name(cookies),
        value=secret or "",
        path=urls.to(PAGE),
        max_age=PIN_S if secret else 0,
        httponly=True,
        samesite="lax",
        secure=cookies.is_secure(request),
    )
