"""The owner's page about the walls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Response, Template

from medianest.accounts.model import Caller, Permission
from medianest.errors import Invalid
from medianest.system.security.model import SecuritySettings, SecurityView
from medianest.system.security.service import SecurityService
from medianest.walls.client_address import client_address
from medianest.web.forms import read_form
from medianest.web.guards import requires
from medianest.web.templating import gettext as _
from medianest.web.urls import Urls

LISTS = ("trusted_proxies", "allowed_hosts", "allowed_addresses", "cors_origins", "frame_ancestors")


class SecurityForm(msgspec.Struct, frozen=True):
    """As a form sends it: one entry a line."""

    trusted_proxies: str = ""
    allowed_hosts: str = ""
    checks_host: bool = False
    allowed_addresses: str = ""
    requires_https: bool = False
    hsts_days: int = 0
    cors_origins: str = ""
    frame_ancestors: str = ""


class ProxyForm(msgspec.Struct, frozen=True):
    address: str
    back: str = ""


def entries(text: str) -> tuple[str, ...]:
    """Entries with lines, commas or spaces between."""
    return tuple(text.replace(",", " ").split())


def as_lines(settings: SecuritySettings) -> dict[str, Any]:
    """The settings as the fields show them."""
    values = msgspec.structs.asdict(settings)
    return {name: "\n".join(value) if name in LISTS else value for name, value in values.items()}


class SecurityPages(Controller):
    path = "/system/security"
    guards = (requires(Permission.MANAGE_SETTINGS),)
    include_in_schema = False

    @get()
    async def show(
        self,
        request: Request[Any, Any, Any],
        security: NamedDependency[SecurityService],
        saved: FromQuery[bool] = False,
    ) -> Template:
        return _page(request, await security.view(), saved=saved)

    @post(status_code=200)
    async def save(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[Caller],
        security: NamedDependency[SecurityService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        form = dict(await request.form())
        try:
            sent = read_form(form, SecurityForm, words={"hsts_days": _("A whole number of days is needed.")})
            lists = {name: entries(getattr(sent, name)) for name in LISTS}
            wanted = SecuritySettings(
                **lists, checks_host=sent.checks_host, requires_https=sent.requires_https, hsts_days=sent.hsts_days
            )
            await security.change(
                wanted, by=caller.user, address=client_address(request.scope), is_https=is_https(request)
            )
        except Invalid as error:
            return _page(request, await security.view(), errors=error.fields or {"": error.message}, values=form)
        return Redirect(urls.to("/system/security?saved=true"), status_code=303)

    @post("/trust-proxy", status_code=200)
    async def trust_proxy(
        self,
        request: Request[Any, Any, Any],
        caller: NamedDependency[Caller],
        security: NamedDependency[SecurityService],
        urls: NamedDependency[Urls],
    ) -> Response[Any]:
        sent = read_form(await request.form(), ProxyForm)
        try:
            await security.trust_proxy(sent.address, by=caller.user, from_address=client_address(request.scope))
        except Invalid as error:
            return _page(request, await security.view(), errors={"": error.message})
        return Redirect(urls.safe_next(sent.back, "/system/security?saved=true"), status_code=303)


def is_https(request: Request[Any, Any, Any]) -> bool:
    """Whether this call came over TLS, as far as a trusted proxy or our own certificate tells."""
    return request.scope["scheme"] == "https"


def _page(
    request: Request[Any, Any, Any],
    view: SecurityView,
    *,
    saved: bool = False,
    errors: Mapping[str, str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> Template:
    shown = as_lines(view.settings)
    if values is not None:
        checks = {name: name in values for name in ("checks_host", "requires_https")}
        shown |= {**{k: v for k, v in values.items() if k in shown}, **checks}
    context = {
        "view": view,
        "values": shown,
        "errors": errors or {},
        "saved": saved,
        "own_address": client_address(request.scope),
        "is_https": is_https(request),
    }
    return Template("system/security.html", context=context, status_code=400 if errors else 200)
