"""The daily look at who still has the server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from medianest.accounts.model import SessionsEnded
from medianest.accounts.plex.check import CONFIRM_DEAD, CONFIRM_MISSING
from medianest.app import Application
from medianest.database import fetch
from tests.accounts.plex.conftest import Enter, age, row_of
from tests.plex import PlexWorld

DAY = 24 * 3600 + 60


@pytest.fixture(autouse=True)
def _at_once(house: Application) -> None:
    house.plex_accounts.check._pause_s = 0.0


async def look(house: Application) -> str:
    return await house.plex_accounts.check.run()


async def test_nobody_is_asked_about_more_than_once_a_day(house: Application, enter: Enter, plex: PlexWorld) -> None:
    await enter(house, plex.friend)
    plex.calls.clear()
    assert await look(house) == "Nobody was due."
    assert plex.calls == []
    await age(plex.friend, checked_at=DAY)
    plex.friend.title = "Frieda"
    assert await look(house) == "Looked at Plex access: 1 fine."
    assert (await row_of(plex.friend))["display_name"] == "Frieda"
    assert await look(house) == "Nobody was due."


async def test_access_that_was_taken_away_suspends_after_two_reads_and_comes_back_by_itself(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    ended: list[SessionsEnded] = []

    async def note(event: SessionsEnded) -> None:
        ended.append(event)

    house.events.subscribe(SessionsEnded, note)
    plex.withdraw(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    assert (await row_of(plex.friend))["state"] == "active"  # once is no proof
    assert await browser.me()
    assert await look(house) == "Nobody was due."  # less than ten minutes later
    await age(plex.friend, missing_since=11 * 60)
    assert "1 suspended" in await look(house)
    row = await row_of(plex.friend)
    assert (row["state"], row["state_code"]) == ("suspended", "plex_access")
    assert not await browser.me()
    assert len(ended) == 1
    actions = [one["action"] for one in await fetch("SELECT action FROM audit_logs ORDER BY id")]
    assert "person.suspended" in actions
    plex.restore(plex.friend)
    again = await enter(house, plex.friend)  # by signing in
    assert (await again.me())["username"] == "frida"
    assert (await row_of(plex.friend))["missing_since"] is None


async def test_the_daily_look_also_gives_access_back(house: Application, enter: Enter, plex: PlexWorld) -> None:
    await enter(house, plex.friend)
    plex.withdraw(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    await age(plex.friend, missing_since=11 * 60)
    await look(house)
    plex.restore(plex.friend)
    await age(plex.friend, checked_at=DAY)
    assert "1 fine" in await look(house)
    assert (await row_of(plex.friend))["state"] == "active"


async def test_access_that_is_there_again_at_the_second_read_was_never_lost(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    plex.withdraw(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    plex.restore(plex.friend)
    await age(plex.friend, missing_since=11 * 60)
    await look(house)
    assert (await row_of(plex.friend))["missing_since"] is None
    assert await browser.me()


async def test_whom_an_administrator_suspended_plex_does_not_let_in(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    await enter(house, plex.friend)
    await fetch("UPDATE users SET state = 'suspended', state_code = 'by_admin' WHERE username = 'frida'")
    await age(plex.friend, checked_at=DAY)
    await look(house)
    assert (await row_of(plex.friend))["state"] == "suspended"


async def test_a_dead_token_is_confirmed_before_they_have_to_sign_in_again(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    plex.kill_tokens(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    assert (await row_of(plex.friend))["refused_at"]
    await look(house)  # within the same minute
    assert await browser.me()
    await age(plex.friend, refused_at=70)
    assert "1 token dead" in await look(house)
    row = await row_of(plex.friend)
    assert row["state"] == "active"  # nobody is suspended for that
    assert row["token_dead_at"]
    assert row["account_token"] is None
    assert not await browser.me()
    assert await look(house) == "Nobody was due."
    again = await enter(house, plex.friend)
    assert (await again.me())["username"] == "frida"
    assert (await row_of(plex.friend))["token_dead_at"] is None


async def test_one_refusal_that_does_not_come_again_is_forgotten(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    plex.faults.add("/api/v2/user", "status", times=1, status=401)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    await age(plex.friend, refused_at=70)
    assert "1 fine" in await look(house)
    assert (await row_of(plex.friend))["refused_at"] is None
    assert await browser.me()


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("429", {}), ("status", {"status": 500}), ("status", {"status": 403}), ("status", {"status": 410}), ("truncated", {}),
    ("html", {}), ("xml", {}), ("empty", {}), ("reset", {}),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v2/user", "/api/v2/resources"])
@pytest.mark.parametrize(("kind", "more"), FAULTS)
async def test_nothing_else_that_plex_answers_changes_anything(
    house: Application, enter: Enter, plex: PlexWorld, kind: str, more: dict[str, Any], path: str
) -> None:
    browser = await enter(house, plex.friend)
    await age(plex.friend, checked_at=DAY)
    before = await row_of(plex.friend)
    plex.faults.add(path, kind, times=50, **more)
    for _round in range(3):
        assert "1 not answered" in await look(house)
    assert await row_of(plex.friend) == before
    assert await browser.me()


async def test_plex_that_is_away_is_not_asked_about_everybody(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    for account in (plex.friend, plex.friend_one_library, plex.owner):
        await enter(house, account)
        await age(account, checked_at=DAY)
    plex.faults.add("/api/v2/user", "429", times=50)
    plex.calls.clear()
    await look(house)
    assert len([call for call in plex.calls if call.path == "/api/v2/user"]) == 1


async def test_an_administrator_is_not_locked_out_by_plex(house: Application, enter: Enter, plex: PlexWorld) -> None:
    browser = await enter(house, plex.friend)
    await fetch("UPDATE users SET role = 'admin', password_hash = 'x' WHERE username = 'frida'")
    plex.withdraw(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    await age(plex.friend, missing_since=11 * 60)
    await look(house)
    assert await browser.me()
    plex.kill_tokens(plex.friend)
    await age(plex.friend, checked_at=DAY, refused_at=70)
    await look(house)
    assert await browser.me()  # the password still holds


async def test_tokens_are_kept_alive_weekly_and_a_refusal_there_changes_nothing(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    await enter(house, plex.friend)
    before = await row_of(plex.friend)
    assert await house.plex_accounts.check.ping() == "Told plex.tv that 1 of 1 sign-ins are in use."
    plex.kill_tokens(plex.friend)
    assert await house.plex_accounts.check.ping() == "Told plex.tv that 0 of 1 sign-ins are in use."
    assert await row_of(plex.friend) == before
    assert [call.path for call in plex.calls].count("/api/v2/ping") == 4  # the owner's own token as well


async def test_both_jobs_stand_in_the_table(house: Application) -> None:
    names = {task.name: task.schedule for task in await house.scheduler.tasks()}
    assert names["check_plex_people"] == "Every 15 minutes"
    assert names["ping_plex"] == "Every week"


async def test_who_became_an_administrator_while_the_look_was_on_its_way_is_not_suspended(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    await enter(house, plex.friend)
    plex.withdraw(plex.friend)
    await age(plex.friend, checked_at=DAY)
    await look(house)
    await age(plex.friend, missing_since=11 * 60)
    check = house.plex_accounts.check
    (seen,) = await check._repository.due(
        at=datetime.now(UTC), confirm_missing=CONFIRM_MISSING, confirm_dead=CONFIRM_DEAD
    )
    assert not seen.is_admin
    # meanwhile they take the house over: they are the only administrator now
    await fetch("UPDATE users SET role = 'admin' WHERE username = 'frida'")
    await fetch("UPDATE users SET role = 'user' WHERE username <> 'frida'")
    assert await check._server_missing(seen) == "in doubt"
    assert (await row_of(plex.friend))["state"] == "active"
    await fetch("UPDATE users SET role = 'user' WHERE username = 'frida'")
    assert await check._server_missing(seen) == "suspended"
    (line,) = await fetch("SELECT after FROM audit_logs WHERE action = 'person.suspended'")
    assert '"role":"user"' in line["after"]
