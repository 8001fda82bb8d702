"""Changes of subscriptions and of their videos."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.downloads.model import DownloadKind, Priority, Quality
from medianest.subscriptions.model import Filters, ItemState, KeepRule, Layout, LeftOut, SubscriptionState
from medianest.subscriptions.repository.rows import filters_json
from medianest.subscriptions.rules import Judged

PIECE = 100  # rows of one INSERT: 15 values each
AUDIO = ":audio"


class NewRow(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription that begins."""

    user_id: int
    url: str
    url_key: str
    site: str
    kind: DownloadKind
    title: str
    uploader: str
    picture: str | None
    interval_s: int
    quality: Quality
    audio_only: bool
    layout: Layout
    priority: Priority
    filters: Filters
    keep: KeepRule
    is_newest_first: bool


class SubscriptionStates:
    """Each change is one statement or one transaction."""

    async def add(self, new: NewRow, judged: Sequence[Judged], *, at: datetime, next_check_at: datetime) -> int | None:
        """Begin to follow, with what the list has now; None when the person follows it already."""
        async with transaction():
            rows = await fetch(
                "INSERT INTO subscriptions (user_id, url, url_key, site, kind, title, uploader, picture, interval_s, quality, audio_only, "
                "layout, priority, filters, keep_rule, keep_number, state, is_newest_first, next_check_at, due_at, checked_at, outcome, "
                f"message, failures, deletes_files, created_at, changed_at) VALUES ({', '.join(['{}'] * 27)}) "
                "ON CONFLICT (user_id, url_key) DO NOTHING RETURNING id",
                *(new.user_id, new.url, new.url_key, new.site, new.kind, new.title, new.uploader, new.picture, new.interval_s),
                *(new.quality, new.audio_only, new.layout, int(new.priority), filters_json(new.filters), new.keep.rule),
                *(new.keep.number, SubscriptionState.ACTIVE, new.is_newest_first, next_check_at, at, at, "found", "", 0),
                *(False, at, at),
            )  # fmt: skip
            if not rows:
                return None
            await self._insert(rows[0]["id"], judged, newest=len(judged), is_backlog=True, audio=new.audio_only, at=at)
        return int(rows[0]["id"])

    async def known(self, subscription_id: int, keys: Iterable[str]) -> set[str]:
        """Which of these keys the subscription knows."""
        found: set[str] = set()
        wanted = tuple(keys)
        for start in range(0, len(wanted), 500):
            piece = wanted[start : start + 500]
            rows = await fetch(
                "SELECT item_key FROM subscription_items WHERE subscription_id = {} AND item_key IN "
                f"({', '.join(['{}'] * len(piece))})",
                *(subscription_id, *piece),
            )
            found |= {row["item_key"] for row in rows}
        return found

    async def newest_keys(self, subscription_id: int, number: int) -> list[str]:
        """The keys of what came last."""
        rows = await fetch(
            "SELECT item_key FROM subscription_items WHERE subscription_id = {} ORDER BY place DESC LIMIT {}",
            *(subscription_id, number),
        )
        return [row["item_key"] for row in rows]

    async def put_fresh(self, subscription_id: int, judged: Sequence[Judged], *, audio: bool, at: datetime) -> int:
        """Keep what is new, the first of them as the newest; gives how many are to be taken. Known ones stay as they are."""
        async with transaction():
            if is_postgres():  # two checks never run at once; a person's own click may come in between
                await fetch("SELECT id FROM subscriptions WHERE id = {} FOR UPDATE", subscription_id)
            rows = await fetch(
                "SELECT place FROM subscription_items WHERE subscription_id = {} ORDER BY place DESC LIMIT 1",
                subscription_id,
            )
            last = rows[0]["place"] if rows else 0
            return await self._insert(
                subscription_id, judged, newest=last + len(judged), is_backlog=False, audio=audio, at=at
            )

    async def _insert(
        self,
        subscription_id: int,
        judged: Sequence[Judged],
        *,
        newest: int,
        is_backlog: bool,
        audio: bool,
        at: datetime,
    ) -> int:
        taken = 0
        for start in range(0, len(judged), PIECE):
            values: list[Any] = []
            piece = judged[start : start + PIECE]
            for number, one in enumerate(piece, start):
                entry, state = one.entry, ItemState.KNOWN if one.left_out else ItemState.WANTED
                values += [
                    subscription_id,
                    entry.key,
                    entry.identity + (AUDIO if audio else ""),
                    entry.url,
                    entry.title,
                ]
                values += [entry.duration_s, entry.tab, entry.published_on, newest - number, is_backlog, state]
                values += [one.left_out or "", False, at, at]
            row = f"({', '.join(['{}'] * 15)})"
            rows = await fetch(
                "INSERT INTO subscription_items (subscription_id, item_key, identity, url, title, duration_s, tab, published_on, place, "
                f"is_backlog, state, reason, is_ours, found_at, changed_at) VALUES {', '.join([row] * len(piece))} "
                "ON CONFLICT (subscription_id, item_key) DO NOTHING RETURNING state",
                *values,
            )
            taken += sum(row["state"] == ItemState.WANTED for row in rows)
        return taken

    async def change(self, subscription_id: int, values: Mapping[str, Any], at: datetime) -> None:
        """Set columns; names are the code's own."""
        names = ", ".join(f"{name} = {{}}" for name in values)
        await fetch(
            f"UPDATE subscriptions SET {names}, changed_at = {{}} WHERE id = {{}} AND state <> 'ending'",
            *(*values.values(), at, subscription_id),
        )

    async def look_now(self, subscription_id: int, at: datetime) -> None:
        """Let it be checked as soon as somebody has time."""
        await fetch(
            "UPDATE subscriptions SET next_check_at = {}, due_at = {}, changed_at = {} WHERE id = {} "
            "AND state NOT IN ('paused', 'ending')",
            *(at, at, at, subscription_id),
        )

    async def look_again_at(self, site: str, at: datetime) -> None:
        """What waits for a sign-in at `site` is looked at now."""
        await fetch(
            "UPDATE subscriptions SET next_check_at = {}, due_at = {} WHERE site = {} AND outcome = 'needs_sign_in' "
            "AND state NOT IN ('paused', 'ending')",
            *(at, at, site),
        )

    async def fill_now(self, subscription_id: int, at: datetime) -> None:
        """There may be something to put into the queue."""
        await fetch(
            "UPDATE subscriptions SET due_at = {} WHERE id = {} AND state NOT IN ('paused', 'ending') AND due_at > {}",
            *(at, subscription_id, at),
        )

    async def end(self, subscription_id: int, *, deletes_files: bool, at: datetime) -> bool:
        """Nobody sees it any more; what it put into the queue is taken off by and by. The place for a new one is free."""
        rows = await fetch(
            "UPDATE subscriptions SET state = 'ending', deletes_files = {}, due_at = {}, url_key = {}, changed_at = {} "
            "WHERE id = {} AND state <> 'ending' RETURNING id",
            *(deletes_files, at, f"ended-{subscription_id}", at, subscription_id),
        )
        return bool(rows)

    async def remove(self, subscription_id: int) -> None:
        await fetch("DELETE FROM subscriptions WHERE id = {}", subscription_id)

    async def set_item(
        self, item_id: int, state: ItemState, at: datetime, *, unless: ItemState | None = None,
        download_id: int | None = None, history_id: int | None = None, reason: LeftOut | None = None,
        is_ours: bool | None = None,
    ) -> bool:  # fmt: skip
        """Another state of a video; what is None stays as it is, but for the reason."""
        only = "" if unless is None else f" AND state <> '{unless}'"
        rows = await fetch(
            "UPDATE subscription_items SET state = {}, reason = {}, changed_at = {}, "
            f"download_id = coalesce({_cast('bigint')}, download_id), history_id = coalesce({_cast('bigint')}, history_id), "
            f"is_ours = coalesce({_cast('boolean')}, is_ours) WHERE id = {{}}{only} RETURNING id",
            *(state, reason or "", at, download_id, history_id, is_ours, item_id),
        )
        return bool(rows)

    async def of_download(self, download_id: int, user_id: int | None = None) -> list[dict[str, Any]]:
        """The videos that a download brings, of everybody who follows them, or of one person."""
        who, args = ("", ()) if user_id is None else (" AND s.user_id = {}", (user_id,))
        return await fetch(
            "SELECT i.id, i.subscription_id, i.state, i.is_backlog, s.user_id FROM subscription_items i "
            f"JOIN subscriptions s ON s.id = i.subscription_id WHERE i.download_id = {{}}{who}",
            *(download_id, *args),
        )


def _cast(name: str) -> str:
    """A parameter inside a function: Postgres wants to know its type."""
    return f"{{}}::{name}" if is_postgres() else "{}"
