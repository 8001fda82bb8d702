"""One change of many rows at once, with the lists around them: a whole site, a person's downloads, everything."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.downloads.repository.parents import locking, refresh_parent
from medianest.downloads.repository.rows import Changed, ParentChanged, to_changed


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of many rows did. `was_running`: those that a process worked on until then."""

    changed: tuple[Changed, ...] = ()
    parents: tuple[ParentChanged, ...] = ()
    was_running: frozenset[int] = frozenset()


async def change_many(
    condition: str, args: tuple[Any, ...], settings: str, values: tuple[Any, ...], at: datetime
) -> Many:
    """Set `settings` on all videos that meet `condition`, in one transaction; lists come before their items, as everywhere.

    Args:
        condition: on `download_queue` without an alias, with `args`.
        settings: without `changed_at`, with `values`.
    """
    which = f"kind = 'video' AND {condition}"
    async with transaction():
        lists = await fetch(
            "SELECT id FROM download_queue WHERE id IN (SELECT parent_id FROM download_queue WHERE parent_id IS NOT NULL "
            f"AND {which}) ORDER BY id{locking()}",
            *args,
        )
        rows = await fetch(f"SELECT id, owner FROM download_queue WHERE {which} ORDER BY id{locking()}", *args)
        if not rows:
            return Many()
        statement = f"UPDATE download_queue SET {settings}, changed_at = {{}} WHERE {which} RETURNING id, parent_id, state, reason_code"
        if is_postgres():
            statement = statement.replace("coalesce({},", "coalesce({}::bigint,")
        changed = await fetch(statement, *values, at, *args)
        parents = [await refresh_parent(one["id"], at) for one in lists]
    return Many(
        changed=tuple(map(to_changed, changed)),
        parents=tuple(one for one in parents if one is not None),
        was_running=frozenset(row["id"] for row in rows if row["owner"] is not None),
    )
