"""What Overseerr must still be told: kept with the request in one transaction, claimed with a lease, one at a time for a title."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from medianest.database import fetch, is_postgres
from medianest.requests.repository.rows import marks


class Kind(StrEnum):
    """What is to be told."""

    SEND = "send"
    APPROVE = "approve"
    DECLINE = "decline"
    DELETE = "delete"
    RETRY = "retry"


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is this process's to deliver. `attempts` counts this one."""

    id: int
    kind: Kind
    request_id: int
    attempts: int
    refusals: int
    posted_at: datetime | None
    created_at: datetime


# the oldest of its lane, free or left behind; of several instances each takes another one
CLAIM_QUERY = (
    "SELECT o.id FROM outbox o WHERE o.next_attempt_at <= {{}} AND (o.lease_until IS NULL OR o.lease_until < {{}}) "
    "AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.lane = o.lane AND p.id < o.id) "
    "ORDER BY o.next_attempt_at, o.id LIMIT 1{lock}"
)
NEXT_QUERY = "SELECT next_attempt_at FROM outbox WHERE owner IS NULL ORDER BY next_attempt_at LIMIT 1"


class Outbox:
    """Rows of `outbox`.

    Args:
        owner: name of this process and run, as `<instance>/<run>/…`.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner

    async def put(self, kind: Kind, request_id: int, lane: str, at: datetime) -> None:
        """Keep what is to be told; call it inside the transaction that makes it true here."""
        await fetch(
            f"INSERT INTO outbox (kind, request_id, lane, attempts, refusals, next_attempt_at, created_at) VALUES ({marks(7)})",
            *(kind.value, request_id, lane, 0, 0, at, at),
        )

    async def claim(self, now: datetime, lease: timedelta) -> Letter | None:
        """The next that is due, if there is one."""
        query = CLAIM_QUERY.format(lock=" FOR UPDATE SKIP LOCKED" if is_postgres() else "")
        found = await fetch(
            f"UPDATE outbox SET owner = {{}}, lease_until = {{}}, attempts = attempts + 1 WHERE id = ({query}) "
            "AND (lease_until IS NULL OR lease_until < {}) RETURNING id, kind, request_id, attempts, refusals, posted_at, created_at",
            *(self._owner, now + lease, now, now, now),
        )
        if not found:
            return None
        row = found[0]
        return Letter(
            id=row["id"],
            kind=Kind(row["kind"]),
            request_id=row["request_id"],
            attempts=row["attempts"],
            refusals=row["refusals"],
            posted_at=row["posted_at"],
            created_at=row["created_at"],
        )

    async def hold(self, letter_id: int, until: datetime) -> bool:
        """Renew the lease; False when the row is not ours any more."""
        return bool(
            await fetch(
                "UPDATE outbox SET lease_until = {} WHERE id = {} AND owner = {} RETURNING id",
                *(until, letter_id, self._owner),
            )
        )

    async def posted(self, letter_id: int, at: datetime | None) -> bool:
        """A call is about to be made whose answer may be lost; None when it certainly did nothing.

        False: the row is another process's meanwhile, so the call must not be made.
        """
        return bool(
            await fetch(
                "UPDATE outbox SET posted_at = {} WHERE id = {} AND owner = {} RETURNING id",
                *(at, letter_id, self._owner),
            )
        )

    async def done(self, letter_id: int) -> bool:
        """Nothing is left to do."""
        return bool(await fetch("DELETE FROM outbox WHERE id = {} AND owner = {} RETURNING id", letter_id, self._owner))

    async def later(self, letter_id: int, at: datetime, code: str, *, is_refusal: bool = False) -> None:
        """Give it back until then."""
        await fetch(
            "UPDATE outbox SET owner = NULL, lease_until = NULL, next_attempt_at = {}, last_code = {}, "
            "refusals = refusals + {} WHERE id = {} AND owner = {}",
            *(at, code[:100], 1 if is_refusal else 0, letter_id, self._owner),
        )

    async def next_at(self) -> datetime | None:
        """When the next one is due."""
        found = await fetch(NEXT_QUERY)
        return found[0]["next_attempt_at"] if found else None

    async def hurry(self, at: datetime) -> None:
        """Overseerr answers again: what waited goes now. What may have arrived there keeps the time it was given."""
        await fetch("UPDATE outbox SET next_attempt_at = {} WHERE owner IS NULL AND posted_at IS NULL", at)

    async def release_dead(self, instance: str) -> int:
        """Free what an earlier run of this instance had taken: only one process at a time has a data folder."""
        found = await fetch(
            "UPDATE outbox SET owner = NULL, lease_until = NULL WHERE owner LIKE {} AND owner <> {} RETURNING id",
            *(f"{instance}/%", self._owner),
        )
        return len(found)

    async def has(self, request_id: int) -> bool:
        """Whether something is still to be told about the request: what Overseerr says of it is old then."""
        return bool(await fetch("SELECT id FROM outbox WHERE request_id = {} LIMIT 1", request_id))

    async def lanes(self) -> set[str]:
        """Titles about which something is still to be told."""
        return {row["lane"] for row in await fetch("SELECT DISTINCT lane FROM outbox")}

    async def drop_unsent(self, request_id: int) -> bool:
        """Take back what was never begun; True when a letter about the request is left that must run its course."""
        await fetch(
            "DELETE FROM outbox WHERE request_id = {} AND kind = 'send' AND owner IS NULL AND posted_at IS NULL",
            request_id,
        )
        return await self.has(request_id)
