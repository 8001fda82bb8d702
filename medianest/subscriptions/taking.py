"""Putting videos into the queue in the name of whoever follows them: fresh ones first, older ones as there is room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from medianest.accounts.model import Permission, User
from medianest.downloads.feeds.model import Standing
from medianest.downloads.model import (
    OPEN_STATES,
    Download,
    DownloadKind,
    DownloadState,
    NewDownload,
    Preview,
    Priority,
    QuotaUse,
)
from medianest.errors import Conflict, Invalid, NotAllowed, QuotaExceeded
from medianest.subscriptions.looking import FeedReader
from medianest.subscriptions.model import ItemState, Layout, LeftOut, Subscription
from medianest.subscriptions.repository.states import SubscriptionStates
from medianest.subscriptions.repository.work import Claim, WorkRepository
from medianest.subscriptions.rules import CheckRules

MOST_AT_ONCE = 200
FULL_RETRY_S = 3600.0
ONE_IS_KEPT = "Older videos wait, so that a download of this hour is left for you. They go on by themselves."


class Queue(Protocol):
    """What of the download service is used here."""

    async def add(self, new: NewDownload, by: User, *, known: Preview | None = None) -> tuple[Download, bool]: ...

    async def quota_use(self, by: User) -> QuotaUse: ...

    async def remove(self, download_id: int, by: User) -> None: ...


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was done. `wait_s`: something is left, and may go on after so long; `message` says why it waits."""

    number: int = 0
    wait_s: float | None = None
    message: str = ""


class Taking:
    """Adds what waits; the owner's rights and shares hold as if they had pasted each link."""

    def __init__(
        self, states: SubscriptionStates, work: WorkRepository, feeds: FeedReader, queue: Queue, rules: CheckRules
    ) -> None:
        self._states = states
        self._work = work
        self._feeds = feeds
        self._queue = queue
        self._rules = rules

    async def run(self, claim: Claim, person: User) -> Taken:
        """Put into the queue what waits of `claim`; what does not fit into the person's share stays, in its order."""
        in_line = await self.settle(await self._work.queued(claim.id))
        fresh = await self._take(
            claim, person, await self._waiting(claim, MOST_AT_ONCE, is_backlog=False), Priority(claim.priority)
        )
        if fresh.wait_s is not None:
            return fresh
        room = self._rules.most_in_line - in_line
        older = await self._waiting(claim, max(0, room) + 1, is_backlog=True)
        if not older:
            return fresh
        taken = await self._take(claim, person, older[: max(0, room)], Priority.LOW)
        number = fresh.number + taken.number
        if taken.wait_s is None and len(older) > room:  # the rest follows as soon as there is room
            return Taken(number=number, wait_s=self._rules.refill_s)
        return msgspec.structs.replace(taken, number=number)

    async def settle(self, rows: Iterable[dict[str, Any]]) -> int:
        """Bring videos that downloads have up to date; gives how many older ones are still in line."""
        rows = [row for row in rows if row["download_id"] is not None]
        found = await self._feeds.standing(row["download_id"] for row in rows)
        now, in_line = datetime.now(UTC), 0
        for row in rows:
            standing = found.get(row["download_id"])
            if standing is not None and standing.state in OPEN_STATES:
                in_line += bool(row["is_backlog"])
            elif standing is None or standing.state is DownloadState.COMPLETED:
                await self._settle_one(row["id"], standing, now)
        return in_line

    async def _settle_one(self, item_id: int, standing: Standing | None, now: datetime) -> None:
        if standing is None:
            await self._states.set_item(item_id, ItemState.KNOWN, now, reason=LeftOut.REMOVED, unless=ItemState.DELETED)
        elif standing.is_deleted:
            await self._states.set_item(item_id, ItemState.DELETED, now)
        else:
            await self._states.set_item(item_id, ItemState.DOWNLOADED, now, history_id=standing.history_id)

    async def _waiting(self, claim: Claim, limit: int, *, is_backlog: bool) -> list[dict[str, Any]]:
        """What waits, less what the library has or had: that needs no download."""
        rows = await self._work.wanted(claim.id, is_backlog=is_backlog, limit=limit)
        shelved = await self._feeds.shelved(row["identity"] for row in rows)
        now, left = datetime.now(UTC), []
        for row in rows:
            there = shelved.get(row["identity"])
            if there is not None and there.is_deleted:
                await self._states.set_item(row["id"], ItemState.DELETED, now, history_id=there.history_id)
            elif there is not None and there.is_there:
                await self._states.set_item(row["id"], ItemState.DOWNLOADED, now, history_id=there.history_id)
            else:
                left.append(row)
        return left

    async def _take(self, claim: Claim, person: User, rows: list[dict[str, Any]], priority: Priority) -> Taken:
        number = 0
        for row in rows:
            try:
                if priority is Priority.LOW and row["is_backlog"] and (wait_s := await self._share_wait_s(person)):
                    return Taken(number=number, wait_s=wait_s, message=ONE_IS_KEPT)
                await self._add(claim, person, row, priority)
            except QuotaExceeded as error:
                return Taken(number=number, wait_s=float(error.retry_after_s), message=error.message)
            except Conflict as error:  # their room in the library
                return Taken(number=number, wait_s=FULL_RETRY_S, message=error.message)
            except (Invalid, NotAllowed):
                await self._states.set_item(row["id"], ItemState.KNOWN, datetime.now(UTC), reason=LeftOut.REFUSED)
                continue
            number += 1
        if len(rows) >= MOST_AT_ONCE:
            return Taken(number=number, wait_s=1.0)
        return Taken(number=number)

    async def _share_wait_s(self, person: User) -> float:
        """Seconds until older videos may take of the person's share again; 0 when they may now."""
        use = await self._queue.quota_use(person)
        if use.downloads_left is None or use.downloads_per_hour <= 1 or use.downloads_left > 1:
            return 0.0
        now = datetime.now(UTC)
        opens_at = use.opens_at or now + timedelta(seconds=FULL_RETRY_S)
        return max(60.0, (opens_at - now).total_seconds())

    async def _add(self, claim: Claim, person: User, row: dict[str, Any], priority: Priority) -> None:
        if priority is Priority.HIGH and not person.may(Permission.PRIORITY):
            priority = Priority.NORMAL
        added, is_new = await self._queue.add(as_download(claim, row, priority), person, known=as_seen(row))
        await self._states.set_item(
            row["id"], ItemState.QUEUED, datetime.now(UTC), download_id=added.id, is_ours=is_new
        )


def as_download(wishes: Claim | Subscription, row: Mapping[str, Any], priority: Priority) -> NewDownload:
    """One video of a followed list as the queue takes it."""
    return NewDownload(
        url=row["url"],
        quality=wishes.quality,
        audio_only=wishes.audio_only,
        priority=priority.name.lower(),
        as_film=wishes.layout is Layout.FILM,
    )


def as_seen(row: Mapping[str, Any]) -> Preview:
    """What the list told about it, so that the queue shows a name from the beginning."""
    return Preview(url=row["url"], kind=DownloadKind.VIDEO, title=row["title"], duration_s=row["duration_s"])
