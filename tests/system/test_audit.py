"""The audit log: found by filters, read page by page, exported whole."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.app import Application
from medianest.database import Engine, fetch, is_postgres, transaction
from medianest.system.audit import record
from medianest.system.audit_log.model import AuditFilter, AuditRecord
from medianest.system.audit_log.repository import ACTIONS_QUERY, AuditRepository, page_query
from medianest.system.audit_log.words import SENTENCES, changes_of, line_of
from tests.downloads.test_query_plans import plan_of, sorts_everything, whole_tables
from tests.harness.application import Visit, set_up

ROWS = 100_000
START = datetime(2026, 1, 1, tzinfo=UTC)


async def owner_of(application: Application, visit: Visit) -> httpx.AsyncClient:
    client = visit(application)
    await set_up(client, application)
    return client


async def some(count: int = 5) -> None:
    for number in range(count):
        await record(
            "person.suspended" if number % 2 else "account.password_changed",
            f"Target {number}",
            actor_id=1,
            actor_name="Ada",
            address="192.0.2.9",
            detail="because",
            before={"state": "active", "storage_bytes": 10 * 10**9, "same": 1},
            after={"state": "suspended", "storage_bytes": -1, "same": 1},
        )


async def test_records_are_found_by_each_filter(application: Application, visit: Visit) -> None:
    client = await owner_of(application, visit)
    await some()

    async def targets(**wanted: Any) -> list[str]:
        answer = await client.get("/api/v1/system/audit", params=wanted)
        assert answer.status_code == 200, answer.text
        return [one["target"] for one in answer.json()["items"]]

    assert await targets(action="person") == ["Target 3", "Target 1"]
    assert await targets(action="account.password_changed") == ["Target 4", "Target 2", "Target 0"]
    assert await targets(action="nothing") == []
    assert (await targets(person="  aDA "))[:5] == [f"Target {n}" for n in (4, 3, 2, 1, 0)]
    await record("account.password_reset", "Ada", actor_id=None, actor_name="console")
    assert await targets(person="Console") == ["Ada"]  # no account: by the name that stands there
    assert await targets(target="get 3") == ["Target 3"]
    assert await targets(target="%") == []
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    assert await targets(**{"from": soon}) == []
    assert len(await targets(until=soon)) >= 6
    assert (await client.get("/api/v1/system/audit", params={"from": "yesterday"})).status_code == 400


async def test_pages_go_on_by_id_in_both_directions(application: Application, visit: Visit) -> None:
    client = await owner_of(application, visit)
    await some(7)

    async def page(**wanted: Any) -> tuple[list[str], int | None, int | None]:
        wanted = {"limit": 3, "target": "Target", **{k: v for k, v in wanted.items() if v is not None}}
        found = (await client.get("/api/v1/system/audit", params=wanted)).json()
        return [one["target"][-1] for one in found["items"]], found["older"], found["newer"]

    first = await page()
    assert (first[0], first[2]) == (["6", "5", "4"], None)
    second = await page(before=first[1])
    assert second[0] == ["3", "2", "1"]
    last = await page(before=second[1])
    assert (last[0], last[1]) == (["0"], None)
    assert (await page(after=last[2]))[0] == ["3", "2", "1"]
    back = await page(after=second[2])
    assert (back[0], back[2]) == (["6", "5", "4"], None)


async def test_the_page_says_it_in_words_and_shows_what_changed(application: Application, visit: Visit) -> None:
    client = await owner_of(application, visit)
    await some()
    await record("plugin.did_something", "<b>x</b>", actor_id=None, actor_name="")
    page = (await client.get("/system/audit")).text
    assert "Suspended Target 3" in page
    assert "plugin.did_something: &lt;b&gt;x&lt;/b&gt;" in page
    assert "192.0.2.9" in page
    assert "same" not in page.partition("<tbody>")[2].partition("</tbody>")[0]
    narrow = (await client.get("/system/audit?action=person&person=Ada&from=2020-01-01")).text
    assert "Suspended Target 3" in narrow
    assert "Changed the password" not in narrow
    assert (await client.get("/system/audit?from=gestern")).status_code == 400
    empty = await client.get("/system/audit?target=nowhere")
    assert "Nothing was found" in empty.text


def test_changes_are_readable() -> None:
    one = AuditRecord(
        id=1, at=START, actor_id=1, actor_name="Ada", action="person.changed", target="Ben", detail="", address="",
        request_id="", before={"is_child": False, "permissions": ["request_films", "download"], "storage_bytes": 5_000_000_000},
        after={"is_child": True, "permissions": [], "until": "2026-03-01T10:00:00Z"},
    )  # fmt: skip
    found = {change.name: (change.before, change.after) for change in changes_of(one, str)}
    assert found == {
        "is child": ("no", "yes"),
        "permissions": ("request films, download", "nothing"),
        "storage": ("5 GB", None),
        "until": (None, "2026-03-01 10:00 UTC"),
    }
    assert line_of(one, str).sentence == "Changed what Ben may do"
    for sentence in SENTENCES.values():
        assert sentence % {"target": "x"}


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@x", "\tx", " =1+1", '=HYPERLINK("http://a","b")'])
async def test_the_csv_holds_no_formula(application: Application, visit: Visit, evil: str) -> None:
    client = await owner_of(application, visit)
    await record("person.changed", evil, actor_id=None, actor_name=evil, detail='with "quotes", and\nlines')
    answer = await client.get("/system/audit/export", params={"format": "csv", "action": "person"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["target"] for row in rows] == ["'" + evil]
    assert rows[0]["actor_name"] == "'" + evil
    assert rows[0]["detail"] == 'with "quotes", and\nlines'


async def test_the_export_streams_everything_and_is_written_down(application: Application, visit: Visit) -> None:
    client = await owner_of(application, visit)
    await _fill(2500)
    answer = await client.get("/system/audit/export", params={"format": "jsonl", "target": "Target"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 2500
    assert [line["id"] for line in lines] == sorted((line["id"] for line in lines), reverse=True)
    [exported] = await fetch("SELECT * FROM audit_logs WHERE action = 'audit.exported'")
    assert "Target" in exported["after"]
    assert (await client.get("/system/audit/export?format=xml")).status_code == 400


async def test_records_older_than_a_year_are_forgotten(application: Application) -> None:
    await some(2)
    await fetch("UPDATE audit_logs SET at = {} WHERE target = 'Target 0'", datetime.now(UTC) - timedelta(days=366))
    await fetch("UPDATE audit_logs SET at = {} WHERE target = 'Target 1'", datetime.now(UTC) - timedelta(days=364))
    assert "1 audit records" in await application.system.clean_records()
    assert [row["target"] for row in await fetch("SELECT target FROM audit_logs")] == ["Target 1"]


async def _fill(count: int) -> None:
    async with transaction():
        for start in range(0, count, 500):
            values: list[Any] = []
            for number in range(start, start + 500):
                action = ("account.sign_in_failed", "person.changed", "api_key.made", "download.approved")[number % 4]
                values += [
                    START + timedelta(minutes=number),
                    number % 50 + 1,
                    f"p{number % 50}",
                    action,
                    f"Target {number}",
                ]
            row = "({}, {}, {}, {}, {}, '', '192.0.2.1', 'r')"
            await fetch(
                "INSERT INTO audit_logs (at, actor_id, actor_name, action, target, detail, address, request_id) "
                f"VALUES {', '.join([row] * 500)}",
                *values,
            )


@pytest.mark.timeout_s(120)
async def test_a_page_reads_no_more_than_it_shows_among_a_hundred_thousand_records(database: Engine) -> None:
    await fetch(
        "INSERT INTO users (id, username, username_key, display_name, role, state, created_at) "
        "VALUES (7, 'p6', 'p6', 'p6', 'user', 'active', {})",
        START,
    )
    await _fill(ROWS)
    if is_postgres():
        await fetch("VACUUM ANALYZE")
    audit = AuditRepository()
    indexed = {
        "all": AuditFilter(),
        "one action": AuditFilter(action="person.changed"),
        "a person": AuditFilter(person="p6"),
    }
    others = {
        "a group": AuditFilter(action="person"),
        "a target": AuditFilter(target="target 17"),
        "nothing": AuditFilter(target="nowhere"),
        "a day": AuditFilter(since=START + timedelta(days=3), until=START + timedelta(days=4)),
        "everything": AuditFilter(action="api_key", person="p6", target="9", until=START + timedelta(days=60)),
    }
    for name, wanted in {**indexed, **others}.items():
        where = await audit.where(wanted)
        for window in ({}, {"before": 50_000}, {"after": 50_000}):
            assert len(await audit.page(where, 51, **window)) <= 51
            if name in indexed:
                sql, values = page_query(where, **window)
                plan = await plan_of(sql, *values, 51)
                # without a filter it walks along the ids and stops after a page
                assert name == "all" or is_postgres() or not whole_tables(plan), (name, plan)
                assert not sorts_everything(plan), (name, plan)
    assert len(await fetch(ACTIONS_QUERY)) == 4
