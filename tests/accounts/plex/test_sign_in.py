"""Signing in with Plex: who gets in, who does not and what they read, and what happens in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from medianest.app import Application
from medianest.database import fetch
from tests.accounts.plex.conftest import Build, Door, Enter, row_of
from tests.harness.application import Visit, set_up
from tests.plex import PlexWorld

Doors = Callable[..., Door]


async def test_a_friend_gets_in_with_one_tap(house: Application, door: Doors, plex: PlexWorld) -> None:
    browser = door(house)
    page = (await browser.client.get("/sign-in")).text
    assert "Sign in to Attic" in page
    assert "Continue with Plex" in page
    begun = await browser.begin(next="/downloads", remember="true")
    assert begun.status_code == 303
    assert begun.headers["location"].startswith(plex.url + "/auth#?")
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "Path=/;" in cookie
    assert "SameSite=lax" in cookie
    assert "Waiting for Plex" in (await browser.waiting()).text
    plex.allow(browser.code(begun), plex.friend)
    back = await browser.client.get(browser.way_back(begun))
    assert (back.status_code, back.headers["location"]) == (303, "/downloads")
    me = await browser.me()
    assert (me["username"], me["display_name"], me["role"]) == ("frida", "Frida", "user")
    row = await row_of(plex.friend)
    assert row["mail"] == "frida@example.org"
    assert not row["is_owner"]
    sealed = await fetch("SELECT account_token, server_token FROM plex_accounts")
    assert all(one.startswith("v1.") for one in sealed[0].values())
    assert (await fetch("SELECT method, is_remembered FROM user_sessions WHERE user_id = {}", me["id"]))[0] == {
        "method": "plex",
        "is_remembered": True,
    }


async def test_the_page_that_waits_goes_on_by_itself(house: Application, door: Doors, plex: PlexWorld) -> None:
    browser = door(house)
    begun = await browser.begin()
    fragment = await browser.waiting(by_script=True)
    assert 'id="plex-state"' in fragment.text
    assert "<html" not in fragment.text
    plex.allow(browser.code(begun), plex.friend_one_library)
    done = await browser.waiting(by_script=True)
    assert done.headers["hx-redirect"] == "/"
    assert (await browser.me())["username"] == "finn"


async def test_a_code_is_typed_on_another_device(house: Application, door: Doors, plex: PlexWorld) -> None:
    browser = door(house)
    begun = await browser.begin("/sign-in/plex/code")
    assert begun.headers["location"] == "/sign-in/plex"
    page = (await browser.waiting()).text
    code = next(pin.code for pin in plex.pins.values())
    assert f">{code}</p>" in page
    assert len(code) == 4
    assert "<svg" in page
    assert '<noscript><meta http-equiv="refresh" content="5">' in page
    plex.allow(code, plex.friend)
    assert (await browser.waiting()).headers["location"] == "/"
    assert (await browser.me())["username"] == "frida"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("stranger", "is not shared with that account"),
        ("pending", "the invitation was not accepted yet"),
        ("nothing_shared", "has shared no library"),
    ],
)
async def test_whoever_does_not_have_the_server_reads_why(
    house: Application, door: Doors, plex: PlexWorld, kind: str, words: str
) -> None:
    account, browser = getattr(plex, kind), door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), account)
    answer = await browser.client.get(browser.way_back(begun))
    assert answer.status_code == 403
    assert words in answer.text
    assert account.username in answer.text
    assert "Attic" in answer.text
    assert not await browser.me()
    assert not await row_of(account)
    assert words in (await browser.waiting()).text  # the page stays when it is loaded again


async def test_without_the_owners_list_the_words_are_general(house: Application, door: Doors, plex: PlexWorld) -> None:
    plex.faults.add("/api/users", "status", times=9, status=500)
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.pending)
    answer = await browser.client.get(browser.way_back(begun))
    assert "is not among the servers of that account" in answer.text


async def test_an_invitation_that_is_accepted_opens_the_door(
    house: Application, enter: Enter, door: Doors, plex: PlexWorld
) -> None:
    plex.accept_invitation(plex.pending)
    assert (await (await enter(house, plex.pending)).me())["username"] == "penny"


async def test_somebody_suspended_reads_the_reason(
    house: Application, enter: Enter, door: Doors, plex: PlexWorld
) -> None:
    await enter(house, plex.friend)
    await fetch(
        "UPDATE users SET state = 'suspended', state_code = 'by_admin', state_reason = 'Too loud' WHERE username = 'frida'"
    )
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    answer = await browser.client.get(browser.way_back(begun))
    assert answer.status_code == 403
    assert "Too loud" in answer.text
    assert not await browser.me()


async def test_without_a_connected_server_there_is_no_such_way_in(build: Build, visit: Visit) -> None:
    alone = build(is_connected=False)
    client = visit(alone)
    await set_up(visit(alone), alone)
    assert "Plex" not in (await client.get("/sign-in")).text
    for method, path in (
        ("POST", "/sign-in/plex"), ("POST", "/sign-in/plex/code"), ("GET", "/sign-in/plex"), ("POST", "/sign-in/plex/cancel"),
        ("GET", "/sign-in/plex/return?state=x"), ("POST", "/api/v1/auth/plex/pins"),
        ("GET", "/api/v1/auth/plex/pins/5f0c1d3e-0000-4000-8000-000000000000"),
    ):  # fmt: skip
        assert (await client.request(method, path)).status_code == 404, path


async def test_the_owner_of_the_server_is_known_as_such(house: Application, enter: Enter, plex: PlexWorld) -> None:
    me = await (await enter(house, plex.owner)).me()
    assert me["role"] == "user"  # who runs MediaNest says so here, not at Plex
    assert (await row_of(plex.owner))["is_owner"]


async def test_the_same_account_is_the_same_person_whatever_it_is_called(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    first = await (await enter(house, plex.friend)).me()
    plex.friend.username, plex.friend.title, plex.friend.email = "frieda", "Frieda B.", None
    again = await (await enter(house, plex.friend)).me()
    assert again["id"] == first["id"]
    assert again["display_name"] == "Frieda B."
    row = await row_of(plex.friend)
    assert (row["username"], row["mail"]) == ("frieda", None)


async def test_a_name_that_is_taken_or_impossible_becomes_one_that_is_not(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    plex.friend.username = plex.friend.title = "ada"  # the administrator's
    plex.friend_one_library.username = "a/<b>"
    plex.owner.username = plex.owner.title = "someone@example.org"
    assert (await (await enter(house, plex.friend)).me())["username"] == "ada-2"
    assert (await (await enter(house, plex.friend_one_library)).me())["username"] == "ab"
    assert (await (await enter(house, plex.owner)).me())["username"] == "someone"


async def test_another_browser_can_not_finish_it(house: Application, door: Doors, plex: PlexWorld) -> None:
    victim, attacker = door(house), door(house)
    begun = await victim.begin()
    plex.allow(victim.code(begun), plex.friend)
    other = await attacker.begin()
    for answer in (
        await door(house).client.get(victim.way_back(begun)),  # no cookie
        await attacker.client.get(victim.way_back(begun)),  # another one
        await victim.client.get(attacker.way_back(other)),  # another word
        await victim.client.get("/sign-in/plex/return"),
    ):
        assert answer.status_code == 403
        assert "begun in another place" in answer.text
    assert not await attacker.me()
    assert (await victim.client.get(victim.way_back(begun))).status_code == 303


async def test_a_way_back_is_good_once(house: Application, door: Doors, visit: Visit, plex: PlexWorld) -> None:
    browser = door(house)
    begun = await browser.begin()
    cookies = dict(browser.client.cookies)
    plex.allow(browser.code(begun), plex.friend)
    assert (await browser.client.get(browser.way_back(begun))).status_code == 303
    copied = visit(house, cookies=cookies)
    answer = await copied.get(browser.way_back(begun))
    assert answer.headers["location"] == "/sign-in"
    assert (await copied.get("/api/v1/me")).status_code == 401
    assert (await browser.client.get(browser.way_back(begun))).status_code == 403


async def test_two_tabs_of_one_browser_make_one_session(house: Application, door: Doors, plex: PlexWorld) -> None:
    browser = door(house)
    begun = await browser.begin()
    secret = dict(browser.client.cookies)
    plex.allow(browser.code(begun), plex.friend)
    assert (await browser.waiting(by_script=True)).headers["hx-redirect"] == "/"
    browser.client.cookies.update(secret)  # the second tab asked before the cookie went
    second = await browser.waiting(by_script=True)
    assert second.headers["hx-redirect"] == "/sign-in"
    assert (await browser.client.get("/sign-in")).headers["location"] == "/"
    assert len(await fetch("SELECT id FROM user_sessions WHERE method = 'plex'")) == 1


async def test_cancelling_ends_it(house: Application, door: Doors, plex: PlexWorld) -> None:
    browser = door(house)
    begun = await browser.begin()
    cookies = dict(browser.client.cookies)
    assert (await browser.begin("/sign-in/plex/cancel")).headers["location"] == "/sign-in"
    plex.allow(browser.code(begun), plex.friend)
    browser.client.cookies.update(cookies)
    assert (await browser.waiting()).headers["location"] == "/sign-in"
    assert not await browser.me()


async def test_a_code_that_has_run_out_says_so_and_offers_another(
    house: Application, door: Doors, plex: PlexWorld
) -> None:
    browser = door(house)
    begun = await browser.begin()
    plex.expire(browser.code(begun))
    assert (await browser.waiting(by_script=True)).headers["hx-redirect"] == "/sign-in/plex"
    page = (await browser.waiting()).text
    assert "has run out" in page
    assert "Start again" in page
    assert "every 2s" not in page


async def test_plex_that_does_not_answer_is_said_in_words(house: Application, door: Doors, plex: PlexWorld) -> None:
    plex.faults.add("/api/v2/pins", "status", times=1, status=503)
    browser = door(house)
    answer = await browser.begin(next="/downloads")
    assert answer.status_code == 502
    assert "Try again" in answer.text
    assert 'value="/downloads"' in answer.text
    assert (await browser.begin()).status_code == 303


async def test_a_second_step_is_asked_for_with_plex_too(
    house: Application, enter: Enter, door: Doors, plex: PlexWorld
) -> None:
    await enter(house, plex.friend)
    # as an administrator who linked an account
    await fetch("UPDATE users SET password_hash = 'x', totp_secret = 'y' WHERE username = 'frida'")
    browser = door(house)
    begun = await browser.begin()
    plex.allow(browser.code(begun), plex.friend)
    answer = await browser.client.get(browser.way_back(begun))
    assert answer.headers["location"] == "/sign-in/code"
    assert not await browser.me()


async def test_below_a_path_everything_stays_below_it(build: Build, visit: Visit, door: Doors, plex: PlexWorld) -> None:
    below = build(base_path="/medianest")
    await set_up(visit(below), below)
    browser = door(below)
    begun = await browser.begin(next="/medianest/downloads")
    assert "Path=/medianest" in begun.headers["set-cookie"]
    assert browser.way_back(begun).startswith("/medianest/sign-in/plex/return?state=")
    plex.allow(browser.code(begun), plex.friend)
    assert (await browser.client.get(browser.way_back(begun))).headers["location"] == "/medianest/downloads"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
async def test_it_never_leads_to_another_site(house: Application, door: Doors, plex: PlexWorld, wanted: str) -> None:
    browser = door(house)
    begun = await browser.begin(next=wanted)
    plex.allow(browser.code(begun), plex.friend)
    assert (await browser.client.get(browser.way_back(begun))).headers["location"] == "/"


async def test_beginning_is_limited_by_address(house: Application, door: Doors) -> None:
    answers: list[Any] = [await door(house).begin() for _number in range(31)]
    assert [one.status_code for one in answers[:30]] == [303] * 30
    assert answers[30].status_code == 429
    assert int(answers[30].headers["retry-after"]) > 0


async def test_the_form_may_lead_to_plex_and_nowhere_else(house: Application, door: Doors, plex: PlexWorld) -> None:
    policy = (await door(house).client.get("/sign-in")).headers["content-security-policy"]
    assert f"form-action 'self' {plex.url};" in policy
