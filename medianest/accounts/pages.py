"""Sign-in and first start as pages. Every form works without script."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Response, Template

from medianest.accounts.model import Caller, Tokens
from medianest.accounts.plex.service import PlexSignIn
from medianest.accounts.second_factor.ticket import SecondFactorNeeded
from medianest.accounts.service import AccountService
from medianest.connections.service import ConnectionService
from medianest.errors import Invalid, MediaNestError, NotFound, TooMany
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_form
from medianest.web.headers import forms_may_go_to
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]


class SetupForm(msgspec.Struct):
    code: str
    username: str
    password: str


class SignInForm(msgspec.Struct):
    username: str = ""
    password: str = ""
    remember: bool = False
    next: str = ""


def see_other(target: str, cookies: list[Cookie] | None = None) -> Response[Any]:
    """After a form: go and look at the result."""
    return Redirect(target, status_code=303, cookies=cookies)


class SetupPages(Controller):
    """The first start; gone once an administrator exists."""

    path = "/setup"
    opt = {"public": True}  # noqa: RUF012
    include_in_schema = False

    @get()
    async def show(self, accounts: NamedDependency[AccountService]) -> Template:
        if await accounts.is_set_up():
            raise NotFound("MediaNest is set up already. Sign in instead.")
        return Template("setup/index.html", context={"values": {}, "errors": {}, "summary": ""})

    @post(status_code=200)
    async def make(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        form = await request.form()
        try:
            sent = read_form(form, SetupForm)
            tokens = await accounts.make_first_admin(sent.code, sent.username, sent.password, device_of(request))
        except (Invalid, TooMany) as error:
            fields = error.fields if isinstance(error, Invalid) else {}
            kept = {name: str(form.get(name, "")) for name in ("code", "username")}
            return Template(
                "setup/index.html",
                context={"values": kept, "errors": fields, "summary": "" if fields else error.message},
                status_code=error.status,
                headers=retry_header(error),
            )
        return signed_in(request, tokens, session_cookies, urls.to("/"))


class SignInPages(Controller):
    opt = {"public": True}  # noqa: RUF012
    include_in_schema = False

    @get("/sign-in", opt={"knows_caller": True})
    async def show(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        plex_sign_in: NamedDependency[PlexSignIn],
        connections: NamedDependency[ConnectionService],
        urls: NamedDependency[Urls],
        next: FromQuery[str] = "",
    ) -> Response[Any]:
        if request.scope["state"].get("caller"):
            return see_other(urls.safe_next(next))
        if not await accounts.is_set_up():
            return see_other(urls.to("/setup"))
        server = await plex_sign_in.server()
        context: dict[str, Any] = {"values": {}, "next": next, "error": None, "retry_at": None, "plex": server}
        headers = forms_may_go_to(connections.sign_in_page)
        return Template("accounts/sign_in.html", context=context, headers=headers)

    @post("/sign-in", status_code=200)
    async def sign_in(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        plex_sign_in: NamedDependency[PlexSignIn],
        connections: NamedDependency[ConnectionService],
        session_cookies: NamedDependency[SessionCookies],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), SignInForm)
        try:
            tokens = await accounts.sign_in(
                sent.username, sent.password, device_of(request), is_remembered=sent.remember, next_path=sent.next
            )
        except SecondFactorNeeded as needed:
            is_secure = session_cookies.is_secure(request)
            return see_other(urls.to("/sign-in/code"), session_cookies.step(needed.ticket, is_secure=is_secure))
        except MediaNestError as error:
            values = {"username": sent.username, "remember": sent.remember}
            context = {"values": values, "next": sent.next, "error": error.message, "retry_at": None}
            return Template(
                "accounts/sign_in.html",
                context={**context, "plex": await plex_sign_in.server()},
                status_code=error.status,
                headers={**forms_may_go_to(connections.sign_in_page), **retry_header(error)},
            )
        return signed_in(request, tokens, session_cookies, urls.safe_next(sent.next))


@post("/sign-out", status_code=200, include_in_schema=False, opt={"password_change": True})
async def sign_out(
    request: AnyRequest,
    caller: NamedDependency[Caller],
    accounts: NamedDependency[AccountService],
    session_cookies: NamedDependency[SessionCookies],
    urls: NamedDependency[Urls],
) -> Response[Any]:
    """End this device's session."""
    await accounts.sign_out(caller)
    return see_other(urls.to("/sign-in"), session_cookies.take(is_secure=session_cookies.is_secure(request)))


def signed_in(request: AnyRequest, tokens: Tokens, cookies: SessionCookies, target: str) -> Response[Any]:
    """Set the cookies and go on."""
    return see_other(target, cookies.give(tokens, is_secure=cookies.is_secure(request)))


def retry_header(error: MediaNestError) -> dict[str, str]:
    """`Retry-After` for a used-up limit."""
    return {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
