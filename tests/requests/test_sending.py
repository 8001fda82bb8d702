"""What is kept is sent once and only once, whatever happens on the way."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from medianest.database import fetch
from medianest.media.model import MediaType
from medianest.requests.model import RequestStatus, RequestStatusChanged
from medianest.requests.repository.outbox import Outbox
from tests.requests.house import FILM, SERIES, House, on_sqlite

# what stands in the way of the create, and whether something was created all the same
TROUBLE: dict[str, tuple[dict[str, Any], bool]] = {
    "html": ({"kind": "html"}, False),
    "401": ({"kind": "status", "status": 401}, False),
    "429": ({"kind": "status", "status": 429, "headers": {"Retry-After": "1"}}, False),
    "500": ({"kind": "status", "status": 500}, False),
    "503": ({"kind": "status", "status": 503}, False),
    "reset": ({"kind": "reset"}, False),
    "truncated": ({"kind": "truncated"}, True),
    "lost": ({"kind": "lost"}, True),
}


@on_sqlite
@pytest.mark.parametrize("name", TROUBLE)
async def test_trouble_with_a_create_keeps_the_request_and_never_makes_two(house: House, name: str) -> None:
    how, is_made = TROUBLE[name]
    made = await house.ask("frida")
    if name == "401":  # a key that is refused is refused everywhere
        house.overseerr.faults.add("/api/v1/", times=None, **how)
    else:
        house.overseerr.faults.add("/api/v1/request", method="POST", **how)
    await house.deliver()
    house.overseerr.faults.clear()
    kept = await house.get(made.id, "frida")
    assert (kept.status, kept.reason_code, kept.is_kept) == (RequestStatus.APPROVED, "upstream_down", True)
    assert "sent as soon as it does" in (kept.reason or "")
    assert house.overseerr.creates == is_made
    await house.time_passes()
    await house.deliver()
    assert house.overseerr.creates == 1
    found = await house.get(made.id, "frida")
    assert (found.status, found.reason) == (RequestStatus.PROCESSING, None)
    assert await house.outbox() == []


async def test_a_request_that_may_still_arrive_is_not_sent_again_before_it_had_time_to(house: House) -> None:
    # the answer is lost, and the row is not to be seen yet
    house.overseerr.faults.add("/api/v1/request", "reset", method="POST")
    await house.ask("frida")
    await house.deliver()
    await fetch("UPDATE outbox SET next_attempt_at = created_at")
    await house.deliver()
    assert len(house.sent()) == 1
    (letter,) = await house.outbox()
    assert letter["last_code"] == "settling"
    await house.time_passes()
    await house.deliver()
    assert len(house.sent()) == 2
    assert house.overseerr.creates == 1


async def test_while_overseerr_is_off_requests_are_kept_and_go_by_themselves_once_it_is_back(house: House) -> None:
    title = await house.application.media.service.title(MediaType.MOVIE, FILM, house.users["frida"])
    states = house.application.connections.states
    await states.watch()
    house.overseerr.off()
    await house.application.media.service.server_changed()
    made = await house.ask("frida")
    assert made.title == "The Quiet Orbit"
    await house.deliver()
    assert (await house.get(made.id, "frida")).is_kept
    told = [event for event in house.events if isinstance(event, RequestStatusChanged)]
    assert [event.reason_code for event in told] == ["upstream_down"]
    await fetch("UPDATE outbox SET next_attempt_at = created_at")
    await house.deliver()
    assert len([event for event in house.events if isinstance(event, RequestStatusChanged)]) == 1  # told once
    for _number in range(2):
        await states.watch()
    assert (await house.service.panel(title, house.users["kim"])).is_kept
    house.overseerr.on()
    await states.watch()
    await house.deliver()
    assert house.overseerr.creates == 1
    assert (await house.get(made.id, "frida")).status is RequestStatus.PROCESSING


@on_sqlite
async def test_an_overseerr_that_says_error_again_and_again_is_given_up_in_words(house: House) -> None:
    made = await house.ask("frida")
    house.overseerr.faults.add("/api/v1/request", "status", times=None, status=500, method="POST")
    for _number in range(12):
        await house.time_passes()
        await house.deliver()
    found = await house.get(made.id, "frida")
    assert (found.status, found.reason_code) == (RequestStatus.FAILED, "upstream_refused")
    assert await house.outbox() == []
    house.overseerr.faults.clear()
    assert (await house.service.retry(made.id, house.users["frida"])).status is RequestStatus.APPROVED
    await house.deliver()
    assert house.overseerr.creates == 1


@on_sqlite
async def test_what_somebody_asked_for_in_overseerr_meanwhile_is_taken_instead_of_a_second_one(house: House) -> None:
    theirs = house.overseerr.request_there(house.overseerr.friend, "movie", FILM)
    made = await house.ask("kim")
    await house.deliver()
    assert house.overseerr.creates == 0
    assert theirs.status == 2  # approved there, since MediaNest says yes
    assert (await house.get(made.id, "kim")).status is RequestStatus.PROCESSING
    # of a series only the seasons nobody stands for are sent
    house.overseerr.request_there(house.overseerr.friend, "tv", SERIES, seasons=(1,))
    await house.ask("kim", SERIES, seasons=(1, 2))
    await house.deliver()
    assert [sorted(row.seasons) for row in house.overseerr.rows_of("tv", SERIES)] == [[1], [2]]


@on_sqlite
async def test_the_ordinary_version_and_4k_are_two_requests(house: House) -> None:
    await house.ask("ada")
    await house.ask("ada", is_4k=True)
    await house.deliver()
    assert sorted(bool(row.is_4k) for row in house.overseerr.rows_of("movie", FILM)) == [False, True]


async def test_one_title_is_never_worked_on_twice_at_once_by_two_instances(house: House) -> None:
    await house.ask("frida", SERIES, seasons=(1,))
    await house.ask("kim", SERIES, seasons=(2,))
    await house.ask("kim", FILM)
    from datetime import UTC, datetime, timedelta

    now, lease = datetime.now(UTC), timedelta(seconds=60)
    outboxes = [Outbox(f"other/{number}/host/1/1") for number in range(6)]
    claimed = [one for one in await asyncio.gather(*(box.claim(now, lease) for box in outboxes)) if one]
    assert len(claimed) == 2  # the series once, the film once
    # a lease that ran out is taken over, by one
    later = now + timedelta(seconds=61)
    again = [one for one in await asyncio.gather(*(box.claim(later, lease) for box in outboxes)) if one]
    assert {one.id for one in again} == {one.id for one in claimed}
    # and whose lease was taken over may not post any more
    assert not await outboxes[5 if again else 0].posted(claimed[0].id, now) or len(again) == 2


async def test_a_start_takes_up_what_an_earlier_run_of_the_same_instance_left(house: House) -> None:
    await house.ask("frida")
    instance = house.sender._instance
    await fetch("UPDATE outbox SET owner = {}, lease_until = next_attempt_at", f"{instance}/earlier/host/1/1")
    await fetch("UPDATE outbox SET lease_until = '2099-01-01 00:00:00+00:00'")
    await house.deliver()
    assert house.overseerr.creates == 0
    await house.sender.start()
    try:
        for _number in range(100):
            if house.overseerr.creates:
                break
            await asyncio.sleep(0.05)
        assert house.overseerr.creates == 1
    finally:
        await house.sender.stop()
