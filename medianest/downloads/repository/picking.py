"""Which download is next: by priority, and within one priority people take turns.

Of each person and site only the first in line is looked at, so that ten thousand waiting rows cost no more than ten. The
next one belongs to whoever has the fewest running; among those, to whoever was served longest ago. Left out are people
who have as many running as one may have, sites that were asked a moment ago, and whatever is paused: of that only the
probe may run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from medianest.database import is_postgres

# Whose video another download is fetching right now is left alone until that one has ended: no site is asked twice.
READY = (
    "q.state = 'queued' AND q.kind = 'video' AND (q.next_attempt_at IS NULL OR q.next_attempt_at <= {}) "
    "AND (q.reason_code IS NULL OR q.reason_code <> 'same_video' OR NOT EXISTS (SELECT 1 FROM download_queue t "
    "WHERE t.identity = q.identity AND t.id <> q.id AND t.owner IS NOT NULL))"
)
_IN_LINE = "SELECT DISTINCT requested_by, host FROM download_queue{hint} WHERE state = 'queued' AND kind = 'video'"
_NOT_PAUSED = "NOT EXISTS (SELECT 1 FROM site_pauses z WHERE z.site IN (q.host, '*') AND (z.probe_id IS NULL OR z.probe_id <> q.id))"
_RUNNING = (
    "SELECT requested_by, count(*) AS n FROM download_queue WHERE state IN ('downloading', 'processing') AND kind = 'video' "
    "GROUP BY requested_by"
)
_PICK = (
    "SELECT c.id FROM (SELECT (SELECT q.id FROM download_queue q{hint} WHERE q.requested_by = line.requested_by AND q.host = line.host "
    f"AND q.priority <= {{}} AND {READY} AND {_NOT_PAUSED} ORDER BY q.priority, q.position, q.id LIMIT 1) AS id "
    f"FROM ({_IN_LINE}) AS line WHERE NOT EXISTS (SELECT 1 FROM site_turns w WHERE w.site = line.host AND w.next_at > {{}})) AS f "
    "JOIN download_queue c ON c.id = f.id "
    f"LEFT JOIN ({_RUNNING}) AS r ON r.requested_by = c.requested_by "
    "LEFT JOIN person_turns s ON s.user_id = c.requested_by WHERE coalesce(r.n, 0) < {} "
    "ORDER BY c.priority, coalesce(r.n, 0), s.served_at NULLS FIRST, c.position, c.id LIMIT 1"
)
UNLIMITED = 1_000_000


def pick_query() -> str:
    """The statement that gives the id of the next download, or nothing."""
    # SQLite would walk along the index of all states and fetch every row of the line
    return _PICK.replace("{hint}", "" if is_postgres() else " INDEXED BY download_queue_fair")


def pick_args(at: datetime, *, lowest: int, per_person: int | None) -> tuple[Any, ...]:
    """The values of `pick_query`.

    Args:
        lowest: the lowest priority that may run now, as its number.
        per_person: how many one person may have running.
    """
    return lowest, at, at, UNLIMITED if per_person is None else per_person
