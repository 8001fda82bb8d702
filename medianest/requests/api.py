"""Requests as JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from medianest.accounts.model import Caller, Permission, Scope
from medianest.errors import TooLarge
from medianest.media.model import MediaType
from medianest.requests.model import MediaRequest, NewRequest, RequestStatus
from medianest.requests.service import RequestService
from medianest.requests.webhook import LARGEST_BYTES, WebhookInbox
from medianest.web.auth import device_of
from medianest.web.forms import read_json
from medianest.web.guards import requires
from medianest.web.paging import Limit, Offset, Page

Service = NamedDependency[RequestService]
Person = NamedDependency[Caller]
Id = FromPath[int]
MANAGES = requires(Permission.MANAGE_REQUESTS)
AnyRequest = Request[Any, Any, Any]
OPEN: list[dict[str, list[str]]] = [{}]


class SentRequest(NewRequest, frozen=True, kw_only=True):
    """A request; `for_user` is the person it is for, where whoever looks after requests asks on somebody's behalf."""

    for_user: int | None = None


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    reason: str = ""


class RequestApi(Controller):
    path = "/api/v1/requests"
    tags = ("Requests",)
    opt = {"scope": Scope.REQUESTS}  # noqa: RUF012

    @post(
        status_code=201,
        summary="Ask for a film or series; 200 with the existing request when somebody has asked already",
        responses={200: ResponseSpec(data_container=MediaRequest, description="Joined what was asked for already")},
    )
    async def submit(
        self, request: AnyRequest, data: JSONBody[SentRequest], media_requests: Service, caller: Person
    ) -> Response[MediaRequest]:
        new = NewRequest(media_type=data.media_type, tmdb_id=data.tmdb_id, seasons=data.seasons, is_4k=data.is_4k)
        address = device_of(request).address
        made, is_new = await media_requests.submit(new, caller.user, data.for_user, address=address)
        return Response(made, status_code=201 if is_new else 200)

    @get(summary="Requests, newest first: own and followed ones, everybody's for whoever may see them")
    async def list_requests(
        self,
        media_requests: Service,
        caller: Person,
        show: FromQuery[str | None] = None,
        with_status: Annotated[RequestStatus | None, QueryParameter(name="status")] = None,
        media_type: FromQuery[MediaType | None] = None,
        q: FromQuery[str] = "",
        sort: FromQuery[str] = "newest",
        mine: FromQuery[bool] = False,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Page[MediaRequest]:
        found, total = await media_requests.list(
            caller.user, show, status=with_status, media_type=media_type, words=q, order=sort, only_own=mine,
            limit=limit, offset=offset,
        )  # fmt: skip
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @get("/{request_id:int}", summary="One request, with its history")
    async def one(self, request_id: Id, media_requests: Service, caller: Person) -> MediaRequest:
        return await media_requests.get(request_id, by=caller.user)

    @delete("/{request_id:int}", summary="Take it back, while it waits")
    async def cancel(self, request: AnyRequest, request_id: Id, media_requests: Service, caller: Person) -> None:
        await media_requests.cancel(request_id, by=caller.user, address=device_of(request).address)

    @post("/{request_id:int}/approve", status_code=200, guards=[MANAGES], summary="Let it be looked for")
    async def approve(
        self, request: AnyRequest, request_id: Id, media_requests: Service, caller: Person
    ) -> MediaRequest:
        return await media_requests.approve(request_id, by=caller.user, address=device_of(request).address)

    @post("/{request_id:int}/decline", status_code=200, guards=[MANAGES], summary="Say no, with a reason")
    async def decline(
        self, request: AnyRequest, request_id: Id, media_requests: Service, caller: Person
    ) -> MediaRequest:
        sent = read_json(await request.body(), Refusal)
        address = device_of(request).address
        return await media_requests.decline(request_id, sent.reason, by=caller.user, address=address)

    @post("/{request_id:int}/retry", status_code=200, summary="Once more what did not work")
    async def retry(self, request_id: Id, media_requests: Service, caller: Person) -> MediaRequest:
        return await media_requests.retry(request_id, by=caller.user)

    @post("/{request_id:int}/follow", status_code=200, summary="Be told about somebody else's request")
    async def follow(self, request_id: Id, media_requests: Service, caller: Person) -> MediaRequest:
        return await media_requests.follow(request_id, by=caller.user)

    @delete("/{request_id:int}/follow", summary="Not be told any more")
    async def unfollow(self, request_id: Id, media_requests: Service, caller: Person) -> None:
        await media_requests.unfollow(request_id, by=caller.user)


@post(
    "/api/v1/webhooks/overseerr",
    status_code=202,
    opt={"public": True},
    security=OPEN,
    tags=("Requests",),
    summary="A hint of Overseerr or Seerr, with the secret in the Authorization header",
)
async def overseerr_webhook(request: AnyRequest, inbox: NamedDependency[WebhookInbox]) -> None:
    """Nothing it says is believed: the request it names is read anew."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BYTES:
        raise TooLarge("A webhook of Overseerr is never as large as this.")
    await inbox.take(request.headers.get("authorization", ""), await request.body())


HANDLERS: tuple[Any, ...] = (RequestApi, overseerr_webhook)
