"""The page of cookies: which sites have some, how old they are, and a form to put new ones in. What they say is never shown."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller
from medianest.downloads.cookies.jar import LARGEST_BYTES
from medianest.downloads.cookies.service import CookieService
from medianest.errors import Invalid
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Cookies = NamedDependency[CookieService]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]


class CookiePages(Controller):
    path = "/downloads/cookies"
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, site_cookies: Cookies, site: FromQuery[str] = "", done: FromQuery[str] = "") -> Template:
        """`site`: one to stand in the field; `done`: what was done last, `added` or `removed`."""
        return Template("downloads/cookies.html", context=await _context(site_cookies, site=site[:253], done=done))

    @post(status_code=200, opt={"largest_form_bytes": 3 * LARGEST_BYTES})
    async def put(self, request: AnyRequest, site_cookies: Cookies, caller: Person, urls: Addresses) -> Response[Any]:
        form = await request.form()
        site = str(form.get("site", ""))[:300]
        try:
            text = await _text(form)
            added = await site_cookies.put(site, text, caller.user, address=device_of(request).address)
        except Invalid as error:
            context = await _context(site_cookies, site=site, errors=error.fields or {"cookies": error.message})
            return Template("downloads/cookies.html", context=context, status_code=error.status)
        return Redirect(urls.to(f"/downloads/cookies?done=added&site={added.site}"), status_code=303)

    @post("/remove", status_code=200)
    async def remove(self, request: AnyRequest, site_cookies: Cookies, caller: Person, urls: Addresses) -> Redirect:
        site = str((await request.form()).get("site", ""))[:300]
        await site_cookies.remove(site, caller.user, address=device_of(request).address)
        return Redirect(urls.to("/downloads/cookies?done=removed"), status_code=303)


async def _text(form: Any) -> str:
    """What was sent: the file, or else the text of the field."""
    sent = form.get("file")
    if isinstance(sent, UploadFile):
        data = await sent.read(LARGEST_BYTES + 1)
        if data:
            try:
                return bytes(data).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                sentence = "This is no text file. Export the cookies as “cookies.txt”."
                raise Invalid(sentence, fields={"cookies": sentence}) from error
    return str(form.get("cookies", ""))


async def _context(
    cookies: CookieService, *, site: str = "", done: str = "", errors: dict[str, str] | Any = None
) -> dict[str, Any]:
    found = await cookies.all()
    return {
        "cookies": found,
        "waiting_sites": await cookies.waiting_sites(),
        "site": site,
        "added": next((one for one in found if one.site == site), None) if done == "added" else None,
        "removed": done == "removed",
        "errors": dict(errors or {}),
    }


HANDLERS: tuple[Any, ...] = (CookiePages,)
