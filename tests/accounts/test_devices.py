"""Sign-ins from new devices, and other things a person is told about their own account."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from medianest.accounts.model import AccountNoticeMade, NoticeCode
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import PASSWORD, Visit, cookie_named, csrf_of, set_up, sign_in

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


async def open_notices() -> list[Any]:
    return [dict(row) for row in await fetch("SELECT * FROM account_notices WHERE seen_at IS NULL ORDER BY id")]


async def test_the_first_sign_in_is_silent_a_new_device_is_told_on_every_page_until_answered(
    application: Application, visit: Visit
) -> None:
    home = visit(application)
    await set_up(home, application)
    await sign_in(home)
    assert await open_notices() == []
    stranger = visit(application, address="192.0.2.77", headers={"user-agent": FIREFOX})
    await sign_in(stranger)
    for path in ("/", "/downloads?show=waiting", "/settings", "/system"):
        page = (await home.get(path)).text
        assert "New sign-in: Firefox on Windows" in page, path
        assert "192.0.2.77" in page
        assert "today" in page
    form = re.search(r'action="(/settings/notices/\d+)"', page)
    assert form
    here = (await home.get("/downloads?show=waiting")).text
    assert 'name="back" value="/downloads?show=waiting"' in here
    answer = await home.post(form[1], data={"_csrf": csrf_of(here), "answer": "me", "back": "/downloads?show=waiting"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/downloads?show=waiting")
    assert "New sign-in" not in (await home.get("/")).text
    # in another tab, the same button once more
    assert (await home.post(form[1], data={"_csrf": csrf_of(here), "answer": "me"})).status_code == 303


async def test_several_notices_take_the_room_of_one_until_they_are_asked_for(
    application: Application, visit: Visit
) -> None:
    home = visit(application)
    await set_up(home, application)
    for number in range(3):
        await sign_in(visit(application, address=f"192.0.2.{80 + number}", headers={"user-agent": FIREFOX}))
    page = (await home.get("/")).text
    assert "2 more notices about your account" in page
    assert page.count('action="/settings/notices/') == 3


async def test_not_me_leads_to_the_devices_and_is_kept(application: Application, visit: Visit) -> None:
    home = visit(application)
    await set_up(home, application)
    await sign_in(visit(application, headers={"user-agent": FIREFOX}))
    page = (await home.get("/")).text
    notice = (await open_notices())[0]["id"]
    answer = await home.post(f"/settings/notices/{notice}", data={"_csrf": csrf_of(page), "answer": "not_me"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings/devices?not_me=true")
    assert "End every device below that you do not know" in (await home.get(answer.headers["location"])).text
    rows = await fetch("SELECT action, detail FROM audit_logs ORDER BY id DESC LIMIT 1")
    assert rows[0]["action"] == "account.sign_in_denied"
    assert "Firefox on Windows" in rows[0]["detail"]


async def test_a_browser_is_known_again_after_signing_out_and_by_its_cookie_only(
    application: Application, visit: Visit
) -> None:
    home, phone = visit(application), visit(application)
    await set_up(home, application)
    await sign_in(phone)
    assert len(await open_notices()) == 1
    kept = cookie_named(phone, "_device")
    await phone.post("/sign-out", data={"_csrf": csrf_of((await phone.get("/")).text)})
    assert cookie_named(phone, "_device") == kept
    await sign_in(phone)
    assert len(await open_notices()) == 1
    assert cookie_named(phone, "_device") == kept
    rows = await fetch("SELECT device_hash FROM known_devices")
    assert len(rows) == 2
    assert kept not in str([dict(row) for row in rows])
    # the same browser words, no cookie: another device; nonsense in the cookie is replaced
    other = visit(
        application,
        headers={"cookie": phone.cookies and next(n for n in phone.cookies if n.endswith("_device")) + "=x"},
    )
    await sign_in(other)
    assert len(await open_notices()) == 2
    assert len(cookie_named(other, "_device")) == 43


async def test_a_program_without_cookies_is_known_by_its_own_words(application: Application, visit: Visit) -> None:
    home = visit(application)
    await set_up(home, application)
    for agent, told in (("backup-script/1.0", 1), ("backup-script/1.0", 1), ("backup-script/2.0", 2)):
        answer = await sign_in(visit(application, headers={"user-agent": agent}), cookies=False)
        assert answer.headers.get_list("set-cookie") == []
        assert len(await open_notices()) == told


async def test_one_device_that_signs_in_twenty_times_at_once_is_told_once(
    application: Application, visit: Visit
) -> None:
    home = visit(application)
    await set_up(home, application)
    user = await application.accounts._accounts.get(1)
    programs = application.accounts._sessions
    from medianest.accounts.model import Device

    device = Device(address="192.0.2.9", user_agent="script/1", keeps_cookies=False)
    heard: list[AccountNoticeMade] = []

    async def hear(event: AccountNoticeMade) -> None:
        heard.append(event)

    application.events.subscribe(AccountNoticeMade, hear)
    await asyncio.gather(*(programs.open(user, device, is_remembered=False) for _ in range(20)))
    assert len(await open_notices()) == 1
    assert [event.code for event in heard] == ["new_sign_in"]


async def test_each_person_has_devices_and_notices_of_their_own(application: Application, visit: Visit) -> None:
    home = visit(application)
    await set_up(home, application)
    await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    await sign_in(home, "grace", "wandering-Ship-9-lamp")  # the family's tablet: Grace's first sign-in
    assert await open_notices() == []
    await application.accounts.devices.tell(1, NoticeCode.API_KEY, "<b>Phone</b>", "192.0.2.5")
    notice = (await open_notices())[0]["id"]
    page = (await home.get("/")).text
    assert (
        "API key" not in page.split('id="account-notices"')[1].split("</main>")[0].split("hx-swap")[1].split("flash")[0]
    )
    answer = await home.post(f"/settings/notices/{notice}", data={"_csrf": csrf_of(page), "answer": "me"})
    assert len(await open_notices()) == 1, answer.status_code
    await sign_in(home)
    page = (await home.get("/")).text
    assert "&lt;b&gt;Phone&lt;/b&gt;" in page
    assert "<b>Phone</b>" not in page


async def test_old_devices_are_forgotten_after_a_year(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    await sign_in(visit(application))
    await fetch("UPDATE known_devices SET last_seen_at = {}", datetime.now(UTC) - timedelta(days=390))
    assert await application.accounts.devices.clean() == "Forgot 0 devices."
    await fetch("UPDATE known_devices SET last_seen_at = {}", datetime.now(UTC) - timedelta(days=397))
    assert await application.accounts.devices.clean() == "Forgot 2 devices."


async def test_the_devices_page_begins_with_this_one_and_tells_how_each_came_in(
    application: Application, visit: Visit
) -> None:
    home = visit(application)
    await set_up(home, application)
    user = await application.accounts._accounts.get(1)
    from medianest.accounts.model import Device

    await application.accounts._sessions.open(
        user, Device(address="192.0.2.8", user_agent=FIREFOX), is_remembered=True, method="plex"
    )
    page = (await home.get("/settings/devices")).text.split("<h1")[1]
    assert page.index("This device") < page.index("Firefox on Windows")
    assert "Signed in with Plex" in page
    assert "stays signed in" in page
    answer = await home.post("/settings/devices/end-all", data={"_csrf": csrf_of((await home.get("/")).text)})
    assert answer.headers["location"] == "/sign-in"
    rows = await fetch("SELECT id FROM user_sessions WHERE revoked_at IS NULL")
    assert rows == []
    assert (await sign_in(home, password=PASSWORD)).status_code == 200


async def test_a_new_api_key_is_told(application: Application, visit: Visit) -> None:
    home = visit(application)
    await set_up(home, application)
    csrf = {"X-CSRF-Token": csrf_of((await home.get("/")).text)}
    answer = await home.post("/api/v1/api-keys", json={"name": "Wall tablet", "scopes": ["read"]}, headers=csrf)
    assert answer.status_code == 201, answer.text
    assert "New API key: Wall tablet" in (await home.get("/")).text
