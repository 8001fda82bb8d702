"""The videos of one subscription: shown with how their downloads stand, ignored, taken by hand; and what the queue tells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from medianest.accounts.model import User
from medianest.downloads.model import (
    Download,
    DownloadLeft,
    DownloadRemoved,
    DownloadState,
    DownloadStateChanged,
    Priority,
)
from medianest.errors import Conflict
from medianest.subscriptions.announcer import Announcer
from medianest.subscriptions.looking import FeedReader
from medianest.subscriptions.model import ItemState, Subscription, SubscriptionItem
from medianest.subscriptions.repository.lists import SubscriptionLists
from medianest.subscriptions.repository.rows import to_item
from medianest.subscriptions.repository.states import SubscriptionStates
from medianest.subscriptions.taking import Queue, Taking, as_download, as_seen

PersonOf = Callable[[int], Awaitable[User]]
ENDED = (DownloadState.COMPLETED, DownloadState.FAILED, DownloadState.CANCELLED)
TAKEN = (ItemState.WANTED, ItemState.QUEUED, ItemState.DOWNLOADED)


class Videos:
    """Used by the service, and a listener of the queue."""

    def __init__(
        self, lists: SubscriptionLists, states: SubscriptionStates, feeds: FeedReader, queue: Queue, taking: Taking,
        person_of: PersonOf, announcer: Announcer, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._feeds = feeds
        self._queue = queue
        self._taking = taking
        self._person_of = person_of
        self._announcer = announcer
        self._wake = wake

    async def page(
        self, found: Subscription, state: ItemState | None, *, limit: int, offset: int
    ) -> tuple[tuple[SubscriptionItem, ...], int]:
        """Newest first, and how many there are in all."""
        rows = await self._lists.items(found.id, state, limit=limit, offset=offset)
        ids = [
            row["download_id"] for row in rows if row["download_id"] is not None and row["state"] == ItemState.QUEUED
        ]
        standing = await self._feeds.standing(ids)
        shelved = await self._feeds.shelved(row["identity"] for row in rows if row["state"] == ItemState.DOWNLOADED)
        items = []
        for row in rows:
            if row["identity"] in shelved and shelved[row["identity"]].is_deleted:
                row = {**row, "state": ItemState.DELETED}
            stands = standing.get(row["download_id"]) if row["state"] == ItemState.QUEUED else None
            items.append(to_item(row, stands.state if stands else None))
        counts = found.counts
        each = {
            ItemState.KNOWN: counts.known,
            ItemState.WANTED: counts.wanted,
            ItemState.QUEUED: counts.queued,
            ItemState.DOWNLOADED: counts.downloaded,
            ItemState.IGNORED: counts.ignored,
            ItemState.DELETED: counts.deleted,
        }
        return tuple(items), each[state] if state is not None else sum(each.values())

    async def ignore(self, found: Subscription, item_id: int) -> SubscriptionItem:
        """Raises `Conflict` for one that a download or the library has."""
        row = await self._lists.item(found.id, item_id)
        if row["state"] in (ItemState.QUEUED, ItemState.DOWNLOADED):
            raise Conflict("It is in the queue or in the library already. Remove it there.")
        await self._states.set_item(item_id, ItemState.IGNORED, datetime.now(UTC))
        await self._announcer.changed(found.id, found.user_id)
        return to_item(await self._lists.item(found.id, item_id))

    async def take(self, found: Subscription, item_id: int) -> SubscriptionItem:
        """Put it into the queue now, in the name of whose subscription it is."""
        row = await self._lists.item(found.id, item_id)
        if row["state"] in (ItemState.QUEUED, ItemState.DOWNLOADED):
            raise Conflict("It is in the queue or in the library already.")
        person = await self._person_of(found.user_id)
        new, seen = as_download(found, row, Priority.NORMAL), as_seen(row)
        added, is_new = await self._queue.add(new, person, known=seen)
        await self._states.set_item(item_id, ItemState.QUEUED, datetime.now(UTC), download_id=added.id, is_ours=is_new)
        await self._settle(added.id)
        await self._announcer.changed(found.id, found.user_id)
        return await self._shown(found, item_id, added)

    async def _shown(self, found: Subscription, item_id: int, added: Download) -> SubscriptionItem:
        row = await self._lists.item(found.id, item_id)
        return to_item(row, added.state if row["state"] == ItemState.QUEUED else None)

    async def on_state_changed(self, event: DownloadStateChanged) -> None:
        """A download ended: its video is here now, or there is room for the next older one."""
        if event.state in ENDED:
            await self._settle(event.download_id)

    async def _settle(self, download_id: int) -> None:
        rows = await self._states.of_download(download_id)
        if not rows:
            return
        await self._taking.settle(
            {**row, "download_id": download_id} for row in rows if row["state"] == ItemState.QUEUED
        )
        for row in rows:
            if row["is_backlog"]:
                await self._states.fill_now(row["subscription_id"], datetime.now(UTC))
            await self._announcer.changed(row["subscription_id"], row["user_id"])
        self._wake()

    async def on_removed(self, event: DownloadRemoved) -> None:
        """Somebody took it off the list, with its file: it does not come back."""
        await self._deleted(await self._states.of_download(event.download_id))

    async def on_left(self, event: DownloadLeft) -> None:
        """The same for the one who took a shared download off their own list."""
        await self._deleted(await self._states.of_download(event.download_id, event.user_id))

    async def _deleted(self, rows: list[dict[str, object]]) -> None:
        for row in rows:
            if row["state"] in TAKEN:
                await self._states.set_item(int(str(row["id"])), ItemState.DELETED, datetime.now(UTC))
                await self._announcer.changed(int(str(row["subscription_id"])), int(str(row["user_id"])))
