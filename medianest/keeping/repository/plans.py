"""Announced deletions, and the one statement that deletes: whatever happened since, it takes only what may go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from medianest.database import fetch, transaction
from medianest.downloads.model import LibraryFile
from medianest.keeping.model import Going, Outcome, Planned, Why
from medianest.keeping.repository.candidates import MAY_GO, YOUNGEST

_COLUMNS = "id, history_id, title, size_bytes, reason, detail, told, announced_at, due_at, outcome, ended_at"
Files = tuple[LibraryFile, ...]


class PlanRepository:
    async def open_ones(self) -> list[Planned]:
        """What is announced, in the order in which it goes."""
        rows = await fetch(f"SELECT {_COLUMNS} FROM planned_deletions WHERE ended_at IS NULL ORDER BY due_at, id")
        return [_planned(row) for row in rows]

    async def ended(self, limit: int) -> list[Planned]:
        """The newest that ended."""
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM planned_deletions WHERE ended_at IS NOT NULL ORDER BY ended_at DESC, id DESC LIMIT {{}}",
            limit,
        )
        return [_planned(row) for row in rows]

    async def announce(self, one: Going, told: Sequence[int], *, at: datetime, due_at: datetime) -> bool:
        """Write one down; False when it is announced already."""
        rows = await fetch(
            "INSERT INTO planned_deletions (history_id, title, size_bytes, reason, detail, told, announced_at, due_at, outcome) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, '') ON CONFLICT DO NOTHING RETURNING id",
            *(one.history_id, one.title, one.size_bytes, one.why, one.detail[:200]),
            *(msgspec.json.encode(sorted(told)).decode(), at, due_at),
        )
        return bool(rows)

    async def end(self, history_id: int, outcome: Outcome, at: datetime) -> bool:
        """Close what is announced of a video; False when nothing is, or its deletion has begun."""
        rows = await fetch(
            "UPDATE planned_deletions SET outcome = {}, ended_at = {} WHERE history_id = {} AND ended_at IS NULL "
            "AND outcome = '' RETURNING id",
            *(outcome, at, history_id),
        )
        return bool(rows)

    async def begin(self, plan_id: int, history_id: int, sentence: str, at: datetime) -> Files | None:
        """Mark a video as deleted, if it is due and may go at this moment; its files, to be removed now.

        None when somebody shielded, removed or asked for it meanwhile.
        """
        async with transaction():
            held = await fetch(
                "UPDATE planned_deletions SET outcome = 'deleting' WHERE id = {} AND ended_at IS NULL AND outcome = '' "
                "AND due_at <= {} RETURNING id",
                *(plan_id, at),
            )
            if not held:
                return None
            files = await _delete(f"h.id = {{}} AND {MAY_GO}", (history_id, at - YOUNGEST), at)
            if files is None:
                await fetch(
                    "UPDATE planned_deletions SET outcome = 'withdrawn', ended_at = {} WHERE id = {}", at, plan_id
                )
                return None
            await _say(history_id, sentence)
        return files

    async def begun(self) -> list[tuple[int, int]]:
        """Plan and video of deletions that were begun; after a crash their files may still lie there."""
        rows = await fetch(
            "SELECT id, history_id FROM planned_deletions WHERE ended_at IS NULL AND outcome = 'deleting' ORDER BY id"
        )
        return [(row["id"], row["history_id"]) for row in rows]

    async def finish(self, plan_id: int, at: datetime) -> None:
        """Its files are gone."""
        await fetch(
            "UPDATE planned_deletions SET outcome = 'deleted', ended_at = {} WHERE id = {} AND outcome = 'deleting'",
            *(at, plan_id),
        )

    async def remove(self, history_id: int, sentence: str, at: datetime) -> Files | None:
        """Mark a video as deleted because somebody said so; None when it does not lie there, or a download of it runs."""
        async with transaction():
            free = (
                "NOT EXISTS (SELECT 1 FROM download_queue q WHERE q.history_id = h.id AND q.owner IS NOT NULL) "
                "AND NOT EXISTS (SELECT 1 FROM download_queue q WHERE q.identity = h.identity AND q.owner IS NOT NULL)"
            )
            files = await _delete(
                f"h.id = {{}} AND h.filed_at IS NOT NULL AND h.deleted_at IS NULL AND {free}", (history_id,), at
            )
            if files is not None:
                await _say(history_id, sentence)
                await self.end(history_id, Outcome.GONE, at)
        return files

    async def clean(self, before: datetime) -> int:
        """Forget deletions that ended before then."""
        return len(await fetch("DELETE FROM planned_deletions WHERE ended_at < {} RETURNING id", before))


async def _delete(condition: str, values: tuple[object, ...], at: datetime) -> Files | None:
    rows = await fetch(
        "UPDATE download_history SET deleted_at = {} WHERE deleted_at IS NULL AND id IN "
        f"(SELECT h.id FROM download_history h WHERE {condition}) RETURNING files",
        *(at, *values),
    )
    return msgspec.json.decode(_text(rows[0]["files"]), type=Files) if rows else None


async def _say(history_id: int, sentence: str) -> None:
    """Downloads that show the video say what became of it."""
    await fetch(
        "UPDATE download_queue SET reason = {} WHERE history_id = {} AND state = 'completed'", sentence, history_id
    )


def _text(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _planned(row: dict[str, object]) -> Planned:
    told = msgspec.json.decode(_text(row["told"]), type=list[int])
    values = {name: value for name, value in row.items() if name not in ("told", "reason")}
    return msgspec.convert({**values, "told": len(told), "why": Why(str(row["reason"]))}, Planned)
