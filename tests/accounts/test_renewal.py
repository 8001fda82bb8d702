"""A session that is renewed inside a call survives it, whatever the call's own fate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit, cookie_named, csrf_of, set_up, sign_in


def expire_access(client: httpx.AsyncClient) -> None:
    """What a browser does after 15 minutes: the access cookie is gone."""
    for cookie in list(client.cookies.jar):
        if cookie.name.endswith("_access"):
            client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


CALLS = (
    ("GET", "/downloads/999", {}, 404),
    ("GET", "/nowhere", {}, 404),
    ("GET", "/api/v1/nowhere", {}, 404),
    ("GET", "/api/v1/downloads?limit=x", {}, 400),
    ("PUT", "/api/v1/me", {}, 405),
    ("POST", "/settings", {}, 403),
    ("POST", "/settings", {"origin": "http://evil.example"}, 403),
    ("POST", "/settings", {"sec-fetch-site": "same-site"}, 403),
    ("PATCH", "/api/v1/me/preferences", {"content-type": "text/plain"}, 403),
    ("POST", "/settings", {"content-type": "application/x-www-form-urlencoded", "content-length": "200000"}, 413),
)


async def test_a_call_that_is_refused_does_not_cost_the_session(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    for method, path, headers, status in CALLS:
        expire_access(client)
        answer = await client.request(method, path, headers=headers)
        assert answer.status_code == status, (path, headers)
        # long after: only the newest refresh token counts
        await fetch("UPDATE user_sessions SET rotated_at = {}", datetime.now(UTC) - timedelta(minutes=20))
        expire_access(client)
        assert (await client.get("/api/v1/me")).status_code == 200, (method, path, headers)


async def test_a_crash_does_not_cost_the_session(
    application: Application, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit(application)
    await set_up(client, application)
    before = cookie_named(client, "_refresh")
    expire_access(client)

    async def crash(*_: object) -> None:
        raise RuntimeError("on purpose")

    with monkeypatch.context() as broken:
        broken.setattr(application.accounts, "sessions", crash)
        assert (await client.get("/settings/devices")).status_code == 500
    assert cookie_named(client, "_refresh") not in ("", before)


async def test_a_renewed_page_carries_the_token_its_forms_need(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    before = csrf_of((await client.get("/settings")).text)
    expire_access(client)
    assert csrf_of((await client.get("/settings")).text) == before


async def test_the_sign_in_page_sends_on_who_only_has_a_refresh_token(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    expire_access(client)
    answer = await client.get("/sign-in", params={"next": "/downloads"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/downloads")
    assert cookie_named(client, "_access")


async def test_using_a_session_moves_its_end_and_leaving_it_alone_ends_it(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    for days_left, is_alive in ((1, True), (29, True), (0, False)):
        end = datetime.now(UTC) + timedelta(days=days_left)
        await fetch("UPDATE user_sessions SET expires_at = {}", end)
        expire_access(client)
        assert ((await client.get("/api/v1/me")).status_code == 200) is is_alive
        if is_alive:
            expires = (await fetch("SELECT expires_at FROM user_sessions"))[0]["expires_at"]
            assert expires - datetime.now(UTC) > timedelta(days=29, hours=23)


async def test_signing_out_everywhere_ends_every_session_of_the_person_only(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    grace = visit(application)
    await sign_in(grace, "grace", "wandering-Ship-9-lamp")
    devices = [visit(application) for _ in range(3)]
    for device in devices:
        await sign_in(device)
    csrf = {"X-CSRF-Token": csrf_of((await devices[0].get("/")).text)}
    assert (await devices[0].post("/api/v1/auth/logout", json={"everywhere": True}, headers=csrf)).status_code == 204
    assert [(await device.get("/api/v1/me")).status_code for device in devices] == [401] * 3
    for device in devices:
        assert (await device.post("/api/v1/auth/refresh")).status_code == 401
    assert (await grace.get("/api/v1/me")).status_code == 200
