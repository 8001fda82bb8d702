"""What people have used of their shares: downloads of the last hour, and the room their files take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from medianest.database import fetch, is_postgres
from medianest.downloads.repository.parents import locking

PERIOD = timedelta(hours=1)
CHARGES_QUERY = (
    "SELECT charged_at, quota_cost AS cost FROM download_queue WHERE requested_by = {} AND charged_at > {} "
    "AND parent_id IS NULL AND state NOT IN ('failed', 'cancelled') AND id != {}"
)
SPENT_QUERY = "SELECT charged_at, cost FROM quota_spent WHERE user_id = {} AND charged_at > {}"
STORED_QUERY = (
    "SELECT coalesce(sum(size_bytes), 0) AS n FROM download_history "
    "WHERE requested_by = {} AND deleted_at IS NULL AND filed_at IS NOT NULL"
)


class QuotaRepository:
    """Counts for one person at a time."""

    async def lock(self, user_id: int) -> None:
        """Until the transaction ends nobody else counts for this person, in no instance (SQLite's writer is alone anyway)."""
        if is_postgres():
            await fetch("SELECT id FROM users WHERE id = {} FOR NO KEY UPDATE", user_id)

    async def charges(self, user_id: int, now: datetime, *, without: int = 0) -> list[tuple[datetime, int]]:
        """When what was counted in the last hour, oldest first; the download `without` is left out."""
        rows = [
            *await fetch(CHARGES_QUERY, user_id, now - PERIOD, without),
            *await fetch(SPENT_QUERY, user_id, now - PERIOD),
        ]
        return sorted((row["charged_at"], row["cost"]) for row in rows)

    async def stored_bytes(self, user_id: int) -> int:
        """Size of the files in the library that a person asked for first."""
        return int((await fetch(STORED_QUERY, user_id))[0]["n"])

    async def ended(self, download_id: int) -> dict[str, Any] | None:
        """`quota_cost` of a top-level download that is not counted, since it failed or was cancelled; else None."""
        rows = await fetch(
            "SELECT quota_cost FROM download_queue WHERE id = {} AND state IN ('failed', 'cancelled')" + locking(),
            download_id,
        )
        return rows[0] if rows else None

    async def charge_again(self, download_id: int, user_id: int, at: datetime) -> None:
        """Count a download anew, for the one who has it tried again."""
        await fetch(
            "UPDATE download_queue SET charged_at = {}, requested_by = {} WHERE id = {}", *(at, user_id, download_id)
        )


async def keep_charge(download_id: int, at: datetime) -> None:
    """Before a row is removed: what it counted stays counted, and what is older than the hour is forgotten."""
    await fetch(
        "INSERT INTO quota_spent (user_id, cost, charged_at) SELECT requested_by, quota_cost, charged_at "
        "FROM download_queue WHERE id = {} AND parent_id IS NULL AND charged_at > {} "
        "AND state NOT IN ('failed', 'cancelled')",
        *(download_id, at - PERIOD),
    )
    await fetch("DELETE FROM quota_spent WHERE charged_at <= {}", at - PERIOD)
