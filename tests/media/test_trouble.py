"""A service that is off, slow, answers nonsense, refuses, or is another one: the page says so and shows the rest."""

from __future__ import annotations

import pytest

from medianest.integrations import overseerr_calls, plex_media
from medianest.media import kept
from tests.media.house import House

FAULTS = ("off", "hang", "html", "truncated", "empty", "401", "429", "500", "reset")
PLEX_WORDS = ("Plex does not answer right now.", "Plex takes very long to answer.", "Plex does not let MediaNest in")
OVERSEERR_WORDS = (
    "The request service does not answer right now.",
    "The request service takes very long to answer.",
    "The request service does not take our key any more.",
)


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "WITH_COPY_S", 0.2)


def break_plex(house: House, fault: str) -> None:
    if fault == "off":
        house.plex.turn_off()
    elif fault in ("401", "429", "500"):
        house.plex.faults.add("/", "status", None, status=int(fault), place="server")
    else:
        house.plex.faults.add("/", fault, None, place="server", seconds=1.0)


def break_overseerr(house: House, fault: str) -> None:
    if fault == "off":
        house.overseerr.off()
    elif fault in ("401", "429", "500"):
        house.overseerr.faults.add("/api/v1", "status", None, status=int(fault))
    else:
        house.overseerr.faults.add("/api/v1", fault, None, seconds=1.0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_plex_there_is_still_what_can_be_asked_for(
    house: House, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.page("frida", "/")
    if fault == "hang":  # each page waits as long as it will; what the other service knows is there by then
        for path in ("/search?q=orbit", "/media/movie/603", "/home/rows"):
            await house.page("ada", path)
        monkeypatch.setattr(kept, "WITHOUT_COPY_S", 0.4)
        monkeypatch.setattr(plex_media, "READ_S", 1.0)
    break_plex(house, fault)
    page = await house.page("frida", "/search?q=orbit")
    assert any(words in page for words in PLEX_WORDS), page
    assert "The Quiet Orbit Returns" in page
    for path in (
        "/library",
        "/library/1",
        "/library/recent",
        "/library/collections",
        f"/library/item/{house.orbit.rating_key}",
    ):
        answer = await house.page("frida", path)
        assert any(words in answer for words in PLEX_WORDS), path
    assert "The Quiet Orbit</h1>" in await house.page("frida", "/media/movie/603")
    rows = await house.page("frida", "/home/rows")
    assert "Popular now" in rows
    assert any(words in rows for words in PLEX_WORDS)
    problem = await house.json("frida", "/libraries", 502)
    assert "127.0.0.1" not in problem["detail"] + page


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_overseerr_there_is_still_what_is_in_the_library(
    house: House, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overseerr_calls, "READ_S", 1.0)
    break_overseerr(house, fault)
    page = await house.page("frida", "/search?q=orbit")
    assert any(words in page for words in OVERSEERR_WORDS), page
    assert "Orbit of a kite" in page
    assert "The Quiet Orbit Returns" not in page
    assert "Popular now" not in await house.page("frida", "/home/rows")
    found = await house.json("frida", "/search?q=orbit")
    assert [one["service"] for one in found["troubles"]] == ["overseerr"]
    assert "127.0.0.1" not in page + str(found["troubles"])


@pytest.mark.parametrize("fault", ["off", "slow", "html", "500"])
async def test_old_answers_stand_in_with_their_age(house: House, fault: str) -> None:
    before = await house.page("frida", "/library/1"), await house.page("frida", "/search?q=orbit")
    house.let_time_pass(3600)
    break_plex(house, fault)
    break_overseerr(house, fault)
    library, search = await house.page("frida", "/library/1"), await house.page("frida", "/search?q=orbit")
    assert "Buttons and Bears" in before[0]
    assert "Buttons and Bears" in library
    assert "What you see was read 60 min ago." in library
    assert "The Quiet Orbit Returns" in search
    assert search.count("What you see was read 60 min ago.") == 2
    house.plex.turn_on()
    house.plex.faults.clear()
    await house.settle()
    house.let_time_pass(3600)
    assert "What you see was read" not in await house.page("frida", "/library/1")


async def test_no_rights_are_kept_from_before_when_plex_refuses_a_token(house: House) -> None:
    assert "Orbit of a kite" in await house.page("finn", "/library/3")
    house.let_time_pass()
    house.plex.withdraw(house.plex.friend_one_library)
    page = await house.page("finn", "/library/3")
    assert "Orbit of a kite" not in page
    assert "Plex does not let MediaNest in" in page


async def test_another_server_in_the_place_of_ours_is_noticed(house: House) -> None:
    assert "Buttons and Bears" in await house.page("frida", "/library/1")
    house.let_time_pass()
    house.plex.machine_id = house.plex.other_machine_id  # type: ignore[misc]
    page = await house.page("frida", "/library/1")
    assert "Another Plex server answers in the place of ours." in page
    house.forget()
    page = await house.page("frida", "/library/1")
    assert "Buttons and Bears" not in page


async def test_with_nothing_connected_the_pages_say_what_to_do(house: House, visit: object) -> None:
    from msgspec.structs import replace

    from medianest.app import create_app
    from medianest.database import fetch

    await fetch("DELETE FROM integration_configs")
    bare = replace(house.application.settings, plex_url="", plex_token="", overseerr_url="", overseerr_api_key="")
    house.application = create_app(bare)
    page = await house.page("ada", "/search?q=orbit")
    assert "Nothing is connected yet" in page
    assert 'href="/system/plex"' in page
    assert "Plex is not connected yet" in await house.page("ada", "/library")
    assert "Plex is not connected yet" in await house.page("frida", "/library")
    assert (await house.page("frida", "/home/rows")).count("<section") == 0
    assert (await (await house.client("frida")).get("/media/movie/603")).status_code == 404
