"""The page of the library folder: take in what lies there, another tool's list, moving. Everything works without script."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller
from medianest.errors import Conflict, Invalid
from medianest.keeping.archive import LARGEST_BYTES, ArchiveImport
from medianest.keeping.model import Imported, WorkKind, WorkState
from medianest.keeping.moving import Moving
from medianest.keeping.work import LibraryWorks
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Works = NamedDependency[LibraryWorks]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
PAGE = "/downloads/folder"
LONGEST_PATH = 1000


class LibraryWorkPages(Controller):
    path = PAGE
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, library_works: Works) -> Template:
        return Template("keeping/folder.html", context=await _context(library_works))

    @get("/work")
    async def work(self, library_works: Works) -> Template:
        """How it stands; asked again while it runs."""
        return Template("keeping/_work.html", context=await _context(library_works))

    @post("/adopt", status_code=200)
    async def adopt(self, request: AnyRequest, library_works: Works, caller: Person, urls: Addresses) -> Response[Any]:
        is_dry_run = (await request.form()).get("act") == "try"
        address = device_of(request).address
        return await _started(
            library_works,
            urls,
            lambda: library_works.begin(WorkKind.ADOPT, by=caller, is_dry_run=is_dry_run, address=address),
        )

    @post("/move", status_code=200)
    async def move(
        self,
        request: AnyRequest,
        library_works: Works,
        library_moving: NamedDependency[Moving],
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        target = str((await request.form()).get("target", "")).strip()[:LONGEST_PATH]
        address = device_of(request).address
        try:
            folder, _size = await library_moving.check(target)
        except Invalid as error:
            context = await _context(library_works, target=target, errors=error.fields)
            return Template("keeping/folder.html", context=context, status_code=error.status)
        return await _started(
            library_works,
            urls,
            lambda: library_works.begin(WorkKind.MOVE, by=caller, target=str(folder), address=address),
        )

    @post("/stop", status_code=200)
    async def stop(self, request: AnyRequest, library_works: Works, urls: Addresses) -> Response[Any]:
        kind = WorkKind.MOVE if (await request.form()).get("kind") == WorkKind.MOVE else WorkKind.ADOPT
        return await _started(library_works, urls, lambda: library_works.end(kind))

    @post("/archive", status_code=200)
    async def archive(
        self, request: AnyRequest, library_works: Works, archive_import: NamedDependency[ArchiveImport], caller: Person
    ) -> Template:
        sent = (await request.form()).get("archive")
        data = await sent.read(LARGEST_BYTES + 1) if isinstance(sent, UploadFile) else b""
        try:
            text = bytes(data).decode("utf-8-sig", "replace")
            found = await archive_import.run(text, by=caller, address=device_of(request).address)
        except Invalid as error:
            context = await _context(library_works, errors=error.fields)
            return Template("keeping/folder.html", context=context, status_code=error.status)
        return Template("keeping/folder.html", context=await _context(library_works, imported=found))


async def _started(works: LibraryWorks, urls: Urls, act: Any) -> Response[Any]:
    try:
        await act()
    except Conflict as error:
        context = await _context(works, trouble=error.message)
        return Template("keeping/folder.html", context=context, status_code=error.status)
    return Redirect(urls.to(PAGE + "#work"), status_code=303)


async def _context(
    works: LibraryWorks, *, errors: dict[str, str] | None = None, imported: Imported | None = None, target: str = "",
    trouble: str = "",
) -> dict[str, Any]:  # fmt: skip
    shown = [work for kind in WorkKind if (work := await works.last(kind)) is not None]
    return {
        "works": shown,
        "is_running": any(work.state is WorkState.RUNNING for work in shown),
        "errors": errors or {},
        "imported": imported,
        "target": target,
        "trouble": trouble,
    }


HANDLERS: tuple[Any, ...] = (LibraryWorkPages,)
