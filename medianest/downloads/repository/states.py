"""Changing the queue for people: adding, stopping, going on, removing, moving. Rows of a list act on its items."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.downloads.model import DownloadState, Priority, Quality, ReasonCode
from medianest.downloads.reasons import APPROVAL
from medianest.downloads.repository.parents import lock_rows, locking, refresh_parent
from medianest.downloads.repository.quotas import keep_charge
from medianest.downloads.repository.rows import Changed, ParentChanged, to_changed
from medianest.downloads.sites import site_of

State = DownloadState
OPEN = "state IN ('queued', 'downloading', 'processing', 'waiting', 'paused')"
# what waits for approval is neither paused nor tried again: both would be a way around the yes
RUNNING_OR_LINED = "(state IN ('queued', 'downloading', 'processing') OR (state = 'waiting' AND NOT needs_approval))"
AGAIN = "state IN ('failed', 'cancelled')"
HELD = "(state IN ('failed', 'cancelled') OR (state = 'waiting' AND NOT needs_approval))"
TO_APPROVE = "needs_approval AND state = 'waiting'"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A link to be queued, with what a preview told about it."""

    url: str
    url_key: str
    title: str
    quality: Quality
    audio_only: bool
    as_film: bool
    priority: Priority
    wishes: str = ""
    uploader: str = ""
    duration_s: int | None = None
    picture: str | None = None
    quota_cost: int = 1
    needs_approval: bool = False


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A download that was asked for. `row` is there when it is new, so that nobody needs to read it again."""

    id: int
    row: dict[str, Any] | None
    has_joined: bool  # the person did not have it before
    is_first: bool = True  # False: a child had asked for it, and the person took it over


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a change did: the rows that have another state, the list around them, and what is to be cleaned up."""

    changed: tuple[Changed, ...]
    parent: ParentChanged | None = None


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """A removed download with its items. `history_ids`: files that no other row shows."""

    id: int
    parent_id: int | None
    people: tuple[int, ...]
    all_ids: tuple[int, ...]
    history_ids: tuple[int, ...]
    parent: ParentChanged | None = None


class DownloadStates:
    """Every change of the queue that a person can cause; each in one transaction."""

    async def find(self, url_key: str) -> dict[str, Any] | None:
        """The open or completed top-level download of a link, newest first; with the files of a completed one."""
        rows = await fetch(
            "SELECT q.id, q.state, q.kind, q.history_id, q.needs_approval, h.files, h.filed_at, h.deleted_at FROM download_queue q "
            "LEFT JOIN download_history h ON h.id = q.history_id WHERE q.url_key = {} AND q.parent_id IS NULL "
            "AND q.state NOT IN ('failed', 'cancelled') ORDER BY q.id DESC LIMIT 1",
            url_key,
        )
        return rows[0] if rows else None

    async def add(
        self, wanted: Wanted, *, by: int, at: datetime, not_this: int | None, admit: Callable[[], Awaitable[None]]
    ) -> Added:
        """Queue `wanted`, or have the person join the download that has the link already.

        Args:
            admit: called inside the transaction before something new begins; raises when the person's share is used up.
            not_this: a completed download that does not count, since its file is gone.
        """
        async with transaction():
            if is_postgres():  # two people pasting one link at once: the second finds the first's row
                await fetch("SELECT pg_advisory_xact_lock({}::bigint)", int(wanted.url_key[:15], 16))
            found = await self.find(wanted.url_key)
            if found and found["needs_approval"] and not wanted.needs_approval:
                return await self._take_over(found["id"], wanted, by, at, admit)
            if found and found["id"] != not_this:
                return Added(id=found["id"], row=None, has_joined=await self.join(found["id"], by, at))
            await admit()
            row = await self._insert(wanted, by, at)
            await self.join(row["id"], by, at)
        return Added(id=row["id"], row=row, has_joined=True)

    async def _take_over(
        self, download_id: int, wanted: Wanted, by: int, at: datetime, admit: Callable[[], Awaitable[None]]
    ) -> Added:
        """A child asked for it, and now somebody who needs nobody's yes: it is theirs and begins."""
        await admit()
        rows = await fetch(
            "UPDATE download_queue SET needs_approval = false, state = 'queued', reason_code = NULL, reason = NULL, "
            "requested_by = {}, quota_cost = {}, charged_at = {}, changed_at = {} WHERE id = {} RETURNING *",
            *(by, wanted.quota_cost, at, at, download_id),
        )
        await self.join(download_id, by, at)
        return Added(id=download_id, row=rows[0], has_joined=True, is_first=False)

    async def join(self, download_id: int, user_id: int, at: datetime) -> bool:
        """Let a person see a download; False when they do already."""
        rows = await fetch(
            "INSERT INTO download_people (user_id, download_id, joined_at) VALUES ({}, {}, {}) "
            "ON CONFLICT (user_id, download_id) DO NOTHING RETURNING user_id",
            *(user_id, download_id, at),
        )
        return bool(rows)

    async def _insert(self, wanted: Wanted, by: int, at: datetime) -> dict[str, Any]:
        rows = await fetch(
            "INSERT INTO download_queue (requested_by, url, url_key, kind, title, uploader, duration_s, picture, quality, "
            "audio_only, as_film, state, reason_code, reason, priority, position, attempts, created_at, changed_at, "
            "quota_cost, charged_at, needs_approval, host, wishes) "
            f"VALUES ({{}}, {{}}, {{}}, 'video', {', '.join(['{}'] * 12)}, 0, {', '.join(['{}'] * 7)}) RETURNING *",
            *(by, wanted.url, wanted.url_key, wanted.title, wanted.uploader, wanted.duration_s, wanted.picture),
            *(wanted.quality, wanted.audio_only, wanted.as_film),
            *((State.WAITING, ReasonCode.APPROVAL, APPROVAL) if wanted.needs_approval else (State.QUEUED, None, None)),
            *(int(wanted.priority), time.time_ns() // 1000, at, at, wanted.quota_cost, at, wanted.needs_approval),
            *(site_of(wanted.url), wanted.wishes),
        )
        return rows[0]

    async def stop(
        self, download_id: int, parent_id: int | None, to: DownloadState, *, at: datetime, reason: str | None,
        downloaded_bytes: int | None = None, total_bytes: int | None = None,
    ) -> Outcome:  # fmt: skip
        """Cancel or pause: from here on nobody's claim on it holds. Ended rows stay as they are."""
        ended = at if to is State.CANCELLED else None
        which = OPEN if to is State.CANCELLED else RUNNING_OR_LINED
        return await self._change(
            download_id,
            parent_id,
            which,
            "state = {}, reason_code = NULL, reason = {}, owner = NULL, lease_until = NULL, next_attempt_at = NULL, "
            "finished_at = {}, downloaded_bytes = coalesce({}, downloaded_bytes), total_bytes = coalesce({}, total_bytes)",
            (to, reason, ended, downloaded_bytes, total_bytes),
            at,
        )

    async def wish_of_broadcast(self, download_id: int, wishes: str, at: datetime) -> bool:
        """Other wishes for a broadcast that was refused or is waited for; False when it is none."""
        rows = await fetch(
            "UPDATE download_queue SET wishes = {}, changed_at = {} WHERE id = {} AND reason_code IN ('live', 'replay') "
            "AND state IN ('failed', 'waiting') RETURNING id",
            *(wishes, at, download_id),
        )
        return bool(rows)

    async def queue_again(
        self, download_id: int, parent_id: int | None, *, which: str, at: datetime,
        admit: Callable[[], Awaitable[None]] | None = None,
    ) -> Outcome:  # fmt: skip
        """Back to the line, with all its tries; what nobody has approved asks again.

        Args:
            which: the condition on the rows: paused ones, or ended ones.
            admit: as for `add`.
        """
        async with transaction():
            if admit is not None:
                await admit()
            return await self._change(
                download_id,
                parent_id,
                which,
                "state = CASE WHEN needs_approval THEN 'waiting' ELSE 'queued' END, attempts = 0, engine_tries = 0, "
                "reason_code = CASE WHEN needs_approval THEN 'approval' END, next_attempt_at = NULL, "
                f"reason = CASE WHEN needs_approval THEN '{APPROVAL}' END, finished_at = NULL, owner = NULL, lease_until = NULL",
                (),
                at,
            )

    async def approve(self, download_id: int, at: datetime) -> Outcome:
        """Let a child's download begin; nothing changes when it does not wait for that."""
        settings = "needs_approval = false, state = 'queued', reason_code = NULL, reason = NULL"
        return await self._change(download_id, None, TO_APPROVE, settings, (), at)

    async def decline(self, download_id: int, reason: str, at: datetime) -> Outcome:
        """End a child's download before it began, with a sentence."""
        settings = "state = 'cancelled', reason_code = 'declined', reason = {}, finished_at = {}"
        return await self._change(download_id, None, TO_APPROVE, settings, (reason, at), at)

    async def _change(
        self, download_id: int, parent_id: int | None, which: str, settings: str, args: tuple[Any, ...], at: datetime
    ) -> Outcome:
        statement = (
            f"UPDATE download_queue SET {settings}, changed_at = {{}} WHERE id IN (SELECT id FROM download_queue "
            "WHERE %s AND "
            f"{which} ORDER BY id{locking()}) RETURNING id, parent_id, state, reason_code"
        )
        if is_postgres():  # a bare parameter in coalesce() has no type there
            statement = statement.replace("coalesce({},", "coalesce({}::bigint,")
        async with transaction():
            await lock_rows(parent_id, download_id)
            items = await fetch(statement % "parent_id = {}", *args, at, download_id)
            if items or await self._has_items(download_id):
                parent = await refresh_parent(download_id, at)
                mine = (parent.changed,) if parent and parent.is_other_state else ()
                return Outcome(changed=(*mine, *map(to_changed, items)), parent=parent)
            rows = await fetch(statement % "id = {}", *args, at, download_id)
            return Outcome(
                changed=tuple(map(to_changed, rows)), parent=await refresh_parent(parent_id, at) if rows else None
            )

    async def _has_items(self, download_id: int) -> bool:
        return bool(await fetch("SELECT id FROM download_queue WHERE parent_id = {} LIMIT 1", download_id))

    async def look_again(self, download_id: int, at: datetime) -> None:
        """Let an ended list without items be opened anew: its row is claimed like a fresh one."""
        await fetch(
            "UPDATE download_queue SET kind = 'video', items_total = NULL, items_done = NULL, items_failed = NULL, changed_at = {} "
            "WHERE id = {} AND kind <> 'video' AND NOT EXISTS (SELECT 1 FROM download_queue i WHERE i.parent_id = download_queue.id)",
            *(at, download_id),
        )

    async def leave(self, download_id: int, user_id: int) -> bool:
        """Take a person off a download that others share; False when nobody else has it."""
        async with transaction():
            await lock_rows(download_id)
            rows = await fetch("SELECT user_id FROM download_people WHERE download_id = {}", download_id)
            if not {row["user_id"] for row in rows} - {user_id}:
                return False
            await fetch("DELETE FROM download_people WHERE download_id = {} AND user_id = {}", *(download_id, user_id))
        return True

    async def remove(self, download_id: int, parent_id: int | None, *, at: datetime) -> Removed:
        """Delete a row, with its items. A file in the library that no other row shows is marked as deleted by a person."""
        async with transaction():
            await lock_rows(parent_id, download_id)
            rows = await fetch(
                "SELECT id, history_id FROM download_queue WHERE id = {} OR parent_id = {}", download_id, download_id
            )
            people = await fetch("SELECT user_id FROM download_people WHERE download_id = {}", parent_id or download_id)
            await keep_charge(download_id, at)
            await fetch("DELETE FROM download_queue WHERE id = {}", download_id)
            orphans = await self._unshared({row["history_id"] for row in rows} - {None}, at)
            return Removed(
                id=download_id,
                parent_id=parent_id,
                people=tuple(row["user_id"] for row in people),
                all_ids=tuple(row["id"] for row in rows),
                history_ids=orphans,
                parent=await refresh_parent(parent_id, at),
            )

    async def _unshared(self, history_ids: set[int], at: datetime) -> tuple[int, ...]:
        orphans: list[int] = []
        for one in sorted(history_ids):
            if not await fetch("SELECT id FROM download_queue WHERE history_id = {} LIMIT 1", one):
                await fetch("UPDATE download_history SET deleted_at = {} WHERE id = {} AND deleted_at IS NULL", at, one)
                orphans.append(one)
        return tuple(orphans)

    async def move(self, download_id: int, *, priority: Priority | None, position: int | None, at: datetime) -> None:
        """Another priority or place; the items of a list move with it."""
        async with transaction():
            await lock_rows(download_id)
            for column, value in (("priority", priority), ("position", position)):
                if value is not None:
                    await fetch(
                        f"UPDATE download_queue SET {column} = {{}}, changed_at = {{}} WHERE id = {{}} OR parent_id = {{}}",
                        *(int(value), at, download_id, download_id),
                    )

    async def respace(self, ids: list[int]) -> None:
        """Give these rows and their items positions a thousand apart, in this order."""
        start = time.time_ns() // 1000 - 1000 * len(ids)
        async with transaction():
            for number, one in enumerate(ids):
                await fetch(
                    "UPDATE download_queue SET position = {} WHERE id = {} OR parent_id = {}",
                    *(start + 1000 * number, one, one),
                )
