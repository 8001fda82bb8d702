"""The second step at the sign-in, and the page where a person switches it on and off. Every form works without script."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Response, Template

from medianest.accounts.model import Caller
from medianest.accounts.pages import retry_header, see_other
from medianest.accounts.second_factor.codes import grouped
from medianest.accounts.second_factor.model import Offer
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.service import AccountService
from medianest.errors import Invalid, MediaNestError, NotSignedIn, TooMany
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_form
from medianest.web.qr import qr_code
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]


class CodeForm(msgspec.Struct):
    code: str = ""


class ProofForm(msgspec.Struct):
    password: str = ""
    code: str = ""


class SetUpForm(ProofForm):
    token: str = ""


class SecondStepPages(Controller):
    """After the right password: the code."""

    path = "/sign-in/code"
    opt = {"public": True}  # noqa: RUF012
    include_in_schema = False

    @get()
    async def show(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        if not accounts.is_ticket(request.cookies.get(session_cookies.step_name, "")):
            return see_other(urls.to("/sign-in"))
        return Template("accounts/second_step.html", context={"error": ""})

    @post(status_code=200)
    async def finish(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), CodeForm)
        is_secure = session_cookies.is_secure(request)
        ticket = request.cookies.get(session_cookies.step_name, "")
        try:
            tokens, next_path = await accounts.finish_sign_in(ticket, sent.code, device_of(request))
        except MediaNestError as error:
            if isinstance(error, NotSignedIn) and error.code != "wrong_second_factor":
                context: dict[str, Any] = {"values": {}, "next": "", "error": error.message, "retry_at": None}
                return Template("accounts/sign_in.html", context=context, status_code=error.status)
            return Template(
                "accounts/second_step.html",
                context={"error": error.message},
                status_code=error.status,
                headers=retry_header(error),
            )
        cookies = session_cookies.give(tokens, is_secure=is_secure) + session_cookies.step("", is_secure=is_secure)
        return see_other(urls.safe_next(next_path), cookies)


class TwoStepPages(Controller):
    """A person's own second step."""

    path = "/settings/two-step"
    include_in_schema = False

    @get()
    async def show(
        self,
        caller: NamedDependency[Caller],
        second_factor: NamedDependency[SecondFactor],
        off: FromQuery[bool] = False,
    ) -> Template:
        return await two_step_page(caller, second_factor, was_switched_off=off)

    @get("/set-up")
    async def set_up(
        self, caller: NamedDependency[Caller], second_factor: NamedDependency[SecondFactor], urls: NamedDependency[Urls]
    ) -> Response[Any]:
        state = await second_factor.state(caller.user)
        if state.is_on or not state.has_password:
            return see_other(urls.to("/settings/two-step"))
        return set_up_page(await second_factor.offer(caller.user))

    @post("/set-up", status_code=200)
    async def switch_on(
        self, request: AnyRequest, caller: NamedDependency[Caller], second_factor: NamedDependency[SecondFactor]
    ) -> Response[Any]:
        sent = read_form(await request.form(), SetUpForm)
        try:
            codes = await second_factor.switch_on(
                caller, sent.token, sent.code, sent.password, address=device_of(request).address
            )
        except (Invalid, TooMany) as error:
            offer = second_factor.offered_again(caller.user, sent.token) or await second_factor.offer(caller.user)
            return set_up_page(offer, error)
        return codes_page(codes, is_new=True)

    @post("/backup-codes", status_code=200)
    async def renew_codes(
        self, request: AnyRequest, caller: NamedDependency[Caller], second_factor: NamedDependency[SecondFactor]
    ) -> Response[Any]:
        sent = read_form(await request.form(), ProofForm)
        try:
            codes = await second_factor.renew_backup_codes(
                caller, sent.password, sent.code, address=device_of(request).address
            )
        except (Invalid, TooMany) as error:
            return await two_step_page(caller, second_factor, error=error, failed="codes")
        return codes_page(codes, is_new=False)

    @post("/off", status_code=200)
    async def switch_off(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        second_factor: NamedDependency[SecondFactor],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), ProofForm)
        try:
            await second_factor.switch_off(caller, sent.password, sent.code, address=device_of(request).address)
        except (Invalid, TooMany) as error:
            return await two_step_page(caller, second_factor, error=error, failed="off")
        return see_other(urls.to("/settings/two-step?off=true"))


async def two_step_page(
    caller: Caller,
    second_factor: SecondFactor,
    *,
    error: MediaNestError | None = None,
    failed: str = "",
    was_switched_off: bool = False,
) -> Template:
    """The state of it and what can be done; `failed` names the form that `error` belongs to (`codes`, `off`)."""
    context = {
        "state": await second_factor.state(caller.user),
        "failed": failed,
        "errors": fields_of(error, failed),
        "was_switched_off": was_switched_off,
    }
    return Template(
        "accounts/two_step.html",
        context=context,
        status_code=error.status if error else 200,
        headers=retry_header(error) if error else None,
    )


def fields_of(error: MediaNestError | None, form: str) -> dict[str, str]:
    """Sentences by the ids of the fields: two forms of the page have the same names."""
    if error is None:
        return {}
    fields = error.fields if isinstance(error, Invalid) else {}
    return {f"{form}-{name}": text for name, text in fields.items()} or {"": error.message}


def set_up_page(offer: Offer, error: MediaNestError | None = None) -> Template:
    """QR code, the secret to type, and the fields that confirm it."""
    fields = (error.fields if isinstance(error, Invalid) else {}) if error else {}
    context = {
        "qr": qr_code(offer.address),
        "secret": grouped(offer.secret),
        "address": offer.address,
        "token": offer.token,
        "errors": fields or ({"": error.message} if error else {}),
    }
    return Template(
        "accounts/two_step_set_up.html",
        context=context,
        status_code=error.status if error else 200,
        headers=retry_header(error) if error else None,
    )


def codes_page(codes: tuple[str, ...], *, is_new: bool) -> Template:
    """The backup codes, once."""
    return Template("accounts/backup_codes.html", context={"codes": codes, "is_new": is_new})
