"""How far a request is: read by polling, hinted at by a webhook, seen in Plex; never backwards by mistake."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from medianest.database import fetch
from medianest.media.model import Availability, MediaType, TitleAvailabilityChanged
from medianest.requests.model import RequestStatus, RequestStatusChanged
from tests.harness.application import Visit
from tests.overseerr import OverseerrWorld
from tests.requests.house import FILM, OTHER_FILM, SERIES, House, on_sqlite

HOOK = "/api/v1/webhooks/overseerr"


async def sent(house: House, name: str = "frida", *title: Any) -> int:
    """A request that Overseerr has; its id."""
    made = await house.ask(name, *title)
    await house.deliver()
    return made.id


async def test_polling_follows_a_request_until_it_is_there_and_tells_its_people(house: House) -> None:
    asked = await sent(house)
    await house.ask("kim")
    house.events.clear()
    house.overseerr.mark_available("movie", FILM)
    await house.sync.run()
    found = await house.get(asked, "frida")
    assert found.status is RequestStatus.AVAILABLE
    assert [one.state for one in found.steps] == ["done"] * 4
    (told,) = [event for event in house.events if isinstance(event, RequestStatusChanged)]
    assert told.people == (house.users["frida"].id, house.users["kim"].id)
    # there is there: whatever comes later, it never goes back
    row = house.overseerr.rows_of("movie", FILM)[0]
    row.media.status, row.status = 1, 1
    await house.sync.run()
    assert (await house.get(asked)).status is RequestStatus.AVAILABLE


@on_sqlite
async def test_a_late_or_older_answer_moves_nothing_backwards(house: House) -> None:
    asked = await sent(house)
    row = house.overseerr.rows_of("movie", FILM)[0]
    row.media.status = 2
    await house.sync.run()
    assert (await house.get(asked)).status is RequestStatus.PROCESSING
    row.status = 1
    await house.sync.run()
    assert (await house.get(asked)).status is RequestStatus.PROCESSING


@on_sqlite
async def test_seasons_count_one_by_one(house: House) -> None:
    both = await sent(house, "frida", SERIES, (1, 2))
    house.overseerr.mark_available("tv", SERIES, seasons=(1,))
    await house.sync.run()
    assert (await house.get(both)).status is RequestStatus.PARTIALLY_AVAILABLE
    third = await sent(house, "kim", SERIES, (3,))
    await house.sync.run()
    assert (await house.get(third)).status is RequestStatus.PROCESSING  # that others are there says nothing of it
    house.overseerr.mark_available("tv", SERIES, seasons=(2,))
    await house.sync.run()
    assert (await house.get(both)).status is RequestStatus.AVAILABLE
    assert (await house.get(third)).status is RequestStatus.PROCESSING


async def test_what_is_done_in_overseerr_itself_is_followed_with_where_it_was_done(house: House) -> None:
    asked = await sent(house)
    row = house.overseerr.rows_of("movie", FILM)[0]
    house.overseerr.decline(row)
    await house.sync.run()
    found = await house.get(asked, "frida")
    assert (found.status, found.reason) == (RequestStatus.DECLINED, "It was declined in Overseerr.")
    assert (found.steps[-1].state, found.steps[-1].source) == ("bad", "overseerr")
    house.overseerr.approve(row)  # and thought better of
    await house.sync.run()
    assert (await house.get(asked)).status is RequestStatus.PROCESSING
    house.overseerr.fail(row)
    await house.sync.run()
    failed = await house.get(asked, "frida")
    assert (failed.status, failed.reason_code, failed.can_retry) == (RequestStatus.FAILED, "handover_failed", True)
    await house.service.retry(asked, house.users["frida"])
    await house.deliver()
    assert house.sent(path=f"/api/v1/request/{row.id}/retry")
    assert (await house.get(asked)).status is RequestStatus.PROCESSING


async def test_what_is_deleted_there_ends_here_but_a_wholly_other_list_ends_nothing(house: House) -> None:
    asked = await sent(house)
    house.overseerr.requests.clear()
    await house.sync.run()
    found = await house.get(asked, "frida")
    assert (found.status, found.reason_code) == (RequestStatus.CANCELLED, "deleted_upstream")
    ids = [await sent(house, "ada", title) for title in (OTHER_FILM, 862, 704, 1399)]
    house.overseerr.requests.clear()
    await house.sync.run()
    assert house.sync.is_another_server
    assert {(await house.get(one)).status for one in ids} == {RequestStatus.PROCESSING}


async def test_plex_having_it_is_enough(house: House) -> None:
    film, series = await sent(house), await sent(house, "frida", SERIES, (1, 2))
    for kind, number, availability in (
        (MediaType.MOVIE, FILM, Availability.AVAILABLE), (MediaType.TV, SERIES, Availability.PARTIAL),
    ):  # fmt: skip
        await house.application.events.publish(
            TitleAvailabilityChanged(media_type=kind, tmdb_id=number, availability=availability)
        )
    found = await house.get(film, "frida")
    assert (found.status, found.steps[-1].source) == (RequestStatus.AVAILABLE, "plex")
    assert (await house.get(series)).status is RequestStatus.PROCESSING  # no season of it is known to be there


@pytest.mark.parametrize("kind", ["overseerr", "seerr"])
async def test_requests_made_there_before_are_shown_under_their_person_or_as_somebodys(
    house: House, seerr: OverseerrWorld, kind: str
) -> None:
    world = house.overseerr if kind == "overseerr" else seerr
    if kind == "seerr":
        house.application.connections.overseerr._settings = _pointing_at(house, seerr)
    theirs = world.request_there(world.friend, "movie", FILM)
    world.request_there(world.portal, "tv", SERIES, seasons=(1, 2))
    there = world.request_there(world.manager, "movie", OTHER_FILM)
    world.approve(there)
    world.mark_available("movie", OTHER_FILM)
    await house.sync.run()
    found, total = await house.service.list(house.users["ada"], order="title")
    assert total == 3
    assert [(one.title, one.status) for one in found] == [
        ("Harbour Lights", RequestStatus.PENDING),
        ("The Quiet Orbit", RequestStatus.PENDING),
        ("The Quiet Orbit Returns", RequestStatus.AVAILABLE),
    ]
    assert [one.requested_by.name if one.requested_by else None for one in found] == [None, "Frida", None]
    mine, _total = await house.service.list(house.users["frida"])
    assert [one.title for one in mine] == ["The Quiet Orbit"]
    # and they are approved from here
    await house.service.approve(mine[0].id, house.users["eva"])
    await house.deliver()
    assert theirs.status == 2
    assert world.creates == 0
    await house.sync.run()
    assert (await house.service.list(house.users["ada"]))[1] == 3


def _pointing_at(house: House, world: OverseerrWorld) -> Any:
    house.application.connections.overseerr._kept_until = 0.0
    return msgspec.structs.replace(house.application.settings, overseerr_url=world.url, overseerr_api_key=world.api_key)


async def test_a_row_of_ours_whose_number_is_not_written_down_yet_is_not_imported_as_another(house: House) -> None:
    await house.ask("frida")
    house.overseerr.faults.add("/api/v1/request", "lost", method="POST")
    await house.deliver()
    await house.sync.run()
    assert len(await fetch("SELECT id FROM media_requests")) == 1
    await house.time_passes()
    await house.deliver()
    await house.sync.run()
    assert len(await fetch("SELECT id FROM media_requests")) == 1
    assert house.overseerr.creates == 1


async def test_another_overseerr_gets_what_is_under_way_and_old_numbers_mean_nothing(house: House) -> None:
    from medianest.connections.overseerr.model import OverseerrConnectionChanged

    under_way, done = await sent(house), await sent(house, "frida", OTHER_FILM)
    house.overseerr.mark_available("movie", OTHER_FILM)
    await house.sync.run()
    house.overseerr.requests.clear()
    house.overseerr.media.clear()
    house.overseerr.request_there(house.overseerr.portal, "movie", 862)  # the old number, another title
    await house.application.events.publish(OverseerrConnectionChanged(is_other_server=True))
    await house.deliver()
    assert len(house.overseerr.rows_of("movie", FILM)) == 1
    await house.sync.run()
    assert (await house.get(under_way)).status is RequestStatus.PROCESSING
    assert (await house.get(done)).status is RequestStatus.AVAILABLE


# the webhook


async def hook(house: House, visit: Visit, body: Any, secret: str | None = None, **headers: str) -> int:
    if secret is None:
        secret = await house.application.connections.overseerr.webhook_secret()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = visit(house.application)
    sent_headers = {"content-type": "application/json", "authorization": secret, **headers}
    return (await client.post(HOOK, content=content, headers=sent_headers)).status_code


@on_sqlite
async def test_a_webhook_makes_one_request_be_read_anew_and_is_never_believed(house: House, visit: Visit) -> None:
    asked = await sent(house)
    house.overseerr.mark_available("movie", FILM)
    told = house.overseerr.webhooks[-1]
    assert told["notification_type"] == "MEDIA_AVAILABLE"
    assert await hook(house, visit, told) == 202
    assert await hook(house, visit, told) == 202  # the same again does no harm
    await house.hints.drain()
    assert (await house.get(asked)).status is RequestStatus.AVAILABLE
    other = await sent(house, "frida", OTHER_FILM)
    lie = {
        **told,
        "request": {**told["request"], "request_id": str(house.overseerr.rows_of("movie", OTHER_FILM)[0].id)},
    }
    assert await hook(house, visit, lie) == 202
    await house.hints.drain()
    assert (await house.get(other)).status is RequestStatus.PROCESSING


@on_sqlite
async def test_a_webhook_brings_requests_made_there_at_once_and_the_test_message_is_taken(
    house: House, visit: Visit
) -> None:
    house.overseerr.request_there(house.overseerr.friend, "movie", FILM)
    assert await hook(house, visit, house.overseerr.webhooks[-1]) == 202
    await house.hints.drain()
    assert (await house.service.list(house.users["frida"]))[1] == 1
    assert await hook(house, visit, house.overseerr.tell_test()) == 202


@on_sqlite
async def test_a_webhook_without_the_secret_or_out_of_shape_changes_nothing(house: House, visit: Visit) -> None:
    row = house.overseerr.request_there(house.overseerr.friend, "movie", FILM)
    body = house.overseerr.webhooks[-1]
    for wrong in ("", "x", "Bearer x"):
        assert await hook(house, visit, body, wrong) == 401
    for broken in (b"", b"{", b"[]", b'{"notification_type": 5}', b"\xff\xfe", b"[" * 5000):
        assert await hook(house, visit, broken) == 400
    assert await hook(house, visit, b"x" * 70_000) == 413
    hostile = ("1 OR 1=1", "-1", "9" * 40, "1e3", "<b>", None)
    for number in hostile:
        shaped = {"notification_type": "MEDIA_PENDING", "request": {"request_id": number} if number else None}
        assert await hook(house, visit, shaped) == 202
    await house.hints.drain()
    assert await fetch("SELECT id FROM media_requests") == []
    assert row.status == 1
    secret = await house.application.connections.overseerr.webhook_secret()
    await house.application.connections.overseerr.renew_webhook_secret()
    assert await hook(house, visit, body, secret) == 401
