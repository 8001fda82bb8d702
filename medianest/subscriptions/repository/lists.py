"""What pages and API show: subscriptions, their counts, and the videos of one of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from medianest.database import fetch
from medianest.errors import NotFound
from medianest.subscriptions.model import ItemCounts, ItemState, Subscription
from medianest.subscriptions.repository.rows import COLUMNS, ITEM_COLUMNS, Row, to_subscription

MISSING = "You follow nothing with this number."
# with its newest video, in one statement
_WITH_NEWEST = (
    f"SELECT {COLUMNS}, n.title AS newest_title, n.published_on AS newest_on, n.found_at AS newest_found_at FROM subscriptions s "
    "LEFT JOIN subscription_items n ON n.id = (SELECT i.id FROM subscription_items i WHERE i.subscription_id = s.id "
    "ORDER BY i.place DESC LIMIT 1)"
)
OF_QUERY = (
    f"{_WITH_NEWEST} WHERE s.user_id = {{}} AND s.state <> 'ending' ORDER BY s.title, s.id LIMIT {{}} OFFSET {{}}"
)
ALL_QUERY = f"{_WITH_NEWEST} WHERE s.state <> 'ending' ORDER BY s.title, s.id LIMIT {{}} OFFSET {{}}"
ITEMS_QUERY = (
    f"SELECT {ITEM_COLUMNS}, history_id, identity FROM subscription_items WHERE subscription_id = {{}} "
    "ORDER BY place DESC LIMIT {} OFFSET {}"
)
STATE_QUERY = (
    f"SELECT {ITEM_COLUMNS}, history_id, identity FROM subscription_items WHERE subscription_id = {{}} AND state = {{}} "
    "ORDER BY place DESC LIMIT {} OFFSET {}"
)
COUNTS_QUERY = (
    "SELECT subscription_id, state, is_backlog, count(*) AS n FROM subscription_items WHERE subscription_id IN ({marks}) "
    "GROUP BY subscription_id, state, is_backlog"
)


class SubscriptionLists:
    """`person` is whose subscriptions exist; None for an administrator, for whom all do."""

    async def page(self, person: int | None, *, limit: int, offset: int, now: datetime) -> tuple[Subscription, ...]:
        """By name."""
        rows = await fetch(ALL_QUERY, limit, offset) if person is None else await fetch(OF_QUERY, person, limit, offset)
        return await self._models(rows, now)

    async def count(self, person: int | None) -> int:
        who, args = ("", ()) if person is None else ("user_id = {} AND ", (person,))
        rows = await fetch(f"SELECT count(*) AS n FROM subscriptions WHERE {who}state <> 'ending'", *args)
        return int(rows[0]["n"])

    async def get(self, subscription_id: int, person: int | None, *, now: datetime) -> Subscription:
        """Raises `NotFound`, for somebody else's too."""
        return (await self._models([await self.row(subscription_id, person)], now))[0]

    async def row(self, subscription_id: int, person: int | None) -> Row:
        rows = await fetch(f"{_WITH_NEWEST} WHERE s.id = {{}} AND s.state <> 'ending'", subscription_id)
        if not rows or (person is not None and rows[0]["user_id"] != person):
            raise NotFound(MISSING)
        return rows[0]

    async def find(self, user_id: int, url_key: str) -> int | None:
        """The person's subscription of this source."""
        rows = await fetch(
            "SELECT id FROM subscriptions WHERE user_id = {} AND url_key = {} AND state <> 'ending'", user_id, url_key
        )
        return rows[0]["id"] if rows else None

    async def counts(self, ids: Sequence[int]) -> dict[int, ItemCounts]:
        """Videos by state."""
        if not ids:
            return {}
        marks = ", ".join(["{}"] * len(ids))
        sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in await fetch(COUNTS_QUERY.replace("{marks}", marks), *ids):
            sums[row["subscription_id"]][row["state"]] += row["n"]
            if not row["is_backlog"] and row["state"] in (ItemState.WANTED, ItemState.QUEUED):
                sums[row["subscription_id"]]["new"] += row["n"]
        return {one: ItemCounts(**found) for one, found in sums.items()}

    async def items(self, subscription_id: int, state: ItemState | None, *, limit: int, offset: int) -> list[Any]:
        """Rows of its videos, newest first."""
        if state is None:
            return await fetch(ITEMS_QUERY, subscription_id, limit, offset)
        return await fetch(STATE_QUERY, subscription_id, state, limit, offset)

    async def item(self, subscription_id: int, item_id: int) -> Row:
        rows = await fetch(
            f"SELECT {ITEM_COLUMNS}, history_id, identity FROM subscription_items WHERE id = {{}} AND subscription_id = {{}}",
            *(item_id, subscription_id),
        )
        if not rows:
            raise NotFound("There is no such video.")
        return rows[0]

    async def count_of(self, user_id: int) -> int:
        """How many somebody follows, for whoever deletes them."""
        rows = await fetch("SELECT count(*) AS n FROM subscriptions WHERE user_id = {}", user_id)
        return int(rows[0]["n"])

    async def _models(self, rows: Sequence[Row], now: datetime) -> tuple[Subscription, ...]:
        counts = await self.counts([row["id"] for row in rows])
        names = await self._names({row["user_id"] for row in rows})
        return tuple(
            [
                to_subscription(
                    row,
                    counts=counts.get(row["id"], ItemCounts()),
                    now=now,
                    owner_name=names.get(row["user_id"], ""),
                )
                for row in rows
            ]
        )

    async def _names(self, user_ids: set[int]) -> dict[int, str]:
        if not user_ids:
            return {}
        marks = ", ".join(["{}"] * len(user_ids))
        rows = await fetch(f"SELECT id, display_name FROM users WHERE id IN ({marks})", *user_ids)
        return {row["id"]: row["display_name"] for row in rows}
