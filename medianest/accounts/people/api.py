"""People through the API, for administrators and whoever looks after people."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from medianest.accounts.model import Caller, DefaultRights, Permission, Role, Scope, UserState
from medianest.accounts.people.deletion import Deletion, WhatGoes
from medianest.accounts.people.model import (
    MadePerson,
    NewPerson,
    PeopleFilter,
    Person,
    PersonChange,
    PersonKind,
    PersonOrder,
)
from medianest.accounts.people.service import PeopleService
from medianest.web.auth import device_of
from medianest.web.guards import requires, requires_admin
from medianest.web.paging import Limit, Offset, Page

AnyRequest = Request[Any, Any, Any]
People = NamedDependency[PeopleService]
Signed = NamedDependency[Caller]
Id = FromPath[int]


class OneTimePassword(msgspec.Struct, frozen=True, kw_only=True):
    """Good for the next sign-in, where another one is chosen. It is shown this once."""

    password: str


class UserApi(Controller):
    path = "/api/v1/users"
    tags = ("People",)
    guards = (requires(Permission.MANAGE_USERS),)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="Everybody; `q` looks into names and mail")
    async def list_people(
        self,
        people: People,
        q: FromQuery[str] = "",
        role: FromQuery[Role | None] = None,
        in_state: Annotated[UserState | None, QueryParameter(name="state")] = None,  # `state` is Litestar's own
        kind: FromQuery[PersonKind | None] = None,
        sort: FromQuery[PersonOrder] = PersonOrder.NAME,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Page[Person]:
        wanted = PeopleFilter(words=q, role=role, state=in_state, kind=kind, order=sort)
        found, total = await people.list(wanted, limit=limit, offset=offset)
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @post(status_code=201, summary="Add somebody without a Plex account; the password is shown once")
    async def add(self, request: AnyRequest, data: JSONBody[NewPerson], people: People, caller: Signed) -> MadePerson:
        return await people.add(data, by=caller.user, address=device_of(request).address)

    @get("/{person_id:int}", summary="One person")
    async def one(self, person_id: Id, people: People) -> Person:
        return await people.get(person_id)

    @patch("/{person_id:int}", summary="Change role, rights, quotas, child profile; suspend, or end it")
    async def change(
        self, request: AnyRequest, person_id: Id, data: JSONBody[PersonChange], people: People, caller: Signed
    ) -> Person:
        return await people.change(person_id, data, by=caller.user, address=device_of(request).address)

    @delete("/{person_id:int}", summary="Delete a person; `delete_files` takes the videos nobody else asked for")
    async def remove(
        self,
        request: AnyRequest,
        person_id: Id,
        deletion: NamedDependency[Deletion],
        caller: Signed,
        delete_files: FromQuery[bool] = False,
    ) -> None:
        address = device_of(request).address
        await deletion.delete(person_id, by=caller.user, deletes_files=delete_files, address=address)

    @get("/{person_id:int}/belongings", summary="What deleting them would take along")
    async def belongings(self, person_id: Id, deletion: NamedDependency[Deletion], caller: Signed) -> WhatGoes:
        return await deletion.look(person_id, by=caller.user)

    @post("/{person_id:int}/password", status_code=200, summary="Give a password for one sign-in; sessions end")
    async def reset_password(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed
    ) -> OneTimePassword:
        address = device_of(request).address
        return OneTimePassword(password=await people.reset_password(person_id, by=caller.user, address=address))

    @delete("/{person_id:int}/second-factor", summary="Take the second step of sign-in away")
    async def remove_second_factor(self, request: AnyRequest, person_id: Id, people: People, caller: Signed) -> None:
        await people.remove_second_factor(person_id, by=caller.user, address=device_of(request).address)

    @delete("/{person_id:int}/sessions", summary="Sign them out everywhere")
    async def end_sessions(self, request: AnyRequest, person_id: Id, people: People, caller: Signed) -> None:
        await people.end_sessions(person_id, by=caller.user, address=device_of(request).address)


class DefaultRightsApi(Controller):
    path = "/api/v1/default-rights"
    tags = ("People",)
    guards = (requires_admin,)
    opt = {"scope": Scope.ADMIN}  # noqa: RUF012

    @get(summary="What everybody has for whom nothing else was said")
    async def show(self, people: People) -> DefaultRights:
        return await people.default_rights()

    @put(summary="Change the default set")
    async def change(
        self, request: AnyRequest, data: JSONBody[DefaultRights], people: People, caller: Signed
    ) -> DefaultRights:
        return await people.change_default_rights(data, by=caller.user, address=device_of(request).address)
