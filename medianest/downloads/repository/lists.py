"""Reading the queue: one download, pages of it, counts. Every list has an index for its order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres
from medianest.downloads.model import (
    ACTIVE_STATES,
    FAILED_STATES,
    FINISHED_STATES,
    WAITING_STATES,
    DownloadState,
)
from medianest.downloads.repository.rows import COLUMNS, MEDIA_COLUMNS, InLibrary, Row, stamp, to_files, to_media
from medianest.downloads.repository.turns import in_line, place_of, shares
from medianest.errors import NotFound

# The words stand in the SQL itself, since the partial indexes are made for exactly these.
GROUPS: dict[str | None, tuple[str, str]] = {
    None: ("", "q.id DESC"),
    "active": ("AND q.state IN ('downloading', 'processing')", "q.id"),
    "waiting": ("AND q.state IN ('queued', 'waiting', 'paused')", "q.priority, q.position, q.id"),
    "finished": ("AND q.state = 'completed'", "q.id DESC"),
    "failed": ("AND q.state IN ('failed', 'cancelled')", "q.id DESC"),
}
GROUP_STATES: dict[str, tuple[DownloadState, ...]] = {
    "active": ACTIVE_STATES,
    "waiting": WAITING_STATES,
    "finished": FINISHED_STATES,
    "failed": FAILED_STATES,
}
_SEEN = "EXISTS (SELECT 1 FROM download_people p WHERE p.user_id = {} AND p.download_id = q.id)"
_SEEN_PARENT = (
    "EXISTS (SELECT 1 FROM download_people p WHERE p.user_id = {} AND p.download_id = coalesce(q.parent_id, q.id))"
)


_TO_APPROVE = " OR (q.needs_approval AND q.state = 'waiting')"
APPROVALS_QUERY = (
    f"SELECT {COLUMNS}, u.display_name AS asked_by FROM download_queue q JOIN users u ON u.id = q.requested_by "
    "WHERE q.needs_approval AND q.state = 'waiting' ORDER BY q.id LIMIT {} OFFSET {}"
)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A download or a list in somebody's part of the line; `place` is that of its first video."""

    id: int
    position: int
    place: int


class DownloadLists:
    """Questions about the queue. `person` is the one who sees, None for an administrator, who sees everything."""

    async def row(self, download_id: int, person: int | None, *, approves: bool = False) -> Row:
        """One row; raises `NotFound` when there is none that `person` may see: theirs, or one to be approved by them."""
        condition, args = (
            ("", ()) if person is None else (f" AND ({_SEEN_PARENT}{_TO_APPROVE if approves else ''})", (person,))
        )
        rows = await fetch(f"SELECT {COLUMNS} FROM download_queue q WHERE q.id = {{}}{condition}", download_id, *args)
        if not rows:
            raise NotFound("This download does not exist. It may have been removed.")
        return rows[0]

    async def page(
        self, person: int | None, *, group: str | None, state: DownloadState | None, limit: int, offset: int
    ) -> list[dict[str, Any]]:
        """Top-level rows of a group (in its own order) or of one state (newest first)."""
        sql, args = page_query(person, group=group, state=state)
        return await fetch(sql, *args, limit, offset)

    async def approvals(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """What waits for approval, oldest first; each with the name of who asked."""
        return await fetch(APPROVALS_QUERY, limit, offset)

    async def count_approvals(self) -> int:
        rows = await fetch("SELECT count(*) AS n FROM download_queue WHERE needs_approval AND state = 'waiting'")
        return int(rows[0]["n"])

    async def items(self, parent_id: int, limit: int, offset: int) -> list[dict[str, Any]]:
        """Items of a list in its order."""
        return await fetch(ITEMS_QUERY, parent_id, limit, offset)

    async def count_items(self, parent_id: int) -> int:
        rows = await fetch("SELECT count(*) AS n FROM download_queue WHERE parent_id = {}", parent_id)
        return int(rows[0]["n"])

    async def counts(self, person: int | None) -> dict[DownloadState, int]:
        """Top-level rows by state."""
        sql, args = counts_query(person)
        return {DownloadState(row["state"]): row["n"] for row in await fetch(sql, *args)}

    async def finished_since(self, person: int | None, since: datetime) -> int:
        """How many top-level downloads were completed since then."""
        sql, args = finished_query(person)
        return int((await fetch(sql, since, *args))[0]["n"])

    async def places(self, ids: Iterable[int]) -> dict[int, int]:
        """Place in the line, from 1, of those of `ids` that are queued: which turn it will be."""
        rows = await in_line(ids)
        if not rows:
            return {}
        everybody = await shares()
        return {row.id: place_of(row, everybody) for row in rows}

    async def entries(self, person: int, priority: int) -> list[Entry]:
        """What a person has in line with this priority, in its order: single downloads, and lists whose videos are in line."""
        rows = await fetch(ENTRIES_QUERY, person, priority)
        places = await self.places(row["first_id"] for row in rows)
        return [
            Entry(id=row["id"], position=row["position"], place=places[row["first_id"]])
            for row in rows
            if row["first_id"] in places
        ]

    async def filed(self, history_ids: Iterable[int | None]) -> dict[int, InLibrary]:
        """What lies in the library by history id; what was deleted is not among it."""
        wanted = sorted({one for one in history_ids if one is not None})
        if not wanted:
            return {}
        marks = ", ".join(["{}"] * len(wanted))
        rows = await fetch(
            f"SELECT id, files, plex_rating_key, server_id, {', '.join(MEDIA_COLUMNS)} FROM download_history WHERE id IN ({marks}) "
            "AND filed_at IS NOT NULL AND deleted_at IS NULL",
            *wanted,
        )
        return {
            row["id"]: InLibrary(
                files=to_files(row["files"]),
                rating_key=row["plex_rating_key"],
                machine_id=row["server_id"],
                media=to_media(row),
            )
            for row in rows
        }

    async def people(self, top_id: int) -> tuple[int, ...]:
        """Who sees this top-level download, administrators aside."""
        rows = await fetch(
            "SELECT user_id FROM download_people WHERE download_id = {} ORDER BY joined_at, user_id", top_id
        )
        return tuple(row["user_id"] for row in rows)

    async def log(self, download_id: int) -> list[str]:
        """The newest 200 lines of what happened, oldest first."""
        rows = await fetch(
            "SELECT at, line FROM download_log WHERE download_id = {} ORDER BY id DESC LIMIT 200", download_id
        )
        return [stamp(row["line"], row["at"]) for row in reversed(rows)]

    async def ids_above(self, ids: Iterable[int]) -> set[int]:
        """Those of `ids` that still have a row: for the cleaning of folders."""
        wanted, found = sorted(set(ids)), set()
        for start in range(0, len(wanted), 500):
            piece = wanted[start : start + 500]
            marks = ", ".join(["{}"] * len(piece))
            rows = await fetch(f"SELECT id FROM download_queue WHERE id IN ({marks})", *piece)
            found |= {row["id"] for row in rows}
        return found


ITEMS_QUERY = f"SELECT {COLUMNS} FROM download_queue q WHERE q.parent_id = {{}} ORDER BY q.item_index, q.id LIMIT {{}} OFFSET {{}}"
ENTRIES_QUERY = (
    "SELECT coalesce(parent_id, id) AS id, min(position) AS position, min(id) AS first_id FROM download_queue WHERE state = 'queued' "
    "AND kind = 'video' AND requested_by = {} AND priority = {} GROUP BY coalesce(parent_id, id) ORDER BY 2, 1"
)


def page_query(person: int | None, *, group: str | None, state: DownloadState | None) -> tuple[str, tuple[Any, ...]]:
    """The statement of a page; it ends with two places for limit and offset."""
    condition, order = GROUPS[group] if state is None else (f"AND q.state = '{DownloadState(state)}'", "q.id DESC")
    # SQLite would find the two states by another index and sort all of them
    hint = " INDEXED BY download_queue_failed" if state is None and group == "failed" and not is_postgres() else ""
    if person is None:
        return (
            f"SELECT {COLUMNS} FROM download_queue q{hint} WHERE q.parent_id IS NULL {condition} ORDER BY {order} LIMIT {{}} OFFSET {{}}",
            (),
        )
    if (state is None and group in (None, "finished")) or state is DownloadState.COMPLETED:
        # nearly everything a person has is of this kind: walk along their own list, newest first
        return (
            f"SELECT {COLUMNS} FROM download_people p JOIN download_queue q ON q.id = p.download_id "
            f"WHERE p.user_id = {{}} {condition} ORDER BY p.download_id DESC LIMIT {{}} OFFSET {{}}",
            (person,),
        )
    return (
        f"SELECT {COLUMNS} FROM download_queue q{hint} WHERE q.parent_id IS NULL {condition} AND {_SEEN} "
        f"ORDER BY {order} LIMIT {{}} OFFSET {{}}",
        (person,),
    )


def counts_query(person: int | None) -> tuple[str, tuple[Any, ...]]:
    """Rows by state."""
    if person is None:
        return "SELECT state, count(*) AS n FROM download_queue WHERE parent_id IS NULL GROUP BY state", ()
    return (
        "SELECT q.state AS state, count(*) AS n FROM download_people p JOIN download_queue q ON q.id = p.download_id "
        "WHERE p.user_id = {} GROUP BY q.state",
        (person,),
    )


def finished_query(person: int | None) -> tuple[str, tuple[Any, ...]]:
    seen, args = ("", ()) if person is None else (f" AND {_SEEN}", (person,))
    return (
        "SELECT count(*) AS n FROM download_queue q WHERE q.state = 'completed' AND q.changed_at >= {} "
        f"AND q.parent_id IS NULL{seen}",
        args,
    )
