"""Long work on the library: one at a time for all processes, under a lease, so that a killed process's work goes on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from medianest.database import UniqueViolation, fetch
from medianest.keeping.model import LibraryWork, WorkKind, WorkState

LEASE = timedelta(seconds=60)
_COLUMNS = "id, kind, is_dry_run, target, state, step, done, total, message, found, started_at, ended_at"


class WorkRepository:
    """`owner` is whose leases these are."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    async def add(self, kind: WorkKind, target: str, by: int, at: datetime, *, is_dry_run: bool) -> int | None:
        """Write work down, held by this process; None when other work runs."""
        try:
            rows = await fetch(
                "INSERT INTO library_work (kind, is_dry_run, target, state, step, done, total, message, found, started_by, "
                "started_at, changed_at, owner, lease_until) VALUES ({}, {}, {}, 'running', '', 0, 0, '', '[]', {}, {}, {}, {}, {}) "
                "RETURNING id",
                *(kind, is_dry_run, target, by, at, at, self.owner, at + LEASE),
            )
        except UniqueViolation:
            return None
        return int(rows[0]["id"])

    async def claim(self, at: datetime) -> LibraryWork | None:
        """Take over what runs and nobody holds any more."""
        rows = await fetch(
            "UPDATE library_work SET owner = {}, lease_until = {} WHERE state = 'running' "
            f"AND (owner IS NULL OR lease_until < {{}}) RETURNING {_COLUMNS}",
            *(self.owner, at + LEASE, at),
        )
        return _work(rows[0]) if rows else None

    async def beat(self, work_id: int, step: str, done: int, total: int, at: datetime) -> bool:
        """How far it is; False when it was stopped, or is another process's."""
        rows = await fetch(
            "UPDATE library_work SET step = {}, done = {}, total = {}, changed_at = {}, lease_until = {} "
            "WHERE id = {} AND owner = {} AND state = 'running' RETURNING id",
            *(step, done, total, at, at + LEASE, work_id, self.owner),
        )
        return bool(rows)

    async def end(
        self, work_id: int, state: WorkState, message: str, at: datetime, *, found: Sequence[str] = ()
    ) -> bool:
        """How it ended; False when somebody stopped it before."""
        rows = await fetch(
            "UPDATE library_work SET state = {}, message = {}, found = {}, ended_at = {}, changed_at = {}, owner = NULL, "
            "lease_until = NULL WHERE id = {} AND state = 'running' RETURNING id",
            *(state, message, msgspec.json.encode(list(found)).decode(), at, at, work_id),
        )
        return bool(rows)

    async def release(self, work_id: int) -> None:
        """This process stops: whoever starts next goes on with it."""
        await fetch(
            "UPDATE library_work SET owner = NULL, lease_until = NULL WHERE id = {} AND owner = {}", work_id, self.owner
        )

    async def last(self, kind: WorkKind) -> LibraryWork | None:
        """The newest of its kind."""
        rows = await fetch(f"SELECT {_COLUMNS} FROM library_work WHERE kind = {{}} ORDER BY id DESC LIMIT 1", kind)
        return _work(rows[0]) if rows else None

    async def started_by(self, work_id: int) -> int | None:
        rows = await fetch("SELECT started_by FROM library_work WHERE id = {}", work_id)
        found: int | None = rows[0]["started_by"] if rows else None
        return found


def _work(row: dict[str, object]) -> LibraryWork:
    found = row["found"]
    values = msgspec.json.decode(found) if isinstance(found, str) else found
    return msgspec.convert({**row, "is_dry_run": bool(row["is_dry_run"]), "found": values}, LibraryWork)
