"""Yes, no, taken back: who may, what it does here and at Overseerr, and what is told and kept of it."""

from __future__ import annotations

import pytest

from medianest.database import fetch
from medianest.errors import Conflict, Invalid, NotAllowed, NotFound
from medianest.requests.model import RequestStatus
from tests.requests.house import CHILDRENS_FILM, FILM, OTHER_FILM, SERIES, House


async def test_a_no_needs_a_reason_which_whoever_asked_reads(house: House) -> None:
    asked = await house.ask("noa")
    eva = house.users["eva"]
    for empty in ("", "  \n "):
        with pytest.raises(Invalid, match="Say why"):
            await house.service.decline(asked.id, empty, eva)
    with pytest.raises(Invalid, match="300"):
        await house.service.decline(asked.id, "x" * 301, eva)
    await house.service.decline(asked.id, " We have   the 2010 cut. ", eva, address="192.0.2.7")
    told = await house.get(asked.id, "noa")
    assert (told.status, told.reason) == (RequestStatus.DECLINED, "We have the 2010 cut.")
    assert [(step.name, step.state) for step in told.steps] == [("asked", "done"), ("declined", "bad")]
    (line,) = await fetch("SELECT * FROM audit_logs WHERE action = 'request.declined'")
    assert (line["target"], line["detail"], line["address"]) == ("The Quiet Orbit", told.reason, "192.0.2.7")
    await house.deliver()
    assert house.overseerr.calls == [] or house.overseerr.creates == 0
    again = await house.ask("noa")  # and may be asked for again
    assert again.id != asked.id


async def test_a_no_after_the_yes_reaches_overseerr_too(house: House) -> None:
    asked = await house.ask("frida")
    await house.deliver()
    row = house.overseerr.rows_of("movie", FILM)[0]
    await house.service.decline(asked.id, "No room.", house.users["ada"])
    await house.sync.run()  # what Overseerr says is old as long as it was not told
    assert (await house.get(asked.id)).status is RequestStatus.DECLINED
    await house.deliver()
    assert row.status == 3
    await house.sync.run()
    found = await house.get(asked.id)
    assert (found.status, found.reason) == (RequestStatus.DECLINED, "No room.")


async def test_only_who_looks_after_requests_says_yes_or_no(house: House) -> None:
    asked = await house.ask("noa")
    await house.ask("kim", OTHER_FILM)
    for name in ("frida", "mia", "otto"):
        with pytest.raises(NotFound):
            await house.service.approve(asked.id, house.users[name])
    with pytest.raises(NotAllowed):
        await house.service.approve(asked.id, house.users["noa"])
    await house.service.approve(asked.id, house.users["eva"])
    with pytest.raises(Conflict, match="faster"):
        await house.service.approve(asked.id, house.users["ada"])
    (line,) = await fetch("SELECT * FROM audit_logs WHERE action = 'request.approved'")
    assert line["actor_name"] == "eva"


async def test_several_at_once_are_decided_and_what_cannot_be_is_counted(house: House) -> None:
    ids = [(await house.ask("noa", title)).id for title in (FILM, OTHER_FILM, CHILDRENS_FILM)]
    eva = house.users["eva"]
    await house.service.approve(ids[0], eva)
    done = await house.service.decide(ids[:2], None, eva)
    assert (done.done, done.refused) == (1, 1)
    with pytest.raises(Invalid):
        await house.service.decide(ids, "", eva)
    assert (await house.service.decide([ids[2], 999], "Not here.", eva)).done == 1
    assert await house.deliver() == 2
    assert house.overseerr.creates == 2


async def test_own_requests_are_taken_back_while_they_wait_and_nobody_elses(house: House) -> None:
    asked = await house.ask("noa")
    with pytest.raises(NotFound):
        await house.service.cancel(asked.id, house.users["kim"])
    await house.service.cancel(asked.id, house.users["noa"])
    assert (await house.get(asked.id, "noa")).status is RequestStatus.CANCELLED
    sent = await house.ask("frida", OTHER_FILM)
    await house.deliver()
    with pytest.raises(Conflict, match="cannot be taken back"):
        await house.service.cancel(sent.id, house.users["frida"])
    row = house.overseerr.rows_of("movie", OTHER_FILM)[0]
    await house.service.cancel(sent.id, house.users["ada"])
    await house.deliver()
    assert row not in house.overseerr.requests
    assert (await house.get(sent.id)).status is RequestStatus.CANCELLED


async def test_what_is_only_kept_is_taken_back_without_a_word_to_overseerr(house: House) -> None:
    asked = await house.ask("frida")
    await house.service.cancel(asked.id, house.users["frida"])
    assert await house.outbox() == []
    await house.deliver()
    assert house.overseerr.creates == 0


async def test_what_may_have_arrived_is_looked_for_and_deleted_there(house: House) -> None:
    asked = await house.ask("frida")
    house.overseerr.faults.add("/api/v1/request", "lost", method="POST")
    await house.deliver()
    assert house.overseerr.creates == 1
    await house.service.cancel(asked.id, house.users["frida"])
    await house.time_passes()
    await house.deliver()
    assert house.overseerr.requests == []
    assert await house.outbox() == []


async def test_a_pending_request_made_there_is_cancelled_by_its_person_only(house: House) -> None:
    row = house.overseerr.request_there(house.overseerr.friend, "movie", FILM)
    await house.sync.run()
    (mine,), _total = await house.service.list(house.users["frida"])
    # at Overseerr anybody may delete anybody's pending request; here nobody may
    with pytest.raises(NotFound):
        await house.service.cancel(mine.id, house.users["kim"])
    assert mine.can_cancel
    await house.service.cancel(mine.id, house.users["frida"])
    await house.deliver()
    assert row not in house.overseerr.requests


async def test_who_takes_back_what_others_follow_only_leaves_it(house: House) -> None:
    asked = await house.ask("noa")
    await house.ask("eva")
    await house.service.cancel(asked.id, house.users["noa"])
    left = await house.get(asked.id, "eva")
    assert (left.status, left.is_mine, left.followers) == (RequestStatus.PENDING, True, 0)
    with pytest.raises(NotFound):
        await house.get(asked.id, "noa")


async def test_deleting_somebody_says_and_does_what_becomes_of_their_requests(house: House) -> None:
    ada, frida = house.users["ada"], house.users["frida"]
    shared = await house.ask("frida", FILM)
    await house.ask("kim", FILM)
    alone = await house.ask("frida", OTHER_FILM)
    await house.deliver()
    ended = await house.ask("frida", SERIES, seasons=(1,))
    await house.service.cancel(ended.id, frida)
    goes = await house.application.deletion.look(frida.id, by=ada)
    assert (goes.requests.requests, goes.requests.shared, goes.requests.open) == (3, 1, 1)
    await house.application.deletion.delete(frida.id, by=ada)
    assert (await house.get(shared.id, "kim")).is_mine
    gone = await house.get(alone.id)
    assert (gone.status, gone.requested_by) == (RequestStatus.CANCELLED, None)
    with pytest.raises(NotFound):
        await house.get(ended.id)
    await house.deliver()
    assert len(house.overseerr.rows_of("movie", FILM)) == 1
    assert house.overseerr.rows_of("movie", OTHER_FILM) == []
    assert await fetch("SELECT user_id FROM request_followers WHERE user_id = {}", frida.id) == []
