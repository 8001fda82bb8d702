"""Signing in with Plex through the API, with cookies and without."""

from __future__ import annotations

from collections.abc import Callable

from medianest.app import Application
from medianest.database import fetch
from tests.accounts.plex.conftest import Door
from tests.harness.application import Visit
from tests.plex import PlexWorld

Doors = Callable[..., Door]
PINS = "/api/v1/auth/plex/pins"


async def test_a_program_without_cookies_signs_in(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = visit(house)
    made = await client.post(PINS, json={"cookies": False, "remember": True})
    assert made.status_code == 201
    pin = made.json()
    assert set(pin) == {"id", "code", "auth_url", "expires_at", "pin_secret"}
    assert pin["auth_url"].startswith(plex.url)
    assert "set-cookie" not in made.headers
    headers = {"X-Pin-Secret": pin["pin_secret"]}
    assert (await client.get(f"{PINS}/{pin['id']}", headers=headers)).json() == {
        "state": "pending", "reason": "", "detail": "",
    }  # fmt: skip
    plex.allow(pin["code"], plex.friend)
    answer = (await client.get(f"{PINS}/{pin['id']}", headers=headers)).json()
    assert (answer["state"], answer["token_type"], answer["user"]["username"]) == ("authorized", "bearer", "frida")
    assert not client.cookies
    client.headers["Authorization"] = f"Bearer {answer['access_token']}"
    assert (await client.get("/api/v1/me")).json()["user"]["username"] == "frida"
    renewed = await visit(house).post("/api/v1/auth/refresh", json={"refresh_token": answer["refresh_token"]})
    assert renewed.status_code == 200
    again = (await visit(house).get(f"{PINS}/{pin['id']}", headers=headers)).json()
    assert again == {"state": "authorized", "reason": "", "detail": ""}  # tokens are given once


async def test_a_page_of_ours_signs_in_by_cookie(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = visit(house)
    made = await client.post(PINS)
    assert set(made.json()) == {"id", "code", "auth_url", "expires_at"}
    assert "HttpOnly" in made.headers["set-cookie"]
    plex.allow(made.json()["code"], plex.friend)
    answer = (await client.get(f"{PINS}/{made.json()['id']}")).json()
    assert answer["state"] == "authorized"
    assert "refresh_token" not in answer
    assert (await client.get("/api/v1/me")).json()["user"]["username"] == "frida"


async def test_four_characters_for_a_television(house: Application, visit: Visit, plex: PlexWorld) -> None:
    pin = (await visit(house).post(PINS, json={"is_code": True, "cookies": False})).json()
    assert len(pin["code"]) == 4
    assert pin["auth_url"] == plex.url + "/link"


async def test_refused_and_run_out_are_told_apart(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = visit(house)
    pin = (await client.post(PINS)).json()
    plex.allow(pin["code"], plex.stranger)
    answer = (await client.get(f"{PINS}/{pin['id']}")).json()
    assert (answer["state"], answer["reason"]) == ("refused", "stranger")
    assert "stan" in answer["detail"]
    pin = (await client.post(PINS)).json()
    plex.expire(pin["code"])
    assert (await client.get(f"{PINS}/{pin['id']}")).json()["state"] == "expired"


async def test_trouble_is_pending_with_a_reason(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client = visit(house)
    pin = (await client.post(PINS)).json()
    plex.faults.add("/api/v2/pins/", "429")
    answer = (await client.get(f"{PINS}/{pin['id']}")).json()
    assert (answer["state"], answer["reason"]) == ("pending", "plex_busy")


async def test_nobody_else_can_ask(house: Application, visit: Visit, plex: PlexWorld) -> None:
    client, other = visit(house), visit(house)
    pin = (await client.post(PINS, json={"cookies": False})).json()
    foreign = (await other.post(PINS, json={"cookies": False})).json()
    plex.allow(pin["code"], plex.friend)
    for secret in ("", "x", foreign["pin_secret"], pin["pin_secret"][:-1]):
        answer = await other.get(f"{PINS}/{pin['id']}", headers={"X-Pin-Secret": secret})
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"
    assert not await fetch("SELECT id FROM user_sessions WHERE method = 'plex'")


async def test_another_site_can_not_begin_one(house: Application, visit: Visit) -> None:
    client = visit(house)
    for path in (PINS, "/sign-in/plex", "/sign-in/plex/code", "/sign-in/plex/cancel"):
        answer = await client.post(path, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
