"""Playlists that are collections in Plex, and what we have put into them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch, transaction
from medianest.plex_library.model import CollectionState

_COLUMNS = (
    "id, download_id, state, title, section, item_type, rating_key, server_id, marker, poster, members, wanted, reason, "
    "attempts, changed_at"
)


class StoredCollection(msgspec.Struct, frozen=True, kw_only=True):
    """One row; `marker` is its title while it is being made."""

    id: int
    download_id: int
    state: CollectionState
    title: str
    section: str | None
    item_type: str | None
    rating_key: str | None
    server_id: str | None
    marker: str | None
    poster: str | None
    members: int
    wanted: int
    reason: str
    attempts: int
    changed_at: datetime


class CollectionRepository:
    """Queries on `plex_collections` and their members."""

    async def want(self, download_id: int, title: str, now: datetime, *, quiet_s: float) -> None:
        """A list has other videos, or another name: its collection is to be looked at."""
        await fetch(
            "INSERT INTO plex_collections (download_id, state, title, members, wanted, changes, due_at, attempts, reason, "
            "created_at, changed_at) VALUES ({}, 'pending', {}, 0, 0, 1, {}, 0, '', {}, {}) ON CONFLICT (download_id) "
            "DO UPDATE SET changes = plex_collections.changes + 1, due_at = CASE WHEN plex_collections.due_at IS NULL "
            "OR plex_collections.attempts = 0 AND plex_collections.due_at > excluded.due_at "
            "THEN excluded.due_at ELSE plex_collections.due_at END",
            *(download_id, title[:300], now + timedelta(seconds=quiet_s), now, now),
        )

    async def get(self, collection_id: int) -> StoredCollection | None:
        return _one(await fetch(f"SELECT {_COLUMNS} FROM plex_collections WHERE id = {{}}", collection_id))

    async def of_list(self, download_id: int) -> StoredCollection | None:
        return _one(await fetch(f"SELECT {_COLUMNS} FROM plex_collections WHERE download_id = {{}}", download_id))

    async def is_known(self, download_id: int) -> bool:
        return bool(await fetch("SELECT 1 AS one FROM plex_collections WHERE download_id = {}", download_id))

    async def set_state(self, collection_id: int, state: CollectionState, now: datetime, **values: Any) -> None:
        """Another state, with other columns of the row that change along."""
        await self.set_columns(collection_id, state=state.value, changed_at=now, **values)

    async def set_columns(self, collection_id: int, **columns: Any) -> None:
        changes = ", ".join(f"{name} = {{}}" for name in columns)
        await fetch(f"UPDATE plex_collections SET {changes} WHERE id = {{}}", *columns.values(), collection_id)

    async def members(self, collection_id: int) -> frozenset[str]:
        """What we have put in."""
        rows = await fetch("SELECT rating_key FROM plex_collection_members WHERE collection_id = {}", collection_id)
        return frozenset(row["rating_key"] for row in rows)

    async def put_members(self, collection_id: int, rating_keys: Sequence[str]) -> None:
        """What is ours in it now, in order."""
        async with transaction():
            await fetch("DELETE FROM plex_collection_members WHERE collection_id = {}", collection_id)
            for start in range(0, len(rating_keys), 100):
                piece = rating_keys[start : start + 100]
                marks = ", ".join(["({}, {}, {})"] * len(piece))
                values = [
                    value for number, key in enumerate(piece, start + 1) for value in (collection_id, key, number)
                ]
                await fetch(
                    f"INSERT INTO plex_collection_members (collection_id, rating_key, position) VALUES {marks}", *values
                )

    async def remove(self, collection_id: int) -> None:
        await fetch("DELETE FROM plex_collections WHERE id = {}", collection_id)

    async def try_again(self, download_id: int, now: datetime) -> bool:
        """What was given up is to be tried anew."""
        rows = await fetch(
            "UPDATE plex_collections SET state = 'pending', reason = '', attempts = 0, due_at = {}, changes = changes + 1 "
            "WHERE download_id = {} AND state = 'failed' RETURNING id",
            *(now, download_id),
        )
        return bool(rows)

    async def look_at_all(self, now: datetime) -> int:
        """Every collection is to be compared with its list again; those that were given up too."""
        rows = await fetch(
            "UPDATE plex_collections SET due_at = {}, changes = changes + 1 WHERE due_at IS NULL RETURNING id", now
        )
        return len(rows)


def _one(rows: list[dict[str, Any]]) -> StoredCollection | None:
    return msgspec.convert(rows[0], StoredCollection) if rows else None
