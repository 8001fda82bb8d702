"""Queries on the house's own tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from medianest.database import UniqueViolation, fetch
from medianest.system.model import Outcome
from medianest.system.tables import ScheduledRunRow


class ScheduledRunRepository:
    """Runs of the recurring jobs."""

    async def begin(self, name: str, slot: str, *, owner: str, at: datetime) -> int | None:
        """Row id of the run, or None when another process has this slot already."""
        try:
            rows = await fetch(
                "INSERT INTO scheduled_runs (name, slot, started_at, outcome, message, owner) "
                "VALUES ({}, {}, {}, {}, {}, {}) RETURNING id",
                name,
                slot,
                at,
                Outcome.RUNNING.value,
                "",
                owner,
            )
        except UniqueViolation:
            return None
        return int(rows[0]["id"])

    async def finish(self, run_id: int, outcome: Outcome, message: str, *, at: datetime) -> None:
        await ScheduledRunRow.update(
            {
                ScheduledRunRow.outcome: outcome.value,
                ScheduledRunRow.message: message[:500],
                ScheduledRunRow.finished_at: at,
            }
        ).where(ScheduledRunRow.id == run_id)

    async def last(self, name: str) -> dict[str, Any] | None:
        """The newest run of `name`."""
        row: dict[str, Any] | None = await (
            ScheduledRunRow.select()
            .where(ScheduledRunRow.name == name)
            .order_by(ScheduledRunRow.id, ascending=False)
            .first()
        )
        return row

    async def close_abandoned(self, *, at: datetime, started_before: datetime) -> None:
        """Runs whose process died count as failed."""
        await ScheduledRunRow.update(
            {
                ScheduledRunRow.outcome: Outcome.FAILED.value,
                ScheduledRunRow.message: "MediaNest was stopped while this ran. It runs again at its next time.",
                ScheduledRunRow.finished_at: at,
            }
        ).where((ScheduledRunRow.outcome == Outcome.RUNNING.value) & (ScheduledRunRow.started_at < started_before))

    async def clean(self, *, before: datetime) -> int:
        """Delete runs that started before; gives how many."""
        return len(await fetch("DELETE FROM scheduled_runs WHERE started_at < {} RETURNING id", before))

    async def clean_audit(self, *, before: datetime) -> int:
        return len(await fetch("DELETE FROM audit_logs WHERE at < {} RETURNING id", before))
