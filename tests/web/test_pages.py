"""What every page keeps to: no inline script or style, own addresses only; static files; the API's document."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.resources import resource_path
from medianest.web.headers import POLICY
from medianest.web.static_files import StaticFiles
from medianest.web.urls import Urls
from tests.harness.application import Visit, csrf_of, set_up

PAGES = (
    "/",
    "/downloads",
    "/settings",
    "/settings/password",
    "/settings/devices",
    "/more",
    "/downloads/settings",
    "/system",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_holds_nothing_that_the_policy_forbids(path: str, application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    page = await client.get(path)
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["cache-control"] == "no-store"
    assert re.search(r"<script(?![^>]*\bsrc=)[^>]*>", page.text) is None
    assert re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on", page.text) is None
    assert re.search(r'(?:src|href|action)="(?:https?:)?//', page.text) is None


def test_no_template_switches_escaping_off() -> None:
    for path in resource_path("templates").rglob("*.html"):
        text = path.read_text()
        assert re.search(r"\|\s*safe\b|autoescape\s+false|Markup\(", text) is None, path


async def test_static_files_are_kept_for_ever_under_the_hash_of_the_tree(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    sheet = re.search(r'href="(/static/([0-9a-f]+)/app\.css)"', (await client.get("/setup")).text)
    assert sheet
    for accepted, used in (("br", "br"), ("gzip", "gzip"), ("identity", None)):
        answer = await client.get(sheet[1], headers={"accept-encoding": accepted})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers.get("content-encoding") == used
        assert "@layer" in answer.text
        again = await client.get(
            sheet[1], headers={"accept-encoding": accepted, "if-none-match": answer.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
    head = await client.head(sheet[1])
    assert (head.status_code, head.content) == (200, b"")
    old = await client.get("/static/000000000000/app.css")
    assert (old.status_code, old.headers["location"]) == (302, sheet[1])
    font = await client.get(f"/static/{sheet[2]}/fonts/display.woff2")
    assert font.headers["content-type"] == "font/woff2"
    assert "content-encoding" not in font.headers


@pytest.mark.parametrize(
    "name",
    [
        "../pyproject.toml",
        "..%2fpyproject.toml",
        "%2e%2e/pyproject.toml",
        "css/order.txt",
        "nothing.css",
        "/etc/passwd",
    ],
)
async def test_only_files_of_the_tree_are_served(name: str, application: Application, visit: Visit) -> None:
    assert (await visit(application).get(f"/static/x/{name}")).status_code in (404, 405)


def test_the_address_changes_when_any_file_does(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "order.txt").write_text("b.css\na.css\n")
    (tmp_path / "css" / "a.css").write_text("a{}")
    (tmp_path / "css" / "b.css").write_text("b{}")
    before = StaticFiles(tmp_path, Urls("/medianest"))
    assert before.assets["app.css"].body == b"b{}\na{}"
    assert before.url("app.css") == f"/medianest/static/{before.hash}/app.css"
    (tmp_path / "css" / "a.css").write_text("a{color:red}")
    assert StaticFiles(tmp_path, Urls("")).hash != before.hash
    with pytest.raises(KeyError):
        before.url("missing.css")


async def test_own_settings_are_kept_and_shown(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    token = csrf_of((await client.get("/settings")).text)
    form = {"_csrf": token, "theme": "light", "time_zone": "Europe/Berlin", "page_size": "20", "default_quality": "720"}
    assert (await client.post("/settings", data=form)).headers["location"] == "/settings?saved=true"
    page = (await client.get("/settings?saved=true")).text
    assert 'data-theme="light"' in page
    assert "Saved." in page
    kept = (await client.get("/api/v1/me")).json()["preferences"]
    assert kept == {
        "theme": "light", "time_zone": "Europe/Berlin", "page_size": 20, "default_quality": "720", "is_shortcuts_on": False,
        "date_locale": "en",
    }  # fmt: skip
    await client.post("/settings", data={**form, "time_zone": "", "is_shortcuts_on": "true"})
    kept = (await client.get("/api/v1/me")).json()["preferences"]
    assert (kept["time_zone"], kept["is_shortcuts_on"]) == ("", True)
    wrong = await client.post("/settings", data={**form, "time_zone": "Mars/Base", "page_size": "many"})
    assert wrong.status_code == 400
    assert "does not fit" in wrong.text or "is not known" in wrong.text
    partial = await client.patch("/api/v1/me/preferences", json={"theme": "dark"}, headers={"X-CSRF-Token": token})
    assert (partial.json()["theme"], partial.json()["page_size"]) == ("dark", 20)


async def test_times_are_shown_in_the_persons_time_zone(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/")).text)}
    from datetime import UTC, datetime

    at = datetime(2020, 1, 1, 20, 0, tzinfo=UTC)
    await fetch("UPDATE user_sessions SET created_at = {}", at)
    assert "1 Jan 2020" in (await client.get("/settings/devices")).text.replace("Jan 1, 2020", "1 Jan 2020")
    await client.patch("/api/v1/me/preferences", json={"time_zone": "Asia/Tokyo"}, headers=csrf)
    assert "2 Jan 2020" in (await client.get("/settings/devices")).text.replace("Jan 2, 2020", "2 Jan 2020")


async def test_the_apis_document_holds_the_api_and_nothing_else(
    application: Application, below_a_path: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    assert [path for path in document["paths"] if not path.startswith("/api/v1/")] == []
    for path in ("/api/v1/setup", "/api/v1/auth/login", "/api/v1/me", "/api/v1/downloads", "/api/v1/system/health"):
        assert path in document["paths"]
    assert document["servers"][0]["url"] == "/"
    assert "bearer" in document["components"]["securitySchemes"]
    reader = await client.get("/api/docs")
    assert reader.status_code == 200
    assert "style-src 'self' 'unsafe-inline'" in reader.headers["content-security-policy"]
    assert "script-src 'self';" in reader.headers["content-security-policy"]
    for address in re.findall(r'(?:src|href|data-document)="([^"]+)"', reader.text):
        assert address.startswith("/")
        assert not address.startswith("//")
        assert (await client.get(address)).status_code == 200
    below = visit(below_a_path)
    await below.post("/medianest/api/v1/auth/login", json={"username": "ada", "password": "correct-Horse-7-battery"})
    assert (await below.get("/medianest/api/v1/openapi.json")).json()["servers"][0]["url"] == "/medianest"
