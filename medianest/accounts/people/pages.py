"""The pages of people: the list, somebody new, one person, the default set. Every form works without script."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Response, Template

from medianest.accounts.model import Caller, Permission, User
from medianest.accounts.people import forms
from medianest.accounts.people.defaults import NOT_BY_DEFAULT
from medianest.accounts.people.deletion import Deletion
from medianest.accounts.people.model import Person, PersonChange
from medianest.accounts.people.service import PeopleService
from medianest.accounts.rights import NOT_FOR_CHILDREN
from medianest.errors import Conflict, Invalid, MediaNestError, NotAllowed
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.guards import requires, requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
People = NamedDependency[PeopleService]
Signed = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
Id = FromPath[int]
PAGE = 20
REFUSALS = (Invalid, Conflict, NotAllowed)


class PeoplePages(Controller):
    path = "/people"
    guards = (requires(Permission.MANAGE_USERS),)
    include_in_schema = False

    @get()
    async def index(
        self,
        request: AnyRequest,
        people: People,
        offset: FromQuery[int] = 0,
        limit: FromQuery[int] = PAGE,
        done: FromQuery[str] = "",
    ) -> Template:
        wanted = forms.read_filter(request.query_params)
        limit, offset = max(1, min(limit, 100)), max(0, min(offset, 10**7))
        found, total = await people.list(wanted, limit=limit, offset=offset)
        asked = {
            "q": wanted.words,
            "role": wanted.role,
            "state": wanted.state,
            "kind": wanted.kind,
            "sort": wanted.order,
        }
        kept = {name: str(value) for name, value in asked.items() if value} | (
            {"limit": limit} if limit != PAGE else {}
        )
        return Template(
            "people/index.html",
            context={
                "people": found,
                "total": total,
                "limit": limit,
                "offset": offset,
                "wanted": wanted,
                "kept": urlencode(kept),
                "done": done,
            },
        )

    @get("/new")
    async def new(self) -> Template:
        return Template("people/new.html", context={"values": {}, "errors": {}})

    @post("/new", status_code=200)
    async def add(self, request: AnyRequest, people: People, caller: Signed) -> Template:
        form = await request.form()
        try:
            made = await people.add(forms.read_new_person(form), by=caller.user, address=device_of(request).address)
        except REFUSALS as error:
            context = {"values": dict(form), "errors": fields_of(error, "username")}
            return Template("people/new.html", context=context, status_code=error.status)
        return Template(
            "people/password.html", context={"person": made.person, "password": made.password, "is_new": True}
        )

    @get("/{person_id:int}")
    async def show(self, person_id: Id, people: People, caller: Signed, done: FromQuery[str] = "") -> Template:
        return await person_page(people, person_id, caller.user, done=done)

    @post("/{person_id:int}/profile", status_code=200)
    async def profile(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        return await self._changed(request, person_id, people, caller, urls, form, lambda _p: forms.read_profile(form))

    @post("/{person_id:int}/rights", status_code=200)
    async def rights(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        return await self._changed(
            request, person_id, people, caller, urls, form, lambda person: forms.read_rights(form, person)
        )

    @post("/{person_id:int}/suspend", status_code=200)
    async def suspend(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        zone = caller.preferences.time_zone
        return await self._changed(
            request, person_id, people, caller, urls, form, lambda _p: forms.read_suspension(form, zone), "suspended"
        )

    @post("/{person_id:int}/end-suspension", status_code=200)
    async def end_suspension(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        change = PersonChange(suspended=False)
        return await self._changed(request, person_id, people, caller, urls, {}, lambda _p: change, "unsuspended")

    async def _changed(
        self, request: AnyRequest, person_id: int, people: PeopleService, caller: Caller, urls: Urls,
        form: Mapping[str, Any], read: Any, done: str = "saved",
    ) -> Response[Any]:  # fmt: skip
        """Read the form, change the person, and show the page: again with what is wrong, or as it is now."""
        try:
            change = read(await people.get(person_id))
            await people.change(person_id, change, by=caller.user, address=device_of(request).address)
        except REFUSALS as error:
            return await person_page(people, person_id, caller.user, error=error, values=dict(form))
        if person_id == caller.user.id and not (await people.get(person_id)).may(Permission.MANAGE_USERS):
            return Redirect(urls.to("/"), status_code=303)
        return Redirect(urls.to(f"/people/{person_id}?done={done}"), status_code=303)

    @post("/{person_id:int}/password", status_code=200)
    async def reset_password(self, request: AnyRequest, person_id: Id, people: People, caller: Signed) -> Template:
        try:
            password = await people.reset_password(person_id, by=caller.user, address=device_of(request).address)
        except REFUSALS as error:
            return await person_page(people, person_id, caller.user, error=error)
        context = {"person": await people.get(person_id), "password": password, "is_new": False}
        return Template("people/password.html", context=context)

    @post("/{person_id:int}/second-factor/remove", status_code=200)
    async def remove_second_factor(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        act = people.remove_second_factor(person_id, by=caller.user, address=device_of(request).address)
        return await self._acted(act, person_id, people, caller, urls, "factor")

    @post("/{person_id:int}/sessions/end", status_code=200)
    async def end_sessions(
        self, request: AnyRequest, person_id: Id, people: People, caller: Signed, urls: Addresses
    ) -> Response[Any]:
        act = people.end_sessions(person_id, by=caller.user, address=device_of(request).address)
        return await self._acted(act, person_id, people, caller, urls, "sessions")

    async def _acted(
        self, act: Awaitable[None], person_id: int, people: PeopleService, caller: Caller, urls: Urls, done: str
    ) -> Response[Any]:
        try:
            await act
        except REFUSALS as error:
            return await person_page(people, person_id, caller.user, error=error)
        return Redirect(urls.to(f"/people/{person_id}?done={done}"), status_code=303)

    @get("/{person_id:int}/delete")
    async def ask(self, person_id: Id, deletion: NamedDependency[Deletion], caller: Signed) -> Template:
        return Template("people/delete.html", context={"goes": await deletion.look(person_id, by=caller.user)})

    @post("/{person_id:int}/delete", status_code=200)
    async def delete(
        self,
        request: AnyRequest,
        person_id: Id,
        people: People,
        deletion: NamedDependency[Deletion],
        caller: Signed,
        urls: Addresses,
    ) -> Response[Any]:
        form = await request.form()
        takes_files = str(form.get("files", "keep")) == "delete"
        try:
            await deletion.delete(
                person_id, by=caller.user, deletes_files=takes_files, address=device_of(request).address
            )
        except REFUSALS as error:
            return await person_page(people, person_id, caller.user, error=error)
        return Redirect(urls.to("/people?done=deleted"), status_code=303)


class DefaultRightsPages(Controller):
    path = "/people/rights"
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, people: People, saved: FromQuery[bool] = False) -> Template:
        return await default_rights_page(people, saved=saved)

    @post(status_code=200)
    async def save(self, request: AnyRequest, people: People, caller: Signed, urls: Addresses) -> Response[Any]:
        form = await request.form()
        try:
            rights = forms.read_default_rights(form)
            await people.change_default_rights(rights, by=caller.user, address=device_of(request).address)
        except Invalid as error:
            return await default_rights_page(people, error=error, values=dict(form))
        return Redirect(urls.to("/people/rights?saved=true"), status_code=303)


class OwnAccountPages(Controller):
    """Leaving the house: a person deletes their own account."""

    path = "/settings/delete"
    include_in_schema = False

    @get()
    async def ask(self, deletion: NamedDependency[Deletion], caller: Signed) -> Template:
        goes = await deletion.look_at_own(caller.user)
        return Template("people/delete_own.html", context={"goes": goes, "errors": {}})

    @post(status_code=200)
    async def delete(
        self,
        request: AnyRequest,
        deletion: NamedDependency[Deletion],
        caller: Signed,
        session_cookies: NamedDependency[SessionCookies],
        urls: Addresses,
    ) -> Response[Any]:
        typed = str((await request.form()).get("typed_name", ""))
        try:
            await deletion.delete_own(typed, by=caller.user, address=device_of(request).address)
        except REFUSALS as error:
            context = {"goes": await deletion.look_at_own(caller.user), "errors": fields_of(error, "typed_name")}
            return Template("people/delete_own.html", context=context, status_code=error.status)
        gone = session_cookies.take(is_secure=session_cookies.is_secure(request))
        return Redirect(urls.to("/sign-in"), status_code=303, cookies=gone)


async def person_page(
    people: PeopleService, person_id: int, by: User, *, done: str = "", error: MediaNestError | None = None,
    values: Mapping[str, Any] | None = None,
) -> Template:  # fmt: skip
    """One person; after a refused form with what was typed and why it was refused."""
    person = await people.get(person_id)
    defaults = await people.default_rights()
    given = [one for one in Permission if by.may(one) or one in person.permissions]
    shown = {
        "display_name": person.display_name,
        "role": person.role.value,
        "set": forms.DEFAULT if person.own_permissions is None else forms.OWN,
        **{one.value: "true" for one in person_ticks(person, defaults.permissions)},
        **forms.quota_values(person.own_quotas, defaults.quotas),
        "is_child": "true" if person.is_child else "",
        "rating_limit": person.rating_limit.value if person.rating_limit else "12",
    }
    if values and "set" in values:  # the form of the rights: what is not in it was not ticked
        shown = {name: value for name, value in shown.items() if name not in tuple(Permission) and name != "is_child"}
    return Template(
        "people/person.html",
        context={
            "person": person,
            "defaults": defaults,
            "permissions": [one for one in given if not (person.is_child and one in NOT_FOR_CHILDREN)],
            "can_touch": by.is_admin or not person.is_admin,
            "is_self": by.id == person.id,
            "values": shown | dict(values or {}),
            "errors": fields_of(error, "") if error else {},
            "done": done,
        },
        status_code=error.status if error else 200,
    )


def person_ticks(person: Person, defaults: tuple[Permission, ...]) -> tuple[Permission, ...]:
    return defaults if person.own_permissions is None else person.own_permissions


async def default_rights_page(
    people: PeopleService, *, saved: bool = False, error: Invalid | None = None, values: Mapping[str, Any] | None = None
) -> Template:
    """The default set; after a refused form with what was typed."""
    rights = await people.default_rights()
    quotas = {name: forms.shown_number(name, getattr(rights.quotas, name)) for name in rights.quotas.__struct_fields__}
    shown = quotas | {one.value: "true" for one in rights.permissions}
    return Template(
        "people/rights.html",
        context={
            "permissions": [one for one in Permission if one not in NOT_BY_DEFAULT],
            "values": dict(values) if values else shown,
            "errors": error.fields if error else {},
            "saved": saved,
        },
        status_code=error.status if error else 200,
    )


def fields_of(error: MediaNestError, default: str) -> dict[str, str]:
    """Field → sentence; a refusal that is about no field stands under `default`."""
    return (error.fields if isinstance(error, Invalid) else {}) or {default: error.message}
