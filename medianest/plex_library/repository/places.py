"""Where each filed video stands in Plex, and which folders are to be looked into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.plex_library.model import MissingReason, PlaceState

LONGEST_QUIET_S = 120.0  # a long list must not put its first scan off for ever
SAME_WORD = timedelta(seconds=10)  # one event comes to every process
_COLUMNS = "history_id, folder, path, title, state, section, item_type, rating_key, server_id"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One video; `path` and `folder` are relative to the library, with `/`."""

    history_id: int
    folder: str
    path: str
    title: str
    state: PlaceState
    section: str | None
    item_type: str | None
    rating_key: str | None
    server_id: str | None


class PlaceRepository:
    """Queries on `plex_places` and `plex_scans`."""

    async def want(self, history_id: int, folder: str, path: str, title: str, now: datetime) -> bool:
        """A video was filed, perhaps again: it is to be found. False when another process has just written that down."""
        rows = await fetch(
            "INSERT INTO plex_places (history_id, folder, path, title, state, reason, wanted_at) "
            "VALUES ({}, {}, {}, {}, {}, '', {}) ON CONFLICT (history_id) DO UPDATE SET folder = excluded.folder, "
            "path = excluded.path, title = excluded.title, state = excluded.state, reason = '', rating_key = NULL, "
            "wanted_at = excluded.wanted_at WHERE plex_places.wanted_at < {} RETURNING history_id",
            *(history_id, folder, path, title, PlaceState.WAITING.value, now, now - SAME_WORD),
        )
        return bool(rows)

    async def want_scan(self, folder: str, now: datetime, *, quiet_s: float) -> None:
        """Have a folder looked into when nothing has come into it for `quiet_s`, but within two minutes at the latest."""
        soon, latest = now + timedelta(seconds=quiet_s), timedelta(seconds=max(quiet_s, LONGEST_QUIET_S))
        rows = await fetch("SELECT first_wanted_at FROM plex_scans WHERE folder = {} AND due_at IS NOT NULL", folder)
        first = rows[0]["first_wanted_at"] if rows else now
        due = max(now, min(soon, first + latest))
        await fetch(
            "INSERT INTO plex_scans (folder, first_wanted_at, changes, due_at, attempts, reason) "
            "VALUES ({}, {}, 1, {}, 0, '') ON CONFLICT (folder) DO UPDATE SET changes = plex_scans.changes + 1, "
            "first_wanted_at = CASE WHEN plex_scans.due_at IS NULL THEN excluded.first_wanted_at "
            "ELSE plex_scans.first_wanted_at END, "
            "due_at = CASE WHEN plex_scans.attempts > 0 THEN plex_scans.due_at ELSE excluded.due_at END",
            *(folder, now, due),
        )

    async def waiting_in(self, folder: str) -> tuple[Place, ...]:
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM plex_places WHERE folder = {{}} AND state IN ('waiting', 'missing') "
            "ORDER BY history_id",
            folder,
        )
        return tuple(msgspec.convert(row, Place) for row in rows)

    async def found(
        self, history_id: int, *, section: str, item_type: str, rating_key: str, server_id: str, now: datetime
    ) -> bool:
        """Plex has it; False when it was taken out here meanwhile."""
        rows = await fetch(
            "UPDATE plex_places SET state = 'found', reason = '', section = {}, item_type = {}, rating_key = {}, "
            "server_id = {}, found_at = {}, checked_at = {} WHERE history_id = {} AND state <> 'removed' "
            "RETURNING history_id",
            *(section, item_type, rating_key, server_id, now, now, history_id),
        )
        return bool(rows)

    async def missing(self, history_ids: Sequence[int], reason: MissingReason) -> None:
        for history_id in history_ids:
            await fetch(
                "UPDATE plex_places SET state = 'missing', reason = {} WHERE history_id = {} AND state = 'waiting'",
                *(reason.value, history_id),
            )

    async def of(self, history_ids: Sequence[int]) -> dict[int, Place]:
        """Those of the videos that Plex has."""
        found: dict[int, Place] = {}
        for start in range(0, len(history_ids), 500):
            piece = history_ids[start : start + 500]
            marks = ", ".join(["{}"] * len(piece))
            rows = await fetch(
                f"SELECT {_COLUMNS} FROM plex_places WHERE history_id IN ({marks}) AND state = 'found'", *piece
            )
            found |= {row["history_id"]: msgspec.convert(row, Place) for row in rows}
        return found

    async def states_of(self, history_ids: Sequence[int]) -> dict[int, tuple[PlaceState, str]]:
        """State and path of those that are known."""
        marks = ", ".join(["{}"] * len(history_ids))
        rows = await fetch(
            f"SELECT history_id, state, path FROM plex_places WHERE history_id IN ({marks})", *history_ids
        )
        return {row["history_id"]: (PlaceState(row["state"]), row["path"]) for row in rows}

    async def lost(self, history_ids: Sequence[int], now: datetime) -> None:
        """Plex does not know their numbers any more: they are to be found anew."""
        for history_id in history_ids:
            await fetch(
                "UPDATE plex_places SET state = 'waiting', wanted_at = {} WHERE history_id = {} AND state = 'found'",
                *(now, history_id),
            )

    async def removed(self, history_id: int) -> None:
        await fetch("UPDATE plex_places SET state = 'removed', rating_key = NULL WHERE history_id = {}", history_id)

    async def to_check(self, before: datetime, limit: int) -> tuple[Place, ...]:
        """Found ones whose number nobody has looked at since then, oldest first."""
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM plex_places WHERE state = 'found' AND checked_at < {{}} "
            "ORDER BY checked_at, history_id LIMIT {}",
            *(before, limit),
        )
        return tuple(msgspec.convert(row, Place) for row in rows)

    async def checked(self, history_ids: Sequence[int], now: datetime) -> None:
        if history_ids:
            marks = ", ".join(["{}"] * len(history_ids))
            await fetch(f"UPDATE plex_places SET checked_at = {{}} WHERE history_id IN ({marks})", now, *history_ids)

    async def of_another_server(self, server_id: str, limit: int) -> tuple[Place, ...]:
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM plex_places WHERE state = 'found' AND server_id <> {{}} LIMIT {{}}",
            *(server_id, limit),
        )
        return tuple(msgspec.convert(row, Place) for row in rows)

    async def missing_folders(self) -> tuple[str, ...]:
        rows = await fetch("SELECT DISTINCT folder FROM plex_places WHERE state = 'missing'")
        return tuple(row["folder"] for row in rows)

    async def counts(self) -> dict[PlaceState, int]:
        rows = await fetch("SELECT state, count(*) AS n FROM plex_places GROUP BY state")
        return {PlaceState(row["state"]): int(row["n"]) for row in rows}

    async def missing_reasons(self) -> dict[str, int]:
        """How many are missing for each reason, and nothing else."""
        rows: list[dict[str, Any]] = await fetch(
            "SELECT reason, count(*) AS n FROM plex_places WHERE state = 'missing' GROUP BY reason ORDER BY n DESC"
        )
        return {row["reason"]: int(row["n"]) for row in rows}

    async def knows_others_in(self, section: str, server_id: str) -> bool:
        """Whether Plex has shown any video of ours in this library."""
        rows = await fetch(
            "SELECT 1 AS one FROM plex_places WHERE state = 'found' AND section = {} AND server_id = {} LIMIT 1",
            *(section, server_id),
        )
        return bool(rows)
