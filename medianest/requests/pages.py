"""Requests as pages and fragments. Everything works without script."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, User
from medianest.errors import Conflict, Invalid, MediaNestError, NotAllowed, NotFound, TooMany, UpstreamFailed
from medianest.media.model import MediaType, Title
from medianest.media.service import MediaService
from medianest.requests import rules
from medianest.requests.forms import asked_for, chosen_ids, reason_of, season_numbers
from medianest.requests.model import MediaRequest
from medianest.requests.repository.lists import GROUPS, ORDERS
from medianest.requests.service import RequestService
from medianest.requests.words import READY_REASONS
from medianest.web.auth import device_of
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Service = NamedDependency[RequestService]
Media = NamedDependency[MediaService]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
Id = FromPath[int]

PAGE = 20
REFUSALS = (Invalid, NotAllowed, TooMany, Conflict, UpstreamFailed)


class RequestPages(Controller):
    path = "/requests"
    include_in_schema = False

    @get()
    async def index(
        self,
        media_requests: Service,
        caller: Person,
        show: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        q: FromQuery[str] = "",
        sort: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
        done: FromQuery[str] = "",
    ) -> Template:
        context = await list_context(media_requests, caller.user, show, kind, q, sort, offset)
        return Template("requests/index.html", context={"done": done, **context})

    @get("/list")
    async def refresh_list(
        self,
        media_requests: Service,
        caller: Person,
        show: FromQuery[str] = "",
        kind: FromQuery[str] = "",
        q: FromQuery[str] = "",
        sort: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
    ) -> Template:
        context = await list_context(media_requests, caller.user, show, kind, q, sort, offset)
        return Template("requests/_list.html", context=context)

    @get("/count")
    async def count(self, media_requests: Service, caller: Person) -> Template:
        """The number in the menu."""
        waiting = await media_requests.menu_count(caller.user)
        return Template("requests/_count.html", context={"requests_waiting": waiting})

    @get("/summary")
    async def summary(self, media_requests: Service, caller: Person) -> Template:
        """What the first page shows of requests."""
        return Template("requests/_summary.html", context=await summary_context(media_requests, caller.user))

    @get("/new")
    async def new(
        self,
        media_requests: Service,
        media: Media,
        caller: Person,
        kind: FromQuery[str] = "",
        id: FromQuery[int] = 0,
    ) -> Template:
        """The request box as a page of its own."""
        title = await _title(media, kind, id, caller.user)
        return Template("requests/new.html", context=await panel_context(media_requests, title, caller.user))

    @get("/panel")
    async def panel(
        self,
        media_requests: Service,
        media: Media,
        caller: Person,
        kind: FromQuery[str] = "",
        id: FromQuery[int] = 0,
    ) -> Template:
        """The request box on a title's page, read again."""
        title = await _title(media, kind, id, caller.user)
        return Template("requests/_panel.html", context=await panel_context(media_requests, title, caller.user))

    @post(status_code=200)
    async def submit(
        self, request: AnyRequest, media_requests: Service, media: Media, caller: Person, urls: Addresses
    ) -> Response[Any]:
        form = await request.form()
        address = device_of(request).address
        try:
            new, for_user = asked_for(form)
            made, is_new = await media_requests.submit(new, caller.user, for_user, address=address)
        except REFUSALS as error:
            return await self._refused(request, form, error, media_requests, media, caller.user)
        if not request.headers.get("HX-Request"):
            target = urls.safe_next(str(form.get("back", "")), f"/requests/{made.id}")
            return Redirect(target, status_code=303)
        title = await media.title(new.media_type, new.tmdb_id, caller.user)
        context = await panel_context(media_requests, title, caller.user)
        return Template("requests/_panel.html", context={**context, "said": "asked" if is_new else "joined"})

    async def _refused(
        self, request: AnyRequest, form: Any, error: MediaNestError, media_requests: RequestService, media: MediaService,
        by: User,
    ) -> Response[Any]:  # fmt: skip
        """The box once more with the reason in it; what was chosen stays."""
        title = await _title(media, str(form.get("media_type", "")), _whole(form.get("tmdb_id")), by)
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
        context = await panel_context(media_requests, title, by)
        context |= {"refused": error.message, "chosen": season_numbers(form), "is_4k": bool(form.get("is_4k"))}
        is_part = bool(request.headers.get("HX-Request"))
        name = "requests/_panel.html" if is_part else "requests/new.html"
        return Template(name, context=context, status_code=error.status, headers=headers)

    @post("/decide", status_code=200)
    async def decide(
        self, request: AnyRequest, media_requests: Service, caller: Person, urls: Addresses
    ) -> Response[Any]:
        """Approve or decline several."""
        form = await request.form()
        reason = reason_of(form) if str(form.get("verb", "")) == "decline" else None
        if not rules.may_manage(caller.user):
            raise NotAllowed(rules.ONLY_APPROVERS, code="permission_missing")
        ids = chosen_ids(form)
        if not ids:
            raise Invalid("Choose at least one request first.")
        done = await media_requests.decide(ids, reason, caller.user, address=device_of(request).address)
        query = urlencode({"show": "waiting", "done": f"{done.done}-{done.refused}"})
        return Redirect(urls.to(f"/requests?{query}"), status_code=303)

    @get("/{request_id:int}")
    async def detail(self, request_id: Id, media_requests: Service, caller: Person) -> Template:
        found = await media_requests.get(request_id, by=caller.user)
        return Template("requests/detail.html", context=detail_context(found))

    @get("/{request_id:int}/row")
    async def row(self, request_id: Id, media_requests: Service, caller: Person) -> Template:
        found = await media_requests.get(request_id, by=caller.user)
        return Template("requests/_row.html", context=row_context(found, caller.user))

    @post("/{request_id:int}/{verb:str}", status_code=200)
    async def act(
        self, request: AnyRequest, request_id: Id, verb: FromPath[str], media_requests: Service, caller: Person, urls: Addresses
    ) -> Response[Any]:  # fmt: skip
        """Cancel, approve, decline, retry, follow, unfollow."""
        form = await request.form()
        address, by = device_of(request).address, caller.user
        match verb:
            case "approve":
                await media_requests.approve(request_id, by, address=address)
            case "decline":
                await media_requests.decline(request_id, reason_of(form), by, address=address)
            case "cancel":
                await media_requests.cancel(request_id, by, address=address)
            case "retry":
                await media_requests.retry(request_id, by)
            case "follow":
                await media_requests.follow(request_id, by)
            case "unfollow":
                await media_requests.unfollow(request_id, by)
            case _:
                await media_requests.get(request_id, by)  # somebody else's does not exist, whatever the button
                raise Invalid("There is no such button.")
        if not request.headers.get("HX-Request"):
            return Redirect(urls.safe_next(str(form.get("back", "")), "/requests"), status_code=303)
        try:
            found = await media_requests.get(request_id, by)
        except NotFound:  # left to those who follow it
            return Response(b"", media_type="text/html")
        return Template("requests/_row.html", context=row_context(found, by))


async def _title(media: MediaService, kind: str, tmdb_id: int, by: User) -> Title:
    if kind not in tuple(MediaType) or not 0 < tmdb_id < 2**31:
        raise NotFound("There is no such title.")
    return await media.title(MediaType(kind), tmdb_id, by)


async def list_context(
    media_requests: RequestService, by: User, show: str, kind: str, q: str, sort: str, offset: int
) -> dict[str, Any]:
    """What the list with its chips shows; words that are none are passed over, so that an old address still shows a list."""
    show, sort = show if show in GROUPS else "", sort if sort in ORDERS else ""
    media_type = MediaType(kind) if kind in tuple(MediaType) else None
    offset = max(0, min(offset, 10**7))
    found, total = await media_requests.list(
        by, show or None, media_type=media_type, words=q, order=sort or "newest", limit=PAGE, offset=offset
    )
    kept = {"show": show, "kind": media_type.value if media_type else "", "q": q.strip()[:100], "sort": sort}
    return {
        "current": "requests",
        "shown": found,
        "total": total,
        "offset": offset,
        "limit": PAGE,
        "request_counts": await media_requests.counts(by),
        "wanted": kept,
        "kept": urlencode({name: value for name, value in kept.items() if value}),
        "may_manage": rules.may_manage(by),
        "sees_all": rules.sees_all(by),
        "ready_reasons": READY_REASONS,
    }


async def panel_context(media_requests: RequestService, title: Title, by: User) -> dict[str, Any]:
    """What `_panel.html` needs; the title's own page gives the same."""
    return {"current": "search", "panel": await media_requests.panel(title, by), "title": title}


async def summary_context(media_requests: RequestService, by: User) -> dict[str, Any]:
    """What the first page shows: their latest, and what waits for them."""
    to_approve = await media_requests.to_approve(by, 5)
    return {
        "latest_requests": await media_requests.latest(by, 5),
        "to_approve": to_approve,
        "to_approve_total": (await media_requests.counts(by)).to_approve if to_approve else 0,
        "may_manage": rules.may_manage(by),
        "sees_all": rules.sees_all(by),
    }


def row_context(found: MediaRequest, by: User) -> dict[str, Any]:
    return {"media_request": found, "may_manage": rules.may_manage(by), "sees_all": rules.sees_all(by)}


def detail_context(found: MediaRequest) -> dict[str, Any]:
    return {"current": "requests", "media_request": found, "ready_reasons": READY_REASONS}


def _whole(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdecimal() and len(text) < 12 else 0


HANDLERS: tuple[Any, ...] = (RequestPages,)
