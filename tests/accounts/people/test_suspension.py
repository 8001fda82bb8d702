"""Suspended people: what they are told, what no longer works, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from medianest.accounts.model import UserState
from medianest.app import Application
from medianest.database import fetch
from tests.accounts.people.house import SET, acts, owner, person, user
from tests.harness.application import OTHER_PASSWORD, Visit, sign_in

REASON = "Shared the password"


async def test_only_the_right_password_of_a_suspended_person_is_told_the_reason(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    await client.patch(f"/api/v1/users/{kim.id}", json={"suspended": True, "reason": REASON})
    right = await sign_in(visit(application), "Kim", OTHER_PASSWORD)
    assert (right.status_code, right.json()["code"]) == (401, "suspended")
    assert REASON in right.json()["detail"]
    wrong = await sign_in(visit(application), "Kim", "wrong-Horse-1-battery")
    nobody = await sign_in(visit(application), "Nobody", "wrong-Horse-1-battery")
    assert wrong.json()["detail"] == nobody.json()["detail"]
    assert REASON not in wrong.text
    page = await visit(application).post("/sign-in", data={"username": "Kim", "password": OTHER_PASSWORD})
    assert page.status_code == 401
    assert REASON in page.text


async def test_a_suspension_ends_by_itself_at_a_sign_in(application: Application, visit: Visit) -> None:
    _client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    until = datetime.now(UTC) + timedelta(days=2)
    await application.people.change(kim.id, SET(suspended=True, reason=REASON, suspended_until=until), by=ada)
    assert (await sign_in(visit(application), "Kim", OTHER_PASSWORD)).status_code == 401
    await let_run_out(kim.id)
    assert (await sign_in(visit(application), "Kim", OTHER_PASSWORD)).status_code == 200
    assert (await user(kim.id)).state is UserState.ACTIVE
    assert (await acts("person.suspension_ended"))[0]["actor_name"] == "MediaNest"


async def test_a_suspension_ends_by_the_hourly_job_and_others_stay(application: Application, visit: Visit) -> None:
    _client, ada = await owner(application, visit)
    kim, lee = await person(application, "Kim", ada), await person(application, "Lee", ada)
    until = datetime.now(UTC) + timedelta(days=2)
    await application.people.change(kim.id, SET(suspended=True, reason=REASON, suspended_until=until), by=ada)
    await application.people.change(lee.id, SET(suspended=True, reason=REASON), by=ada)
    await let_run_out(kim.id)
    assert await application.accounts.suspensions.end_due() == "Ended 1 suspension."
    assert await application.accounts.suspensions.end_due() == "No suspension has run out."
    assert (await user(kim.id)).state is UserState.ACTIVE
    assert (await user(lee.id)).state is UserState.SUSPENDED


async def test_the_api_key_of_a_suspended_person_opens_nothing(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    kims = visit(application)
    token = (await sign_in(kims, "Kim", OTHER_PASSWORD, cookies=False)).json()["access_token"]
    made = await kims.post(
        "/api/v1/api-keys", json={"name": "Phone", "scopes": ["read"]}, headers={"authorization": f"Bearer {token}"}
    )
    assert made.status_code == 201, made.text
    with_key: httpx.AsyncClient = visit(application, headers={"x-api-key": made.json()["key"]})
    assert (await with_key.get("/api/v1/me")).status_code == 200
    await client.patch(f"/api/v1/users/{kim.id}", json={"suspended": True, "reason": REASON})
    assert (await with_key.get("/api/v1/me")).status_code == 401
    await client.patch(f"/api/v1/users/{kim.id}", json={"suspended": False})
    assert (await with_key.get("/api/v1/me")).status_code == 200


async def test_an_end_in_the_past_or_beyond_ten_years_is_refused(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    for until in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        body = {"suspended": True, "reason": REASON, "suspended_until": until}
        answer = await client.patch(f"/api/v1/users/{kim.id}", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "suspended_until")


async def let_run_out(person_id: int) -> None:
    await fetch(
        "UPDATE users SET suspended_until = {} WHERE id = {}", datetime.now(UTC) - timedelta(minutes=1), person_id
    )
