"""Every list of requests has an index: EXPLAIN over 100,000 rows shows no walk through a whole table, on either engine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medianest.database import Engine, fetch, is_postgres, transaction
from medianest.media.model import MediaType
from medianest.requests.repository.lists import (
    GROUPS,
    LATEST_QUERY,
    LOOK_QUERY,
    UNSENT_QUERY,
    Wanted,
    counts_query,
    page_query,
    titles_query,
)
from medianest.requests.repository.outbox import CLAIM_QUERY, NEXT_QUERY
from medianest.requests.repository.quotas import CHARGES_QUERY
from tests.downloads.running_queue import make_user
from tests.downloads.test_query_plans import plan_of, sorts_everything, whole_tables

ROWS = 100_000
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
_STATUS = (
    "CASE WHEN i % 100 = 1 THEN 'pending' WHEN i % 100 < 4 THEN 'approved' WHEN i % 100 < 6 THEN 'processing' "
    "WHEN i % 100 < 10 THEN 'declined' WHEN i % 100 = 10 THEN 'failed' ELSE 'available' END"
)


@pytest.fixture
async def person(database: Engine) -> int:
    """Somebody with a few hundred of 100,000 requests."""
    ids = [(await make_user(f"person{number}")).id for number in range(20)]
    yes, no = ("true", "false") if is_postgres() else ("1", "0")
    async with transaction():
        await fetch(
            _NUMBERS.format(rows=ROWS)
            + "INSERT INTO media_requests (id, media_type, tmdb_id, is_4k, seasons, requested_by, title, title_key, year, status, "
            "is_approved, overseerr_id, quota_cost, charged_at, version, created_at, changed_at, looked_at) "
            f"SELECT i, CASE WHEN i % 3 = 0 THEN 'tv' ELSE 'movie' END, i / 2, {no}, '', {ids[0]} + i % 20, 'Film ' || i, "
            f"'film ' || i, 2000, {_STATUS}, {yes}, CASE WHEN i % 50 = 2 THEN NULL ELSE i END, 1, "
            f"'2026-03-01 00:00:00+00:00', 1, '2026-03-01 00:00:00+00:00', '2026-03-01 00:00:00+00:00', NULL FROM n"
        )
        await fetch(
            "INSERT INTO request_followers (user_id, request_id, joined_at) SELECT requested_by, id, created_at "
            "FROM media_requests WHERE id % 20 <> 3 OR id < 6000"
        )
        await fetch(
            "INSERT INTO request_parts (request_id, season, media_type, tmdb_id, is_4k, is_open) "
            f"SELECT id, -1, media_type, id, {no}, {yes} FROM media_requests"
        )
        await fetch(
            "INSERT INTO request_status (request_id, at, status, source) SELECT id, created_at, status, 'person' FROM media_requests"
        )
        await fetch(
            "INSERT INTO outbox (kind, request_id, lane, attempts, refusals, next_attempt_at, created_at) "
            "SELECT 'send', id, media_type || tmdb_id, 1, 0, created_at, created_at FROM media_requests WHERE id % 20 = 0"
        )
    if is_postgres():
        await fetch("VACUUM ANALYZE")
    return ids[0] + 3


@pytest.mark.timeout_s(120)
async def test_no_list_of_requests_walks_through_a_whole_table_or_sorts_it(person: int) -> None:
    lock = " FOR UPDATE SKIP LOCKED" if is_postgres() else ""
    queries = {
        "latest": (LATEST_QUERY, (person, 5)),
        "titles": (titles_query(3), ("movie", 5, 6, 7)),
        "look": (LOOK_QUERY, (20,)),
        "unsent": (UNSENT_QUERY, (20,)),
        "claim": (CLAIM_QUERY.format(lock=lock), (NOW, NOW)),
        "next": (NEXT_QUERY, ()),
        "charges": (CHARGES_QUERY, (person, NOW)),
        "counts": counts_query(None),
        "own counts": counts_query(person),
        "by number": ("SELECT id FROM media_requests r WHERE r.overseerr_id IN ({}, {})", (5, 6)),
        "history": ("SELECT at FROM request_status WHERE request_id = {} ORDER BY id DESC LIMIT 200", (7,)),
        "followers": ("SELECT user_id FROM request_followers WHERE request_id = {}", (7,)),
        "holding": (
            "SELECT season FROM request_parts WHERE media_type = {} AND tmdb_id = {} AND is_4k = {} AND is_open",
            ("movie", 7, False),
        ),
    }
    for name, (sql, args) in queries.items():
        plan = await plan_of(sql, *args)
        if name == "counts" and is_postgres():
            continue  # it counts all rows: the planner may as well read the table
        assert whole_tables(plan) == [], f"{name}\n{plan}"
    # and pages are found in their order
    for group in (None, *GROUPS):
        for media_type in (None, MediaType.TV):
            for order in ("newest", "oldest"):
                wanted = Wanted(person=None, group=group, media_type=media_type, order=order)
                sql, args = page_query(wanted)
                plan = await plan_of(sql, *args, 20, 0)
                # by date the key itself is the order: as many rows are read as the page has
                assert [line for line in whole_tables(plan) if line != "SCAN r"] == [], f"{wanted}\n{plan}"
                assert not sorts_everything(plan), f"{wanted}\n{plan}"
            own, args = page_query(Wanted(person=person, group=group, media_type=media_type))
            plan = await plan_of(own, *args, 20, 0)
            assert whole_tables(plan) == [], f"{group}\n{plan}"
    for order in ("title", "status"):
        sql, args = page_query(Wanted(person=None, order=order))
        plan = await plan_of(sql, *args, 20, 0)
        assert whole_tables(plan) == [], f"{order}\n{plan}"
        assert not sorts_everything(plan), f"{order}\n{plan}"
