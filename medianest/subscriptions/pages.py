"""What people follow as pages and fragments. Everything works without script."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission
from medianest.errors import Conflict, Invalid, MediaNestError, UpstreamFailed
from medianest.subscriptions.forms import FIELD_NAMES, read_change, read_new, values_of, values_sent
from medianest.subscriptions.model import ItemState, SubscriptionChange, SubscriptionState
from medianest.subscriptions.service import SubscriptionService
from medianest.web.guards import requires
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Service = NamedDependency[SubscriptionService]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
Id = FromPath[int]
FOLLOWS = requires(Permission.FOLLOW)
LONGEST_LINK = 2000


class SubscriptionPages(Controller):
    path = "/subscriptions"
    include_in_schema = False

    @get()
    async def index(
        self, subscriptions: Service, caller: Person, offset: FromQuery[int] = 0, url: FromQuery[str] = ""
    ) -> Template:
        """`url`: a link that another page found, to stand in the field; it is followed by hand."""
        values = {"url": url[:LONGEST_LINK]} if url.lower().startswith(("http://", "https://")) else {}
        context = await list_context(subscriptions, caller, offset)
        return Template("subscriptions/index.html", context={**context, **add_context(values)})

    @get("/list")
    async def refresh_list(self, subscriptions: Service, caller: Person, offset: FromQuery[int] = 0) -> Template:
        return Template("subscriptions/_list.html", context=await list_context(subscriptions, caller, offset))

    @post("/preview", status_code=200, guards=[FOLLOWS])
    async def preview(self, request: AnyRequest, subscriptions: Service, caller: Person) -> Template:
        form = await request.form()
        found, refusal = None, None
        try:
            found = await subscriptions.preview(read_new(form), by=caller.user)
        except MediaNestError as error:
            refusal = error
        context = add_context(values_sent(form), preview=found, refusal=refusal)
        return await self._add_box(request, context, subscriptions, caller, 200 if refusal is None else refusal.status)

    @post(status_code=200, guards=[FOLLOWS])
    async def follow(
        self, request: AnyRequest, subscriptions: Service, caller: Person, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        try:
            new = read_new(form)
            made, _is_new = await subscriptions.follow(new, by=caller.user)
        except (Invalid, Conflict, UpstreamFailed) as error:
            found = None
            if error.code == "confirm_needed":
                found = await subscriptions.preview(new, by=caller.user)
            context = add_context(values_sent(form), preview=found, refusal=error)
            return await self._add_box(request, context, subscriptions, caller, error.status)
        target = urls.to(f"/subscriptions/{made.id}")
        if request.headers.get("HX-Request"):
            return Response(b"", headers={"HX-Redirect": target}, media_type="text/html")
        return Redirect(target, status_code=303)

    async def _add_box(
        self,
        request: AnyRequest,
        context: dict[str, Any],
        subscriptions: SubscriptionService,
        caller: Caller,
        status: int,
    ) -> Template:
        if request.headers.get("HX-Request"):
            return Template("subscriptions/_add.html", context=context, status_code=status)
        page = await list_context(subscriptions, caller, 0)
        return Template("subscriptions/index.html", context={**page, **context}, status_code=status)

    @get("/{subscription_id:int}")
    async def detail(
        self,
        subscription_id: Id,
        subscriptions: Service,
        caller: Person,
        show: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
        saved: FromQuery[bool] = False,
    ) -> Template:
        context = await detail_context(subscriptions, caller, subscription_id, show, offset)
        values = values_of(context["subscription"])
        return Template(
            "subscriptions/detail.html",
            context={**context, "values": values, "errors": {}, "saved": saved, "dry_run": None, "refusal": None},
        )

    @get("/{subscription_id:int}/card")
    async def card(self, subscription_id: Id, subscriptions: Service, caller: Person) -> Template:
        found = await subscriptions.get(subscription_id, by=caller.user)
        return Template("subscriptions/_card.html", context={"subscription": found})

    @get("/{subscription_id:int}/items")
    async def items(
        self,
        subscription_id: Id,
        subscriptions: Service,
        caller: Person,
        show: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
    ) -> Template:
        context = await detail_context(subscriptions, caller, subscription_id, show, offset)
        return Template("subscriptions/_items.html", context=context)

    @post("/{subscription_id:int}", status_code=200)
    async def save(
        self, request: AnyRequest, subscription_id: Id, subscriptions: Service, caller: Person, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        try:
            await subscriptions.change(subscription_id, read_change(form), by=caller.user)
        except Invalid as error:
            return await self._settings(subscriptions, caller, subscription_id, form, error=error)
        return Redirect(urls.to(f"/subscriptions/{subscription_id}?saved=true#settings"), status_code=303)

    @post("/{subscription_id:int}/dry-run", status_code=200)
    async def dry_run(
        self, request: AnyRequest, subscription_id: Id, subscriptions: Service, caller: Person
    ) -> Template:
        """What a check would take with the settings in the form, which are not kept."""
        form = await request.form()
        try:
            found = await subscriptions.dry_run(subscription_id, read_change(form), by=caller.user)
        except (Invalid, UpstreamFailed) as error:
            return await self._settings(subscriptions, caller, subscription_id, form, error=error)
        return await self._settings(subscriptions, caller, subscription_id, form, dry_run=found)

    async def _settings(
        self, subscriptions: SubscriptionService, caller: Caller, subscription_id: int, form: Any,
        *, error: MediaNestError | None = None, dry_run: Any = None,
    ) -> Template:  # fmt: skip
        context = await detail_context(subscriptions, caller, subscription_id, "", 0)
        errors = {FIELD_NAMES.get(name, name): text for name, text in getattr(error, "fields", {}).items()}
        refusal = None if error is None or errors else error.message
        return Template(
            "subscriptions/detail.html",
            context={
                **context, "values": values_sent(form), "errors": errors, "saved": False, "dry_run": dry_run, "refusal": refusal,
            },
            status_code=error.status if error else 200,
        )  # fmt: skip

    @get("/{subscription_id:int}/delete")
    async def ask_delete(self, subscription_id: Id, subscriptions: Service, caller: Person) -> Template:
        found = await subscriptions.get(subscription_id, by=caller.user)
        goes = await subscriptions.what_goes(subscription_id, by=caller.user)
        return Template("subscriptions/delete.html", context={"subscription": found, "goes": goes})

    @post("/{subscription_id:int}/delete", status_code=200)
    async def delete(
        self, request: AnyRequest, subscription_id: Id, subscriptions: Service, caller: Person, urls: Addresses
    ) -> Response[Any]:
        deletes_files = str((await request.form()).get("files", "")) == "delete"
        await subscriptions.unfollow(subscription_id, by=caller.user, deletes_files=deletes_files)
        return Redirect(urls.to("/subscriptions"), status_code=303)

    @post("/{subscription_id:int}/{verb:str}", status_code=200)
    async def act(
        self,
        request: AnyRequest,
        subscription_id: Id,
        verb: FromPath[str],
        subscriptions: Service,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        """Check, pause, resume."""
        states = {"pause": SubscriptionState.PAUSED, "resume": SubscriptionState.ACTIVE}
        if verb == "check":
            found = await subscriptions.check(subscription_id, by=caller.user)
        elif verb in states:
            change = SubscriptionChange(state=states[verb])
            found = await subscriptions.change(subscription_id, change, by=caller.user)
        else:
            await subscriptions.get(subscription_id, by=caller.user)
            raise Invalid("There is no such button.")
        if not request.headers.get("HX-Request"):
            return await _back(request, urls, "/subscriptions")
        return Template("subscriptions/_card.html", context={"subscription": found})

    @post("/{subscription_id:int}/items/{item_id:int}/{verb:str}", status_code=200)
    async def act_on_item(
        self,
        request: AnyRequest,
        subscription_id: Id,
        item_id: Id,
        verb: FromPath[str],
        subscriptions: Service,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        """Ignore, download."""
        if verb == "ignore":
            item = await subscriptions.ignore(subscription_id, item_id, by=caller.user)
        elif verb == "download":
            item = await subscriptions.take(subscription_id, item_id, by=caller.user)
        else:
            await subscriptions.get(subscription_id, by=caller.user)
            raise Invalid("There is no such button.")
        if not request.headers.get("HX-Request"):
            return await _back(request, urls, f"/subscriptions/{subscription_id}")
        return Template("subscriptions/_item.html", context={"item": item})


async def _back(request: AnyRequest, urls: Urls, default: str) -> Redirect:
    form = await request.form()
    return Redirect(urls.safe_next(str(form.get("back", "")), default), status_code=303)


def add_context(
    values: dict[str, Any], *, preview: Any = None, refusal: MediaNestError | None = None
) -> dict[str, Any]:
    """What the box for a new link shows."""
    errors = getattr(refusal, "fields", {})
    return {
        "values": values,
        "preview": preview,
        "errors": errors,
        "add_error": None if refusal is None or (errors and "url" not in errors) else refusal.message,
        "asks": refusal is not None and refusal.code == "confirm_needed",
    }


async def list_context(subscriptions: SubscriptionService, caller: Caller, offset: int) -> dict[str, Any]:
    """The cards."""
    limit = caller.preferences.page_size
    found, total = await subscriptions.list(caller.user, limit=limit, offset=offset)
    return {"subscriptions": found, "total": total, "offset": max(0, offset), "limit": limit}


async def detail_context(
    subscriptions: SubscriptionService, caller: Caller, subscription_id: int, show: str, offset: int
) -> dict[str, Any]:
    """One subscription with a page of its videos."""
    found = await subscriptions.get(subscription_id, by=caller.user)
    state = ItemState(show) if show in tuple(ItemState) else None
    limit = caller.preferences.page_size
    items, total = await subscriptions.items(subscription_id, by=caller.user, state=state, limit=limit, offset=offset)
    return {
        "subscription": found,
        "items": items,
        "items_total": total,
        "show": state.value if state else "",
        "offset": max(0, offset),
        "limit": limit,
    }


HANDLERS: tuple[Any, ...] = (SubscriptionPages,)
