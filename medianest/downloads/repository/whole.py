"""The whole queue at once: what can be paused, resumed, cancelled or tried again, of one person or of everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from medianest.database import fetch
from medianest.downloads.model import DownloadState
from medianest.downloads.repository.bulk import Many, change_many
from medianest.downloads.repository.states import OPEN, RUNNING_OR_LINED

_LINE = (
    "state = CASE WHEN needs_approval THEN 'waiting' ELSE 'queued' END, attempts = 0, engine_tries = 0, owner = NULL, "
    "lease_until = NULL, next_attempt_at = NULL, finished_at = NULL"
)
# somebody else has asked for it too
_SHARED = (
    "EXISTS (SELECT 1 FROM download_people p WHERE p.download_id = coalesce(download_queue.parent_id, download_queue.id) "
    "AND p.user_id <> {})"
)
# looked up row by row: a join would read everybody's list
OWN_QUERY = (
    f"SELECT count(*) AS n FROM download_queue WHERE parent_id IS NULL AND {OPEN} AND requested_by = {{}} AND "
    "(SELECT count(*) FROM download_people p WHERE p.download_id = download_queue.id AND p.user_id <> {}) = 0"
)


class WholeRepository:
    """`person` is whose downloads are meant, None for everybody's."""

    async def counts(self, person: int | None) -> dict[DownloadState, int]:
        """Top-level downloads that have not ended, by state."""
        rows = await fetch(counts_query(person), *_args(person))
        return {DownloadState(row["state"]): row["n"] for row in rows}

    async def count_own(self, person: int) -> int:
        """Open downloads that are this person's alone."""
        return int((await fetch(OWN_QUERY, person, person))[0]["n"])

    async def failed(self, person: int | None, most: int) -> list[int]:
        """Top-level downloads that failed, or of which a video did."""
        return [row["id"] for row in await fetch(failed_query(person), *_args(person), most)]

    async def pause(self, person: int | None, at: datetime) -> Many:
        settings = "state = 'paused', reason_code = NULL, reason = NULL, owner = NULL, lease_until = NULL, next_attempt_at = NULL"
        return await change_many(RUNNING_OR_LINED + _of(person), _args(person), settings, (), at)

    async def resume(self, person: int | None, at: datetime) -> Many:
        settings = f"{_LINE}, reason_code = CASE WHEN needs_approval THEN 'approval' END, reason = NULL"
        return await change_many("state = 'paused'" + _of(person), _args(person), settings, (), at)

    async def cancel_own(self, person: int, reason: str, at: datetime) -> Many:
        """Stop what is this person's alone; what others have joined goes on for them."""
        settings = (
            "state = 'cancelled', reason_code = NULL, reason = {}, owner = NULL, lease_until = NULL, next_attempt_at = NULL, "
            "finished_at = {}"
        )
        which = f"{OPEN} AND requested_by = {{}} AND NOT {_SHARED}"
        return await change_many(which, (person, person), settings, (reason, at), at)

    async def after_engine_update(self, at: datetime) -> Many:
        """Once more with what yt-dlp could not read before its update."""
        settings = "state = 'queued', reason_code = NULL, reason = NULL, finished_at = NULL, next_attempt_at = NULL"
        which = "state = 'failed' AND reason_code = 'engine_error' AND engine_tries = 1"
        return await change_many(which, (), settings, (), at)


def _of(person: int | None) -> str:
    return "" if person is None else " AND requested_by = {}"


def _args(person: int | None) -> tuple[Any, ...]:
    return () if person is None else (person,)


def counts_query(person: int | None) -> str:
    """How many top-level downloads are in each open state."""
    return (
        "SELECT state, count(*) AS n FROM download_queue WHERE parent_id IS NULL AND NOT needs_approval "
        f"AND state IN ('queued', 'downloading', 'processing', 'waiting', 'paused'){_of(person)} GROUP BY state"
    )


def failed_query(person: int | None) -> str:
    """Top-level downloads that failed, or of which a video did."""
    return (
        "SELECT DISTINCT coalesce(parent_id, id) AS id FROM download_queue "
        f"WHERE state = 'failed' AND kind = 'video'{_of(person)} ORDER BY 1 LIMIT {{}}"
    )
