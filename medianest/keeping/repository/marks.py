"""Marks on single videos: shielded, watched, and where they come from."""

from __future__ import annotations

from datetime import datetime

from medianest.database import fetch

WATCHED_QUERY = (
    "SELECT h.id, h.requested_by, h.plex_rating_key FROM download_history h WHERE h.filed_at IS NOT NULL "
    "AND h.deleted_at IS NULL AND h.plex_rating_key IS NOT NULL AND h.server_id = {} ORDER BY h.id"
)


class MarkRepository:
    async def shield(self, history_id: int, by: int, at: datetime) -> None:
        """No rule deletes it."""
        await fetch(
            "INSERT INTO video_marks (history_id, origin, shielded_at, shielded_by) VALUES ({}, '', {}, {}) "
            "ON CONFLICT (history_id) DO UPDATE SET shielded_at = excluded.shielded_at, shielded_by = excluded.shielded_by",
            *(history_id, at, by),
        )

    async def unshield(self, history_id: int) -> None:
        await fetch("UPDATE video_marks SET shielded_at = NULL, shielded_by = NULL WHERE history_id = {}", history_id)

    async def in_plex(self, server_id: str) -> list[tuple[int, int | None, str]]:
        """Record, person and number in Plex of every video that this server has."""
        rows = await fetch(WATCHED_QUERY, server_id)
        return [(row["id"], row["requested_by"], row["plex_rating_key"]) for row in rows]

    async def watched(self, history_id: int, at: datetime | None) -> None:
        """When it was watched last; None for a video that was set to unwatched."""
        if at is None:
            await fetch("UPDATE video_marks SET watched_at = NULL WHERE history_id = {}", history_id)
            return
        await fetch(
            "INSERT INTO video_marks (history_id, origin, watched_at) VALUES ({}, '', {}) "
            "ON CONFLICT (history_id) DO UPDATE SET watched_at = excluded.watched_at",
            *(history_id, at),
        )
