"""Tables whose rows are work: claimed with a lease, given back with a back-off, never lost and never done by two."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres

FIRST_WAIT_S, LONGEST_WAIT_S = 15.0, 300.0


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Work that is this process's. `changes` is what was known when it was taken."""

    id: int
    changes: int
    attempts: int
    name: str  # the folder, or the list


class WorkTable:
    """One such table.

    Args:
        table, name: the table, and the column that names its work.
        owner: this process, as its rows say it.
        lease_s: how long a claim lasts without `beat`.
    """

    def __init__(self, table: str, name: str, owner: str, lease_s: float) -> None:
        self._table, self._name, self._owner, self._lease_s = table, name, owner, lease_s

    async def claim(self, now: datetime) -> Claim | None:
        """Take the row that has waited longest; None when nothing is due."""
        skip = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
        free = "due_at <= {} AND (lease_until IS NULL OR lease_until < {})"
        rows = await fetch(
            f"UPDATE {self._table} SET owner = {{}}, lease_until = {{}} WHERE id = (SELECT id FROM {self._table} "
            f"WHERE {free} ORDER BY due_at LIMIT 1{skip}) AND {free} RETURNING id, changes, attempts, {self._name} AS name",
            *(self._owner, now + timedelta(seconds=self._lease_s), now, now, now, now),
        )
        return msgspec.convert({**rows[0], "name": str(rows[0]["name"])}, Claim) if rows else None

    async def beat(self, claim: Claim, now: datetime) -> bool:
        """Hold the claim for longer; False when somebody else has taken it."""
        rows = await fetch(
            f"UPDATE {self._table} SET lease_until = {{}} WHERE id = {{}} AND owner = {{}} RETURNING id",
            *(now + timedelta(seconds=self._lease_s), claim.id, self._owner),
        )
        return bool(rows)

    async def finish(self, claim: Claim, now: datetime) -> None:
        """Done; what came in meanwhile is due at once."""
        await fetch(
            f"UPDATE {self._table} SET owner = NULL, lease_until = NULL, attempts = 0, "
            "due_at = CASE WHEN changes = {} THEN NULL ELSE due_at END WHERE id = {} AND owner = {}",
            *(claim.changes, claim.id, self._owner),
        )

    async def give_back(self, claim: Claim, reason: str, now: datetime) -> float:
        """It can not be done now; gives for how many seconds it is left alone."""
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(claim.attempts, 10))
        await fetch(
            f"UPDATE {self._table} SET owner = NULL, lease_until = NULL, attempts = attempts + 1, reason = {{}}, "
            "due_at = {} WHERE id = {} AND owner = {}",
            *(reason[:500], now + timedelta(seconds=wait_s), claim.id, self._owner),
        )
        return wait_s

    async def free(self, claim: Claim) -> None:
        """Leave it to the next who looks: this process stops."""
        await fetch(
            f"UPDATE {self._table} SET owner = NULL, lease_until = NULL WHERE id = {{}} AND owner = {{}}",
            *(claim.id, self._owner),
        )

    async def free_all_of(self, instance: str) -> None:
        """Free what earlier runs of this instance held: its data folder is locked, so they are over."""
        await fetch(
            f"UPDATE {self._table} SET owner = NULL, lease_until = NULL WHERE owner LIKE {{}} AND owner <> {{}}",
            *(instance + "/%", self._owner),
        )

    async def hurry(self, now: datetime) -> None:
        """Whatever waits after a failure is due: the service is there again."""
        await fetch(
            f"UPDATE {self._table} SET due_at = {{}}, attempts = 0 WHERE due_at > {{}} AND attempts > 0", now, now
        )

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next row is due that nobody holds."""
        rows: list[dict[str, Any]] = await fetch(
            f"SELECT due_at FROM {self._table} WHERE due_at IS NOT NULL AND (lease_until IS NULL OR lease_until < {{}}) "
            "ORDER BY due_at LIMIT 1",
            now,
        )
        return rows[0]["due_at"] if rows else None

    async def waiting_reason(self) -> str:
        """Why work waits after a failure; empty when none does."""
        rows = await fetch(
            f"SELECT reason FROM {self._table} WHERE due_at IS NOT NULL AND attempts > 0 AND reason <> '' "
            "ORDER BY attempts DESC LIMIT 1"
        )
        return str(rows[0]["reason"]) if rows else ""
