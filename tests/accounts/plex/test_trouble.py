"""Signing in while plex.tv makes difficulties, and while MediaNest is started again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from medianest.app import Application
from medianest.connections import pins
from medianest.database import fetch
from tests.accounts.plex.conftest import Build, Door, row_of
from tests.plex import PlexWorld

Doors = Callable[..., Door]

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("429", {}),
    ("status", {"status": 500}),
    ("status", {"status": 403}),
    ("truncated", {}),
    ("html", {}),
    ("xml", {}),
    ("empty", {}),
    ("reset", {}),
]


async def soon() -> None:
    """What was put off is due."""
    await fetch("UPDATE plex_pins SET read_after = created_at")


@pytest.mark.parametrize("path", ["/api/v2/pins/", "/api/v2/user", "/api/v2/resources"])
@pytest.mark.parametrize(("kind", "more"), FAULTS)
async def test_it_comes_right_after_whatever_plex_answers(
    house: Application, door: Doors, plex: PlexWorld, kind: str, more: dict[str, Any], path: str
) -> None:
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    # a lost connection is tried twice by itself, so it must be lost more often than that
    plex.faults.add(path, kind, times=4 if kind == "reset" else 2, **more)
    for _look in range(2):
        page = await browser.client.get(browser.way_back(begun))
        assert page.status_code == 200
        assert "MediaNest goes on" in page.text
        assert not await browser.me()
        await soon()
    for _look in range(3):  # the fault may have been used up by fewer or more calls
        answer = await browser.waiting()
        if answer.status_code == 303:
            break
        await soon()
    assert answer.headers["location"] == "/"
    assert (await browser.me())["username"] == "frida"


@pytest.mark.parametrize("moment", ["begun", "allowed", "held"])
async def test_it_goes_on_after_a_restart_in_the_middle(
    build: Build, house: Application, door: Doors, plex: PlexWorld, moment: str
) -> None:
    browser = door(house)
    begun = await browser.begin(next="/downloads", remember="true")
    code = browser.code(begun)
    if moment != "begun":
        plex.allow(code, plex.friend)
    if moment == "held":  # the token is stored, and plex.tv fails just then
        plex.faults.add("/api/v2/user", "status", times=1, status=500)
        assert (await browser.waiting()).status_code == 200
        assert (await fetch("SELECT state FROM plex_pins"))[0]["state"] == "held"
    again = build()
    after = door(again, cookies=dict(browser.client.cookies))
    if moment == "begun":
        assert (await after.waiting()).status_code == 200
        plex.allow(code, plex.friend)
    await soon()
    answer = await after.client.get(browser.way_back(begun))
    assert (answer.status_code, answer.headers["location"]) == (303, "/downloads")
    assert (await after.me())["username"] == "frida"
    assert (await fetch("SELECT token FROM plex_pins"))[0]["token"] is None


async def test_a_process_that_died_with_the_token_in_its_hand_loses_nothing(
    build: Build, house: Application, door: Doors, plex: PlexWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    pin = await house.plex_accounts.sign_in.of_browser(next(iter(browser.client.cookies.values())))
    assert pin is not None
    assert (await house.connections.pins.look(pin)).token  # and here it dies
    after = door(build(), cookies=dict(browser.client.cookies))
    assert (await after.waiting()).status_code == 200  # somebody may still be at it
    monkeypatch.setattr(pins, "WORK_TIME", timedelta(0))
    await soon()
    assert (await after.waiting()).status_code == 303
    assert (await after.me())["username"] == "frida"


async def test_a_server_that_is_down_keeps_nobody_out(house: Application, door: Doors, plex: PlexWorld) -> None:
    plex.faults.add("/library/sections", "reset", times=9)
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    assert (await browser.client.get(browser.way_back(begun))).status_code == 303


async def test_a_server_that_refuses_the_persons_token_keeps_them_out(
    house: Application, door: Doors, plex: PlexWorld
) -> None:
    plex.faults.add("/library/sections", "status", times=9, status=401)
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    answer = await browser.client.get(browser.way_back(begun))
    assert answer.status_code == 403
    assert not await row_of(plex.friend)


async def test_a_token_that_dies_in_between_asks_for_another_sign_in(
    house: Application, door: Doors, plex: PlexWorld
) -> None:
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    plex.faults.add("/api/v2/user", "status", times=1, status=500)
    assert (await browser.waiting()).status_code == 200
    plex.kill_tokens(plex.friend)
    await soon()
    answer = await browser.waiting()
    assert answer.status_code == 403
    assert "took the sign-in back" in answer.text


async def test_tokens_stand_in_no_page_header_log_or_record(
    house: Application, door: Doors, plex: PlexWorld, caplog: pytest.LogCaptureFixture
) -> None:
    browser = door(house)
    begun = await browser.begin()
    pages = [begun, await browser.waiting()]
    plex.allow(browser.code(begun), plex.friend)
    pages += [await browser.client.get(browser.way_back(begun)), await browser.client.get("/settings")]
    pages.append(await browser.client.get("/api/v1/me"))
    secrets = [token for token in (*plex.tokens, *plex.server_tokens) if token]
    assert len(secrets) >= 3
    rows = str(await fetch("SELECT * FROM audit_logs")) + str(await fetch("SELECT * FROM plex_accounts"))
    seen = caplog.text + rows + "".join(page.text + str(page.headers) for page in pages)
    for secret in secrets:
        assert secret not in seen
    assert all(secret not in call.url for call in plex.calls for secret in secrets if hasattr(call, "url"))
