"""Who may ask for what, how much, and that one title is asked for once, whoever clicks and however often."""

from __future__ import annotations

import asyncio

import pytest

from medianest.database import fetch
from medianest.errors import Conflict, Invalid, NotAllowed, NotFound, QuotaExceeded
from medianest.requests.model import RequestCreated, RequestStatus
from tests.overseerr import Permission
from tests.requests.house import CHILDRENS_FILM, FILM, OTHER_FILM, SERIES, House


async def test_a_request_of_somebody_trusted_is_stored_first_and_sent_in_their_name(house: House) -> None:
    made = await house.ask("frida")
    assert (made.status, made.title, made.year, made.is_mine) == (RequestStatus.APPROVED, "The Quiet Orbit", 1999, True)
    assert house.overseerr.creates == 0
    assert [row["kind"] for row in await house.outbox()] == ["send"]
    await house.deliver()
    (row,) = house.overseerr.rows_of("movie", FILM)
    assert row.requested_by is house.overseerr.friend
    assert await house.outbox() == []
    (call,) = house.sent()
    assert call.headers["x-api-user"] == "2"
    assert call.json == {"mediaType": "movie", "mediaId": FILM, "is4k": False}
    found = await house.get(made.id, "frida")
    assert found.status is RequestStatus.PROCESSING
    assert [(step.name, step.state) for step in found.steps] == [
        ("asked", "done"), ("approved", "done"), ("looking", "now"), ("there", "later"),
    ]  # fmt: skip
    # their Overseerr leaves it pending, and MediaNest has said yes: so the owner's key says yes there as well
    assert [call.headers.get("x-api-user") for call in house.sent(path=f"/api/v1/request/{row.id}/approve")] == [None]


async def test_people_unknown_to_overseerr_ask_through_the_chosen_user(house: House) -> None:
    await house.ask("kim")
    await house.deliver()
    (row,) = house.overseerr.rows_of("movie", FILM)
    assert row.requested_by is house.overseerr.owner
    assert house.overseerr.takedowns == []


async def test_others_wait_until_somebody_says_yes_and_nothing_is_sent_before(house: House) -> None:
    for name, title in (("noa", FILM), ("mia", CHILDRENS_FILM)):
        made = await house.ask(name, title)
        assert made.status is RequestStatus.PENDING
    await house.deliver()
    assert house.overseerr.creates == 0
    approved = await house.service.approve(made.id, house.users["eva"])
    assert approved.status is RequestStatus.APPROVED
    await house.deliver()
    assert house.overseerr.creates == 1
    assert (await house.get(made.id)).status is RequestStatus.PROCESSING


async def test_a_child_always_needs_a_yes_and_sees_nothing_above_its_limit(house: House) -> None:
    await fetch(
        "UPDATE users SET permissions = 'request_films auto_approve request_4k' WHERE id = {}", house.users["mia"].id
    )
    await house.again("mia")
    assert (await house.ask("mia", CHILDRENS_FILM)).status is RequestStatus.PENDING
    with pytest.raises(NotAllowed, match="not for your age"):
        await house.ask("mia", FILM)
    with pytest.raises(NotAllowed, match="4K"):
        await house.ask("mia", CHILDRENS_FILM, is_4k=True)


async def test_rights_of_ours_come_first(house: House) -> None:
    with pytest.raises(NotAllowed, match="may not ask for films"):
        await house.ask("otto")
    with pytest.raises(NotAllowed, match="may not ask for series"):
        await house.ask("eva", SERIES)
    with pytest.raises(NotAllowed, match="4K"):
        await house.ask("frida", is_4k=True)
    with pytest.raises(Invalid):
        await house.ask("frida", FILM, seasons=(1,))
    assert house.overseerr.creates == 0
    assert await fetch("SELECT id FROM media_requests") == []


async def test_shares_count_seasons_and_bind_no_administrator(house: House) -> None:
    await fetch("UPDATE users SET requests_limit = 3, requests_days = 7")
    for name in ("frida", "ada"):
        await house.again(name)
    await house.ask("frida", SERIES, seasons=(1, 2))
    with pytest.raises(QuotaExceeded, match="have used your 3 requests in 7 days") as refused:
        for title in (OTHER_FILM, CHILDRENS_FILM):
            await house.ask("frida", title)
    assert refused.value.retry_after_s > 6 * 24 * 3600
    quota = await house.service.quota(house.users["frida"])
    assert quota is not None
    assert (quota.used, quota.left) == (3, 0)
    for title in (FILM, OTHER_FILM, CHILDRENS_FILM, 704):
        await house.ask("ada", title)
    assert await house.service.quota(house.users["ada"]) is None
    # what is taken back gives its share back
    mine, _total = await house.service.list(house.users["frida"], media_type=None, words="harbour")
    await house.service.cancel(mine[0].id, house.users["frida"])
    await house.ask("frida", 1399, seasons=(3,))


async def test_more_than_a_whole_share_says_to_choose_fewer(house: House) -> None:
    await fetch("UPDATE users SET requests_limit = 2")
    await house.again("frida")
    with pytest.raises(QuotaExceeded, match="takes 3 of your 2 requests"):
        await house.ask("frida", SERIES)


async def test_seasons_that_are_there_or_asked_for_are_left_out(house: House) -> None:
    house.overseerr.mark_available("tv", SERIES, seasons=(1,))
    first = await house.ask("frida", SERIES, seasons=(1, 2))
    assert first.seasons == (2,)
    second = await house.ask("kim", SERIES)
    assert second.seasons == (3,)
    assert (await house.get(first.id, "kim")).is_followed  # of what was asked for already they are told too
    with pytest.raises(Conflict, match="library already"):
        await house.ask("frida", SERIES, seasons=(1,))
    for wrong in ((99,), (), (0,)):
        with pytest.raises(Invalid):
            await house.ask("frida", SERIES, seasons=wrong)
    await house.deliver()
    assert [sorted(row.seasons) for row in house.overseerr.rows_of("tv", SERIES)] == [[2], [3]]


async def test_what_is_in_the_library_is_not_asked_for(house: House) -> None:
    house.overseerr.mark_available("movie", FILM)
    with pytest.raises(Conflict, match="library already"):
        await house.ask("frida")


@pytest.mark.parametrize("people", [1, 5])
async def test_twenty_clicks_at_once_make_one_request_and_everybody_is_told(house: House, people: int) -> None:
    names = ["frida", "kim", "noa", "ada", "eva"][:people]
    made = await asyncio.gather(*(house.ask(names[number % people]) for number in range(20)))
    assert len({one.id for one in made}) == 1
    await asyncio.gather(*(house.deliver() for _number in range(5)))
    assert house.overseerr.creates == 1
    assert len(await fetch("SELECT user_id FROM request_followers")) == people
    assert sum(isinstance(event, RequestCreated) for event in house.events) == people
    for name in names:
        assert (await house.get(made[0].id, name)).id == made[0].id


async def test_somebody_trusted_who_joins_what_waits_starts_it(house: House) -> None:
    waiting = await house.ask("noa")
    assert (await house.ask("eva")).status is RequestStatus.PENDING  # who looks after requests still says so
    joined = await house.ask("frida")
    assert (joined.id, joined.status) == (waiting.id, RequestStatus.APPROVED)
    await house.deliver()
    assert house.overseerr.creates == 1


async def test_twenty_clicks_on_seasons_that_overlap_ask_for_each_season_once(house: House) -> None:
    wishes = [(1,), (1, 2), (2, 3), (1, 2, 3)]
    await asyncio.gather(
        *(
            house.ask(name, SERIES, seasons=wishes[number % 4])
            for number, name in enumerate(["frida", "kim", "ada"] * 6)
        )
    )
    await asyncio.gather(*(house.deliver() for _number in range(5)))
    asked = [season for row in house.overseerr.rows_of("tv", SERIES) for season in row.seasons]
    assert sorted(asked) == [1, 2, 3]


async def test_who_joins_does_not_see_who_asked_unless_they_may(house: House) -> None:
    made = await house.ask("kim")
    joined = await house.ask("frida")
    assert (joined.id, joined.is_followed, joined.requested_by) == (made.id, True, None)
    seen = await house.get(made.id, "eva")
    assert seen.requested_by is not None
    assert (seen.requested_by.name, seen.followers, seen.follower_names) == ("Kim", 1, ("Frida",))
    with pytest.raises(NotFound):
        await house.get(made.id, "noa")
    with pytest.raises(NotFound):
        await house.service.follow(made.id, house.users["noa"])
    await house.service.unfollow(made.id, house.users["frida"])
    with pytest.raises(NotFound):
        await house.get(made.id, "frida")
    with pytest.raises(Conflict, match="yourself"):
        await house.service.unfollow(made.id, house.users["kim"])


async def test_asking_on_behalf_of_somebody_is_the_yes_as_well_and_stands_in_the_audit_log(house: House) -> None:
    noa = house.users["noa"]
    with pytest.raises(NotAllowed, match="looks after requests"):
        await house.ask("frida", on_behalf_of=noa.id)
    made = await house.ask("eva", on_behalf_of=noa.id)
    assert made.status is RequestStatus.APPROVED
    assert made.requested_by is not None
    assert made.requested_by.id == noa.id
    assert (await house.get(made.id, "noa")).is_mine
    (line,) = await fetch("SELECT * FROM audit_logs WHERE action = 'request.made_for'")
    assert (line["target"], line["detail"], line["actor_name"]) == ("The Quiet Orbit", "noa", "eva")
    with pytest.raises(NotAllowed, match="may not ask"):
        await house.ask("eva", OTHER_FILM, on_behalf_of=house.users["otto"].id)


async def test_refusals_of_overseerr_are_told_in_words_of_ours(house: House) -> None:
    friend = house.overseerr.friend
    friend.permissions = Permission.NONE
    refused = [await house.ask("frida", FILM)]
    await house.deliver()
    friend.permissions, friend.movie_quota = Permission.REQUEST, (0, 7)
    friend.movie_quota = (1, 7)
    house.overseerr.request_there(friend, "movie", 704)
    refused.append(await house.ask("frida", OTHER_FILM))
    await house.deliver()
    texts = []
    for one in refused:
        found = await house.get(one.id, "frida")
        assert found.status is RequestStatus.FAILED
        texts.append((found.reason_code, found.reason or ""))
    assert [code for code, _text in texts] == ["upstream_permission", "upstream_quota"]
    assert all("permission to make" not in text and "exceeded" not in text for _code, text in texts)
    # a failed one can be asked for by somebody else, and tried again by the one who asked
    friend.movie_quota = (0, 7)
    await house.service.retry(refused[0].id, house.users["frida"])
    await house.deliver()
    assert (await house.get(refused[0].id)).status is RequestStatus.PROCESSING
    joined = await house.ask("kim", OTHER_FILM)
    assert joined.id != refused[1].id
    with pytest.raises(Conflict, match="asked for it again"):
        await house.service.retry(refused[1].id, house.users["frida"])
