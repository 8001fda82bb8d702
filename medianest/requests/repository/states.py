"""Writing requests: new ones, who waits for them, and every step they take. Called inside transactions of the service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.errors import NotFound
from medianest.media.model import MediaType, TitleKey
from medianest.requests.model import OPEN_STATUSES, NewRequest, ReasonCode, RequestStatus, Source
from medianest.requests.repository.rows import COLUMNS, FILM, Row, marks, seasons_text, title_key, to_row

NO_SUCH = "This request does not exist. It may have been removed."


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step a request takes, and what its history says of it. `is_approved` None leaves that as it is."""

    status: RequestStatus
    source: Source
    actor_id: int | None = None
    reason_code: ReasonCode | None = None
    reason: str | None = None
    is_approved: bool | None = None
    is_noted: bool = True  # written into the history


class RequestStates:
    """Rows of `media_requests`, their parts, followers and history."""

    async def row(self, request_id: int, *, locks: bool = False) -> Row:
        """One row, for whoever may know it; raises `NotFound`."""
        # no stronger than it must be: who has just joined holds the row's key, and would wait for the other who has too
        lock = " FOR NO KEY UPDATE" if locks and is_postgres() else ""
        found = await fetch(f"SELECT {COLUMNS} FROM media_requests r WHERE r.id = {{}}{lock}", request_id)
        if not found:
            raise NotFound(NO_SUCH)
        return to_row(found[0])

    async def holding(self, new: NewRequest, parts: Iterable[int]) -> dict[int, int]:
        """Part → the open request that has it."""
        wanted = sorted(set(parts))
        found = await fetch(
            "SELECT season, request_id FROM request_parts WHERE media_type = {} AND tmdb_id = {} AND is_4k = {} AND is_open "
            f"AND season IN ({marks(len(wanted))})",
            *(new.media_type.value, new.tmdb_id, new.is_4k, *wanted),
        )
        return {row["season"]: row["request_id"] for row in found}

    async def taken(self, key: TitleKey, *, is_4k: bool) -> dict[int, int]:
        """Every part of the title that an open request has."""
        found = await fetch(
            "SELECT season, request_id FROM request_parts WHERE media_type = {} AND tmdb_id = {} AND is_4k = {} AND is_open",
            *(key.media_type.value, key.tmdb_id, is_4k),
        )
        return {row["season"]: row["request_id"] for row in found}

    async def add(
        self,
        new: NewRequest,
        *,
        seasons: Sequence[int],
        title: str,
        year: int | None,
        requested_by: int | None,
        status: RequestStatus,
        is_approved: bool,
        is_charged: bool,
        overseerr_id: int | None = None,
        at: datetime,
        created_at: datetime | None = None,
    ) -> int:
        """A new request with its parts.

        Raises:
            UniqueViolation: an open request has one of the parts. The transaction, or the savepoint around this, is to be
                rolled back.
        """
        found = await fetch(
            "INSERT INTO media_requests (media_type, tmdb_id, is_4k, seasons, requested_by, title, title_key, year, status, "
            "is_approved, overseerr_id, quota_cost, charged_at, version, created_at, changed_at) "
            f"VALUES ({marks(16)}) RETURNING id",
            *(
                new.media_type.value,
                new.tmdb_id,
                new.is_4k,
                seasons_text(seasons),
                requested_by,
                title,
                title_key(title),
            ),
            *(year, status.value, is_approved, overseerr_id, max(1, len(seasons)), at if is_charged else None, 1),
            *(created_at or at, at),
        )
        request_id = int(found[0]["id"])
        for part in seasons or (FILM,):
            await fetch(
                "INSERT INTO request_parts (request_id, season, media_type, tmdb_id, is_4k, is_open) "
                f"VALUES ({marks(6)})",
                *(request_id, part, new.media_type.value, new.tmdb_id, new.is_4k, status in OPEN_STATUSES),
            )
        if requested_by is not None:
            await self.join(request_id, requested_by, at)
        return request_id

    async def join(self, request_id: int, user_id: int, at: datetime) -> bool:
        """Whether they had not waited for it already."""
        return bool(
            await fetch(
                "INSERT INTO request_followers (user_id, request_id, joined_at) VALUES ({}, {}, {}) "
                "ON CONFLICT (user_id, request_id) DO NOTHING RETURNING user_id",
                *(user_id, request_id, at),
            )
        )

    async def leave(self, request_id: int, user_id: int) -> bool:
        """Whether they had waited for it."""
        return bool(
            await fetch(
                "DELETE FROM request_followers WHERE user_id = {} AND request_id = {} RETURNING user_id",
                *(user_id, request_id),
            )
        )

    async def people(self, request_id: int) -> tuple[int, ...]:
        """Who waits for it, the first first."""
        found = await fetch(
            "SELECT user_id FROM request_followers WHERE request_id = {} ORDER BY joined_at, user_id", request_id
        )
        return tuple(row["user_id"] for row in found)

    async def give(self, request_id: int, to_user_id: int | None, at: datetime) -> None:
        """Make it somebody else's; it counts for them from now on."""
        await fetch(
            "UPDATE media_requests SET requested_by = {}, charged_at = {}, version = version + 1 WHERE id = {}",
            *(to_user_id, at if to_user_id else None, request_id),
        )

    async def note(self, request_id: int, step: Step, at: datetime) -> None:
        """A line of the history."""
        await fetch(
            f"INSERT INTO request_status (request_id, at, status, source, actor_id, reason) VALUES ({marks(6)})",
            *(request_id, at, step.status.value, step.source.value, step.actor_id, step.reason),
        )

    async def take(self, row: Row, step: Step, at: datetime) -> bool:
        """Let the request take `step`, if nothing has happened to it since `row` was read.

        Raises:
            UniqueViolation: it would be open again, and somebody else has asked for the same meanwhile.
        """
        is_approved = row.is_approved if step.is_approved is None else step.is_approved
        async with transaction():
            found = await fetch(
                "UPDATE media_requests SET status = {}, reason_code = {}, reason = {}, is_approved = {}, changed_at = {}, "
                "version = version + 1 WHERE id = {} AND version = {} RETURNING id",
                *(step.status.value, step.reason_code.value if step.reason_code else None, step.reason),
                *(is_approved, at, row.id, row.version),
            )
            if not found:
                return False
            if (step.status in OPEN_STATUSES) != row.is_open:
                await fetch(
                    "UPDATE request_parts SET is_open = {} WHERE request_id = {}",
                    *(step.status in OPEN_STATUSES, row.id),
                )
            if step.is_noted:
                await self.note(row.id, step, at)
        return True

    async def link(self, request_id: int, overseerr_id: int | None) -> None:
        """Keep its number in Overseerr."""
        await fetch("UPDATE media_requests SET overseerr_id = {} WHERE id = {}", overseerr_id, request_id)

    async def unlink_all(self) -> list[Row]:
        """Numbers of Overseerr mean nothing any more; gives the open requests that had been sent."""
        rows = await fetch(
            f"SELECT {COLUMNS} FROM media_requests r WHERE r.overseerr_id IS NOT NULL "
            "AND r.status IN ('approved', 'processing', 'partially_available') ORDER BY r.id"
        )
        await fetch("UPDATE media_requests SET overseerr_id = NULL WHERE overseerr_id IS NOT NULL")
        return [to_row(row) for row in rows]

    async def charge(self, request_id: int, at: datetime) -> None:
        await fetch("UPDATE media_requests SET charged_at = {} WHERE id = {}", at, request_id)

    async def name(self, request_id: int, title: str, year: int | None) -> None:
        """What an imported request is about, once that was looked up."""
        await fetch(
            "UPDATE media_requests SET title = {}, title_key = {}, year = {} WHERE id = {}",
            *(title, title_key(title), year, request_id),
        )

    async def looked(self, ids: Sequence[int], at: datetime) -> None:
        """Others have their turn first the next time."""
        for start in range(0, len(ids), 500):
            piece = ids[start : start + 500]
            await fetch(f"UPDATE media_requests SET looked_at = {{}} WHERE id IN ({marks(len(piece))})", at, *piece)

    async def by_overseerr(self, overseerr_ids: Sequence[int]) -> dict[int, list[Row]]:
        """The requests that are these numbers in Overseerr."""
        if not overseerr_ids:
            return {}
        rows = await fetch(
            f"SELECT {COLUMNS} FROM media_requests r WHERE r.overseerr_id IN ({marks(len(overseerr_ids))})",
            *overseerr_ids,
        )
        found: dict[int, list[Row]] = {}
        for row in map(to_row, rows):
            found.setdefault(row.overseerr_id or 0, []).append(row)
        return found

    async def open_of(self, key: TitleKey) -> list[Row]:
        """The open requests for a title."""
        rows = await fetch(
            f"SELECT {COLUMNS} FROM media_requests r WHERE r.media_type = {{}} AND r.tmdb_id = {{}} "
            "AND r.status IN ('pending', 'approved', 'processing', 'partially_available') ORDER BY r.id",
            *(MediaType(key.media_type).value, key.tmdb_id),
        )
        return [to_row(row) for row in rows]
