"""Every list has an index: EXPLAIN over 100,000 rows shows no walk through a whole table, on either engine."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from medianest.database import Engine, fetch, is_postgres, transaction
from medianest.downloads.model import DownloadState
from medianest.downloads.repository import whole
from medianest.downloads.repository.claims import DUE_QUERY
from medianest.downloads.repository.lists import (
    APPROVALS_QUERY,
    ENTRIES_QUERY,
    ITEMS_QUERY,
    counts_query,
    finished_query,
    page_query,
)
from medianest.downloads.repository.picking import pick_args, pick_query
from medianest.downloads.repository.quotas import CHARGES_QUERY, SPENT_QUERY, STORED_QUERY
from medianest.downloads.repository.turns import BEFORE_QUERY, COUNTS_QUERY
from tests.downloads.running_queue import make_user

ROWS = 100_000
PIECE = 2_000
LATE = datetime(2026, 3, 16, 15, tzinfo=UTC)  # the last hour of those rows
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
STATES = ("completed",) * 90 + ("failed",) * 4 + ("cancelled",) * 2 + ("queued",) * 3 + ("waiting",)


_KEYS = (
    "INSERT INTO api_keys (user_id, name, hint, key_hash, scopes, created_at) "
    "SELECT {}, url_key, 'abcd', url_key, 'read', created_at FROM download_queue WHERE id % 10 = 0"
)
_HISTORY = (
    "INSERT INTO download_history (identity, title, uploader, url, site, video_id, files, size_bytes, requested_by, created_at, filed_at) "
    "SELECT 'tube:' || url_key, title, uploader, url, 'tube', url_key, '[]', 10, requested_by, created_at, created_at "
    "FROM download_queue WHERE id % 10 = 0"
)
_PEOPLE = (
    "INSERT INTO users (username, username_key, display_name, role, state, created_at) "
    "SELECT 'p' || url_key, 'p' || url_key, 'p', 'user', 'active', created_at FROM download_queue WHERE id % 50 = 0"
)


@pytest.fixture
async def rows(database: Engine) -> int:
    """A person with most of 100,000 downloads; a tenth of the rows are items of lists."""
    user = await make_user("ana")
    other = await make_user("ben")
    async with transaction():
        for start in range(0, ROWS, PIECE):
            await _insert(start, user.id)
        await fetch(
            "INSERT INTO download_people (user_id, download_id, joined_at) "
            "SELECT {}, id, {} FROM download_queue WHERE parent_id IS NULL AND id % 10 <> 0",
            *(user.id, NOW),
        )
        await fetch(
            "INSERT INTO download_people (user_id, download_id, joined_at) "
            "SELECT {}, id, {} FROM download_queue WHERE parent_id IS NULL AND id % 10 = 0",
            *(other.id, NOW),
        )
        await fetch(
            "INSERT INTO quota_spent (user_id, cost, charged_at) SELECT requested_by, 1, created_at FROM download_queue WHERE id % 5 = 0"
        )
        await fetch(_KEYS, user.id)
        await fetch(_HISTORY)
        await fetch(_PEOPLE)
        for start in range(0, ROWS, 20_000):  # in pieces: each row is looked up, and a statement has a minute
            await fetch(
                "INSERT INTO download_log (download_id, at, line) SELECT id, {}, 'x' FROM download_queue WHERE id > {} AND id <= {}",
                *(NOW, start, start + 20_000),
            )
    if is_postgres():
        await fetch("VACUUM ANALYZE")
    return user.id


async def _insert(start: int, user_id: int) -> None:
    values: list[Any] = []
    for number in range(start + 1, start + PIECE + 1):
        is_item = number % 10 == 5
        state = "downloading" if number == 77 else STATES[number % 100]
        values += [number, number - 1 if is_item else None, number, user_id, f"http://a.test/{number}", str(number)]
        values += ["playlist" if number % 10 == 4 else "video", state, number, NOW + timedelta(seconds=number)]
        values += ["owner" if state == "downloading" else None, f"{number % 7}.test", number % 1000 == 999]
    row = "({}, {}, {}, {}, {}, {}, {}, 't', '', 'default', " + ("FALSE, FALSE" if is_postgres() else "0, 0")
    row += ", {}, 1, {}, 0, '2026-01-01 00:00:00+00:00', {}, {}, {}, '2026-01-01 00:00:00+00:00', {})"
    await fetch(
        "INSERT INTO download_queue (id, parent_id, item_index, requested_by, url, url_key, kind, title, uploader, quality, audio_only, "
        "as_film, state, priority, position, attempts, created_at, changed_at, owner, host, charged_at, needs_approval) "
        f"VALUES {', '.join([row] * PIECE)}",
        *values,
    )


async def plan_of(sql: str, *args: Any) -> str:
    if is_postgres():
        return "\n".join(str(row["QUERY PLAN"]) for row in await fetch("EXPLAIN " + sql, *args))
    return "\n".join(str(row["detail"]) for row in await fetch("EXPLAIN QUERY PLAN " + sql, *args))


def whole_tables(plan: str) -> list[str]:
    """Lines that walk through a whole table: not through an index alone. Three have a row a site or person, no more."""
    return [
        line
        for line in plan.splitlines()
        if (not re.search(r"Seq Scan on (site_pauses|site_turns|person_turns)\b", line) and "Seq Scan" in line)
        or (re.search(r"\bSCAN\b", line) and "INDEX" not in line and not re.search(r"SCAN (line|\()", line))
    ]


def sorts_everything(plan: str) -> bool:
    """Whether more than a handful of rows is sorted for one page."""
    sorts = re.findall(r"Sort\s+\(.*? rows=(\d+)", plan)
    return "USE TEMP B-TREE FOR ORDER BY" in plan or any(int(number) > 1000 for number in sorts)


@pytest.mark.timeout_s(120)
async def test_no_list_walks_through_a_whole_table(rows: int) -> None:
    person, other = rows, rows + 1
    lists = {
        f"page {group or 'all'} of {'a person' if who else 'everybody'}": (
            *page_query(who, group=group, state=None),
            50,
            0,
        )
        for group in (None, "active", "waiting", "finished", "failed")
        for who in (None, person)
    }
    lists |= {
        f"state {state} of {'a person' if who else 'everybody'}": (*page_query(who, group=None, state=state), 50, 0)
        for state in DownloadState
        for who in (None, person)
    }
    flat = {name: (sql, *args, *window) for name, (sql, args, *window) in lists.items()}
    others: dict[str, tuple[Any, ...]] = {
        "items": (ITEMS_QUERY, 4, 50, 0),
        "entries": (ENTRIES_QUERY, person, 1),
        "shares": (COUNTS_QUERY,),
        "next": (pick_query(), *pick_args(NOW, lowest=2, per_person=3)),
        "due": (DUE_QUERY, NOW),
        "held": ("SELECT id FROM download_queue WHERE state = 'waiting' AND host = {} AND reason_code = 'site_paused'", "a.test"),
        "broken": ("SELECT id FROM download_queue WHERE state = 'failed' AND reason_code = 'engine_error' AND engine_tries = 1",),
        "all at once": (whole.counts_query(None),),
        "all of one": (whole.counts_query(person), person),
        "own open": (whole.OWN_QUERY, person, person),
        "all that failed": (whole.failed_query(person), person, 200),
        "before": (BEFORE_QUERY % "{}", person),
        "owners": ("SELECT DISTINCT owner FROM download_queue WHERE owner IS NOT NULL",),
        "twins": ("SELECT id FROM download_queue WHERE identity = {} AND owner IS NOT NULL LIMIT 1", "tube:x"),
        "link": ("SELECT id FROM download_queue WHERE url_key = {} AND parent_id IS NULL ORDER BY id DESC LIMIT 1", "7"),
        "people": ("SELECT user_id FROM download_people WHERE download_id = {} ORDER BY joined_at", 7),
        "log": ("SELECT at, line FROM download_log WHERE download_id = {} ORDER BY id DESC LIMIT 200", 7),
        "finished today": (finished_query(None)[0], NOW + timedelta(days=1)),
        "approvals": (APPROVALS_QUERY, 50, 0),
        "how many approvals": ("SELECT count(*) AS n FROM download_queue WHERE needs_approval AND state = 'waiting'",),
        "charges": (CHARGES_QUERY, other, LATE, 0),
        "spent": (SPENT_QUERY, person, LATE),
        "stored": (STORED_QUERY, other),
        "keys": ("SELECT id FROM api_keys WHERE user_id = {} AND revoked_at IS NULL ORDER BY id DESC", 0),
        "a key": ("SELECT user_id FROM api_keys WHERE key_hash = {} AND revoked_at IS NULL", "0" * 64),
        "running": ("SELECT count(*) AS n FROM download_queue WHERE state IN ('downloading', 'processing') AND kind = 'video'",),
    }  # fmt: skip
    plans = {name: await plan_of(*query) for name, query in {**flat, **others}.items()}
    bad = {name: plan for name, plan in plans.items() if whole_tables(plan)}
    assert not bad, "\n\n".join(f"{name}\n{plan}" for name, plan in bad.items())
    unsorted = {
        name: plans[name]
        for name in flat
        if "active" not in name and "ing" not in name and sorts_everything(plans[name])
    }
    assert not unsorted, "\n\n".join(f"{name}\n{plan}" for name, plan in unsorted.items())
    for sql, args in (counts_query(None), counts_query(person), finished_query(person)):
        await fetch(sql, *((NOW, *args) if "changed_at" in sql else args))
    timed = {}
    for name, query in flat.items():
        tries = []
        for _ in range(3):  # the best one: the computer may be busy with something else
            began = datetime.now(UTC)
            await fetch(*query)
            tries.append((datetime.now(UTC) - began).total_seconds())
        timed[name] = min(tries)
    slow = {name: seconds for name, seconds in timed.items() if seconds > 2}
    assert not slow, slow
