"""Every error as its asker takes it: problem+json, a fragment, a page; never a traceback."""

from __future__ import annotations

import logging

import pytest

from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit, csrf_of, set_up

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


async def test_an_error_of_the_api_is_problem_json(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/")).text)}
    for method, path, body, status, code in (
        ("GET", "/api/v1/nowhere", None, 404, "not_found"),
        ("GET", "/api/v1/downloads/999", None, 404, "not_found"),
        ("PUT", "/api/v1/me", None, 405, "method_not_allowed"),
        ("PATCH", "/api/v1/me/preferences", b"{nonsense", 400, "invalid"),
        ("PATCH", "/api/v1/me/preferences", b'{"theme": "pink"}', 400, "invalid"),
        ("PATCH", "/api/v1/me/preferences", b'{"page_size": 7}', 400, "invalid"),
        ("PATCH", "/api/v1/me/preferences", b'{"time_zone": "Mars/Base"}', 400, "invalid"),
        ("PATCH", "/api/v1/me/preferences", b" " * 1_100_000, 413, "too_large"),
        ("GET", "/api/v1/downloads?limit=101", None, 400, "invalid"),
        ("GET", "/api/v1/downloads?offset=-1", None, 400, "invalid"),
    ):
        answer = await client.request(
            method, path, content=body, headers={**csrf, "content-type": "application/json", "accept": "text/html"}
        )
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert set(problem) >= {"type", "title", "status", "detail", "code", "request_id"}
        assert (problem["status"], problem["code"]) == (status, code)
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert problem["detail"].endswith(".")


async def test_fields_that_do_not_fit_are_named(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/")).text)}
    answer = await client.patch("/api/v1/me/preferences", json={"theme": "pink"}, headers=csrf)
    assert [one["field"] for one in answer.json()["errors"]] == ["theme"]
    answer = await client.patch("/api/v1/me/preferences", json={"page_size": 7, "time_zone": "x"}, headers=csrf)
    assert {one["field"] for one in answer.json()["errors"]} == {"page_size", "time_zone"}
    answer = await client.post("/api/v1/auth/login", json={"username": "Ada"})
    assert answer.status_code == 400
    assert "password" in str(answer.json()["errors"])


async def test_a_page_that_is_not_there_keeps_the_frame_for_signed_in_people(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    stranger = await client.get("/nowhere")
    assert stranger.status_code == 404
    assert "Sign in" in stranger.text
    await set_up(client, application)
    page = await client.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "nothing at this address" in page.text
    assert 'aria-label="Main"' in page.text


async def test_htmx_gets_a_fragment_into_the_flash_place(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    answer = await client.get("/downloads/999", headers=HTMX)
    assert answer.status_code == 404
    assert answer.headers["hx-retarget"] == "#flash"
    assert "<html" not in answer.text
    whole = await client.get("/downloads/999", headers={"HX-Request": "true", "HX-Request-Type": "full"})
    assert "<html" in whole.text


async def test_htmx_without_a_session_is_sent_to_the_sign_in(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    answer = await visit(application).get("/downloads/list", headers=HTMX)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in"


async def test_a_crash_gives_a_number_and_nothing_of_itself(
    application: Application, visit: Visit, caplog: pytest.LogCaptureFixture
) -> None:
    client = visit(application)
    await set_up(client, application)
    await fetch("ALTER TABLE user_preferences RENAME TO gone")
    for path, kind in (("/api/v1/me", "application/problem+json"), ("/", "text/html; charset=utf-8")):
        with caplog.at_level(logging.ERROR):
            answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (500, kind)
        assert answer.headers["x-request-id"] in answer.text
        for inside in ("Traceback", "user_preferences", "sqlite", "asyncpg", ".py"):
            assert inside not in answer.text
    assert "user_preferences" in caplog.text


async def test_a_form_larger_than_any_of_ours_is_refused(application: Application, visit: Visit) -> None:
    answer = await visit(application).post("/sign-in", data={"username": "x" * 100_001})
    assert answer.status_code == 413
    many = "&".join(f"f{number}=" for number in range(20_000))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await visit(application).post("/sign-in", content=many, headers=form)).status_code == 413


async def test_what_people_type_is_shown_as_text(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    payload = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
    page = await visit(application).post("/sign-in", data={"username": payload, "password": "x", "next": payload})
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "{{7*7}}" in page.text
    for path in ("/" + "<script>alert(1)</script>", "/downloads?show=<script>alert(1)</script>"):
        assert "<script>alert" not in (await client.get(path)).text
