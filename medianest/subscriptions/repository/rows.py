"""From rows to models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

import msgspec

from medianest.downloads.model import DownloadKind, DownloadState, Priority, Quality
from medianest.subscriptions.model import (
    Filters,
    ItemCounts,
    ItemState,
    Keep,
    KeepRule,
    Layout,
    LeftOut,
    Outcome,
    Subscription,
    SubscriptionItem,
    SubscriptionState,
)

Row = Mapping[str, Any]
COLUMNS = ", ".join(
    f"s.{name}"
    for name in (
        *(
            "id",
            "user_id",
            "url",
            "site",
            "kind",
            "title",
            "uploader",
            "picture",
            "interval_s",
            "quality",
            "audio_only",
        ),
        *(
            "layout",
            "priority",
            "filters",
            "keep_rule",
            "keep_number",
            "state",
            "next_check_at",
            "checked_at",
            "outcome",
        ),
        *("message", "failures", "owner", "lease_until", "created_at"),
    )
)
ITEM_COLUMNS = (
    "id, subscription_id, url, title, duration_s, tab, published_on, found_at, is_backlog, state, reason, download_id"
)


def to_subscription(row: Row, *, counts: ItemCounts, now: datetime, owner_name: str = "") -> Subscription:
    """The model of `row`, which names its newest video too."""
    return Subscription(
        id=row["id"],
        user_id=row["user_id"],
        url=row["url"],
        kind=DownloadKind(row["kind"]),
        title=row["title"],
        uploader=row["uploader"],
        picture=f"/pictures/{row['picture']}" if row["picture"] else None,
        site=row["site"],
        interval_minutes=row["interval_s"] // 60,
        quality=Quality(row["quality"]),
        audio_only=bool(row["audio_only"]),
        layout=Layout(row["layout"]),
        priority=Priority(row["priority"]).name.lower(),
        filters=to_filters(row["filters"]),
        keep=KeepRule(rule=Keep(row["keep_rule"]), number=row["keep_number"]),
        state=SubscriptionState(row["state"]),
        is_checking=row["owner"] is not None and row["lease_until"] is not None and row["lease_until"] > now,
        checked_at=row["checked_at"],
        next_check_at=row["next_check_at"],
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        message=row["message"],
        failures=row["failures"],
        created_at=row["created_at"],
        counts=counts,
        newest_title=row["newest_title"] or "",
        newest_at=_newest_at(row) if row["newest_title"] else None,
        owner_name=owner_name,
    )


def to_item(row: Row, download_state: DownloadState | None = None) -> SubscriptionItem:
    """The model of an item's row."""
    return SubscriptionItem(
        id=row["id"],
        subscription_id=row["subscription_id"],
        url=row["url"],
        title=row["title"],
        duration_s=row["duration_s"],
        tab=row["tab"],
        published_on=row["published_on"],
        found_at=row["found_at"],
        is_backlog=bool(row["is_backlog"]),
        state=ItemState(row["state"]),
        reason=LeftOut(row["reason"]) if row["reason"] else None,
        download_id=row["download_id"],
        download_state=download_state,
    )


def to_filters(value: Any) -> Filters:
    """JSON comes as text from both drivers."""
    return msgspec.convert(json.loads(value) if isinstance(value, str) else value, Filters)


def filters_json(filters: Filters) -> str:
    return msgspec.json.encode(filters).decode()


def _newest_at(row: Row) -> datetime:
    day = row["newest_on"]
    found: datetime = row["newest_found_at"]
    # the hour is not known: of what came out on the day it was found, the moment it was found is nearer
    if day is None or day >= found.date():
        return found
    return datetime.combine(day, time(12), UTC)
