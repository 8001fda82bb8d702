"""Long work on the library as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from medianest.accounts.model import Caller, Scope
from medianest.errors import NotFound
from medianest.keeping.archive import ArchiveImport
from medianest.keeping.model import Imported, LibraryWork, WorkKind
from medianest.keeping.moving import Moving
from medianest.keeping.work import LibraryWorks
from medianest.web.auth import device_of
from medianest.web.guards import requires_admin

Works = NamedDependency[LibraryWorks]
Person = NamedDependency[Caller]
AnyRequest = Request[Any, Any, Any]


class NewWork(msgspec.Struct, frozen=True, kw_only=True):
    """`target` is the new folder of a move; a dry run of `adopt` takes nothing in."""

    kind: WorkKind
    target: str = ""
    is_dry_run: bool = False


class ArchiveText(msgspec.Struct, frozen=True, kw_only=True):
    """Lines such as `youtube dQw4w9WgXcQ`."""

    text: str


class LibraryWorkApi(Controller):
    path = "/api/v1/library-work"
    tags = ("Downloads",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="The newest work of each kind")
    async def show(self, library_works: Works) -> list[LibraryWork]:
        return [work for kind in WorkKind if (work := await library_works.last(kind)) is not None]

    @post(status_code=202, summary="Take in what lies in the folder (adopt), or move the library (move)")
    async def begin(
        self,
        request: AnyRequest,
        data: JSONBody[NewWork],
        library_works: Works,
        library_moving: NamedDependency[Moving],
        caller: Person,
    ) -> LibraryWork:
        target = ""
        if data.kind is WorkKind.MOVE:
            target = str((await library_moving.check(data.target))[0])
        begun = await library_works.begin(
            data.kind,
            by=caller,
            target=target,
            is_dry_run=data.is_dry_run and data.kind is WorkKind.ADOPT,
            address=device_of(request).address,
        )
        if begun is None:
            raise NotFound("It is not there any more.")
        return begun

    @delete(summary="Stop what runs")
    async def stop(self, library_works: Works, kind: FromQuery[WorkKind]) -> None:
        await library_works.end(kind)

    @post("/archive", status_code=200, summary="Note what another tool has: lists and subscriptions do not fetch it")
    async def archive(
        self,
        request: AnyRequest,
        data: JSONBody[ArchiveText],
        archive_import: NamedDependency[ArchiveImport],
        caller: Person,
    ) -> Imported:
        return await archive_import.run(data.text, by=caller, address=device_of(request).address)


HANDLERS: tuple[Any, ...] = (LibraryWorkApi,)
