"""What is taken of a followed list, when, and in whose name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from medianest.accounts.model import Permission, Quotas, UserState
from medianest.database import fetch
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.errors import Conflict, Invalid, NotAllowed, NotFound
from medianest.subscriptions.model import (
    Filters,
    ItemState,
    LeftOut,
    NewSubscription,
    Old,
    Outcome,
    SubscriptionChange,
    SubscriptionState,
)
from tests.downloads.running_queue import NO_QUOTAS
from tests.subscriptions.house import PERMISSIONS, House


async def test_only_what_comes_up_after_it_is_followed_is_taken_unless_asked(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("c", "b", "a")
    found = await house.follow(ana)
    assert (found.title, found.kind.value, found.state) == ("Ana", "channel", SubscriptionState.ACTIVE)
    assert await house.queued(ana) == []
    assert await house.states(found, ana) == dict.fromkeys("cba", "known")
    house.feed.put("e", "d", "c", "b", "a")
    found = await house.check(found, ana)
    assert (found.outcome, found.counts.new, found.newest_title) == (Outcome.FOUND, 2, "Item e")
    assert await house.queued(ana) == ["e", "d"]
    assert (await house.check(found, ana)).outcome is Outcome.NOTHING_NEW
    assert await house.queued(ana) == ["e", "d"]


async def test_old_videos_go_last_in_portions_and_fresh_ones_before_them(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put(*"hgfedcba")
    found = await house.follow(ana, take_old=Old.LAST, old_number=5)
    assert await house.queued(ana) == ["h low", "g low", "f low"]  # three are in line at once
    house.feed.put("new", *"hgfedcba")
    await house.check(found, ana)
    assert await house.queued(ana) == ["new", "h low", "g low", "f low"]
    states = await house.states(found, ana)
    assert [states[one] for one in "hedc"] == ["queued", "wanted", "wanted", "known"]
    await house.queue.start()
    for _ in range(3):
        for row in await fetch("SELECT id FROM download_queue"):
            await house.queue.ended(row["id"], ana)
        await house.due_again()
    for title in ("new", *"hgfed"):
        await house.until(found, ana, title, "downloaded")
    states = await house.states(found, ana)
    assert [states[one] for one in "cba"] == ["known"] * 3


async def test_taking_very_many_old_ones_has_to_be_confirmed(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put(*(f"v{number}" for number in range(30)))
    new = NewSubscription(url=house.feed.url, take_old=Old.ALL)
    shown = await house.service.preview(new, ana)
    assert (shown.takes, shown.items_total, shown.needs_confirmation) == (30, 30, True)
    with pytest.raises(Conflict) as refused:
        await house.service.follow(new, ana)
    assert refused.value.code == "confirm_needed"
    assert (await house.service.list(ana))[1] == 0
    made, is_new = await house.service.follow(
        NewSubscription(url=house.feed.url, take_old=Old.ALL, confirmed=True), ana
    )
    assert is_new
    assert made.counts.wanted == 30
    assert await house.service.follow(new, ana) == (await house.service.get(made.id, ana), False)


async def test_filters_say_what_is_left_out_and_why(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("old")
    filters = Filters(
        words="rice, bread", without="live", pattern=r"#\d+$", min_duration_s=60, max_duration_s=600, shorts=False, live=False,
        since=datetime(2026, 3, 1, tzinfo=UTC).date(),
    )  # fmt: skip
    found = await house.follow(ana, filters=filters)

    def video(name: str, title: str = "Rice #1", **more: object) -> dict[str, object]:
        return {"id": name, "title": title, "duration_s": 100, **more}

    house.feed.put(
        video("taken", "BREAD #22"), video("undated"), video("word", "Soup #1"), video("not", "Rice, live #1"), video("pattern", "Rice"),
        video("short_one", duration_s=5), video("long", duration_s=6000), video("vertical", is_short=True),
        video("stream", live_status="was_live"), video("tab", tab="streams"), video("club", is_for_members=True),
        video("early", published_on="2026-02-28"), video("in_time", published_on="2026-03-01"),
        video("upcoming", live_status="is_upcoming"), video("now", live_status="is_live"), "old",
    )  # fmt: skip
    await house.check(found, ana)
    rows = await fetch("SELECT item_key, state, reason FROM subscription_items WHERE item_key <> 'tube:old'")
    assert {row["item_key"].removeprefix("tube:"): row["reason"] or row["state"] for row in rows} == {
        "taken": "queued", "undated": "queued", "in_time": "queued", "word": LeftOut.WORDS, "not": LeftOut.WORDS,
        "pattern": LeftOut.PATTERN, "short_one": LeftOut.TOO_SHORT, "long": LeftOut.TOO_LONG, "vertical": LeftOut.SHORTS,
        "stream": LeftOut.LIVE, "tab": LeftOut.LIVE, "club": LeftOut.MEMBERS, "early": LeftOut.BEFORE,
    }  # fmt: skip
    # a broadcast that is announced or goes on is no news yet; when it is over it is
    await house.service.change(found.id, SubscriptionChange(filters=Filters(members=True)), ana)
    house.feed.put(video("upcoming", live_status="was_live"), video("club2", is_for_members=True))
    await house.check(found, ana)
    assert {"Rice #1"} == {one for one in await house.queued(ana) if one != "BREAD #22"}
    states = [
        row["state"]
        for row in await fetch("SELECT state FROM subscription_items WHERE item_key IN ('tube:upcoming', 'tube:club2')")
    ]
    assert states == ["queued", "queued"]


async def test_a_dry_run_says_what_other_filters_would_take_and_keeps_nothing(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put({"id": "rice", "title": "Rice"}, {"id": "soup", "title": "Soup"}, "a")
    shown = await house.service.dry_run(found.id, SubscriptionChange(filters=Filters(words="rice")), ana)
    assert (shown.takes, shown.left_out, [video.title for video in shown.videos]) == (1, {"words": 1}, ["Rice", "Soup"])
    assert await house.states(found, ana) == {"a": "known"}
    assert (await house.service.get(found.id, ana)).filters == Filters()
    with pytest.raises(Invalid) as refused:
        await house.service.dry_run(found.id, SubscriptionChange(filters=Filters(pattern="(")), ana)
    assert "pattern" in refused.value.fields


async def test_what_is_over_the_share_waits_and_nothing_is_lost(house: House) -> None:
    ana = await house.person("ana", quotas=Quotas(downloads_per_hour=3, storage_bytes=-1))
    house.feed.put(*"fedcba")
    found = await house.follow(ana, take_old=Old.LAST, old_number=5)
    # one of the hour is left for the person
    assert await house.queued(ana) == ["f low", "e low"]
    assert (found.outcome, found.counts.wanted) == (Outcome.QUOTA, 3)
    house.feed.put("2", "1", *"fedcba")
    found = await house.check(found, ana)
    assert await house.queued(ana) == ["2", "f low", "e low"]
    assert "your 3 downloads" in found.message
    house.change_person(ana, quotas=NO_QUOTAS)
    await house.due_again()
    assert await house.queued(ana) == ["2", "1", "f low", "e low", "d low"]
    assert (await house.service.get(found.id, ana)).outcome is Outcome.FOUND


async def test_what_somebody_deleted_does_not_come_back(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put("b", "a")
    await house.check(found, ana)
    await house.queue.start()
    [row] = await fetch("SELECT id FROM download_queue")
    done = await house.queue.ended(row["id"], ana)
    await house.until(found, ana, "b", "downloaded")
    await house.queue.service.remove(done.id, ana)
    await house.until(found, ana, "b", "deleted")
    await house.check(found, ana)
    assert await house.queued(ana) == []
    # followed anew with everything: the library remembers what was deleted from it
    await house.service.unfollow(found.id, ana)
    await house.checker.drain()
    again = await house.follow(ana, take_old=Old.ALL)
    assert await house.states(again, ana) == {"b": "deleted", "a": "queued"}
    # unless it is asked for by hand
    items, _total = await house.service.items(again.id, ana, state=ItemState.DELETED)
    taken = await house.service.take(again.id, items[0].id, ana)
    assert taken.state is ItemState.QUEUED


async def test_two_who_follow_the_same_share_one_download(house: House) -> None:
    ana, ben = await house.person("ana"), await house.person("ben")
    house.feed.put("a")
    mine, his = await house.follow(ana), await house.follow(ben)
    house.feed.put("b", "a")
    await house.check(mine, ana)
    await house.check(his, ben)
    assert len(await fetch("SELECT id FROM download_queue")) == 1
    assert await house.queued(ana) == await house.queued(ben) == ["b"]
    [row] = await fetch("SELECT id FROM download_queue")
    await house.queue.service.remove(row["id"], ben)  # he leaves it to her
    assert (await house.states(his, ben))["b"] == "deleted"
    assert (await house.states(mine, ana))["b"] == "queued"
    assert (await house.service.list(ana))[0] == (await house.service.get(mine.id, ana),)
    with pytest.raises(NotFound):
        await house.service.get(mine.id, ben)


async def test_what_the_library_has_needs_no_download(house: House) -> None:
    ana, ben = await house.person("ana"), await house.person("ben")
    await house.queue.start()
    done = await house.queue.ended(await house.queue.add("http://site.test/video?id=a", ben), ben)
    assert done.state is DownloadState.COMPLETED
    house.feed.put("a")
    found = await house.follow(ana, take_old=Old.ALL)
    assert (await house.states(found, ana), await house.queued(ana)) == ({"a": "downloaded"}, [])


async def test_a_childs_videos_wait_for_a_yes(house: House) -> None:
    mia = await house.person("mia", is_child=True)
    house.feed.put("a")
    found = await house.follow(mia)
    house.feed.put("b", "a")
    await house.check(found, mia)
    [row] = await fetch("SELECT state, reason_code FROM download_queue")
    assert (row["state"], row["reason_code"]) == (DownloadState.WAITING, ReasonCode.APPROVAL)


async def test_nothing_is_taken_for_who_may_not_follow_any_more(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put("b", "a")
    for change in ({"permissions": (Permission.DOWNLOAD,)}, {"permissions": PERMISSIONS, "state": UserState.SUSPENDED}):
        house.change_person(ana, **change)
        found = await house.check(found, ana)
        assert (found.outcome, await house.queued(ana)) == (Outcome.NOT_ALLOWED, [])
    with pytest.raises(NotAllowed):
        await house.service.follow(NewSubscription(url=house.feed.url), await house.person("otto", permissions=()))
    house.change_person(ana, permissions=PERMISSIONS, state=UserState.ACTIVE)
    assert (await house.check(found, ana)).outcome is Outcome.FOUND
    assert await house.queued(ana) == ["b"]


async def test_it_stops_reading_at_what_is_known_in_a_channel_and_reads_all_of_a_playlist(house: House) -> None:
    ana = await house.person("ana")
    names = [f"v{number}" for number in range(40)]
    house.feed.put(*names)
    channel = await house.follow(ana)
    house.feed.put("new", *names)
    await house.check(channel, ana)
    assert house.feed.last_look() == {"known": 40, "sent": 6}  # the new one and five that are known
    other = house.another_feed("list")
    other.put(*names, kind="playlist")
    playlist = await house.follow(ana, other.url)
    other.put(*names, "last", kind="playlist")
    await house.check(playlist, ana)
    assert other.last_look() == {"known": 0, "sent": 41}
    assert (await house.states(playlist, ana))["last"] == "queued"


async def test_a_list_that_is_another_at_every_look_is_left_alone(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put(*(f"a{number}" for number in range(30)), capped=True)
    found = await house.follow(ana)
    house.feed.put(*(f"b{number}" for number in range(30)), capped=True)
    found = await house.check(found, ana)
    assert (found.outcome, await house.queued(ana)) == (Outcome.RUNS_AWAY, [])
    for link in (
        "https://www.youtube.com/watch?v=x&list=RDx&start_radio=1",
        "https://www.youtube.com/playlist?list=RDEM1",
    ):
        with pytest.raises(Invalid) as refused:
            await house.service.follow(NewSubscription(url=link), ana)
        assert refused.value.code == "endless_list"
    with pytest.raises(Invalid) as refused:
        await house.service.preview(NewSubscription(url="http://site.test/video?id=1"), ana)
    assert refused.value.code == "single_video"


@pytest.mark.parametrize(
    ("cause", "outcome", "soon"),
    [
        ("transient", Outcome.UNREACHABLE, True),
        ("gone", Outcome.GONE, False),
        ("needs_sign_in", Outcome.NEEDS_SIGN_IN, False),
        ("engine_error", Outcome.UNREADABLE, False),
    ],
)
async def test_three_failures_in_a_row_are_told_and_it_is_tried_further_on(
    house: House, cause: str, outcome: Outcome, soon: bool
) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put(fail=cause)
    for number in (1, 2, 3):
        found = await house.check(found, ana)
        assert (found.outcome, found.failures) == (outcome, number)
        assert found.message
        wait = found.next_check_at - datetime.now(UTC)
        assert (wait < timedelta(hours=1)) is soon
    assert found.state is SubscriptionState.FAILING
    house.feed.put("b", "a")
    found = await house.check(found, ana)
    assert (found.state, found.failures, found.message) == (SubscriptionState.ACTIVE, 0, "")
    assert await house.queued(ana) == ["b"]


async def test_a_list_that_waits_for_a_sign_in_is_looked_at_when_the_cookies_change(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put(fail="needs_sign_in")
    await house.check(found, ana)
    house.feed.put("b", "a")
    await house.service.sign_in_changed("other.test")
    assert await house.checker.drain() == 0
    await house.service.sign_in_changed("site.test")
    assert await house.checker.drain() == 1
    assert await house.queued(ana) == ["b"]
