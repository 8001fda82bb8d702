"""PINs: begun here, allowed there, and what comes between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from medianest.app import Application
from medianest.connections.model import HeldPin, PinPurpose, PinState
from medianest.connections.pins import Pins
from medianest.connections.tables import PlexPinRow
from medianest.database import fetch
from tests.plex import PlexWorld

BACK = "http://medianest.test/sign-in/plex/return"


def pins_of(house: Application) -> Pins:
    return house.connections.pins


async def begun(house: Application, *, is_strong: bool = True) -> tuple[HeldPin, str]:
    return await pins_of(house).begin(
        PinPurpose.SIGN_IN, is_strong=is_strong, forward_base=BACK, next_path="/downloads"
    )


def word_of(pin: HeldPin) -> str:
    """The one-time word in the return address."""
    given = parse_qs(urlsplit(pin.auth_url).fragment.removeprefix("?"))
    assert given["code"] == [pin.code]
    assert given["context[device][product]"] == ["MediaNest"]
    return parse_qs(urlsplit(given["forwardUrl"][0]).query)["state"][0]


async def due(pin: HeldPin) -> None:
    """The next question to plex.tv is due now."""
    await fetch("UPDATE plex_pins SET read_after = {} WHERE id = {}", datetime.now(UTC) - timedelta(seconds=1), pin.id)


async def row_of(pin: HeldPin) -> dict[str, Any]:
    row: dict[str, Any] | None = await PlexPinRow.select().where(PlexPinRow.id == pin.id).first()
    assert row is not None
    return row


def reads(plex: PlexWorld) -> int:
    return len([call for call in plex.calls if call.method == "GET" and call.path.startswith("/api/v2/pins/")])


async def test_an_allowed_pin_gives_its_token_to_one_caller_and_is_stored_sealed(
    house: Application, plex: PlexWorld
) -> None:
    plex.read_gap_s = 0
    pin, secret = await begun(house)
    assert (await pins_of(house).look(pin)).state is PinState.PENDING
    plex.allow(pin.code, plex.friend)
    await due(pin)
    held = await pins_of(house).look(pin)
    assert held.state is PinState.HELD
    assert held.token
    assert plex.account_of(held.token) is plex.friend
    assert held.token not in str(await row_of(pin))
    assert secret not in str(await row_of(pin))
    assert (await pins_of(house).look(pin)).token is None  # somebody is at work with it
    done = await pins_of(house).finish(held, PinState.AUTHORIZED)
    assert done.state is PinState.AUTHORIZED
    assert (await row_of(pin))["token"] is None


async def test_a_pin_belongs_to_the_browser_and_the_return_address_that_it_was_begun_with(
    house: Application, plex: PlexWorld
) -> None:
    mine, secret = await begun(house)
    theirs, _their_secret = await begun(house)
    pins = pins_of(house)
    assert await pins.of_browser(None, PinPurpose.SIGN_IN) is None
    assert await pins.of_browser("made-up", PinPurpose.SIGN_IN) is None
    assert await pins.of_browser(secret, PinPurpose.CONNECT) is None
    assert await pins.of_browser(secret, PinPurpose.SIGN_IN, state=word_of(theirs)) is None
    assert await pins.of_browser(secret, PinPurpose.SIGN_IN, state="") is None
    found = await pins.of_browser(secret, PinPurpose.SIGN_IN, state=word_of(mine))
    assert found == mine
    assert await pins.get(mine.id, secret) == mine
    assert await pins.get(theirs.id, secret) is None


async def test_two_instances_that_look_at_one_pin_ask_plex_once_a_second(
    house: Application, other_house: Application, plex: PlexWorld
) -> None:
    pin, secret = await begun(house)
    there = await pins_of(other_house).of_browser(secret, PinPurpose.SIGN_IN)
    assert there is not None
    for _ in range(3):
        await asyncio.gather(*(pins_of(one).look(pin) for one in (house, other_house) * 4))
    assert reads(plex) == 1
    plex.allow(pin.code, plex.friend)
    await asyncio.sleep(1.1)
    found = await asyncio.gather(*(pins_of(one).look(pin) for one in (house, other_house) * 4))
    assert reads(plex) == 2
    assert len([one for one in found if one.token]) == 1


async def test_a_pin_survives_a_restart_before_and_after_it_is_allowed(
    house: Application, other_house: Application, plex: PlexWorld
) -> None:
    plex.read_gap_s = 0
    pin, secret = await begun(house)
    await pins_of(house).look(pin)
    plex.allow(pin.code, plex.friend)
    again = await pins_of(other_house).of_browser(secret, PinPurpose.SIGN_IN, state=word_of(pin))
    assert again is not None
    assert again.auth_url == pin.auth_url
    await due(pin)
    first = await pins_of(other_house).look(again)
    assert first.token
    # the process ends before the work is done: after a while another one may have the token
    await due(pin)
    second = await pins_of(house).look(pin)
    assert second.token == first.token


@pytest.mark.parametrize("kind", ["html", "empty", "truncated", "reset", "xml"])
async def test_trouble_on_the_way_leaves_the_pin_waiting_with_a_reason(
    house: Application, plex: PlexWorld, kind: str
) -> None:
    plex.read_gap_s = 0
    pin, _ = await begun(house)
    # a reset counts twice: a GET is made once more
    plex.faults.add("/api/v2/pins/", kind, times=2)
    found = await pins_of(house).look(pin)
    assert (found.state, found.reason) == (PinState.PENDING, "plex_unreachable")
    plex.faults.clear()
    plex.allow(pin.code, plex.friend)
    await due(pin)
    assert (await pins_of(house).look(pin)).token


async def test_each_refusal_for_too_many_calls_doubles_the_wait(house: Application, plex: PlexWorld) -> None:
    plex.read_gap_s = 0
    pin, _ = await begun(house)
    plex.faults.add("/api/v2/pins/", "429", times=3)
    waits = []
    for _ in range(3):
        await due(pin)
        before = datetime.now(UTC)
        assert (await pins_of(house).look(pin)).reason == "plex_busy"
        waits.append((await row_of(pin))["read_after"] - before)
    assert [round(wait.total_seconds()) for wait in waits] == [4, 8, 16]
    plex.allow(pin.code, plex.friend)
    await due(pin)
    held = await pins_of(house).look(pin)
    assert (held.reason, bool(held.token)) == ("", True)


async def test_a_pin_ends_with_its_time_or_when_plex_does_not_know_it(house: Application, plex: PlexWorld) -> None:
    plex.read_gap_s = 0
    gone, _ = await begun(house)
    plex.expire(gone.code)
    assert (await pins_of(house).look(gone)).state is PinState.EXPIRED
    late, _ = await begun(house)
    await fetch("UPDATE plex_pins SET expires_at = {} WHERE id = {}", datetime.now(UTC), late.id)
    assert (await pins_of(house).look(late)).state is PinState.EXPIRED


async def test_a_cancelled_pin_stays_cancelled_whatever_is_allowed_later(house: Application, plex: PlexWorld) -> None:
    pin, _ = await begun(house, is_strong=False)
    assert len(pin.code) == 4
    assert pin.auth_url == f"{plex.url}/link"
    assert (await pins_of(house).finish(pin, PinState.CANCELLED)).state is PinState.CANCELLED
    plex.allow(pin.code, plex.friend)
    await due(pin)
    assert (await pins_of(house).look(pin)).state is PinState.CANCELLED
    assert (await pins_of(house).finish(pin, PinState.AUTHORIZED)).state is PinState.CANCELLED


async def test_work_that_failed_for_a_passing_reason_is_tried_again_with_the_same_token(
    house: Application, plex: PlexWorld
) -> None:
    pin, _ = await begun(house)
    plex.allow(pin.code, plex.friend)
    held = await pins_of(house).look(pin)
    await pins_of(house).postpone(held)
    assert (await pins_of(house).look(pin)).token is None
    await due(pin)
    assert (await pins_of(house).look(pin)).token == held.token


async def test_old_pins_are_given_up_and_removed_with_their_tokens(house: Application, plex: PlexWorld) -> None:
    pin, _ = await begun(house)
    plex.allow(pin.code, plex.friend)
    await pins_of(house).look(pin)
    assert (await row_of(pin))["token"]
    await fetch("UPDATE plex_pins SET expires_at = {}", datetime.now(UTC) - timedelta(hours=2))
    await pins_of(house).clean()
    assert (await row_of(pin))["token"] is None
    await fetch("UPDATE plex_pins SET expires_at = {}", datetime.now(UTC) - timedelta(hours=25))
    await pins_of(house).clean()
    assert await PlexPinRow.count() == 0


async def test_the_people_s_identifier_and_the_lasting_one_differ_and_stay(
    house: Application, other_house: Application
) -> None:
    people = (await house.connections.service.plex_tv()).client_id
    assert (await other_house.connections.service.plex_tv()).client_id == people
    assert (await house.connections.service.background_plex_tv()).client_id == f"{people}-server"
