"""The second step of the sign-in: set up, asked for, each code once, lost phones, and what ends with it."""

from __future__ import annotations

import asyncio
import re
import time
from html import unescape
from typing import Any

import httpx
import pytest

from medianest.accounts.passwords import hash_password
from medianest.accounts.second_factor.codes import STEP_S, code_at
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import PASSWORD, Visit, csrf_of, set_up, sign_in

API = "/api/v1/me/second-factor"
FAR = -20  # steps away: never right


def code(secret: str, steps: int = 0) -> str:
    """The code now, or some steps from now; waits a moment where the step is about to change."""
    if time.time() % STEP_S > STEP_S - 4:
        time.sleep(STEP_S - time.time() % STEP_S + 0.1)
    return code_at(secret, int(time.time() // STEP_S) + steps)


def wrong(secret: str) -> str:
    right = {code(secret, steps) for steps in range(-2, 3)}
    return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in right)


async def csrf(client: httpx.AsyncClient) -> dict[str, str]:
    return {"X-CSRF-Token": csrf_of((await client.get("/settings")).text)}


async def switch_on(client: httpx.AsyncClient) -> tuple[str, list[str]]:
    """Set it up for the person signed in; secret and backup codes. The step before the present one is used up."""
    token = await csrf(client)
    offer = (await client.post(f"{API}/offer", headers=token)).json()
    body = {"token": offer["token"], "code": code(offer["secret"], -1), "password": PASSWORD}
    answer = await client.post(API, json=body, headers=token)
    assert answer.status_code == 201, answer.text
    return offer["secret"], answer.json()["backup_codes"]


async def actions() -> list[str]:
    return [row["action"] for row in await fetch("SELECT action FROM audit_logs ORDER BY id")]


async def test_it_is_set_up_on_its_page_and_counts_only_after_a_code_of_it(
    application: Application, visit: Visit
) -> None:
    client, other = visit(application), visit(application)
    await set_up(client, application)
    await sign_in(other)
    page = (await client.get("/settings/two-step/set-up")).text
    assert "<svg" in page
    assert "style=" not in page
    secret = re.search(r'class="secret mono">([A-Z2-7 ]+)<', page)
    token = re.search(r'name="token" value="([^"]+)"', page)
    assert secret
    assert token
    assert [len(group) for group in secret[1].split(" ")] == [4] * 8
    key = secret[1].replace(" ", "")
    form = {"_csrf": csrf_of(page), "token": unescape(token[1]), "password": PASSWORD, "code": wrong(key)}
    answer = await client.post("/settings/two-step/set-up", data=form)
    assert answer.status_code == 400
    assert secret[1] in answer.text, "a slip of the finger changed the secret that was scanned already"
    answer = await client.post(
        "/settings/two-step/set-up", data={**form, "code": code(key), "password": "not-Mine-12345"}
    )
    assert answer.status_code == 400
    assert (await client.get(API)).json() == {"is_on": False, "has_password": True, "backup_codes_left": 0}
    answer = await client.post("/settings/two-step/set-up", data={**form, "code": code(key)[:3] + " " + code(key)[3:]})
    assert answer.status_code == 200
    shown = set(re.findall(r"<li>([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})</li>", answer.text))
    assert len(shown) == 10
    assert all(one in answer.text.split('href="data:text/plain')[1].split('"')[0] for one in shown)
    assert (await client.get(API)).json()["backup_codes_left"] == 10
    assert (await other.get("/api/v1/me")).status_code == 401
    assert (await client.get("/api/v1/me")).status_code == 200
    assert (await client.get("/settings/two-step/set-up")).status_code == 303
    assert (await client.post("/settings/two-step/set-up", data={**form, "code": code(key)})).status_code == 409
    assert "account.second_factor_on" in await actions()


async def test_nothing_of_it_can_be_read_in_the_database(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    rows: list[Any] = [
        *await fetch("SELECT totp_secret FROM users"), *await fetch("SELECT * FROM backup_codes"),
        *await fetch("SELECT * FROM audit_logs"), *await fetch("SELECT * FROM account_notices"),
    ]  # fmt: skip
    text = str([dict(row) for row in rows])
    assert secret not in text
    assert not any(one in text or one.replace("-", "") in text for one in codes)


async def test_the_sign_in_page_asks_for_it_in_a_second_step_that_holds_no_password(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    for given in (code(secret), codes[0].lower().replace("-", " ")):
        browser = visit(application)
        form = {"username": "ada", "password": PASSWORD, "remember": "true", "next": "/downloads?show=waiting"}
        answer = await browser.post("/sign-in", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code")
        ticket = answer.headers["set-cookie"]
        assert "_step=" in ticket
        assert "HttpOnly" in ticket
        assert "Max-Age=300" in ticket
        assert PASSWORD not in ticket
        assert (await browser.get("/api/v1/me")).status_code == 401
        assert 'autocomplete="one-time-code"' in (await browser.get("/sign-in/code")).text
        answer = await browser.post("/sign-in/code", data={"code": wrong(secret)})
        assert answer.status_code == 401
        assert "not right" in answer.text
        answer = await browser.post("/sign-in/code", data={"code": given})
        assert (answer.status_code, answer.headers["location"]) == (303, "/downloads?show=waiting")
        assert not any("_step" in name for name in browser.cookies)
        sessions = (await browser.get("/api/v1/me/sessions")).json()
        assert [one["session"]["is_remembered"] for one in sessions if one["is_this_device"]] == [True]
    # without a ticket there is no second step
    stranger = visit(application)
    assert (await stranger.get("/sign-in/code")).headers["location"] == "/sign-in"
    assert (await stranger.post("/sign-in/code", data={"code": code(secret, 1)})).status_code == 401


async def test_a_ticket_is_worth_nothing_after_the_password_was_changed(application: Application, visit: Visit) -> None:
    client, browser = visit(application), visit(application)
    await set_up(client, application)
    secret, _codes = await switch_on(client)
    await browser.post("/sign-in", data={"username": "ada", "password": PASSWORD})
    await fetch("UPDATE users SET password_hash = {}", await hash_password("quite-Another-7-one"))
    answer = await browser.post("/sign-in/code", data={"code": code(secret)})
    assert answer.status_code == 401
    assert "Sign in again" in answer.text


async def test_the_api_says_that_it_is_needed_and_takes_it_with_the_password(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    answer = await sign_in(visit(application))
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_required")
    assert not any("_access" in text for text in answer.headers.get_list("set-cookie"))
    answer = await sign_in(visit(application), second_factor=wrong(secret))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_second_factor")
    answer = await sign_in(visit(application), password="not-Mine-12345", second_factor=code(secret))
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
    assert (await sign_in(visit(application), second_factor=code(secret))).status_code == 200
    assert (await sign_in(visit(application), second_factor=codes[3])).status_code == 200
    assert (await sign_in(visit(application), second_factor=codes[3])).status_code == 401


async def test_a_code_that_twenty_send_at_once_lets_one_in(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    user = await application.accounts._accounts.get(1)
    for given in (code(secret), codes[0]):
        tries = [application.accounts.second_factor._takes(user, given, "") for _ in range(20)]
        assert sorted(await asyncio.gather(*tries)) == [False] * 19 + [True]


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (1, True), (2, False), (FAR, False)])
async def test_the_clock_may_be_off_by_one_step(
    application: Application, visit: Visit, steps: int, is_right: bool
) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, _codes = await switch_on(client)
    assert (await sign_in(visit(application), second_factor=code(secret, steps))).status_code == (
        200 if is_right else 401
    )
    if is_right:  # and with it every step before is used up
        assert (await sign_in(visit(application), second_factor=code(secret))).status_code == 401


async def test_guessing_stops_after_five_codes_before_they_are_looked_at(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    for _try in range(5):
        assert (await sign_in(visit(application), second_factor=wrong(secret))).status_code == 401
    answer = await sign_in(visit(application), second_factor=code(secret))
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert (await sign_in(visit(application), second_factor=codes[0])).status_code == 429
    browser = visit(application)
    await browser.post("/sign-in", data={"username": "ada", "password": PASSWORD})
    answer = await browser.post("/sign-in/code", data={"code": code(secret)})
    assert answer.status_code == 429
    assert "Too many wrong codes" in answer.text
    await application.accounts.unlock("ada")
    assert (await sign_in(visit(application), second_factor=code(secret))).status_code == 200


async def test_new_backup_codes_end_the_old_ones_and_want_password_and_code(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    token = await csrf(client)
    body = {"password": "not-Mine-12345", "code": codes[0]}
    assert (await client.post(f"{API}/backup-codes", json=body, headers=token)).status_code == 400
    body = {"password": PASSWORD, "code": wrong(secret)}
    answer = await client.post(f"{API}/backup-codes", json=body, headers=token)
    assert [one["field"] for one in answer.json()["errors"]] == ["code"]
    body = {"password": PASSWORD, "code": codes[0]}
    new = (await client.post(f"{API}/backup-codes", json=body, headers=token)).json()["backup_codes"]
    assert len(set(new) - set(codes)) == 10
    assert (await sign_in(visit(application), second_factor=codes[1])).status_code == 401
    assert (await sign_in(visit(application), second_factor=new[1])).status_code == 200


async def test_switching_it_off_wants_password_and_code_and_is_told(application: Application, visit: Visit) -> None:
    client, other = visit(application), visit(application)
    await set_up(client, application)
    secret, codes = await switch_on(client)
    await sign_in(other, second_factor=codes[0])
    page = (await client.get("/settings/two-step")).text
    form = {"_csrf": csrf_of(page), "password": PASSWORD, "code": wrong(secret)}
    answer = await client.post("/settings/two-step/off", data=form)
    assert answer.status_code == 400
    assert 'id="off-code-error"' in answer.text
    answer = await client.post("/settings/two-step/off", data={**form, "code": code(secret)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/two-step?off=true")
    assert (await other.get("/api/v1/me")).status_code == 401
    assert "Your second step was switched off" in (await client.get("/downloads")).text
    assert (await sign_in(visit(application))).status_code == 200
    assert await fetch("SELECT * FROM backup_codes") == []
    assert "account.second_factor_off" in await actions()


async def test_an_administrator_takes_it_away_from_who_lost_the_phone(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    await switch_on(client)
    second = await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    assert await application.accounts.second_factor.remove(1, by=second)
    assert not await application.accounts.second_factor.remove(1, by=second)
    assert (await client.get("/api/v1/me")).status_code == 401
    again = visit(application)
    assert (await sign_in(again)).status_code == 200
    assert "switched off by Grace" in (await again.get("/")).text
    assert "account.second_factor_removed" in await actions()


async def test_a_new_password_from_the_console_takes_it_away_as_well(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    await switch_on(client)
    assert await application.accounts.reset_password("ada", "brand-New-8-password!x")
    assert not await application.accounts.reset_password("ada", "brand-New-9-password!x")
    assert (await sign_in(visit(application), password="brand-New-9-password!x")).status_code == 200


async def test_who_has_no_password_has_no_second_step(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    await fetch("UPDATE users SET password_hash = NULL")
    assert "You sign in with Plex" in (await client.get("/settings/two-step")).text
    assert (await client.post(f"{API}/offer", headers=await csrf(client))).status_code == 409
    assert (await client.get("/settings/two-step/set-up")).status_code == 303
    assert "no password here" in (await client.get("/settings/password")).text


async def test_somebody_elses_offer_is_worth_nothing(application: Application, visit: Visit) -> None:
    client, grace = visit(application), visit(application)
    await set_up(client, application)
    await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    await sign_in(grace, "grace", "wandering-Ship-9-lamp")
    offer = (await grace.post(f"{API}/offer", headers=await csrf(grace))).json()
    body = {"token": offer["token"], "code": code(offer["secret"]), "password": PASSWORD}
    answer = await client.post(API, json=body, headers=await csrf(client))
    assert (answer.status_code, answer.json()["code"]) == (400, "offer_expired")
