"""People's pictures: handed out to whoever is signed in, and chosen on the profile page."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Response, Template

from medianest.accounts.model import Caller
from medianest.accounts.pictures import LARGEST_BYTES, PeoplePictures
from medianest.accounts.service import AccountService
from medianest.errors import Conflict, Invalid
from medianest.web.auth import device_of
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Pictures = NamedDependency[PeoplePictures]
Person = NamedDependency[Caller]
Accounts = NamedDependency[AccountService]
LARGEST_UPLOAD = LARGEST_BYTES + 20_000  # the form around it


@get("/people/{person_id:int}/picture", include_in_schema=False)
async def person_picture(person_id: FromPath[int], people_pictures: Pictures) -> Response[bytes]:
    """The address changes with the picture, so that it may be kept; a picture of a family stays in its browser."""
    content, media_type = await people_pictures.read(person_id)
    headers = {
        "Cache-Control": "private, max-age=604800",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Disposition": "inline",
    }
    return Response(content, media_type=media_type, headers=headers)


class PicturePages(Controller):
    """One's own picture."""

    path = "/settings/picture"
    include_in_schema = False

    @get()
    async def show(self, caller: Person, accounts: Accounts) -> Template:
        return await picture_page(accounts, caller)

    @post(status_code=200, opt={"largest_form_bytes": LARGEST_UPLOAD}, request_max_body_size=LARGEST_UPLOAD)
    async def upload(
        self, request: AnyRequest, caller: Person, accounts: Accounts, people_pictures: Pictures, urls: NamedDependency[Urls]
    ) -> Response[Any]:  # fmt: skip
        sent = (await request.form()).get("picture")
        content = await sent.read() if isinstance(sent, UploadFile) else b""
        try:
            await people_pictures.upload(
                caller.user,
                content,
                is_of_plex=await accounts.is_of_plex(caller.user),
                address=device_of(request).address,
            )
        except (Invalid, Conflict) as error:
            return await picture_page(accounts, caller, error=error.message, status=error.status)
        return Redirect(urls.to("/settings?saved=true"), status_code=303)

    @post("/remove", status_code=200)
    async def remove(
        self, request: AnyRequest, caller: Person, accounts: Accounts, people_pictures: Pictures, urls: NamedDependency[Urls]
    ) -> Response[Any]:  # fmt: skip
        try:
            is_of_plex = await accounts.is_of_plex(caller.user)
            await people_pictures.remove(caller.user, is_of_plex=is_of_plex, address=device_of(request).address)
        except Conflict as error:
            return await picture_page(accounts, caller, error=error.message, status=error.status)
        return Redirect(urls.to("/settings?saved=true"), status_code=303)


async def picture_page(accounts: AccountService, caller: Caller, *, error: str = "", status: int = 200) -> Template:
    """Choose one, or go back to the initial."""
    context = {"error": error, "is_of_plex": await accounts.is_of_plex(caller.user)}
    return Template("accounts/picture.html", context=context, status_code=status)
