"""Subscriptions as JSON."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from medianest.accounts.model import Caller, Permission, Scope
from medianest.subscriptions.model import (
    ItemState,
    NewSubscription,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
    SubscriptionPreview,
)
from medianest.subscriptions.service import SubscriptionService
from medianest.web.guards import requires
from medianest.web.paging import Limit, Offset, Page

Service = NamedDependency[SubscriptionService]
Person = NamedDependency[Caller]
Id = FromPath[int]
FOLLOWS = requires(Permission.FOLLOW)


class SubscriptionApi(Controller):
    path = "/api/v1/subscriptions"
    tags = ("Subscriptions",)
    opt = {"scope": Scope.DOWNLOADS}  # noqa: RUF012

    @get(summary="What is followed, by name; everybody's for administrators")
    async def list_subscriptions(
        self, subscriptions: Service, caller: Person, limit: Limit = 20, offset: Offset = 0
    ) -> Page[Subscription]:
        found, total = await subscriptions.list(caller.user, limit=limit, offset=offset)
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @post(
        status_code=201,
        guards=[FOLLOWS],
        summary="Follow a channel, playlist or feed; 200 with the existing one when it is followed already",
        responses={200: ResponseSpec(data_container=Subscription, description="It was followed already")},
    )
    async def follow(
        self, data: JSONBody[NewSubscription], subscriptions: Service, caller: Person
    ) -> Response[Subscription]:
        made, is_new = await subscriptions.follow(data, by=caller.user)
        return Response(made, status_code=201 if is_new else 200)

    @post("/preview", status_code=200, guards=[FOLLOWS], summary="What following a link would take now")
    async def preview(
        self, data: JSONBody[NewSubscription], subscriptions: Service, caller: Person
    ) -> SubscriptionPreview:
        return await subscriptions.preview(data, by=caller.user)

    @get("/{subscription_id:int}", summary="One subscription")
    async def one(self, subscription_id: Id, subscriptions: Service, caller: Person) -> Subscription:
        return await subscriptions.get(subscription_id, by=caller.user)

    @patch("/{subscription_id:int}", summary="Change what is taken, how often it is checked; pause it or go on")
    async def change(
        self, subscription_id: Id, data: JSONBody[SubscriptionChange], subscriptions: Service, caller: Person
    ) -> Subscription:
        return await subscriptions.change(subscription_id, data, by=caller.user)

    @delete("/{subscription_id:int}", summary="End it; its videos stay, unless they are to go as well")
    async def unfollow(
        self, subscription_id: Id, subscriptions: Service, caller: Person, delete_files: FromQuery[bool] = False
    ) -> None:
        await subscriptions.unfollow(subscription_id, by=caller.user, deletes_files=delete_files)

    @post("/{subscription_id:int}/check", status_code=200, summary="Look now whether there is anything new")
    async def check(self, subscription_id: Id, subscriptions: Service, caller: Person) -> Subscription:
        return await subscriptions.check(subscription_id, by=caller.user)

    @post("/{subscription_id:int}/dry-run", status_code=200, summary="What a check would take, with other settings too")
    async def dry_run(
        self, subscription_id: Id, data: JSONBody[SubscriptionChange], subscriptions: Service, caller: Person
    ) -> SubscriptionPreview:
        return await subscriptions.dry_run(subscription_id, data, by=caller.user)

    @get("/{subscription_id:int}/items", summary="Its videos, newest first")
    async def items(
        self,
        subscription_id: Id,
        subscriptions: Service,
        caller: Person,
        with_state: Annotated[ItemState | None, QueryParameter(name="state")] = None,
        limit: Limit = 20,
        offset: Offset = 0,
    ) -> Page[SubscriptionItem]:
        found, total = await subscriptions.items(
            subscription_id, by=caller.user, state=with_state, limit=limit, offset=offset
        )
        return Page(items=list(found), total=total, limit=limit, offset=offset)

    @post("/{subscription_id:int}/items/{item_id:int}/ignore", status_code=200, summary="Not to be taken")
    async def ignore(
        self, subscription_id: Id, item_id: Id, subscriptions: Service, caller: Person
    ) -> SubscriptionItem:
        return await subscriptions.ignore(subscription_id, item_id, by=caller.user)

    @post(
        "/{subscription_id:int}/items/{item_id:int}/download", status_code=200, summary="Take it though it was left out"
    )
    async def take(self, subscription_id: Id, item_id: Id, subscriptions: Service, caller: Person) -> SubscriptionItem:
        return await subscriptions.take(subscription_id, item_id, by=caller.user)


HANDLERS: tuple[type[Controller], ...] = (SubscriptionApi,)
