"""Queries on what one person asked for, for when they are deleted."""

from __future__ import annotations

from medianest.database import fetch
from medianest.requests.model import RequestBelongings
from medianest.requests.repository.rows import COLUMNS, Row, to_row

_SHARED = "EXISTS (SELECT 1 FROM request_followers o WHERE o.request_id = r.id AND o.user_id <> r.requested_by)"
_OPEN = "r.status IN ('pending', 'approved', 'processing', 'partially_available')"


class BelongingsRepository:
    """One person's requests."""

    async def summary(self, user_id: int) -> RequestBelongings:
        """How much there is, and how much of it others follow."""
        found = await fetch(
            f"SELECT count(*) AS n, coalesce(sum(CASE WHEN {_SHARED} THEN 1 ELSE 0 END), 0) AS shared, "
            f"coalesce(sum(CASE WHEN {_OPEN} AND NOT {_SHARED} THEN 1 ELSE 0 END), 0) AS open "
            "FROM media_requests r WHERE r.requested_by = {}",
            user_id,
        )
        return RequestBelongings(
            requests=int(found[0]["n"]), shared=int(found[0]["shared"]), open=int(found[0]["open"])
        )

    async def of(self, user_id: int) -> list[Row]:
        """All of them."""
        rows = await fetch(f"SELECT {COLUMNS} FROM media_requests r WHERE r.requested_by = {{}} ORDER BY r.id", user_id)
        return [to_row(row) for row in rows]

    async def remove(self, request_id: int) -> None:
        """An ended request of somebody who is gone, which nobody follows."""
        await fetch("DELETE FROM media_requests WHERE id = {}", request_id)
