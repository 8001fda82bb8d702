"""How the services are: checks and breakers together, told to open pages, and let through again by an administrator."""

from __future__ import annotations

import asyncio

import pytest

from medianest.app import Application
from medianest.connections.model import ServiceStatusChanged
from medianest.errors import UpstreamFailed
from medianest.integrations.http import Unreachable
from tests.connections.overseerr.conftest import SignIn, admin, fixed_house
from tests.overseerr import OverseerrWorld
from tests.plex import PlexWorld

__all__ = ["admin", "fixed_house"]


@pytest.fixture
def heard(fixed_house: Application) -> list[tuple[str, bool | None]]:
    found: list[tuple[str, bool | None]] = []

    async def hear(event: ServiceStatusChanged) -> None:
        found.append((event.service, event.is_up))

    fixed_house.events.subscribe(ServiceStatusChanged, hear)
    return found


async def test_a_service_goes_down_is_left_alone_and_comes_back(
    fixed_house: Application, admin: SignIn, overseerr: OverseerrWorld, heard: list[tuple[str, bool | None]]
) -> None:
    client, connections = await admin(fixed_house), fixed_house.connections
    states = connections.states
    assert (await states.state("overseerr")).is_up is None
    await states.watch()
    assert (await states.state("overseerr")).is_up is True
    overseerr.off()
    there = await connections.overseerr.client()
    for _ in range(5):
        with pytest.raises(Unreachable):
            await there.count()
    await asyncio.sleep(0)
    state = await states.state("overseerr")
    assert (state.is_up, state.code, state.is_usable) == (False, "service_paused", False)
    assert state.text == "The request service does not answer right now."
    with pytest.raises(Unreachable) as paused:
        await there.count()
    assert paused.value.code == "service_paused"
    page = (await client.get("/system")).text
    assert "after 5 failures in a row" in page
    assert "/system/services/overseerr/reset" in page
    overseerr.on()
    again = await client.post("/system/services/overseerr/reset", headers={"HX-Request": "true"})
    assert "Answers" in again.text
    assert (await there.count()).total == 0
    while len(told := [one for one in heard if one[0] == "overseerr"]) < 2:
        await asyncio.sleep(0.01)
    assert told == [("overseerr", False), ("overseerr", True)]
    assert (await client.post("/system/services/nothing/reset")).status_code == 404


async def test_the_check_finds_a_service_again_while_nobody_dares_to_ask(
    fixed_house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    await admin(fixed_house)
    connections = fixed_house.connections
    await connections.states.watch()
    overseerr.off()
    assert "does not answer" in await connections.states.watch()
    assert (await connections.states.state("overseerr")).is_up is True, "one failed check may be a restart"
    assert await connections.overseerr.problems() == ()
    for _ in range(4):
        await connections.states.watch()
    assert (await connections.states.state("overseerr")).is_up is False
    assert [one.code for one in await connections.overseerr.problems()] == ["overseerr_unreachable"]
    assert connections.states.breakers()["overseerr"].is_open
    overseerr.on()
    assert "answers in" in await connections.states.watch()
    assert (await connections.states.state("overseerr")).is_up is True
    assert not connections.states.breakers()["overseerr"].is_open
    overseerr.api_key = "changed"
    await connections.states.watch()
    state = await connections.states.state("overseerr")
    assert (state.is_up, state.code) == (False, "overseerr_key_refused")


async def test_plex_is_left_alone_when_it_is_down_and_not_when_it_refuses(
    fixed_house: Application, admin: SignIn, plex: PlexWorld, heard: list[tuple[str, bool | None]]
) -> None:
    client, connections = await admin(fixed_house), fixed_house.connections
    await connections.service.check()
    server, token = await connections.service.plex_server(), plex.owner.token()
    for _ in range(6):
        with pytest.raises(UpstreamFailed):
            await server.sections("wrong")
    assert (await server.sections(token))[0].title
    plex.faults.add("/library/sections", "status", times=5, status=502)
    for _ in range(5):
        with pytest.raises(UpstreamFailed):
            await server.sections(token)
    with pytest.raises(Unreachable) as paused:
        await server.sections(token)
    assert paused.value.code == "service_paused"
    while ("plex", False) not in heard:
        await asyncio.sleep(0.01)
    assert "Plex does not answer right now." in (await client.get("/system")).text
    await connections.states.watch()  # Plex answers its test: calls go through again
    assert (await server.sections(token))[0].title
    assert heard[-1] == ("plex", True)
