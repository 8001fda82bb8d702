"""Queries on what one person has in the queue and in the library."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.database import fetch
from medianest.downloads.model import Belongings, LibraryFile
from medianest.downloads.repository.parents import lock_rows, locking
from medianest.downloads.repository.rows import to_files
from medianest.downloads.repository.states import OPEN

# somebody else has a download that shows this video
OTHERS = (
    "EXISTS (SELECT 1 FROM download_queue q JOIN download_people p ON p.download_id = coalesce(q.parent_id, q.id) "
    "WHERE q.history_id = h.id AND p.user_id <> {})"
)
IN_LIBRARY = "h.requested_by = {} AND h.filed_at IS NOT NULL AND h.deleted_at IS NULL"


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """A top-level download the person asked for. `heir` is who joined it first after them."""

    id: int
    heir: int | None
    has_videos: bool


class BelongingsRepository:
    async def summary(self, user_id: int) -> Belongings:
        """How much there is, and how much of it nobody else asked for."""
        tops = await fetch(
            "SELECT count(*) AS n, coalesce(sum(CASE WHEN EXISTS (SELECT 1 FROM download_people o WHERE o.download_id = "
            f"q.id AND o.user_id <> {{}}) THEN 1 ELSE 0 END), 0) AS shared, coalesce(sum(CASE WHEN {OPEN} THEN 1 ELSE 0 "
            "END), 0) AS open FROM download_people p JOIN download_queue q ON q.id = p.download_id WHERE p.user_id = {}",
            *(user_id, user_id),
        )
        videos = await fetch(
            f"SELECT count(*) AS n, coalesce(sum(h.size_bytes), 0) AS bytes FROM download_history h WHERE {IN_LIBRARY}",
            user_id,
        )
        alone = await fetch(
            "SELECT count(*) AS n, coalesce(sum(h.size_bytes), 0) AS bytes FROM download_history h "
            f"WHERE {IN_LIBRARY} AND NOT {OTHERS}",
            *(user_id, user_id),
        )
        return Belongings(
            downloads=int(tops[0]["n"]),
            shared=int(tops[0]["shared"]),
            open=int(tops[0]["open"]),
            videos=int(videos[0]["n"]),
            size_bytes=int(videos[0]["bytes"]),
            own_videos=int(alone[0]["n"]),
            own_bytes=int(alone[0]["bytes"]),
        )

    async def tops(self, user_id: int) -> list[Top]:
        """The top-level downloads they asked for first; their rows stay locked."""
        ids = await fetch(
            "SELECT id FROM download_queue WHERE requested_by = {} AND parent_id IS NULL ORDER BY id" + locking(),
            user_id,
        )
        found = []
        for one in (row["id"] for row in ids):
            heirs = await fetch(
                "SELECT user_id FROM download_people WHERE download_id = {} AND user_id <> {} "
                "ORDER BY joined_at, user_id LIMIT 1",
                *(one, user_id),
            )
            videos = await fetch(
                "SELECT q.id FROM download_queue q JOIN download_history h ON h.id = q.history_id WHERE (q.id = {} OR "
                "q.parent_id = {}) AND h.filed_at IS NOT NULL AND h.deleted_at IS NULL LIMIT 1",
                *(one, one),
            )
            found.append(Top(id=one, heir=heirs[0]["user_id"] if heirs else None, has_videos=bool(videos)))
        return found

    async def give(self, download_id: int, to_user_id: int) -> None:
        """A download, its items and its videos are somebody else's."""
        await lock_rows(download_id)
        await fetch(
            "UPDATE download_history SET requested_by = {} WHERE id IN (SELECT history_id FROM download_queue WHERE "
            "(id = {} OR parent_id = {}) AND history_id IS NOT NULL) AND requested_by = (SELECT requested_by FROM "
            "download_queue WHERE id = {})",
            *(to_user_id, download_id, download_id, download_id),
        )
        await fetch(
            "UPDATE download_queue SET requested_by = {} WHERE id = {} OR parent_id = {}",
            *(to_user_id, download_id, download_id),
        )

    async def give_rest(self, user_id: int, to_user_id: int) -> None:
        """Videos without a download, and items of lists that stood under their name all the same."""
        await fetch("UPDATE download_history SET requested_by = {} WHERE requested_by = {}", to_user_id, user_id)
        await fetch("UPDATE download_queue SET requested_by = {} WHERE requested_by = {}", to_user_id, user_id)

    async def forget_videos(self, user_id: int, *, at: datetime) -> list[tuple[LibraryFile, ...]]:
        """Mark videos that no download shows as deleted; gives their files."""
        rows = await fetch(
            "UPDATE download_history SET deleted_at = {} WHERE requested_by = {} AND filed_at IS NOT NULL AND deleted_at "
            "IS NULL AND NOT EXISTS (SELECT 1 FROM download_queue q WHERE q.history_id = download_history.id) RETURNING files",
            *(at, user_id),
        )
        return [to_files(row["files"]) for row in rows]
