"""Reading requests: one, pages of them, counts, and what is known of titles. Every list has an index for its order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres
from medianest.errors import NotFound
from medianest.media.model import MediaType, TitleKey
from medianest.requests.model import RequestPerson, RequestStatus, Source
from medianest.requests.repository.rows import COLUMNS, Row, marks, to_row
from medianest.requests.repository.states import NO_SUCH

# The words stand in the SQL itself, since the partial indexes are made for exactly these.
GROUPS: dict[str, tuple[RequestStatus, ...]] = {
    "waiting": (RequestStatus.PENDING,),
    "coming": (RequestStatus.APPROVED, RequestStatus.PROCESSING, RequestStatus.PARTIALLY_AVAILABLE),
    "there": (RequestStatus.AVAILABLE,),
    "declined": (RequestStatus.DECLINED, RequestStatus.FAILED, RequestStatus.CANCELLED),
}
CONDITIONS = {
    "waiting": "r.status = 'pending'",
    "coming": "r.status IN ('approved', 'processing', 'partially_available')",
    "there": "r.status = 'available'",
    "declined": "r.status IN ('declined', 'failed', 'cancelled')",
}
INDEXES = {"coming": "media_requests_coming", "declined": "media_requests_ended"}
ORDERS = {
    "newest": "r.id DESC",
    "oldest": "r.id",
    "title": "r.title_key, r.id",
    "status": "r.status, r.id",
}
_SEEN = "EXISTS (SELECT 1 FROM request_followers p WHERE p.user_id = {} AND p.request_id = r.id)"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which requests a list shows. `person` is None for people who see everybody's."""

    person: int | None
    group: str | None = None
    status: RequestStatus | None = None
    media_type: MediaType | None = None
    words: str = ""
    order: str = "newest"


class Followers(msgspec.Struct, frozen=True):
    """Who waits for a request: how many, and whether the reader is one of them."""

    count: int
    is_followed: bool


class RequestLists:
    """Questions about requests."""

    async def row(self, request_id: int, person: int | None) -> Row:
        """One request that `person` may see (None: everybody's); raises `NotFound`."""
        seen, args = ("", ()) if person is None else (f" AND {_SEEN}", (person,))
        found = await fetch(f"SELECT {COLUMNS} FROM media_requests r WHERE r.id = {{}}{seen}", request_id, *args)
        if not found:
            raise NotFound(NO_SUCH)
        return to_row(found[0])

    async def page(self, wanted: Wanted, limit: int, offset: int) -> list[Row]:
        """A page of the list."""
        sql, args = page_query(wanted)
        return [to_row(row) for row in await fetch(sql, *args, limit, offset)]

    async def total(self, wanted: Wanted) -> int:
        """How many the whole list has."""
        sql, args = total_query(wanted)
        return int((await fetch(sql, *args))[0]["n"])

    async def counts(self, person: int | None) -> dict[RequestStatus, int]:
        """How many there are by status."""
        sql, args = counts_query(person)
        return {RequestStatus(row["status"]): row["n"] for row in await fetch(sql, *args)}

    async def pending(self) -> int:
        """How many wait for somebody to say yes."""
        return int((await fetch("SELECT count(*) AS n FROM media_requests WHERE status = 'pending'"))[0]["n"])

    async def latest(self, person: int, limit: int) -> list[Row]:
        """What a person asked for or follows, the newest change first."""
        found = await fetch(LATEST_QUERY, person, limit)
        return [to_row(row) for row in found]

    async def of_titles(self, keys: Sequence[TitleKey]) -> list[Row]:
        """All requests for these titles, newest first."""
        rows: list[Row] = []
        for media_type in MediaType:
            ids = sorted({key.tmdb_id for key in keys if key.media_type == media_type})
            if ids:
                found = await fetch(titles_query(len(ids)), media_type.value, *ids)
                rows += [to_row(row) for row in found]
        return sorted(rows, key=lambda row: -row.id)

    async def followers(self, ids: Sequence[int], reader: int) -> dict[int, Followers]:
        """How many wait for each of these requests, and whether the reader does."""
        if not ids:
            return {}
        found = await fetch(
            "SELECT request_id, count(*) AS n, sum(CASE WHEN user_id = {} THEN 1 ELSE 0 END) AS own FROM request_followers "
            f"WHERE request_id IN ({marks(len(ids))}) GROUP BY request_id",
            *(reader, *ids),
        )
        return {row["request_id"]: Followers(int(row["n"]), bool(row["own"])) for row in found}

    async def follower_names(self, request_id: int, but: int | None) -> tuple[str, ...]:
        """Who waits for it beside the one who asked."""
        found = await fetch(
            "SELECT u.display_name FROM request_followers p JOIN users u ON u.id = p.user_id WHERE p.request_id = {} "
            "AND p.user_id <> {} ORDER BY p.joined_at, u.id LIMIT 100",
            *(request_id, but or 0),
        )
        return tuple(row["display_name"] for row in found)

    async def names(self, ids: Sequence[int]) -> dict[int, str]:
        """Names of people."""
        wanted = sorted(set(ids))
        if not wanted:
            return {}
        found = await fetch(f"SELECT id, display_name FROM users WHERE id IN ({marks(len(wanted))})", *wanted)
        return {row["id"]: row["display_name"] for row in found}

    async def active_people(self) -> tuple[RequestPerson, ...]:
        """Everybody who is not suspended, by name."""
        found = await fetch(
            "SELECT id, display_name FROM users WHERE state = 'active' ORDER BY username_key, id LIMIT 500"
        )
        return tuple(RequestPerson(id=row["id"], name=row["display_name"]) for row in found)

    async def person_with(self, plex_id: int | None, email: str) -> int | None:
        """Who has this Plex account, else who has this e-mail."""
        found: list[dict[str, Any]] = []
        if plex_id is not None:
            found = await fetch("SELECT user_id AS id FROM plex_accounts WHERE plex_id = {}", plex_id)
        if not found and email:
            found = await fetch("SELECT id FROM users WHERE lower(email) = {} ORDER BY id LIMIT 1", email.lower())
        return int(found[0]["id"]) if found else None

    async def history(self, request_id: int) -> list[dict[str, Any]]:
        """The last 200 steps, oldest first: `at`, `status`, `source`, `actor_id`, `reason`."""
        found = await fetch(
            "SELECT at, status, source, actor_id, reason FROM request_status WHERE request_id = {} ORDER BY id DESC LIMIT 200",
            request_id,
        )
        return [
            {**row, "status": RequestStatus(row["status"]), "source": Source(row["source"])} for row in reversed(found)
        ]

    async def to_look_at(self, limit: int, *, is_sent: bool) -> list[Row]:
        """Open requests whose turn it is, longest unseen first."""
        sql = LOOK_QUERY if is_sent else UNSENT_QUERY
        return [to_row(row) for row in await fetch(sql, limit)]

    async def unnamed(self, limit: int) -> list[Row]:
        """Imported requests whose title is not known yet."""
        found = await fetch(
            f"SELECT {COLUMNS} FROM media_requests r WHERE r.title_key = '' ORDER BY r.id LIMIT {{}}", limit
        )
        return [to_row(row) for row in found]

    async def remove_forgotten(self, before: datetime) -> int:
        """Remove ended requests that are nobody's any more and that nobody follows."""
        found = await fetch(
            "DELETE FROM media_requests WHERE requested_by IS NULL AND overseerr_id IS NULL AND changed_at < {} "
            "AND status IN ('declined', 'failed', 'cancelled') "
            "AND NOT EXISTS (SELECT 1 FROM request_followers p WHERE p.request_id = media_requests.id) "
            "AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.request_id = media_requests.id) RETURNING id",
            before,
        )
        return len(found)


LATEST_QUERY = (
    f"SELECT {COLUMNS} FROM request_followers p JOIN media_requests r ON r.id = p.request_id WHERE p.user_id = {{}} "
    "ORDER BY r.changed_at DESC, r.id DESC LIMIT {}"
)
_OPEN = "r.status IN ('pending', 'approved', 'processing', 'partially_available')"
LOOK_QUERY = f"SELECT {COLUMNS} FROM media_requests r WHERE {_OPEN} AND r.overseerr_id IS NOT NULL ORDER BY r.looked_at, r.id LIMIT {{}}"
UNSENT_QUERY = f"SELECT {COLUMNS} FROM media_requests r WHERE {_OPEN} AND r.overseerr_id IS NULL ORDER BY r.looked_at, r.id LIMIT {{}}"


def titles_query(count: int) -> str:
    """The requests for some titles of one kind."""
    return f"SELECT {COLUMNS} FROM media_requests r WHERE r.media_type = {{}} AND r.tmdb_id IN ({marks(count)})"


def _conditions(wanted: Wanted) -> tuple[list[str], list[Any]]:
    found: list[str] = []
    args: list[Any] = []
    if wanted.status is not None:
        found.append(f"r.status = '{RequestStatus(wanted.status)}'")
    elif wanted.group is not None:
        found.append(CONDITIONS[wanted.group])
    if wanted.media_type is not None:
        # half of all rows: SQLite would take them by an index of titles and sort them
        found.append(f"r.media_type || '' = '{MediaType(wanted.media_type)}'")
    if wanted.words:
        found.append("r.title_key LIKE {} ESCAPE '!'")
        folded = " ".join(wanted.words.casefold().split())
        args.append("%" + "".join("!" + char if char in "!%_" else char for char in folded) + "%")
    return found, args


def page_query(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """The statement of a page; it ends with two places for limit and offset."""
    conditions, args = _conditions(wanted)
    order = ORDERS.get(wanted.order, ORDERS["newest"])
    if wanted.person is not None:
        # one person's own are few: found by the key of the table of followers, whose order is that of the ids
        by_key = {"r.id DESC": "p.request_id DESC", "r.id": "p.request_id"}.get(order, order)
        where = " AND ".join(["p.user_id = {}", *conditions])
        return (
            f"SELECT {COLUMNS} FROM request_followers p JOIN media_requests r ON r.id = p.request_id WHERE {where} "
            f"ORDER BY {by_key} LIMIT {{}} OFFSET {{}}",
            (wanted.person, *args),
        )
    # SQLite would find several states by another index and sort all of them
    index = INDEXES.get(wanted.group or "") if wanted.status is None and order in ("r.id DESC", "r.id") else None
    hint = f" INDEXED BY {index}" if index and not is_postgres() else ""
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {COLUMNS} FROM media_requests r{hint}{where} ORDER BY {order} LIMIT {{}} OFFSET {{}}", tuple(args)


def total_query(wanted: Wanted) -> tuple[str, tuple[Any, ...]]:
    """How many a list has."""
    conditions, args = _conditions(wanted)
    if wanted.person is not None:
        where = " AND ".join(["p.user_id = {}", *conditions])
        return (
            f"SELECT count(*) AS n FROM request_followers p JOIN media_requests r ON r.id = p.request_id WHERE {where}",
            (wanted.person, *args),
        )
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT count(*) AS n FROM media_requests r{where}", tuple(args)


def counts_query(person: int | None) -> tuple[str, tuple[Any, ...]]:
    """Rows by status."""
    if person is None:
        return "SELECT status, count(*) AS n FROM media_requests GROUP BY status", ()
    return (
        "SELECT r.status AS status, count(*) AS n FROM request_followers p JOIN media_requests r ON r.id = p.request_id "
        "WHERE p.user_id = {} GROUP BY r.status",
        (person,),
    )
