"""Signing in with Plex as pages. All of it works without script."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect, Response, Template

from medianest.accounts.pages import retry_header
from medianest.accounts.plex.cookie import pin_cookie, pin_cookie_name
from medianest.accounts.plex.model import Outcome, Refused, Step
from medianest.accounts.plex.service import PlexSignIn
from medianest.accounts.plex.words import refusal_words, trouble_words
from medianest.accounts.second_factor.ticket import SecondFactorNeeded
from medianest.connections.pins import HeldPin
from medianest.connections.service import ConnectionService
from medianest.errors import MediaNestError, NotFound
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_form
from medianest.web.headers import forms_may_go_to
from medianest.web.qr import qr_code
from medianest.web.urls import Urls, external_base

AnyRequest = Request[Any, Any, Any]
SignIn = NamedDependency[PlexSignIn]
Connections = NamedDependency[ConnectionService]
Addresses = NamedDependency[Urls]
Cookies = NamedDependency[SessionCookies]

PAGE = "/sign-in/plex"


class BeginForm(msgspec.Struct):
    next: str = ""
    remember: bool = False


class PlexSignInPages(Controller):
    """Begin, wait, come back. Without a connected server none of it exists."""

    path = PAGE
    opt = {"public": True}  # noqa: RUF012
    include_in_schema = False

    @post(status_code=200)
    async def begin(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        connections: Connections,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        """To Plex's own page."""
        return await self._begin(request, plex_sign_in, connections, urls, session_cookies, is_strong=True)

    @post("/code", status_code=200)
    async def begin_with_code(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        connections: Connections,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        """To the page with four characters, for another device."""
        return await self._begin(request, plex_sign_in, connections, urls, session_cookies, is_strong=False)

    async def _begin(
        self,
        request: AnyRequest,
        plex_sign_in: PlexSignIn,
        connections: ConnectionService,
        urls: Urls,
        cookies: SessionCookies,
        *,
        is_strong: bool,
    ) -> Response[Any]:
        sent = read_form(await request.form(), BeginForm)
        try:
            pin, secret = await plex_sign_in.begin(
                is_strong=is_strong,
                return_url=external_base(request, connections.public_url) + urls.to(PAGE + "/return"),
                address=device_of(request).address,
                next_path=urls.safe_next(sent.next),
                is_remembered=sent.remember,
            )
        except NotFound:
            raise
        except MediaNestError as error:
            context = {"error": error.message, "next": sent.next, "remember": sent.remember, "pin": None}
            return await problem_page(plex_sign_in, connections, context, error)
        target = pin.auth_url if is_strong else urls.to(PAGE)
        return Redirect(target, status_code=303, cookies=[cookie(request, cookies, urls, secret)])

    @get()
    async def wait(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        connections: Connections,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        """The page that waits, and what it asks for every two seconds."""
        await plex_sign_in.required_server()
        pin = await plex_sign_in.of_browser(request.cookies.get(pin_cookie_name(session_cookies)))
        if pin is None:
            return go(request, urls.to("/sign-in"))
        return await go_on(request, plex_sign_in, connections, urls, session_cookies, pin)

    @get("/return")
    async def come_back(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        connections: Connections,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        """Plex leads back here whether it was allowed or not; the word in the address must be this browser's."""
        await plex_sign_in.required_server()
        word = request.query_params.get("state", "")
        pin = await plex_sign_in.of_browser(request.cookies.get(pin_cookie_name(session_cookies)), state=word)
        if pin is None:
            return Template("accounts/plex/foreign.html", context={"start": "/sign-in"}, status_code=403)
        return await go_on(request, plex_sign_in, connections, urls, session_cookies, pin)

    @post("/cancel", status_code=200)
    async def cancel(
        self, request: AnyRequest, plex_sign_in: SignIn, urls: Addresses, session_cookies: Cookies
    ) -> Response[Any]:
        await plex_sign_in.required_server()
        pin = await plex_sign_in.of_browser(request.cookies.get(pin_cookie_name(session_cookies)))
        if pin is not None:
            await plex_sign_in.cancel(pin)
        gone = cookie(request, session_cookies, urls, None)
        return Redirect(urls.to("/sign-in"), status_code=303, cookies=[gone])


async def go_on(
    request: AnyRequest,
    plex_sign_in: PlexSignIn,
    connections: ConnectionService,
    urls: Urls,
    cookies: SessionCookies,
    pin: HeldPin,
) -> Response[Any]:
    """Look at the PIN and show where it stands."""
    is_secure = cookies.is_secure(request)
    gone = cookie(request, cookies, urls, None)
    try:
        outcome = await plex_sign_in.go_on(pin, device_of(request))
    except SecondFactorNeeded as needed:
        return go(request, urls.to("/sign-in/code"), [*cookies.step(needed.ticket, is_secure=is_secure), gone])
    if outcome.tokens is not None:
        return go(request, urls.safe_next(pin.next_path), [*cookies.give(outcome.tokens, is_secure=is_secure), gone])
    if outcome.step is Step.DONE:  # another tab was faster: its cookies are this browser's as well
        return go(request, urls.to("/sign-in"), [gone])
    if outcome.step is Step.CANCELLED:
        return go(request, urls.to("/sign-in"))
    is_poll = "hx-request" in request.headers
    if outcome.step is Step.WAITING and is_poll:
        return Template("accounts/plex/_state.html", context=waiting_context(outcome))
    if is_poll:
        return go(request, urls.to(PAGE))
    if outcome.step is Step.REFUSED and outcome.refused is not None:
        return await refused_page(plex_sign_in, connections, outcome.pin, outcome.refused)
    server = await plex_sign_in.required_server()
    context = {**waiting_context(outcome), "server": server.name}
    return Template("accounts/plex/waiting.html", context=context, headers=forms_may_go_to(connections.sign_in_page))


def waiting_context(outcome: Outcome, *, address: str = PAGE) -> dict[str, Any]:
    """What the waiting page and its fragment show."""
    pin = outcome.pin
    left_s = max(0, int((pin.expires_at - datetime.now(UTC)).total_seconds()))
    return {
        "pin": pin,
        "address": address,
        "trouble": trouble_words(outcome.trouble),
        "is_expired": outcome.step is Step.EXPIRED,
        "minutes_left": -(-left_s // 60),
        "qr": None if pin.is_strong else qr_code(pin.auth_url),
    }


async def refused_page(
    plex_sign_in: PlexSignIn, connections: ConnectionService, pin: HeldPin, refused: Refused
) -> Response[Any]:
    """Who was signed in, why that is not enough, what to do."""
    server = await plex_sign_in.server()
    words = refusal_words(refused, server.name if server else "Plex")
    context = {"words": words, "pin": pin, "next": pin.next_path, "remember": pin.is_remembered, "has_plex": server}
    headers = forms_may_go_to(connections.sign_in_page)
    return Template("accounts/plex/refused.html", context=context, status_code=403, headers=headers)


async def problem_page(
    plex_sign_in: PlexSignIn, connections: ConnectionService, context: dict[str, Any], error: MediaNestError
) -> Response[Any]:
    """plex.tv gave no PIN, or too many were asked for."""
    server = await plex_sign_in.server()
    headers = {**forms_may_go_to(connections.sign_in_page), **retry_header(error)}
    context = {**context, "has_plex": server, "words": None}
    return Template("accounts/plex/refused.html", context=context, status_code=error.status, headers=headers)


def go(request: AnyRequest, target: str, cookies: list[Cookie] | None = None) -> Response[Any]:
    """To another page: of its own accord where a script asked."""
    if "hx-request" in request.headers:
        return Response("", headers={"HX-Redirect": target}, cookies=cookies, media_type="text/html")
    return Redirect(target, status_code=303, cookies=cookies)


def cookie(request: AnyRequest, cookies: SessionCookies, urls: Urls, secret: str | None) -> Cookie:
    """The PIN's cookie for this call's browser."""
    return pin_cookie(cookies, urls.cookie_path, secret, is_secure=cookies.is_secure(request))
