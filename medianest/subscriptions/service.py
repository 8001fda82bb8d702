"""The rules of following: who may follow what, what is taken of it, what ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from medianest.accounts.model import Permission, User
from medianest.downloads.feeds.model import Feed
from medianest.downloads.model import DownloadKind, Priority
from medianest.errors import Conflict, Invalid, NotAllowed
from medianest.subscriptions.announcer import Announcer
from medianest.subscriptions.looking import FeedReader, Looks
from medianest.subscriptions.model import (
    ItemState,
    NewSubscription,
    Old,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
    SubscriptionPreview,
    SubscriptionState,
    Unfollowed,
)
from medianest.subscriptions.previewing import show_feed
from medianest.subscriptions.repository.lists import SubscriptionLists
from medianest.subscriptions.repository.rows import filters_json
from medianest.subscriptions.repository.states import NewRow, SubscriptionStates
from medianest.subscriptions.rules import (
    CONFIRM_ABOVE,
    Judged,
    check_values,
    judge_fresh,
    judge_old,
    next_wait_s,
    unique,
)
from medianest.subscriptions.videos import Videos

MOST_FOLLOWED = 500  # by one person
MOST_AT_ONCE = 100
NO_FOLLOWING = "Your account may not follow channels. Ask whoever runs this server."


class SubscriptionService:
    """What pages and API call. Somebody else's subscription does not exist, but for administrators."""

    def __init__(
        self, lists: SubscriptionLists, states: SubscriptionStates, feeds: FeedReader, looks: Looks, videos: Videos,
        announcer: Announcer, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._feeds = feeds
        self._looks = looks
        self._videos = videos
        self._announcer = announcer
        self._wake = wake

    async def list(self, by: User, *, limit: int = 50, offset: int = 0) -> tuple[tuple[Subscription, ...], int]:
        """A page of what they follow, by name, and how many there are; an administrator sees everybody's."""
        limit, offset = _window(limit, offset)
        found = await self._lists.page(_person(by), limit=limit, offset=offset, now=_now())
        return found, await self._lists.count(_person(by))

    async def get(self, subscription_id: int, by: User) -> Subscription:
        """One of theirs; raises `NotFound`."""
        return await self._lists.get(subscription_id, _person(by), now=_now())

    async def preview(self, new: NewSubscription, by: User) -> SubscriptionPreview:
        """What following a link would take now; nothing is kept.

        Raises:
            Invalid: it is no list, or a value does not fit.
            FeedRefused: the site does not show it now.
            NotAllowed: they may not follow.
        """
        _check_new(new)
        _require_follow(by)
        url, url_key, _site = self._feeds.source(new.url)
        feed = await self._looks.at(url)
        judged = await _judge_old(feed, new)
        existing = await self._lists.find(by.id, url_key)
        return show_feed(url, feed, judged, confirm_above=_asks_above(new), existing=existing)

    async def dry_run(self, subscription_id: int, change: SubscriptionChange, by: User) -> SubscriptionPreview:
        """What a check would take now with `change`; nothing is kept and nothing is taken. Raises as `preview`."""
        current = _with(await self.get(subscription_id, by), change)
        url = self._feeds.source(current.url)[0]
        self._looks.forget(url)
        feed = await self._looks.at(url)
        entries = unique(feed.entries)
        known = await self._states.known(subscription_id, (one.key for one in entries))
        fresh = [one for one in entries if one.key not in known]
        judged = await asyncio.to_thread(judge_fresh, fresh, current.filters)
        return show_feed(url, feed, judged, confirm_above=None, existing=subscription_id)

    async def follow(self, new: NewSubscription, by: User) -> tuple[Subscription, bool]:
        """Begin to follow a link; what is wanted of its old videos goes into the queue by and by.

        Returns:
            The subscription, and whether it is new: following the same twice changes nothing.

        Raises:
            Conflict: so many old videos would be taken that it has to be confirmed (`confirm_needed`), or too much is
                followed already.
            Invalid, FeedRefused, NotAllowed: as `preview`.
        """
        _check_new(new)
        _require_follow(by)
        if Priority[new.priority.upper()] is Priority.HIGH and not by.may(Permission.PRIORITY):
            raise NotAllowed("Your account may not put downloads first.", code="permission_missing")
        url, url_key, site = self._feeds.source(new.url)
        if (existing := await self._lists.find(by.id, url_key)) is not None:
            return await self.get(existing, by), False
        if await self._lists.count(by.id) >= MOST_FOLLOWED:
            raise Conflict(f"{MOST_FOLLOWED} subscriptions are the most. End one that you do not need.")
        feed = await self._looks.at(url)
        judged = await _judge_old(feed, new)
        takes = sum(one.left_out is None for one in judged)
        most = _asks_above(new)
        if most is not None and takes > most and not new.confirmed:
            raise Conflict(
                f"This takes {takes} videos that are there already. Confirm it, or take fewer.", code="confirm_needed"
            )
        now, interval_s = _now(), new.interval_minutes * 60
        row = NewRow(
            user_id=by.id, url=url, url_key=url_key, site=site, kind=feed.kind, title=feed.title, uploader=feed.uploader,
            picture=feed.picture, interval_s=interval_s, quality=new.quality, audio_only=new.audio_only, layout=new.layout,
            priority=Priority[new.priority.upper()], filters=new.filters, keep=new.keep,
            is_newest_first=feed.kind is DownloadKind.CHANNEL,
        )  # fmt: skip
        after = now + timedelta(seconds=next_wait_s(interval_s))
        made = await self._states.add(row, judged, at=now, next_check_at=after)
        if made is None:  # the same form, sent twice at once
            existing = await self._lists.find(by.id, url_key)
            return await self.get(existing or 0, by), False
        self._wake()
        await self._announcer.listed(by.id)
        return await self.get(made, by), True

    async def change(self, subscription_id: int, change: SubscriptionChange, by: User) -> Subscription:
        """Keep other settings, pause it or go on. They hold from the next check; what was left out stays so.

        Raises:
            Invalid: with a sentence for each value that does not fit.
            NotFound, NotAllowed: not theirs; they may not put downloads first.
        """
        before = await self.get(subscription_id, by)
        after = _with(before, change)
        if (
            Priority[after.priority.upper()] is Priority.HIGH
            and before.priority != "high"
            and not by.may(Permission.PRIORITY)
        ):
            raise NotAllowed("Your account may not put downloads first.", code="permission_missing")
        now = _now()
        values: dict[str, Any] = {
            "title": " ".join(after.title.split()),
            "quality": after.quality,
            "audio_only": after.audio_only,
            "layout": after.layout,
            "priority": int(Priority[after.priority.upper()]),
            "filters": filters_json(after.filters),
            "keep_rule": after.keep.rule,
            "keep_number": after.keep.number,
        }
        if after.interval_minutes != before.interval_minutes:
            seconds = after.interval_minutes * 60
            values["interval_s"] = seconds
            values["next_check_at"] = min(before.next_check_at, now + timedelta(seconds=next_wait_s(seconds)))
            if not after.is_paused:
                values["due_at"] = now  # looks after its time anew
        if after.state is not before.state:
            if after.is_paused:
                values |= {"state": SubscriptionState.PAUSED, "due_at": None}
            else:
                _require_follow(by)
                values |= {"state": SubscriptionState.ACTIVE, "failures": 0, "due_at": now}
        await self._states.change(subscription_id, values, now)
        self._wake()
        await self._announcer.changed(subscription_id, before.user_id)
        return await self.get(subscription_id, by)

    async def check(self, subscription_id: int, by: User) -> Subscription:
        """Look now whether there is anything new.

        Raises:
            Conflict: it is paused.
            NotFound, NotAllowed: not theirs; they may not follow any more.
        """
        found = await self.get(subscription_id, by)
        _require_follow(by)
        if found.is_paused:
            raise Conflict("It is paused. Let it go on first.")
        if not found.is_checking:
            await self._states.look_now(subscription_id, _now())
            self._wake()
        return await self.get(subscription_id, by)

    async def what_goes(self, subscription_id: int, by: User) -> Unfollowed:
        """What ending it does."""
        counts = (await self.get(subscription_id, by)).counts
        return Unfollowed(waiting=counts.wanted + counts.queued, downloaded=counts.downloaded)

    async def unfollow(self, subscription_id: int, by: User, *, deletes_files: bool = False) -> None:
        """End it: what waits in the queue because of it is taken off. Its videos stay, unless they are to go as well.

        Videos that the person or somebody else asked for in another way stay in every case.
        """
        found = await self.get(subscription_id, by)
        await self._states.end(subscription_id, deletes_files=deletes_files, at=_now())
        self._looks.forget(found.url)
        self._wake()
        await self._announcer.listed(found.user_id)

    async def items(
        self, subscription_id: int, by: User, *, state: ItemState | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[tuple[SubscriptionItem, ...], int]:
        """Its videos, newest first, and how many there are."""
        found = await self.get(subscription_id, by)
        limit, offset = _window(limit, offset)
        return await self._videos.page(found, state, limit=limit, offset=offset)

    async def ignore(self, subscription_id: int, item_id: int, by: User) -> SubscriptionItem:
        """Not to be taken. Raises `Conflict` when a download has it already."""
        return await self._videos.ignore(await self.get(subscription_id, by), item_id)

    async def take(self, subscription_id: int, item_id: int, by: User) -> SubscriptionItem:
        """Download it though it was left out, ignored or deleted; raises as adding a download does."""
        return await self._videos.take(await self.get(subscription_id, by), item_id)

    async def sign_in_changed(self, site: str) -> None:
        """The cookies of a site are others: lists that wait for a sign-in there are looked at now."""
        await self._states.look_again_at(site, _now())
        self._wake()

    async def count_of(self, user_id: int) -> int:
        """How many somebody follows: they end with their account."""
        return await self._lists.count_of(user_id)


def _person(by: User) -> int | None:
    return None if by.is_admin else by.id


def _require_follow(by: User) -> None:
    if not (by.may(Permission.FOLLOW) and by.may(Permission.DOWNLOAD)):
        raise NotAllowed(NO_FOLLOWING, code="permission_missing")


def _check_new(new: NewSubscription) -> None:
    if not new.url.strip():
        raise Invalid("A link is needed.", fields={"url": "A link is needed."})
    check_values(
        interval_minutes=new.interval_minutes, priority=new.priority, filters=new.filters, keep=new.keep,
        old_number=new.old_number,
    )  # fmt: skip


def _with(current: Subscription, change: SubscriptionChange) -> Subscription:
    """`current` with what is set in `change`; raises `Invalid`."""
    if change.state is SubscriptionState.ENDING or change.state is SubscriptionState.FAILING:
        raise Invalid("It can be active or paused.", fields={"state": "It can be active or paused."})
    values = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not msgspec.UNSET}
    if values.get("state") is SubscriptionState.ACTIVE and not current.is_paused:
        del values["state"]  # a failing one is active already
    after = msgspec.structs.replace(current, **values)
    check_values(
        interval_minutes=after.interval_minutes, priority=after.priority, filters=after.filters, keep=after.keep, title=after.title
    )  # fmt: skip
    return after


def _asks_above(new: NewSubscription) -> int | None:
    """So many old videos are taken without asking; a number that was given is meant."""
    return CONFIRM_ABOVE if new.take_old is Old.ALL else None


async def _judge_old(feed: Feed, new: NewSubscription) -> tuple[Judged, ...]:
    most = {Old.NONE: 0, Old.LAST: new.old_number, Old.ALL: None}[new.take_old]
    return await asyncio.to_thread(judge_old, feed.entries, new.filters, most)


def _window(limit: int, offset: int) -> tuple[int, int]:
    return max(1, min(limit, MOST_AT_ONCE)), max(0, min(offset, 10**9))


def _now() -> datetime:
    return datetime.now(UTC)
