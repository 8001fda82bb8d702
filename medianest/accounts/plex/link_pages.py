"""The page where an administrator links a Plex account for signing in, and lets it go. Every form works without script."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Response, Template

from medianest.accounts.model import Caller
from medianest.accounts.plex.cookie import pin_cookie_name
from medianest.accounts.plex.model import Step
from medianest.accounts.plex.pages import cookie, go, waiting_context
from medianest.accounts.plex.service import PlexSignIn
from medianest.accounts.plex.words import refusal_words
from medianest.accounts.service import AccountService
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict, MediaNestError, NotFound
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.guards import requires_admin
from medianest.web.headers import forms_may_go_to
from medianest.web.urls import Urls, external_base

AnyRequest = Request[Any, Any, Any]
SignIn = NamedDependency[PlexSignIn]
Connections = NamedDependency[ConnectionService]
Person = NamedDependency[Caller]
Accounts = NamedDependency[AccountService]
Addresses = NamedDependency[Urls]
Cookies = NamedDependency[SessionCookies]

PAGE = "/settings/plex"
WAITING = PAGE + "/waiting"


class PlexLinkPages(Controller):
    """One's own Plex account."""

    path = PAGE
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(
        self,
        plex_sign_in: SignIn,
        accounts: Accounts,
        connections: Connections,
        caller: Person,
        note: FromQuery[str] = "",
    ) -> Template:
        return await page(plex_sign_in, accounts, connections, caller, note=note)

    @post("/link", status_code=200)
    async def link(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        accounts: Accounts,
        connections: Connections,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        is_strong = (await request.form()).get("way") != "code"
        try:
            pin, secret = await plex_sign_in.begin(
                is_strong=is_strong,
                return_url=external_base(request, connections.public_url) + urls.to(PAGE + "/return"),
                address=device_of(request).address,
                link_to=caller.user,
            )
        except NotFound:
            raise
        except MediaNestError as error:
            return await page(plex_sign_in, accounts, connections, caller, error=error.message, status=error.status)
        target = pin.auth_url if is_strong else urls.to(WAITING)
        return Redirect(target, status_code=303, cookies=[cookie(request, session_cookies, urls, secret)])

    @get("/return")
    async def come_back(
        self, request: AnyRequest, plex_sign_in: SignIn, caller: Person, urls: Addresses, session_cookies: Cookies
    ) -> Response[Any]:
        """From Plex: the word in the address must be this browser's."""
        secret, word = request.cookies.get(pin_cookie_name(session_cookies)), request.query_params.get("state", "")
        if await plex_sign_in.of_browser(secret, state=word, by=caller.user) is None:
            return Template("accounts/plex/foreign.html", context={"start": PAGE}, status_code=403)
        return go(request, urls.to(WAITING))

    @get("/waiting")
    async def wait(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        accounts: Accounts,
        connections: Connections,
        caller: Person,
        urls: Addresses,
        session_cookies: Cookies,
    ) -> Response[Any]:
        secret = request.cookies.get(pin_cookie_name(session_cookies))
        pin = await plex_sign_in.of_browser(secret, by=caller.user)
        if pin is None:
            return go(request, urls.to(PAGE))
        outcome = await plex_sign_in.go_on(pin, device_of(request))
        if outcome.step is Step.DONE:
            return go(request, urls.to(PAGE + "?note=linked"), [cookie(request, session_cookies, urls, None)])
        if outcome.step is Step.WAITING and "hx-request" in request.headers:
            return Template("accounts/plex/_state.html", context=waiting_context(outcome, address=WAITING))
        if "hx-request" in request.headers:
            return go(request, urls.to(WAITING))
        if outcome.step in (Step.REFUSED, Step.CANCELLED):
            words = None
            if outcome.refused is not None:
                server = await plex_sign_in.server()
                words = refusal_words(outcome.refused, server.name if server else "Plex")
            text = f"{words.title}. {words.why} {words.advice}" if words else ""
            return await page(plex_sign_in, accounts, connections, caller, error=text)
        server = await plex_sign_in.required_server()
        context = {**waiting_context(outcome, address=WAITING), "server": server.name}
        headers = forms_may_go_to(connections.sign_in_page)
        return Template("accounts/plex/linking.html", context=context, headers=headers)

    @post("/cancel", status_code=200)
    async def cancel(
        self, request: AnyRequest, plex_sign_in: SignIn, caller: Person, urls: Addresses, session_cookies: Cookies
    ) -> Response[Any]:
        pin = await plex_sign_in.of_browser(request.cookies.get(pin_cookie_name(session_cookies)), by=caller.user)
        if pin is not None:
            await plex_sign_in.cancel(pin)
        gone = cookie(request, session_cookies, urls, None)
        return Redirect(urls.to(PAGE), status_code=303, cookies=[gone])

    @post("/unlink", status_code=200)
    async def unlink(
        self,
        request: AnyRequest,
        plex_sign_in: SignIn,
        accounts: Accounts,
        connections: Connections,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        try:
            await plex_sign_in.unlink(caller, address=device_of(request).address)
        except Conflict as error:
            return await page(plex_sign_in, accounts, connections, caller, error=error.message, status=error.status)
        return Redirect(urls.to(PAGE + "?note=unlinked"), status_code=303)


async def page(
    plex_sign_in: PlexSignIn,
    accounts: AccountService,
    connections: ConnectionService,
    caller: Caller,
    *,
    note: str = "",
    error: str = "",
    status: int = 200,
) -> Template:
    """What is linked, and what can be done about it."""
    context = {
        "account": await plex_sign_in.account_of(caller.user),
        "has_password": await accounts.has_password(caller.user),
        "server": await plex_sign_in.server(),
        "note": note,
        "error": error,
    }
    headers = forms_may_go_to(connections.sign_in_page)
    return Template("accounts/plex/link.html", context=context, status_code=status, headers=headers)
