"""Our library in Plex as pages and fragments: which folder is which, the test, and a playlist's collection."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission
from medianest.downloads.service import DownloadService
from medianest.errors import Conflict, Invalid, UpstreamFailed
from medianest.plex_library.check import LibraryChecks, last_check
from medianest.plex_library.model import ProbeState, SavedMapping
from medianest.plex_library.probe import LibraryProbe
from medianest.plex_library.service import PlexLibraryService
from medianest.plex_library.upkeep import LibraryUpkeep
from medianest.web.auth import device_of
from medianest.web.forms import read_form
from medianest.web.guards import requires
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Library = NamedDependency[PlexLibraryService]
Upkeep = NamedDependency[LibraryUpkeep]
Test = NamedDependency[LibraryProbe]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]

PAGE = "/system/plex/library"


class MappingForm(msgspec.Struct):
    server_root: str = ""
    section: str = ""


class PlexLibraryPages(Controller):
    """A part of the page Plex that stands alone without script, since it asks the server."""

    path = PAGE
    guards = (requires(Permission.MANAGE_SETTINGS),)
    include_in_schema = False

    @get()
    async def show(self, plex_library: Library, library_probe: Test, note: FromQuery[str] = "") -> Template:
        return await page(plex_library, library_probe, note=note)

    @post(status_code=200)
    async def save(
        self, request: AnyRequest, plex_library: Library, library_probe: Test, caller: Person, urls: Addresses
    ) -> Response[Any]:
        sent = read_form(await request.form(), MappingForm)
        mapping = SavedMapping(server_root=sent.server_root.strip(), section=sent.section.strip()[:20])
        try:
            await plex_library.change_mapping(mapping, by=caller, address=device_of(request).address)
        except Invalid as error:
            values = {"server_root": sent.server_root}
            return await page(plex_library, library_probe, errors=error.fields, values=values, status=error.status)
        if request.headers.get("HX-Request"):
            return await page(plex_library, library_probe, note="saved")
        return Redirect(urls.to(PAGE + "?note=saved"), status_code=303)

    @post("/test", status_code=200)
    async def test(self, request: AnyRequest, library_probe: Test, urls: Addresses) -> Response[Any]:
        await library_probe.begin()
        if request.headers.get("HX-Request"):
            return Template("plex_library/_probe.html", context={"probe": await library_probe.last()})
        return Redirect(urls.to(PAGE + "#probe"), status_code=303)

    @get("/test")
    async def probe(self, library_probe: Test) -> Template:
        return Template("plex_library/_probe.html", context={"probe": await library_probe.last(), "is_new": True})

    @post("/check", status_code=200)
    async def check(
        self, request: AnyRequest, library_checks: NamedDependency[LibraryChecks], urls: Addresses
    ) -> Response[Any]:
        made = await library_checks.run()
        if request.headers.get("HX-Request"):
            return Template("plex_library/_check.html", context={"check": made})
        return Redirect(urls.to(PAGE + "#check"), status_code=303)

    @post("/look-again", status_code=200)
    async def look_again(
        self,
        request: AnyRequest,
        plex_library: Library,
        plex_upkeep: Upkeep,
        library_probe: Test,
        urls: Addresses,
    ) -> Response[Any]:
        await plex_upkeep.look_again()
        if request.headers.get("HX-Request"):
            return await page(plex_library, library_probe, note="looking")
        return Redirect(urls.to(PAGE + "?note=looking"), status_code=303)


@post("/downloads/{download_id:int}/collection/retry", include_in_schema=False, status_code=200)
async def retry_collection(
    request: AnyRequest,
    download_id: FromPath[int],
    downloads: NamedDependency[DownloadService],
    plex_library: Library,
    caller: Person,
    urls: Addresses,
) -> Response[Any]:
    """Make a playlist's collection anew after it was given up."""
    download = await downloads.get(download_id, by=caller.user)
    await plex_library.try_again(download.id)
    if not request.headers.get("HX-Request"):
        return Redirect(urls.to(f"/downloads/{download_id}"), status_code=303)
    context = {"download": download, "collection": await plex_library.collection(download_id)}
    return Template("plex_library/_collection.html", context=context)


async def page(
    plex_library: PlexLibraryService,
    library_probe: LibraryProbe,
    *,
    note: str = "",
    errors: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
    status: int = 200,
) -> Template:
    """What is set or was found by itself, how the last test went, how much Plex shows."""
    trouble = ""
    try:
        mapping = await plex_library.mapping()
    except (Conflict, UpstreamFailed) as error:
        mapping, trouble = await plex_library.saved_mapping(), error.message
    probe = await library_probe.last()
    context = {
        "mapping": mapping,
        "trouble": trouble,
        "status": await plex_library.status(),
        "check": await last_check(),
        "probe": probe,
        "is_testing": probe is not None and probe.state is ProbeState.RUNNING,
        "note": note,
        "errors": errors or {},
        "values": values or {},
    }
    return Template("plex_library/library.html", context=context, status_code=status)
