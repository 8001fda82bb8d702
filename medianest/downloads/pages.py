"""The download queue as pages and fragments. Everything works without script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from medianest.accounts.model import Caller, Permission, User
from medianest.downloads.approvals import Approvals
from medianest.downloads.forms import read_queue_settings
from medianest.downloads.model import Download, QuotaUse
from medianest.downloads.pictures import PictureStore
from medianest.downloads.service import DownloadService
from medianest.downloads.whole import WholeQueueService
from medianest.downloads.wishes_form import new_download, taken_words, values_of
from medianest.errors import Conflict, Invalid, MediaNestError, NotAllowed, TooMany
from medianest.keeping.service import KeepingService
from medianest.plex_library.service import PlexLibraryService
from medianest.web.auth import device_of
from medianest.web.frame import KNOWS_COUNTS
from medianest.web.guards import requires_admin
from medianest.web.urls import Urls

AnyRequest = Request[Any, Any, Any]
Downloads = NamedDependency[DownloadService]
Person = NamedDependency[Caller]
Addresses = NamedDependency[Urls]
ToApprove = NamedDependency[Approvals]
InPlex = NamedDependency[PlexLibraryService]
Whole = NamedDependency[WholeQueueService]
Id = FromPath[int]

LONGEST_LINK = 2000
MOST_LINKS = 50  # in one form
MOST_APPROVALS = 50  # shown at once
REFUSALS = (Invalid, NotAllowed, TooMany, Conflict)


class DownloadPages(Controller):
    path = "/downloads"
    include_in_schema = False

    @get(opt={KNOWS_COUNTS: True})
    async def index(
        self,
        downloads: Downloads,
        approvals: ToApprove,
        whole_queue: Whole,
        keeping: NamedDependency[KeepingService],
        caller: Person,
        show: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
        url: FromQuery[str] = "",
    ) -> Template:
        """`url`: a link that another page found, to stand in the field; it is added by hand."""
        context = await list_context(downloads, approvals, whole_queue, caller, show, offset)
        context["going"] = await keeping.going(caller.user)
        values = {"url": url[:LONGEST_LINK]} if url.lower().startswith(("http://", "https://")) else {}
        return Template(
            "downloads/index.html", context={"values": values, "preview": None, "add_error": None, **context}
        )

    @get("/list")
    async def refresh_list(
        self,
        downloads: Downloads,
        approvals: ToApprove,
        whole_queue: Whole,
        caller: Person,
        show: FromQuery[str] = "",
        offset: FromQuery[int] = 0,
    ) -> Template:
        context = await list_context(downloads, approvals, whole_queue, caller, show, offset)
        return Template("downloads/_list.html", context=context)

    @post(status_code=200)
    async def add(
        self,
        request: AnyRequest,
        downloads: Downloads,
        approvals: ToApprove,
        whole_queue: Whole,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        form = await request.form()
        sent = values_of(form)
        try:
            added = await self._add_all(sent, downloads, caller)
        except REFUSALS as error:
            return await self._refused(request, error, sent, downloads, approvals, whole_queue, caller)
        if not request.headers.get("HX-Request"):
            target = urls.safe_next(str(form.get("back", "")), "/downloads")
            return Redirect(target, status_code=303)
        found = [download for download, _is_new in added]
        context: dict[str, Any] = {"downloads": found, "download": found[0], "quota": await quota_of(downloads, caller)}
        context["created"] = any(is_new for _one, is_new in added)
        return Template("downloads/_added.html", context=context)

    async def _add_all(
        self, sent: dict[str, Any], downloads: DownloadService, caller: Caller
    ) -> list[tuple[Download, bool]]:
        links = [line.strip() for line in sent["url"].splitlines() if line.strip()] or [""]
        if len(links) > MOST_LINKS:
            raise Invalid(f"At most {MOST_LINKS} links at once.")
        added: list[tuple[Download, bool]] = []
        for number, link in enumerate(links):
            try:
                added.append(await downloads.add(new_download(sent, link), by=caller.user))
            except REFUSALS as error:
                if added:  # what is in line stays there; the field keeps the rest
                    sent["url"] = "\n".join(links[number:])
                    error.message = f"{number} of {len(links)} links were added. {error.message}"
                raise
        return added

    async def _refused(
        self,
        request: AnyRequest,
        error: MediaNestError,
        sent: dict[str, Any],
        downloads: DownloadService,
        approvals: Approvals,
        whole_queue: WholeQueueService,
        caller: Caller,
    ) -> Template:
        context = {"values": sent, "preview": None, "add_error": error.message}
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
        if request.headers.get("HX-Request"):
            headers |= {"HX-Retarget": "#add-field", "HX-Reswap": "outerHTML"}
            return Template("downloads/_add_field.html", context=context, status_code=error.status, headers=headers)
        page = await list_context(downloads, approvals, whole_queue, caller, "", 0)
        return Template("downloads/index.html", context={**page, **context}, status_code=error.status, headers=headers)

    @post("/preview", status_code=200)
    async def preview(
        self, request: AnyRequest, downloads: Downloads, approvals: ToApprove, whole_queue: Whole, caller: Person
    ) -> Template:
        sent = values_of(await request.form())
        found, refusal, taken = None, None, None
        try:
            found = await downloads.preview(sent["url"], by=caller.user)
            taken = taken_words(found, sent, await downloads.queue_settings())
        except MediaNestError as error:
            refusal = error
        status = 200 if refusal is None else refusal.status
        sentence = None if refusal is None else refusal.message
        if request.headers.get("HX-Request"):
            context: dict[str, Any] = {"preview": found, "error": sentence, "quota": await quota_of(downloads, caller)}
            context |= {"taken": taken, "values": sent}
            return Template("downloads/_preview.html", context=context, status_code=status)
        page = await list_context(downloads, approvals, whole_queue, caller, "", 0)
        context = {**page, "values": sent, "preview": found, "taken": taken, "error": None, "add_error": sentence}
        return Template("downloads/index.html", context=context, status_code=status)

    @get("/{download_id:int}")
    async def detail(
        self,
        download_id: Id,
        downloads: Downloads,
        plex_library: InPlex,
        caller: Person,
        offset: FromQuery[int] = 0,
    ) -> Template:
        download = await downloads.get(download_id, by=caller.user)
        context: dict[str, Any] = {"download": download, "log": await downloads.log(download_id, by=caller.user)}
        if download.is_list:
            context |= await items_context(downloads, caller, download_id, offset)
            context["collection"] = await plex_library.collection(download_id)
        return Template("downloads/detail.html", context=context)

    @get("/{download_id:int}/row")
    async def row(self, download_id: Id, downloads: Downloads, caller: Person) -> Template:
        return Template("downloads/_row.html", context={"download": await downloads.get(download_id, by=caller.user)})

    @get("/{download_id:int}/items")
    async def items(
        self, download_id: Id, downloads: Downloads, caller: Person, offset: FromQuery[int] = 0
    ) -> Template:
        context = await items_context(downloads, caller, download_id, offset)
        return Template(
            "downloads/_items.html", context={"download": await downloads.get(download_id, by=caller.user), **context}
        )

    @post("/{download_id:int}/{verb:str}", status_code=200)
    async def act(
        self,
        request: AnyRequest,
        download_id: Id,
        verb: FromPath[str],
        downloads: Downloads,
        approvals: ToApprove,
        caller: Person,
        urls: Addresses,
    ) -> Response[Any]:
        """Cancel, pause, resume, retry, record, replay, finish, remove, top, up, down, place; of a child's: approve, decline."""
        if verb in ("approve", "decline"):
            address = device_of(request).address
            if verb == "approve":
                download: Download | None = await approvals.approve(download_id, caller.user, address=address)
            else:
                reason = str((await request.form()).get("reason", ""))
                download = await approvals.decline(download_id, reason, caller.user, address=address)
        else:
            download = await _act(downloads, verb, download_id, caller.user, await request.form())
        if not request.headers.get("HX-Request"):
            form = await request.form()
            return Redirect(urls.safe_next(str(form.get("back", "")), "/downloads"), status_code=303)
        if download is None:
            return Response(b"", media_type="text/html")
        return Template("downloads/_row.html", context={"download": download})


class QueueSettingsPages(Controller):
    path = "/downloads/settings"
    guards = (requires_admin,)
    include_in_schema = False

    @get()
    async def show(self, downloads: Downloads, saved: FromQuery[bool] = False) -> Template:
        settings = await downloads.queue_settings()
        return Template("downloads/settings.html", context={"settings": settings, "errors": {}, "saved": saved})

    @post(status_code=200)
    async def save(self, request: AnyRequest, downloads: Downloads, caller: Person, urls: Addresses) -> Response[Any]:
        form = await request.form()
        current = await downloads.queue_settings()
        try:
            await downloads.change_queue_settings(read_queue_settings(form, current), by=caller.user)
        except Invalid as error:
            names = {
                "rate_limit_bytes_s": "rate_limit_mb_s",
                "total_rate_bytes_s": "total_rate_mb_s",
                "free_space_floor_bytes": "free_space_floor_gb",
                "record_bytes": "record_gb",
            }
            errors = {names.get(name, name): sentence for name, sentence in error.fields.items()}
            context = {"settings": current, "errors": errors, "saved": False, "values": dict(form)}
            return Template("downloads/settings.html", context=context, status_code=error.status)
        return Redirect(urls.to("/downloads/settings?saved=true"), status_code=303)


@get("/pictures/{name:str}", include_in_schema=False, sync_to_thread=True)
def picture(name: FromPath[str], pictures: NamedDependency[PictureStore]) -> Response[bytes]:
    """A row's picture; its name is the hash of what it holds, so it never changes."""
    content, media_type = pictures.read(name)
    headers = {
        "Cache-Control": "private, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)


async def quota_of(downloads: DownloadService, caller: Caller) -> QuotaUse | None:
    """What the box for links says about the person's share; None where nothing limits them."""
    if caller.user.is_admin or not caller.user.may(Permission.DOWNLOAD):
        return None
    return await downloads.quota_use(caller.user)


async def list_context(
    downloads: DownloadService,
    approvals: Approvals,
    whole_queue: WholeQueueService,
    caller: Caller,
    show: str,
    offset: int,
) -> dict[str, Any]:
    """What the list with its chips shows."""
    limit = caller.preferences.page_size
    found, total = await downloads.list(by=caller.user, group=show or None, limit=limit, offset=offset)
    counts = await downloads.counts(by=caller.user)
    waiting, waiting_total = await approvals.list(caller.user, limit=MOST_APPROVALS, offset=0)
    return {
        "approvals": waiting,
        "approvals_total": waiting_total,
        "quota": await quota_of(downloads, caller),
        "whole": await whole_queue.show(caller.user),
        "show": show,
        "downloads": found,
        "total": total,
        "offset": max(0, offset),
        "limit": limit,
        "counts": counts,
    }


async def items_context(downloads: DownloadService, caller: Caller, download_id: int, offset: int) -> dict[str, Any]:
    """A page of a list's videos."""
    limit = caller.preferences.page_size
    found, total = await downloads.items(download_id, by=caller.user, limit=limit, offset=offset)
    return {"items": found, "items_total": total, "offset": max(0, offset), "limit": limit}


async def _act(
    downloads: DownloadService, verb: str, download_id: int, by: User, form: Mapping[str, Any]
) -> Download | None:
    verbs: dict[str, Callable[..., Awaitable[Download]]] = {
        "cancel": downloads.cancel,
        "pause": downloads.pause,
        "resume": downloads.resume,
        "retry": downloads.retry,
        "record": downloads.broadcasts.record,
        "replay": downloads.broadcasts.replay,
        "finish": downloads.broadcasts.finish,
    }
    if verb == "remove":
        await downloads.remove(download_id, by=by)
        return None
    if verb in verbs:
        return await verbs[verb](download_id, by=by)
    if verb in ("top", "place"):
        place = str(form.get("position", "")) if verb == "place" else "1"
        return await downloads.change(download_id, by=by, position=int(place[:9]) if place.isdecimal() else 0)
    steps = {"up": -1, "down": 1}
    if verb not in steps:
        raise Invalid("There is no such button.")
    return await downloads.step(download_id, by, steps[verb])


HANDLERS: tuple[Any, ...] = (DownloadPages, QueueSettingsPages, picture)
