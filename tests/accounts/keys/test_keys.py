"""API keys: made once, shown once, good for what they say and nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from medianest.accounts.keys.service import FORM, KeyService, session_id_of
from medianest.accounts.model import Scope, SessionsEnded
from medianest.app import Application
from medianest.database import fetch
from medianest.events import Event
from tests.harness.application import OTHER_PASSWORD, Visit, csrf_of, set_up, sign_in

ENTRANCES: dict[Scope, list[tuple[str, str]]] = {
    Scope.READ: [("GET", "/api/v1/me"), ("GET", "/api/v1/downloads")],
    Scope.DOWNLOADS: [("GET", "/api/v1/downloads"), ("POST", "/api/v1/downloads"), ("POST", "/api/v1/downloads/1/cancel")],
    Scope.ADMIN: [("GET", "/api/v1/system/health"), ("GET", "/api/v1/system/tasks")],
    Scope.REQUESTS: [],
    Scope.WIDGETS: [],
    Scope.METRICS: [],
}  # fmt: skip


async def signed_in(application: Application, visit: Visit) -> httpx.AsyncClient:
    """An administrator with a bearer token."""
    first = visit(application)
    await set_up(first, application)
    token = (await sign_in(first, cookies=False)).json()["access_token"]
    return visit(application, headers={"Authorization": f"Bearer {token}"})


async def key_of(client: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    body = {"name": more.pop("name", " ".join(scopes)), "scopes": scopes, **more}
    answer = await client.post("/api/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_key_is_shown_once_and_kept_as_a_hash(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    made = await key_of(client, "read", name="  Kitchen   screen ")
    assert FORM.fullmatch(made["key"])
    assert len(made["key"]) == 4 + 43
    assert (made["name"], made["hint"], made["expires_at"]) == ("Kitchen screen", made["key"][-4:], None)
    [listed] = (await client.get("/api/v1/api-keys")).json()
    assert "key" not in listed
    stored = str(await fetch("SELECT * FROM api_keys")) + str(await fetch("SELECT * FROM audit_logs"))
    assert made["key"] not in stored
    assert made["key"][4:-4] not in stored
    assert [row["action"] for row in await fetch("SELECT action FROM audit_logs WHERE action LIKE 'api_key%'")] == [
        "api_key.made"
    ]


@pytest.mark.parametrize("way", ["header", "bearer"])
async def test_both_headers_take_a_key_and_a_cookie_beside_it_does_not_count(
    application: Application, visit: Visit, way: str
) -> None:
    client = await signed_in(application, visit)
    key = (await key_of(client, "read"))["key"]
    headers = {"X-Api-Key": key} if way == "header" else {"Authorization": f"Bearer {key}"}
    assert (await visit(application).get("/api/v1/me", headers=headers)).json()["user"]["username"] == "Ada"
    browser = visit(application)
    await sign_in(browser)
    assert (await browser.get("/settings/keys")).status_code == 200
    assert (await browser.get("/settings/keys", headers=headers)).status_code == 403  # a page: not for keys
    wrong = {name: value[:-1] + ("A" if value[-1] != "A" else "B") for name, value in headers.items()}
    answer = await browser.get("/api/v1/me", headers=wrong)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_api_key")


async def test_in_the_query_a_key_is_no_sign_in(application: Application, visit: Visit) -> None:
    key = (await key_of(await signed_in(application, visit), "read"))["key"]
    for name in ("key", "api_key", "apikey", "X-Api-Key", "access_token"):
        answer = await visit(application).get("/api/v1/me", params={name: key})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_each_scope_opens_its_calls_and_no_other(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    everything = {one for entrances in ENTRANCES.values() for one in entrances}
    for scope in Scope:
        by_key = visit(application, headers={"X-Api-Key": (await key_of(client, scope.value))["key"]})
        opened = everything if scope is Scope.ADMIN else set(ENTRANCES[scope])
        for method, path in sorted(everything):
            answer = await by_key.request(method, path, json={} if method == "POST" else None)
            is_shut = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
            assert is_shut is ((method, path) not in opened), (scope, method, path, answer.text)
        for method, path in (
            ("GET", "/api/v1/api-keys"),
            ("POST", "/api/v1/api-keys"),
            ("POST", "/api/v1/me/password"),
            ("GET", "/api/v1/me/sessions"),
            ("GET", "/downloads"),
            ("GET", "/settings/keys"),
        ):
            answer = await by_key.request(method, path)
            assert answer.status_code == 403, (scope, method, path)


async def test_a_key_writes_without_a_token_and_from_any_page(application: Application, visit: Visit) -> None:
    key = (await key_of(await signed_in(application, visit), "downloads"))["key"]
    answer = await visit(application).post(
        "/api/v1/downloads",
        json={"url": "nothing"},
        headers={"X-Api-Key": key, "Origin": "https://elsewhere.test", "Sec-Fetch-Site": "cross-site"},
    )
    assert (answer.status_code, answer.json()["code"]) != (403, "not_allowed")
    assert answer.status_code == 400


async def test_a_key_ends_by_its_date_by_revoking_and_with_its_person(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    ended: list[Event] = []
    application.events.tap(lambda event: _keep(ended, event))
    old, gone, held = [await key_of(client, "read", name=name, expires_in_days=30) for name in ("old", "gone", "held")]

    async def status(made: dict[str, Any]) -> int:
        return (await visit(application).get("/api/v1/me", headers={"X-Api-Key": made["key"]})).status_code

    assert [await status(one) for one in (old, gone, held)] == [200, 200, 200]
    await fetch("UPDATE api_keys SET expires_at = {} WHERE name = 'old'", datetime.now(UTC) - timedelta(seconds=1))
    assert await status(old) == 401
    assert (await client.delete(f"/api/v1/api-keys/{gone['id']}")).status_code == 204
    assert await status(gone) == 401
    assert SessionsEnded(user_id=1, session_ids=(str(session_id_of(gone["id"])),)) in ended
    assert (await client.delete(f"/api/v1/api-keys/{gone['id']}")).status_code == 404
    caller = await application.keys.caller(held["key"])
    assert await application.keys.is_live(caller)
    await fetch("UPDATE users SET state = 'suspended'")
    assert await status(held) == 401
    assert not await application.keys.is_live(caller)


async def _keep(events: list[Event], event: Event) -> None:
    events.append(event)


async def test_nobody_gets_more_by_a_key_than_they_may(application: Application, visit: Visit) -> None:
    admin = await signed_in(application, visit)
    made = await key_of(admin, "admin")
    by_key = visit(application, headers={"X-Api-Key": made["key"]})
    assert (await by_key.get("/api/v1/system/health")).status_code == 200
    await fetch("UPDATE users SET role = 'user'")
    assert (await by_key.get("/api/v1/system/health")).status_code == 403
    assert (await by_key.get("/api/v1/system/audit")).status_code == 403
    assert (await by_key.get("/api/v1/me")).status_code == 200  # what anybody may is left
    answer = await admin.post("/api/v1/api-keys", json={"name": "again", "scopes": ["admin"]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "scopes")
    assert (await admin.post("/api/v1/api-keys", json={"name": "mine", "scopes": ["read"]})).status_code == 201
    await fetch("UPDATE users SET is_child = {}", True)
    answer = await admin.post("/api/v1/api-keys", json={"name": "more", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "no_keys_for_children")


async def test_another_persons_key_does_not_exist_for_me(application: Application, visit: Visit) -> None:
    mine = await key_of(await signed_in(application, visit), "read")
    await application.accounts.create_admin("Grace", OTHER_PASSWORD)
    grace = visit(application)
    token = (await sign_in(grace, "grace", OTHER_PASSWORD, cookies=False)).json()["access_token"]
    grace.headers["Authorization"] = f"Bearer {token}"
    assert (await grace.get("/api/v1/api-keys")).json() == []
    assert (await grace.delete(f"/api/v1/api-keys/{mine['id']}")).status_code == 404


async def test_what_does_not_fit_is_said_field_by_field(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    await key_of(client, "read", name="Screen")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": " ", "scopes": ["read"]}, "name"),
        ({"name": "x" * 61, "scopes": ["read"]}, "name"),
        ({"name": "sCREEN", "scopes": ["read"]}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["read"], "expires_in_days": 31}, "expires_in_days"),
    ]
    for body, field in wrong:
        answer = await client.post("/api/v1/api-keys", json=body)
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field]), body
    assert (await client.post("/api/v1/api-keys", json={"name": "a", "scopes": ["root"]})).status_code == 400


async def test_the_last_use_is_written_once_a_minute(application: Application, visit: Visit) -> None:
    made = await key_of(await signed_in(application, visit), "read")

    async def last() -> tuple[datetime | None, str | None]:
        rows = await fetch("SELECT last_used_at, last_address FROM api_keys")
        return rows[0]["last_used_at"], rows[0]["last_address"]

    async def use(address: str) -> None:
        by_key = visit(application, address=address)
        assert (await by_key.get("/api/v1/me", headers={"X-Api-Key": made["key"]})).status_code == 200

    assert await last() == (None, None)
    await asyncio.gather(*(use("192.0.2.1") for _ in range(5)))
    first = await last()
    assert first[1] == "192.0.2.1"
    await use("192.0.2.2")
    assert await last() == first
    await fetch("UPDATE api_keys SET last_used_at = {}", datetime.now(UTC) - timedelta(minutes=2))
    await use("192.0.2.3")
    assert (await last())[1] == "192.0.2.3"


async def test_wrong_keys_are_counted_by_address_and_good_ones_work_on(
    application: Application, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("medianest.accounts.keys.service.WRONG_PER_ADDRESS", 3)
    made = await key_of(await signed_in(application, visit), "read")
    here = visit(application, address="192.0.2.77")
    statuses = [(await here.get("/api/v1/me", headers={"X-Api-Key": f"mnk_{n}"})) for n in range(5)]
    assert [one.status_code for one in statuses] == [401, 401, 401, 429, 429]
    assert int(statuses[-1].headers["retry-after"]) > 800
    assert (await here.get("/api/v1/me", headers={"X-Api-Key": made["key"]})).status_code == 200
    other = visit(application, address="192.0.2.78")
    assert (await other.get("/api/v1/me", headers={"X-Api-Key": "mnk_x"})).status_code == 401


async def test_two_tabs_that_make_the_same_key_make_one(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    body = {"name": "twice", "scopes": ["read"]}
    answers = await asyncio.gather(*(client.post("/api/v1/api-keys", json=body) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 400, 400, 400]


async def test_the_page_makes_shows_once_and_revokes_without_script(application: Application, visit: Visit) -> None:
    browser = visit(application)
    await set_up(browser, application)
    page = await browser.get("/settings/keys")
    token = csrf_of(page.text)
    sent = {"_csrf": token, "name": "Kitchen <screen>", "scopes": ["read", "widgets"], "expires_in_days": "90"}
    answer = await browser.post("/settings/keys", data=sent)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    found = FORM.search(answer.text)
    assert found
    assert "Kitchen &lt;screen&gt;" in answer.text
    again = await browser.get("/settings/keys")
    assert found[0] not in again.text
    assert f"…{found[0][-4:]}" in again.text
    refused = await browser.post("/settings/keys", data={"_csrf": token, "name": "", "expires_in_days": "x"})
    assert refused.status_code == 400
    [key] = await application.keys.list((await application.keys.caller(found[0])).user)
    assert (await browser.post(f"/settings/keys/{key.id}/revoke", data={"_csrf": token})).status_code == 303
    assert found[0][-4:] not in (await browser.get("/settings/keys")).text


async def test_the_document_names_both_ways(application: Application, visit: Visit) -> None:
    client = await signed_in(application, visit)
    document = (await client.get("/api/v1/openapi.json")).json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["apiKey"] == {"type": "apiKey", "name": "X-Api-Key", "in": "header"}
    assert schemes["bearer"]["scheme"] == "bearer"
    assert isinstance(application.keys, KeyService)
