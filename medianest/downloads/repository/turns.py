"""Places in the line as people take turns: when the claim would come to a row, were nothing added any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from medianest.database import fetch

_COUNTS = (
    "SELECT c.requested_by, c.priority, count(*) AS n FROM download_queue c WHERE c.state = 'queued' AND c.kind = 'video' "
    "GROUP BY c.requested_by, c.priority"
)
_RUNNING = (
    "SELECT requested_by, count(*) AS n FROM download_queue WHERE state IN ('downloading', 'processing') AND kind = 'video' "
    "GROUP BY requested_by"
)
COUNTS_QUERY = _COUNTS
BEFORE_QUERY = (
    "SELECT id, requested_by, priority, row_number() OVER (PARTITION BY requested_by, priority ORDER BY position, id) - 1 "
    "AS before FROM download_queue WHERE state = 'queued' AND kind = 'video' AND requested_by IN (%s)"
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class InLine(msgspec.Struct, frozen=True, kw_only=True):
    """A queued row. `before` counts what the same person has in line before it, with the same priority."""

    id: int
    requested_by: int
    priority: int
    before: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has in line with one priority, what they have running, and when they were served last."""

    requested_by: int
    priority: int
    waiting: int
    running: int = 0
    served_at: datetime = _NEVER


def place_of(row: InLine, shares: Iterable[Share]) -> int:
    """Which turn it will be, 1 is next: after everything of higher priority, then each person's next one in turn.

    A person with something running stands as far behind as if that had been served in this round.
    """
    shares = tuple(shares)
    mine = next(
        (one for one in shares if (one.requested_by, one.priority) == (row.requested_by, row.priority)),
        Share(requested_by=row.requested_by, priority=row.priority, waiting=row.before + 1),
    )
    turn = row.before + mine.running
    place = row.before + 1
    for other in shares:
        if other.priority < row.priority:
            place += other.waiting
        elif other.priority == row.priority and other.requested_by != row.requested_by:
            is_first = (other.served_at, other.requested_by) < (mine.served_at, mine.requested_by)
            place += min(other.waiting, max(0, turn - other.running + (1 if is_first else 0)))
    return place


async def shares() -> tuple[Share, ...]:
    """Everybody who has something in line."""
    counts = await fetch(_COUNTS)
    if not counts:
        return ()
    running = {row["requested_by"]: row["n"] for row in await fetch(_RUNNING)}
    served = {row["user_id"]: row["served_at"] for row in await fetch("SELECT user_id, served_at FROM person_turns")}
    return tuple(
        Share(
            requested_by=row["requested_by"],
            priority=row["priority"],
            waiting=row["n"],
            running=running.get(row["requested_by"], 0),
            served_at=served.get(row["requested_by"], _NEVER),
        )
        for row in counts
    )


async def in_line(ids: Iterable[int]) -> tuple[InLine, ...]:
    """Those of `ids` that are queued."""
    wanted = sorted(set(ids))
    if not wanted:
        return ()
    marks = ", ".join(["{}"] * len(wanted))
    whose = await fetch(
        f"SELECT DISTINCT requested_by FROM download_queue WHERE id IN ({marks}) AND state = 'queued' AND kind = 'video'",
        *wanted,
    )
    if not whose:
        return ()
    people = [row["requested_by"] for row in whose]
    rows = await fetch(
        f"SELECT id, requested_by, priority, before FROM ({BEFORE_QUERY % ', '.join(['{}'] * len(people))}) AS line "
        f"WHERE id IN ({marks})",
        *(*people, *wanted),
    )
    return tuple(msgspec.convert(dict(row), InLine) for row in rows)
