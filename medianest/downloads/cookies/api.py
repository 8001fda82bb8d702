"""Cookies of sites as JSON: their sites and ages, never what they say."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from medianest.accounts.model import Caller, Scope
from medianest.downloads.cookies.model import CookiesAdded, NewCookies, SiteCookies
from medianest.downloads.cookies.service import CookieService
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin

Cookies = NamedDependency[CookieService]
Person = NamedDependency[Caller]
AnyRequest = Request[Any, Any, Any]


class CookieApi(Controller):
    path = "/api/v1/cookies"
    tags = ("Downloads",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="Sites that have cookies, with their age")
    async def list_cookies(self, site_cookies: Cookies) -> tuple[SiteCookies, ...]:
        return await site_cookies.all()

    @put("/{site:str}", summary="Keep the cookies of a site, from a Netscape cookies file")
    async def put_cookies(
        self,
        request: AnyRequest,
        site: FromPath[str],
        data: JSONBody[NewCookies],
        site_cookies: Cookies,
        caller: Person,
    ) -> CookiesAdded:
        return await site_cookies.put(site, data.cookies, caller.user, address=device_of(request).address)

    @delete("/{site:str}", summary="Forget the cookies of a site")
    async def remove_cookies(
        self, request: AnyRequest, site: FromPath[str], site_cookies: Cookies, caller: Person
    ) -> None:
        await site_cookies.remove(site, caller.user, address=device_of(request).address)


HANDLERS: tuple[Any, ...] = (CookieApi,)
