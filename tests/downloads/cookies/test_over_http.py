"""Cookies by page and API: for administrators only, sealed in the database, moved to a new key, shown by site and age alone."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.logs import TextFormatter
from medianest.settings import Settings
from medianest.system import secret_keys
from medianest.vault import Vault
from tests.accounts.people.house import owner, person, signed_in
from tests.harness.application import Visit, csrf_of

SECRET = "a-very-secret-cookie-value"
FILE = f"# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t4102444800\tSID\t{SECRET}\n"


class House:
    """An administrator and an ordinary person at one application."""

    def __init__(self, ada: httpx.AsyncClient, ben: httpx.AsyncClient) -> None:
        self.ada, self.ben = ada, ben


@pytest.fixture
async def house(application: Application, visit: Visit) -> House:
    first, ada = await owner(application, visit)
    await person(application, "ben", ada)
    return House(first, await signed_in(application, visit, "ben"))


async def test_the_api_keeps_cookies_and_tells_only_their_site_and_age(house: House, settings: Settings) -> None:
    answer = await house.ada.put("/api/v1/cookies/www.youtube.com", json={"cookies": FILE})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"site": "youtube.com", "number": 1, "left_out": 0, "resumed": 0}
    (shown,) = (await house.ada.get("/api/v1/cookies")).json()
    assert (shown["site"], shown["number"], shown["stale_since"]) == ("youtube.com", 1, None)
    assert SECRET not in str(shown)
    (row,) = await fetch("SELECT cookies FROM site_cookies")
    assert SECRET not in row["cookies"]
    assert SECRET in Vault(settings.secret_key).open(row["cookies"], "site_cookies.cookies:youtube.com")
    lines = await fetch("SELECT action, target, detail FROM audit_logs WHERE action LIKE 'download.%'")
    assert [(one["action"], one["target"], one["detail"]) for one in lines] == [
        ("download.cookies_changed", "youtube.com", "1 cookies")
    ]
    for call in (house.ben.get("/api/v1/cookies"), house.ben.delete("/api/v1/cookies/youtube.com")):
        assert (await call).status_code == 403
    assert (await house.ada.delete("/api/v1/cookies/youtube.com")).status_code == 204
    assert (await house.ada.delete("/api/v1/cookies/youtube.com")).status_code == 404


async def test_what_does_not_fit_is_refused_by_field_and_changes_nothing(house: House) -> None:
    refused = await house.ada.put("/api/v1/cookies/youtube.com", json={"cookies": "hello"})
    assert refused.status_code == 400
    assert "no cookies file" in refused.text
    assert (await house.ada.put("/api/v1/cookies/com", json={"cookies": FILE})).status_code == 400
    assert await fetch("SELECT site FROM site_cookies") == []


async def test_the_page_takes_a_file_or_text_and_shows_neither_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page = await house.ada.get("/downloads/cookies")
    token = csrf_of(page.text)
    sent = await house.ada.post(
        "/downloads/cookies",
        data={"site": "https://youtu.be/x", "_csrf": token},
        files={"file": ("cookies.txt", FILE.encode(), "text/plain")},
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/downloads/cookies?done=added&site=youtube.com")
    shown = await house.ada.get(sent.headers["location"])
    assert "1 cookie of youtube.com is in place" in shown.text
    assert SECRET not in shown.text
    wrong = await house.ada.post("/downloads/cookies", data={"site": "x.com", "cookies": FILE, "_csrf": token})
    assert wrong.status_code == 400
    assert "None of the 1 cookies" in wrong.text
    assert SECRET not in wrong.text
    binary = await house.ada.post(
        "/downloads/cookies",
        data={"site": "x.com", "_csrf": token},
        files={"file": ("cookies.txt", b"\xff\xfe\x00\x01", "text/plain")},
    )
    assert binary.status_code == 400
    removed = await house.ada.post("/downloads/cookies/remove", data={"site": "youtube.com", "_csrf": token})
    assert removed.status_code == 303
    assert await fetch("SELECT site FROM site_cookies") == []
    for client in (house.ben,):
        assert (await client.get("/downloads/cookies")).status_code == 403
    formatter = TextFormatter()
    assert not any(SECRET in formatter.format(record) for record in caplog.records)
    record = logging.LogRecord("x", logging.INFO, "x", 1, f"Cookie {SECRET} leaks", (), None)
    assert SECRET not in formatter.format(record)


async def test_a_new_secret_key_opens_the_cookies_too(house: House, settings: Settings, tmp_path: Path) -> None:
    await house.ada.put("/api/v1/cookies/youtube.com", json={"cookies": FILE})
    new = Vault(b"another-secret-key-0123456789abcdef-xyz")
    assert await secret_keys._seal_anew(Vault(settings.secret_key), new) >= 1
    (row,) = await fetch("SELECT cookies FROM site_cookies")
    assert SECRET in new.open(row["cookies"], "site_cookies.cookies:youtube.com")


async def test_the_whole_queue_by_page_and_api(house: House) -> None:
    for number in range(3):
        assert (await house.ben.post("/api/v1/downloads", json={"url": f"https://videos.example/{number}"})).is_success
    shown = (await house.ben.get("/api/v1/queue")).json()
    assert (shown["can_pause"], shown["can_cancel"], shown["stops"]) == (3, 3, [])
    page = await house.ben.get("/downloads")
    assert "Pause your 3 downloads?" in page.text
    assert "3 waiting" in page.text
    token = csrf_of(page.text)
    act = await house.ben.post("/downloads/all/pause", data={"_csrf": token, "back": "/downloads?show=waiting"})
    assert (act.status_code, act.headers["location"]) == (303, "/downloads?show=waiting")
    assert "Go on with all (3)" in (await house.ben.get("/downloads")).text
    assert (await house.ada.post("/api/v1/queue/resume")).json() == {"changed": 3, "note": None}
    assert (await house.ben.post("/api/v1/queue/cancel")).json()["changed"] == 3
    assert (await house.ben.post("/api/v1/queue/retry")).json()["changed"] == 0
    assert (await house.ben.post("/downloads/all/explode", data={"_csrf": token})).status_code == 400


async def test_a_paused_site_is_shown_with_its_time_and_only_administrators_let_it_go_on(
    house: House, application: Application
) -> None:
    from medianest.downloads.model import ReasonCode

    await application.downloads.pauses.complained("videos.example", ReasonCode.BOT_CHECK, "x", 1800)
    page = await house.ben.get("/downloads")
    assert "videos.example takes us for a robot." in page.text
    assert "It goes on at" in page.text
    assert "Go on now" not in page.text
    mine = await house.ada.get("/downloads")
    assert "Go on now" in mine.text
    assert "/downloads/cookies?site=videos.example" in mine.text
    assert (await house.ben.post("/api/v1/queue/sites/videos.example/resume")).status_code == 403
    assert (await house.ben.post("/downloads/sites/go-on", data={"_csrf": csrf_of(page.text)})).status_code == 403
    gone_on = await house.ada.post("/api/v1/queue/sites/videos.example/resume")
    assert gone_on.status_code == 200
    assert (await house.ada.post("/api/v1/queue/sites/other.example/resume")).status_code == 404
