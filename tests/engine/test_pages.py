"""System → Engine over HTTP: page, fragment, buttons, files, API and the health list."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from medianest.app import Application
from medianest.engine.model import EngineUpdateMoved
from tests.engine.conftest import INSIDE, NEWER, folder_of, pretend
from tests.harness.application import Visit, csrf_of, set_up
from tests.release import Releases, program

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


async def test_the_page_says_what_runs_and_its_buttons_work_without_script(
    house: Application, pages: Releases, visit: Visit
) -> None:
    browser = visit(house)
    await set_up(browser, house)
    page = await browser.get("/system/engine")
    assert page.status_code == 200
    for words in ("yt-dlp", INSIDE, "yt-dlp-ejs", "ffmpeg", "ffprobe", "JavaScript runtime", pages.url):
        assert words in page.text, words
    assert "Go back to" not in page.text
    token = {"_csrf": csrf_of(page.text)}

    pages.publish(NEWER, program(NEWER, {"yt_dlp/<b>odd</b>.py": ""}))
    pages.wait_s["SHA2-256SUMS"] = 0.5
    pressed = await browser.post("/system/engine/update", data=token)
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/system/engine")
    running = await browser.get("/system/engine")
    assert "<progress" in running.text
    assert 'http-equiv="refresh"' in running.text
    second = await browser.post("/system/engine/update", data=token, headers={"HX-Request": "true"})
    assert "running already" in second.text
    await house.engine_parts.updates.wait()
    state = await browser.get("/system/engine/state")
    assert "a strange name" in state.text
    assert "<progress" not in state.text

    pretend(house, NEWER)
    assert f"Go back to {INSIDE}" in (await browser.get("/system/engine")).text
    back = await browser.post("/system/engine/rollback", data=token, headers={"HX-Request": "true"})
    assert "runs again instead of" in back.text
    assert folder_of(house).named() == ""
    assert (await browser.post("/system/engine/rollback", data=token)).status_code == 409

    saved = await browser.post("/system/engine/channel", data={**token, "channel": "nightly"})
    assert saved.headers["location"] == "/system/engine?saved=true"
    assert '<option value="nightly" selected>' in (await browser.get("/system/engine")).text
    assert (await browser.post("/system/engine/channel", data={**token, "channel": "master"})).status_code == 400
    assert (await browser.post("/system/engine/look-again", data=token)).status_code == 303
    audit = (await browser.get("/system/audit")).text
    assert "Went back to an older yt-dlp" in audit
    assert "Changed where updates of yt-dlp come from" in audit


async def test_two_files_sent_by_the_page_are_judged_like_a_release(house: Application, visit: Visit) -> None:
    browser = visit(house)
    await set_up(browser, house)
    token = {"_csrf": csrf_of((await browser.get("/system/engine")).text)}
    old = program("2026.10.01")
    sums = f"{hashlib.sha256(old).hexdigest()} *yt-dlp\n".encode()
    one = await browser.post("/system/engine/file", data=token, files={"program": ("yt-dlp", old)})
    assert one.status_code == 400
    assert "Choose both files" in one.text
    both = {"program": ("yt-dlp", old), "sums": ("SHA2-256SUMS", sums)}
    sent = await browser.post("/system/engine/file", data=token, files=both)
    assert sent.status_code == 303
    await house.engine_parts.updates.wait()
    assert "2026.10.01 is older" in (await browser.get("/system/engine")).text
    large = {**both, "program": ("yt-dlp", bytes(33 * 1024**2 + 300_000))}
    assert (await browser.post("/system/engine/file", data=token, files=large)).status_code == 413


async def test_the_api_tells_the_same_and_starts_the_same(house: Application, pages: Releases, visit: Visit) -> None:
    browser = visit(house)
    await set_up(browser, house)
    headers = {"X-CSRF-Token": csrf_of((await browser.get("/")).text)}
    steps: list[str] = []

    async def hear(event: EngineUpdateMoved) -> None:
        steps.append(event.step)

    house.events.subscribe(EngineUpdateMoved, hear)
    report = (await browser.get("/api/v1/system/engine")).json()
    assert report["current"]["version"] == INSIDE
    assert {one["name"] for one in report["components"]} == {"yt-dlp", "yt-dlp-ejs", "ffmpeg", "ffprobe", "javascript"}
    pages.publish(NEWER, program(NEWER, {"yt_dlp/odd.py": "def f(:"}))
    begun = await browser.post("/api/v1/system/engine/update", headers=headers)
    assert begun.status_code == 202
    assert begun.json()["update"]["step"] == "looking"
    assert (await browser.post("/api/v1/system/engine/update", headers=headers)).json()["code"] == "update_running"
    await asyncio.wait_for(house.engine_parts.updates.wait(), 30)
    report = (await browser.get("/api/v1/system/engine")).json()
    assert (report["update"], report["history"][0]["code"]) == (None, "compile_failed")
    assert steps[-1] == ""
    assert (await browser.post("/api/v1/system/engine/rollback", headers=headers)).json()["code"] == "nothing_before"
    chosen = await browser.post("/api/v1/system/engine/channel", json={"channel": "off"}, headers=headers)
    assert chosen.json()["channel"] == "off"
    wrong = await browser.post("/api/v1/system/engine/channel", json={"channel": "yt-dlp/other"}, headers=headers)
    assert wrong.status_code == 400


async def test_the_health_list_has_a_button_for_a_version_that_can_not_be_loaded(
    house: Application, visit: Visit
) -> None:
    browser = visit(house)
    await set_up(browser, house)
    broken = pretend(house, NEWER)
    child = await house.downloads.pool.acquire()  # a real worker: it falls back by itself and says why
    assert child.version == INSIDE
    assert "only pretended" in child.engine_problem
    house.downloads.pool.release(child)
    page = (await browser.get("/system")).text
    assert "could not be loaded" in page
    assert 'action="/system/engine/update"' in page
    (broken / "yt_dlp" / "__init__.py").unlink()
    codes = [one["code"] for one in (await browser.get("/api/v1/system/health")).json()["health"]]
    assert "engine_broken" in codes
