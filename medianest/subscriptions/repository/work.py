"""Subscriptions as work: claimed with a lease, so that of several processes one checks each; and what one has still to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres
from medianest.downloads.model import Priority, Quality
from medianest.subscriptions.model import Filters, ItemState, Layout, Outcome, SubscriptionState
from medianest.subscriptions.repository.rows import to_filters

_COLUMNS = (
    "id, user_id, url, title, interval_s, quality, audio_only, layout, priority, filters, state, is_newest_first, "
    "next_check_at, outcome, message, failures, deletes_files"
)
DUE = "due_at <= {} AND (lease_until IS NULL OR lease_until < {})"
DUE_QUERY = f"SELECT id FROM subscriptions WHERE {DUE} ORDER BY due_at LIMIT 1"
NEXT_QUERY = (
    "SELECT due_at FROM subscriptions WHERE due_at IS NOT NULL AND (lease_until IS NULL OR lease_until < {}) "
    "ORDER BY due_at LIMIT 1"
)
WANTED_QUERY = (
    "SELECT id, identity, url, title, duration_s, is_backlog FROM subscription_items WHERE subscription_id = {} "
    "AND state = 'wanted' AND is_backlog = {} ORDER BY place DESC LIMIT {}"
)
QUEUED_QUERY = (
    "SELECT id, download_id, is_backlog FROM subscription_items WHERE subscription_id = {} AND state = 'queued' "
    "ORDER BY place DESC LIMIT {}"
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that this process looks after now."""

    id: int
    user_id: int
    url: str
    title: str
    interval_s: int
    quality: Quality
    audio_only: bool
    layout: Layout
    priority: Priority
    filters: Filters
    state: SubscriptionState
    is_newest_first: bool
    next_check_at: datetime
    outcome: Outcome | None
    message: str
    failures: int
    deletes_files: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a claim ends with. `checked_at` is there when the list was looked at."""

    outcome: Outcome | None
    message: str
    failures: int
    next_check_at: datetime
    due_at: datetime
    checked_at: datetime | None = None


class WorkRepository:
    """`owner` is this process, as its rows say it."""

    def __init__(self, owner: str, lease_s: float) -> None:
        self._owner = owner
        self._lease_s = lease_s

    async def claim(self, now: datetime) -> Claim | None:
        """Take the one that has waited longest; None when nothing is due."""
        skip = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
        rows = await fetch(
            f"UPDATE subscriptions SET owner = {{}}, lease_until = {{}} WHERE id = ({DUE_QUERY}{skip}) AND {DUE} "
            f"RETURNING {_COLUMNS}",
            *(self._owner, self._until(now), now, now, now, now),
        )
        if not rows:
            return None
        return msgspec.convert({**rows[0], "filters": to_filters(rows[0]["filters"]), **_flags(rows[0])}, Claim)

    async def beat(self, claim: Claim, now: datetime) -> bool:
        """Hold the claim for longer; False when somebody else has it."""
        rows = await fetch(
            "UPDATE subscriptions SET lease_until = {} WHERE id = {} AND owner = {} RETURNING id",
            *(self._until(now), claim.id, self._owner),
        )
        return bool(rows)

    async def finish(self, claim: Claim, result: Result, at: datetime, *, failing_after: int) -> None:
        """Give it back. A check that was asked for, or a pause that was made, meanwhile holds."""
        await fetch(
            "UPDATE subscriptions SET owner = NULL, lease_until = NULL, outcome = {}, message = {}, failures = {}, "
            f"checked_at = coalesce({_ts()}, checked_at), changed_at = {{}}, "
            "due_at = CASE WHEN state = 'paused' THEN NULL WHEN state = 'ending' OR next_check_at <> {} THEN due_at ELSE {} END, "
            "state = CASE WHEN state IN ('paused', 'ending') THEN state WHEN {} THEN 'failing' ELSE 'active' END, "
            "next_check_at = CASE WHEN next_check_at = {} THEN {} ELSE next_check_at END WHERE id = {} AND owner = {}",
            *(
                result.outcome,
                result.message[:500],
                result.failures,
                result.checked_at,
                at,
                claim.next_check_at,
                result.due_at,
            ),
            result.failures >= failing_after,
            *(claim.next_check_at, result.next_check_at, claim.id, self._owner),
        )

    async def free(self, claim: Claim) -> None:
        """Leave it to the next who looks."""
        await fetch(
            "UPDATE subscriptions SET owner = NULL, lease_until = NULL WHERE id = {} AND owner = {}",
            *(claim.id, self._owner),
        )

    async def free_all_of(self, instance: str) -> None:
        """Free what earlier runs of this instance held: its data folder is locked, so they are over."""
        await fetch(
            "UPDATE subscriptions SET owner = NULL, lease_until = NULL WHERE owner LIKE {} AND owner <> {}",
            *(instance + "/%", self._owner),
        )

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next one is due that nobody holds."""
        rows = await fetch(NEXT_QUERY, now)
        return rows[0]["due_at"] if rows else None

    async def wanted(self, subscription_id: int, *, is_backlog: bool, limit: int) -> list[dict[str, Any]]:
        """What is to be put into the queue, newest first."""
        return await fetch(WANTED_QUERY, subscription_id, is_backlog, limit)

    async def queued(self, subscription_id: int, limit: int = 1000) -> list[dict[str, Any]]:
        """What downloads have."""
        return await fetch(QUEUED_QUERY, subscription_id, limit)

    async def has_wanted(self, subscription_id: int) -> bool:
        rows = await fetch(
            "SELECT id FROM subscription_items WHERE subscription_id = {} AND state = {} LIMIT 1",
            *(subscription_id, ItemState.WANTED),
        )
        return bool(rows)

    async def left_to_remove(self, subscription_id: int, limit: int) -> list[dict[str, Any]]:
        """Videos of one that ends, whose downloads are still there."""
        return await fetch(
            "SELECT id, download_id, state FROM subscription_items WHERE subscription_id = {} "
            "AND download_id IS NOT NULL AND is_ours LIMIT {}",
            *(subscription_id, limit),
        )

    async def forget_download(self, item_id: int) -> None:
        await fetch("UPDATE subscription_items SET download_id = NULL WHERE id = {}", item_id)

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._lease_s)


def _flags(row: dict[str, Any]) -> dict[str, bool]:
    return {name: bool(row[name]) for name in ("audio_only", "is_newest_first", "deletes_files")}


def _ts() -> str:
    return "{}::timestamptz" if is_postgres() else "{}"
