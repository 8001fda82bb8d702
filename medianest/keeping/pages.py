"""The history and the rules as pages and fragments. Everything works without script."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller
from medianest.errors import Conflict, Invalid
from medianest.keeping.forms import read_filter, read_settings, values_of
from medianest.keeping.model import HistoryDetail, VideoState
from medianest.keeping.service import KeepingService
from medianest.keeping.words import why_words
from medianest.web.auth import device_of
from medianest.web.formats import zone_of
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Keeping = NamedDependency[KeepingService]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
Id = FromPath[int]
Since = Annotated[str, QueryParameter(name="from")]
InState = Annotated[str, QueryParameter(name="state")]  # `state` is Litestar's own

PAGE = "/downloads/history"
FORM_NAMES = ("q", "state", "kind", "site", "person", "from", "until")


class HistoryPages(Controller):
    path = PAGE
    include_in_schema = False

    @get()
    async def index(
        self,
        keeping: Keeping,
        caller: Person,
        q: FromQuery[str] = "",
        in_state: InState = "",
        kind: FromQuery[str] = "",
        site: FromQuery[str] = "",
        person: FromQuery[str] = "",
        since: Since = "",
        until: FromQuery[str] = "",
        before: FromQuery[int | None] = None,
        after: FromQuery[int | None] = None,
    ) -> Template:
        values = dict(zip(FORM_NAMES, (q, in_state, kind, site, person, since, until), strict=True))
        wanted, errors = read_filter(values, zone_of(caller.preferences.time_zone))
        page = await keeping.page(wanted, caller.user, limit=caller.preferences.page_size, before=before, after=after)
        asked = {name: value for name, value in values.items() if value}
        context = {
            "page": page,
            "values": values,
            "errors": errors,
            "filter": urlencode(asked),
            "is_narrow": bool(set(asked) - {"state"}),
            "sites": await keeping.sites(caller.user),
            "going": await keeping.going(caller.user),
            "why_words": why_words,
        }
        return Template("keeping/history.html", context=context, status_code=400 if errors else 200)

    @get("/{history_id:int}")
    async def detail(self, history_id: Id, keeping: Keeping, caller: Person) -> Template:
        return _detail(await keeping.one(history_id, caller.user))

    @post("/{history_id:int}/{verb:str}", status_code=200)
    async def act(
        self,
        request: AnyRequest,
        history_id: Id,
        verb: FromPath[str],
        keeping: Keeping,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        """Shield, unshield, remove."""
        if verb == "shield":
            found = await keeping.shield(history_id, caller.user)
        elif verb == "unshield":
            found = await keeping.unshield(history_id, caller.user)
        elif verb == "remove":
            try:
                found = await keeping.remove(history_id, caller, address=device_of(request).address)
            except Conflict as error:
                if request.headers.get("HX-Request"):
                    raise
                return _detail(await keeping.one(history_id, caller.user), trouble=error.message, status=error.status)
        else:
            await keeping.one(history_id, caller.user)
            raise Invalid("There is no such button.")
        if request.headers.get("HX-Request"):
            return Template("keeping/_row.html", context={"video": found, "why_words": why_words})
        form = await request.form()
        return Redirect(urls.safe_next(str(form.get("back", "")), f"{PAGE}/{history_id}"), status_code=303)


class KeepingPages(Controller):
    path = "/downloads/keeping"
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, keeping: Keeping, saved: FromQuery[bool] = False) -> Template:
        return await rules_page(keeping, saved=saved)

    @post(status_code=200)
    async def save(self, request: AnyRequest, keeping: Keeping, caller: Person, urls: Addresses) -> Response[Any]:
        """`act` is `try` for a dry run with the rules of the form, which are not kept."""
        form = await request.form()
        sent = {name: str(form.get(name, ""))[:40] for name in values_of(await keeping.settings())}
        try:
            settings = read_settings(form)
        except Invalid as error:
            return await rules_page(keeping, values=sent, errors=error.fields, status=error.status)
        if form.get("act") == "try":
            return await rules_page(keeping, values=sent, dry_run=await keeping.dry_run(settings))
        await keeping.change_settings(settings, by=caller, address=device_of(request).address)
        return Redirect(urls.to("/downloads/keeping?saved=true"), status_code=303)


async def rules_page(
    keeping: KeepingService, *, saved: bool = False, values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None, dry_run: Any = None, status: int = 200,
) -> Template:  # fmt: skip
    """The rules, what is announced, how the last announcements ended, and a dry run."""
    planned = await keeping.planned()
    context = {
        "values": values or values_of(await keeping.settings()),
        "errors": errors or {},
        "saved": saved,
        "dry_run": dry_run,
        "planned": planned,
        "planned_bytes": sum(one.size_bytes for one in planned),
        "ended": await keeping.ended(),
        "why_words": why_words,
    }
    return Template("keeping/rules.html", context=context, status_code=status)


def _detail(video: HistoryDetail, *, trouble: str = "", status: int = 200) -> Template:
    context = {"video": video, "why_words": why_words, "trouble": trouble, "states": VideoState}
    return Template("keeping/detail.html", context=context, status_code=status)


HANDLERS: tuple[Any, ...] = (HistoryPages, KeepingPages)
