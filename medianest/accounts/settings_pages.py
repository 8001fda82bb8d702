"""A person's own settings as pages: profile and look, password, devices, and what they are told about their account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Response, Template

from medianest.accounts.devices import Devices
from medianest.accounts.model import DATE_LOCALES, Caller, Preferences, PreferencesChange
from medianest.accounts.pages import retry_header, see_other
from medianest.accounts.service import AccountService
from medianest.errors import Conflict, Invalid, NotFound, TooMany
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_form
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]


class NameForm(msgspec.Struct):
    display_name: str = ""


class NoticeForm(msgspec.Struct):
    answer: str = ""
    back: str = ""


class PasswordForm(msgspec.Struct):
    current_password: str = ""
    new_password: str = ""


class SettingsPages(Controller):
    """A person's own settings."""

    path = "/settings"
    include_in_schema = False

    @get()
    async def show(
        self, caller: NamedDependency[Caller], accounts: NamedDependency[AccountService], saved: FromQuery[bool] = False
    ) -> Template:
        return await settings_page(caller, accounts, {}, saved=saved)

    @post(status_code=200)
    async def save(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        form = await request.form()
        try:
            wanted = read_form(form, Preferences)
            change = PreferencesChange(
                **{**msgspec.structs.asdict(wanted), "time_zone": str(form.get("time_zone", "")).strip()}
            )
            await accounts.change_preferences(change, by=caller.user)
        except Invalid as error:
            return await settings_page(caller, accounts, error.fields, status=error.status)
        return see_other(urls.to("/settings?saved=true"))

    @post("/name", status_code=200)
    async def rename(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), NameForm)
        try:
            await accounts.rename(sent.display_name, by=caller.user, address=device_of(request).address)
        except (Invalid, Conflict) as error:
            fields = error.fields if isinstance(error, Invalid) else {"display_name": error.message}
            return await settings_page(caller, accounts, fields, status=error.status, name=sent.display_name)
        return see_other(urls.to("/settings?saved=true"))

    @get("/password", opt={"password_change": True})
    async def password(
        self, caller: NamedDependency[Caller], accounts: NamedDependency[AccountService], saved: FromQuery[bool] = False
    ) -> Template:
        context = {"errors": {}, "saved": saved, "has_password": await accounts.has_password(caller.user)}
        return Template("accounts/password.html", context=context)

    @post("/password", status_code=200, opt={"password_change": True})
    async def change_password(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), PasswordForm)
        try:
            await accounts.change_password(
                caller, sent.current_password, sent.new_password, address=device_of(request).address
            )
        except (Conflict, Invalid, TooMany) as error:
            fields = error.fields if isinstance(error, Invalid) else {"current_password": error.message}
            return Template(
                "accounts/password.html",
                context={"errors": fields, "saved": False, "has_password": await accounts.has_password(caller.user)},
                status_code=error.status,
                headers=retry_header(error),
            )
        return see_other(urls.to("/settings/password?saved=true"))

    @get("/devices")
    async def devices(
        self,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        not_me: FromQuery[bool] = False,
    ) -> Template:
        found = await accounts.sessions(caller.user)
        sessions = sorted(found, key=lambda session: session.id != caller.session_id)  # this one first
        context = {"sessions": sessions, "this_session_id": caller.session_id, "was_not_me": not_me}
        return Template("accounts/devices.html", context=context)

    @post("/devices/{session_id:uuid}/end", status_code=200)
    async def end_device(
        self,
        session_id: FromPath[UUID],
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        await accounts.end_session(session_id, by=caller.user)
        return see_other(urls.to("/settings/devices"))

    @post("/devices/end-others", status_code=200)
    async def end_other_devices(
        self, caller: NamedDependency[Caller], accounts: NamedDependency[AccountService], urls: NamedDependency[Urls]
    ) -> Response[Any]:
        await accounts.end_other_sessions(caller)
        return see_other(urls.to("/settings/devices"))

    @post("/devices/end-all", status_code=200)
    async def end_all_devices(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        await accounts.sign_out(caller, everywhere=True)
        return see_other(urls.to("/sign-in"), session_cookies.take(is_secure=session_cookies.is_secure(request)))

    @get("/notices")
    async def notices(
        self, request: AnyRequest, caller: NamedDependency[Caller], devices: NamedDependency[Devices]
    ) -> Template:
        """The banners alone, for pages that are open already."""
        back = urlsplit(request.headers.get("hx-current-url", "")).path
        context = {"notices": await devices.open_notices(caller.user.id), "back_to": back}
        return Template("components/account_notices.html", context=context)

    @post("/notices/{notice_id:int}", status_code=200)
    async def answer_notice(
        self,
        notice_id: FromPath[int],
        request: AnyRequest,
        caller: NamedDependency[Caller],
        devices: NamedDependency[Devices],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), NoticeForm)
        was_me = sent.answer != "not_me"
        try:
            await devices.answer(notice_id, by=caller.user, was_me=was_me, address=device_of(request).address)
        except NotFound:
            if not caller.open_notices:  # answered in another tab a moment ago
                return see_other(urls.safe_next(sent.back))
            raise
        return see_other(urls.safe_next(sent.back) if was_me else urls.to("/settings/devices?not_me=true"))


async def settings_page(
    caller: Caller,
    accounts: AccountService,
    errors: dict[str, str],
    *,
    saved: bool = False,
    status: int = 200,
    name: str | None = None,
) -> Template:
    """The page of one's own profile, look and defaults. `name`: as it was typed."""
    context = {
        "preferences": caller.preferences,
        "errors": errors,
        "saved": saved,
        "is_of_plex": await accounts.is_of_plex(caller.user),
        "name": caller.user.display_name if name is None else name,
        "date_locales": DATE_LOCALES,
    }
    return Template("accounts/settings.html", context=context, status_code=status)
