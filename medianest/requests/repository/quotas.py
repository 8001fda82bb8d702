"""What people have asked for in their time: a film counts one, a series one for each season."""

from __future__ import annotations

from datetime import datetime

from medianest.database import fetch, is_postgres

# what was declined, taken back or did not work gives its share back
CHARGES_QUERY = (
    "SELECT charged_at, quota_cost AS cost FROM media_requests WHERE requested_by = {} AND charged_at > {} "
    "AND status NOT IN ('declined', 'cancelled', 'failed') ORDER BY charged_at"
)


class QuotaRepository:
    """Counts for one person at a time."""

    async def lock(self, user_id: int) -> None:
        """Until the transaction ends nobody else counts for this person, in no instance (SQLite's writer is alone anyway)."""
        if is_postgres():
            await fetch("SELECT id FROM users WHERE id = {} FOR NO KEY UPDATE", user_id)

    async def charges(self, user_id: int, since: datetime) -> list[tuple[datetime, int]]:
        """When what was counted since then, oldest first."""
        return [(row["charged_at"], row["cost"]) for row in await fetch(CHARGES_QUERY, user_id, since)]
