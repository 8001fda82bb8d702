"""The page of a person's API keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Response, Template

from medianest.accounts.keys.model import MadeApiKey, NewApiKey
from medianest.accounts.keys.service import KeyService
from medianest.accounts.model import Caller, Scope, User
from medianest.errors import Conflict, Invalid
from medianest.web.auth import device_of
from medianest.web.templating import gettext as _
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Keys = NamedDependency[KeyService]
Person = NamedDependency[Caller]


def scope_words() -> dict[str, tuple[str, str]]:
    """For each scope its name and what it opens."""
    return {
        Scope.READ.value: (_("Read"), _("See downloads and requests, change nothing")),
        Scope.REQUESTS.value: (_("Requests"), _("Ask for films and shows, and follow what was asked for")),
        Scope.DOWNLOADS.value: (_("Downloads"), _("Add, pause, cancel and remove downloads")),
        Scope.WIDGETS.value: (_("Widgets"), _("The figures that dashboards show")),
        Scope.METRICS.value: (_("Metrics"), _("Figures for Prometheus")),
        Scope.ADMIN.value: (_("Administration"), _("Everything you may do through the API; for your own scripts only")),
    }


class KeyPages(Controller):
    path = "/settings/keys"
    include_in_schema = False

    @get()
    async def show(self, caller: Person, keys: Keys, revoked: FromQuery[bool] = False) -> Template:
        return await keys_page(keys, caller.user, revoked=revoked)

    @post(status_code=200)
    async def make(self, request: AnyRequest, caller: Person, keys: Keys) -> Response[Any]:
        """Answers with the page itself instead of sending on: the new key stands in this answer and nowhere else."""
        form = await request.form()
        values = {
            "name": str(form.get("name", "")),
            "scopes": [str(one) for one in form.getall("scopes", [])],
            "expires_in_days": str(form.get("expires_in_days", "")),
        }
        try:
            made = await keys.make(read_key(values), by=caller.user, address=device_of(request).address)
        except (Invalid, Conflict) as error:
            errors = error.fields if isinstance(error, Invalid) else {"name": error.message}
            return await keys_page(keys, caller.user, values=values, errors=errors, status=error.status)
        return await keys_page(keys, caller.user, made=made)

    @post("/{key_id:int}/revoke", status_code=200)
    async def revoke(
        self, request: AnyRequest, key_id: FromPath[int], caller: Person, keys: Keys, urls: NamedDependency[Urls]
    ) -> Response[Any]:
        await keys.revoke(key_id, by=caller.user, address=device_of(request).address)
        return Redirect(urls.to("/settings/keys?revoked=true"), status_code=303)


def read_key(values: Mapping[str, Any]) -> NewApiKey:
    """The form as the service takes it; raises `Invalid` for words that are no scope and no number of days."""
    scopes, days = values["scopes"], values["expires_in_days"]
    if set(scopes) - set(Scope) or not (days == "" or (days.isascii() and days.isdigit() and len(days) < 5)):
        raise Invalid("That does not fit.", fields={"scopes": "Choose from what is offered."})
    return NewApiKey(
        name=values["name"], scopes=tuple(Scope(one) for one in scopes), expires_in_days=int(days) if days else None
    )


async def keys_page(
    keys: KeyService,
    user: User,
    *,
    made: MadeApiKey | None = None,
    values: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    revoked: bool = False,
    status: int = 200,
) -> Template:
    """The list, the form, and right after making the key itself."""
    words = scope_words()
    context = {
        "keys": await keys.list(user),
        "choices": [(scope.value, *words[scope.value]) for scope in keys.choices(user)],
        "words": words,
        "made": made,
        "values": values or {"name": "", "scopes": [], "expires_in_days": "365"},
        "errors": errors or {},
        "revoked": revoked,
    }
    return Template("accounts/keys.html", context=context, status_code=status, headers={"Cache-Control": "no-store"})
