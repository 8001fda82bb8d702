"""What the nightly jobs ask and remove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medianest.database import fetch


class CleaningRepository:
    """Old rows, and what nothing refers to any more."""

    async def keeping_staging(self, ids: Sequence[int], cancelled_before: datetime) -> set[int]:
        """Those of `ids` whose unfinished files are still good for something."""
        kept: set[int] = set()
        for start in range(0, len(ids), 500):
            piece = ids[start : start + 500]
            rows = await fetch(
                f"SELECT id FROM download_queue WHERE id IN ({_marks(piece)}) AND state <> 'completed' "
                "AND NOT (state = 'cancelled' AND changed_at < {})",
                *(*piece, cancelled_before),
            )
            kept |= {row["id"] for row in rows}
        return kept

    async def remove_ended(self, before: datetime, keep: int) -> int:
        """Remove failed and cancelled top-level rows that are older than `before`, but not the newest `keep`."""
        newest = await fetch(
            "SELECT q.id FROM download_queue q WHERE q.parent_id IS NULL AND q.state IN ('failed', 'cancelled') "
            "ORDER BY q.id DESC LIMIT 1 OFFSET {}",
            keep,
        )
        if not newest:
            return 0
        rows = await fetch(
            "DELETE FROM download_queue WHERE parent_id IS NULL AND state IN ('failed', 'cancelled') AND id <= {} "
            "AND changed_at < {} RETURNING id",
            *(newest[0]["id"], before),
        )
        return len(rows)

    async def used_pictures(self, names: Sequence[str]) -> set[str]:
        """Those of `names` that a row shows."""
        used: set[str] = set()
        for start in range(0, len(names), 500):
            piece = names[start : start + 500]
            rows = await fetch(
                f"SELECT picture FROM download_queue WHERE picture IN ({_marks(piece)}) "
                f"UNION SELECT poster FROM download_queue WHERE poster IN ({_marks(piece)}) "
                f"UNION SELECT fanart FROM download_queue WHERE fanart IN ({_marks(piece)}) "
                f"UNION SELECT picture FROM subscriptions WHERE picture IN ({_marks(piece)})",
                *(*piece, *piece, *piece, *piece),
            )
            used |= {row["picture"] for row in rows}
        return used

    async def remove_log(self, before: datetime) -> int:
        """Remove lines of the downloads' logs that are older than `before`."""
        return len(await fetch("DELETE FROM download_log WHERE at < {} RETURNING id", before))


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["{}"] * len(values))
