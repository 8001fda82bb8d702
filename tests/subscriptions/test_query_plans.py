"""Every list of subscriptions has an index: EXPLAIN over many rows shows no walk through a whole table, on either engine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from medianest.database import Engine, fetch, is_postgres, transaction
from medianest.downloads.feeds.repository import SHELVED_QUERY, STANDING_QUERY
from medianest.subscriptions.repository.lists import (
    ALL_QUERY,
    COUNTS_QUERY,
    ITEMS_QUERY,
    OF_QUERY,
    STATE_QUERY,
)
from medianest.subscriptions.repository.work import DUE_QUERY, NEXT_QUERY, QUEUED_QUERY, WANTED_QUERY
from tests.downloads.running_queue import make_user
from tests.downloads.test_query_plans import plan_of, sorts_everything, whole_tables

SUBSCRIPTIONS, ITEMS = 4_000, 100_000
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
HOUR_AGO, TOMORROW = NOW - timedelta(hours=1), NOW + timedelta(days=1)
# NO, NAME and TIME are written differently on the two engines
SUBSCRIPTION_ROWS = """
INSERT INTO subscriptions (id, user_id, url, url_key, site, kind, title, uploader, interval_s, quality, audio_only, layout, priority,
    filters, keep_rule, state, is_newest_first, next_check_at, due_at, message, failures, deletes_files, created_at, changed_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < MOST)
SELECT i, CASE WHEN i % 2 = 0 THEN ID ELSE ID END, 'u', NAME, 's', 'channel', 'Channel ' || NAME, '', 3600, 'default', NO, 'show', 1,
    JSON, 'all', 'active', NO, TIME, CASE WHEN i % 50 = 0 THEN TIME ELSE TIME END, '', 0, NO, TIME, TIME FROM n"""
ITEM_ROWS = """
INSERT INTO subscription_items (subscription_id, item_key, identity, url, title, tab, place, is_backlog, state, reason, is_ours,
    download_id, found_at, changed_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < MOST)
SELECT CASE WHEN i % 5 = 0 THEN 1 ELSE i % 4000 + 1 END, NAME, NAME, 'u', 't', '', i, NO,
    CASE WHEN i % 100 = 0 THEN 'queued' WHEN i % 90 = 0 THEN 'wanted' ELSE 'known' END, '', NO,
    CASE WHEN i % 100 = 0 THEN i END, TIME, TIME FROM n"""


def _sql(text: str, most: int) -> str:
    own = {"MOST": str(most), "NAME": "CAST(i AS TEXT)", "NO": "0", "TIME": "{}", "ID": "{}", "JSON": "{}"}
    if is_postgres():
        own |= {"NO": "FALSE", "TIME": "{}::timestamptz", "ID": "{}::bigint", "JSON": "{}::jsonb"}
    return re.sub(r"\b(MOST|NAME|NO|TIME|ID|JSON)\b", lambda found: own[found[0]], text)


@pytest.fixture
async def person(database: Engine) -> int:
    """Somebody who follows half of 4,000 lists, the first of which has 20,000 of 100,000 videos."""
    ana, ben = await make_user("ana"), await make_user("ben")
    async with transaction():
        await fetch(_sql(SUBSCRIPTION_ROWS, SUBSCRIPTIONS), ana.id, ben.id, "{}", NOW, HOUR_AGO, TOMORROW, NOW, NOW)
        await fetch(_sql(ITEM_ROWS, ITEMS), NOW, NOW)
    if is_postgres():
        await fetch("VACUUM ANALYZE")
    return ana.id


@pytest.mark.timeout_s(120)
async def test_no_list_walks_through_a_whole_table(person: int) -> None:
    no = False
    queries = {
        "own": (OF_QUERY, person, 50, 0),
        "all": (ALL_QUERY, 50, 0),
        "videos": (ITEMS_QUERY, 1, 50, 0),
        "videos in a state": (STATE_QUERY, 1, "queued", 50, 0),
        "counts": (COUNTS_QUERY.replace("{marks}", "{}, {}"), 1, 2),
        "due": (DUE_QUERY, NOW, NOW),
        "next": (NEXT_QUERY, NOW),
        "wanted": (WANTED_QUERY, 1, no, 20),
        "queued": (QUEUED_QUERY, 1, 100),
        "known": ("SELECT item_key FROM subscription_items WHERE subscription_id = {} AND item_key IN ({}, {})", 1, "5", "10"),
        "of a download": (
            "SELECT i.id FROM subscription_items i JOIN subscriptions s ON s.id = i.subscription_id WHERE i.download_id = {}", 100,
        ),
        "source": ("SELECT id FROM subscriptions WHERE user_id = {} AND url_key = {}", person, "2"),
    }  # fmt: skip
    plans = {name: await plan_of(*query) for name, query in queries.items()}
    bad = {name: plan for name, plan in plans.items() if whole_tables(plan)}
    assert not bad, "\n\n".join(f"{name}\n{plan}" for name, plan in bad.items())
    sorted_ones = {name: plan for name, plan in plans.items() if name not in ("counts",) and sorts_everything(plan)}
    assert not sorted_ones, "\n\n".join(f"{name}\n{plan}" for name, plan in sorted_ones.items())


async def test_what_the_queue_and_the_library_know_is_found_by_key(database: Engine) -> None:
    for query, value in ((STANDING_QUERY, 1), (SHELVED_QUERY, "tube:x")):
        assert await fetch(query.replace("{marks}", "{}"), value) == []
