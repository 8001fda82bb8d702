"""What following does with trouble, with settings, and at its end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from medianest.accounts.model import Permission
from medianest.database import fetch
from medianest.downloads.model import DownloadState, NewDownload
from medianest.errors import Conflict, Invalid, NotFound
from medianest.subscriptions.model import (
    Filters,
    ItemState,
    Keep,
    KeepRule,
    Layout,
    Old,
    Outcome,
    SubscriptionChange,
    SubscriptionChanged,
    SubscriptionState,
)
from tests.subscriptions.house import PERMISSIONS, House


@pytest.mark.parametrize("cause", ["rate_limited", "bot_check"])
async def test_a_site_that_asks_for_peace_is_left_alone_by_all(house: House, cause: str) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    other = house.another_feed("other")
    other.put("x")
    found, second = await house.follow(ana), await house.follow(ana, other.url)
    house.feed.put(fail=cause, retry_after_s=600)
    other.put("y", "x")
    found, second = await house.check(found, ana), await house.check(second, ana)
    assert (found.outcome, second.outcome) == (Outcome.SITE_PAUSED, Outcome.SITE_PAUSED)
    assert (found.failures, second.failures) == (0, 0)
    assert found.next_check_at - datetime.now(UTC) > timedelta(minutes=9)
    assert [row["site"] for row in await fetch("SELECT site FROM site_pauses")] == ["site.test"]
    assert await house.queued(ana) == []


async def test_pausing_holds_and_a_check_of_it_is_refused(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put("b", "a")
    found = await house.service.change(found.id, SubscriptionChange(state=SubscriptionState.PAUSED), ana)
    with pytest.raises(Conflict):
        await house.service.check(found.id, ana)
    await house.due_again()
    assert await house.queued(ana) == []
    await house.service.change(found.id, SubscriptionChange(state=SubscriptionState.ACTIVE), ana)
    await house.check(found, ana)
    assert await house.queued(ana) == ["b"]


async def test_its_settings_hold_for_what_it_takes(house: House) -> None:
    ana = await house.person("ana", permissions=(*PERMISSIONS, Permission.PRIORITY))
    house.feed.put("a")
    found = await house.follow(
        ana, quality="720", layout=Layout.FILM, priority="high", keep=KeepRule(rule=Keep.DAYS, number=7)
    )
    house.feed.put("b", "a")
    await house.check(found, ana)
    [row] = await fetch("SELECT quality, as_film, priority, title FROM download_queue")
    assert (row["quality"], bool(row["as_film"]), row["priority"], row["title"]) == ("720", True, 0, "Item b")
    changed = await house.service.change(
        found.id, SubscriptionChange(title="Mine", interval_minutes=60, audio_only=True, layout=Layout.SHOW), ana
    )
    assert (changed.title, changed.interval_minutes, changed.keep.number) == ("Mine", 60, 7)
    assert changed.next_check_at - datetime.now(UTC) < timedelta(minutes=67)
    for wrong in (
        {"interval_minutes": 1},
        {"keep": KeepRule(rule=Keep.NEWEST)},
        {"priority": "soon"},
        {"title": " "},
        {"filters": Filters(words="a\0b")},
    ):
        with pytest.raises(Invalid):
            await house.service.change(found.id, SubscriptionChange(**wrong), ana)


async def test_ending_it_takes_off_what_waits_and_keeps_the_files(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    await house.queue.start()
    house.feed.put("done", "a")
    await house.check(found, ana)
    [row] = await fetch("SELECT id FROM download_queue")
    await house.queue.ended(row["id"], ana)
    await house.queue.dispatcher.stop()
    own, _is_new = await house.queue.service.add(NewDownload(url="http://site.test/video?id=own"), ana)
    house.feed.put("waits", "own", "done", "a")
    found = await house.check(found, ana)
    goes = await house.service.what_goes(found.id, ana)
    assert (goes.waiting, goes.downloaded) == (2, 1)
    await house.service.unfollow(found.id, ana)
    assert (await house.service.list(ana))[1] == 0
    await house.checker.drain()
    # what the person had pasted themselves stays, and so does what is in the library
    assert [row["id"] for row in await fetch("SELECT id FROM download_queue ORDER BY id")] == [row["id"], own.id]
    assert [name for name in house.queue.files() if name.endswith(".mp4")]
    assert await fetch("SELECT id FROM subscriptions") == []
    assert await fetch("SELECT id FROM subscription_items") == []


async def test_ending_it_with_its_files_deletes_those(house: House) -> None:
    ana = await house.person("ana")
    await house.queue.start()
    house.feed.put("b", "a")
    found = await house.follow(ana, take_old=Old.ALL)
    for row in await fetch("SELECT id FROM download_queue"):
        await house.queue.ended(row["id"], ana)
    assert [name for name in house.queue.files() if name.endswith(".mp4")]
    await house.service.unfollow(found.id, ana, deletes_files=True)
    await house.checker.drain()
    assert [name for name in house.queue.files() if name.endswith(".mp4")] == []
    assert await fetch("SELECT id FROM download_queue") == []


async def test_videos_are_ignored_and_taken_by_hand(house: House) -> None:
    ana, ada = await house.person("ana"), await house.person("ada", is_admin=True)
    house.feed.put("c", "b", "a")
    found = await house.follow(ana)
    items, total = await house.service.items(found.id, ana)
    assert ([item.title for item in items], total) == (["Item c", "Item b", "Item a"], 3)
    taken = await house.service.take(found.id, items[0].id, ada)  # in the name of whose it is
    assert (taken.state, taken.download_state, await house.queued(ana)) == (
        ItemState.QUEUED,
        DownloadState.QUEUED,
        ["c"],
    )
    ignored = await house.service.ignore(found.id, items[1].id, ana)
    assert ignored.state is ItemState.IGNORED
    with pytest.raises(Conflict):
        await house.service.ignore(found.id, items[0].id, ana)
    with pytest.raises(Conflict):
        await house.service.take(found.id, items[0].id, ana)
    with pytest.raises(NotFound):
        await house.service.take(found.id, 999, ana)
    assert [item.title for item in (await house.service.items(found.id, ana, state=ItemState.KNOWN))[0]] == ["Item a"]


async def test_a_feeds_own_id_knows_a_video_whose_address_changes_and_one_id_for_all_is_not_believed(
    house: House,
) -> None:
    ana = await house.person("ana")

    def entry(name: str, key: str, token: int) -> dict[str, object]:
        url = f"http://site.test/video?id={name}&token={token}"
        return {"id": name, "url": url, "key": key, "identity": f"url:{name}{token}"}

    house.feed.put(entry("a", "guid:a", 1), kind="playlist")
    found = await house.follow(ana)
    house.feed.put(entry("b", "guid:b", 2), entry("a", "guid:a", 2), kind="playlist")
    await house.check(found, ana)
    assert await house.queued(ana) == ["b"]
    house.feed.put(entry("c", "guid:x", 3), entry("d", "guid:x", 3), kind="playlist")
    await house.check(found, ana)
    assert await house.queued(ana) == ["b", "c", "d"]


async def test_open_pages_hear_when_a_check_begins_and_ends_and_when_a_video_has_come(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put("b", "a")
    house.queue.seen.clear()
    await house.check(found, ana)

    def told() -> list[int]:
        return [event.subscription_id for event in house.queue.seen if isinstance(event, SubscriptionChanged)]

    assert told() == [found.id, found.id]
    await house.queue.start()
    [row] = await fetch("SELECT id FROM download_queue")
    await house.queue.ended(row["id"], ana)
    while len(told()) < 3:
        await asyncio.sleep(0.01)


async def test_a_check_that_was_cut_off_is_done_again_and_loses_nothing(house: House) -> None:
    ana = await house.person("ana")
    house.feed.put("a")
    found = await house.follow(ana)
    house.feed.put("b", "a")
    await house.service.check(found.id, ana)
    past = datetime.now(UTC) - timedelta(seconds=1)
    await fetch(
        "UPDATE subscriptions SET owner = {}, lease_until = {}", "dead/run", datetime.now(UTC) + timedelta(hours=1)
    )
    assert await house.checker.drain() == 0  # somebody has it
    await fetch("UPDATE subscriptions SET lease_until = {}", past)
    assert await house.checker.drain() == 1
    assert await house.queued(ana) == ["b"]
    # cut off between the queue and its note: the same download is found again
    await fetch("UPDATE subscription_items SET state = 'wanted', download_id = NULL WHERE item_key = 'tube:b'")
    await house.due_again()
    assert await house.queued(ana) == ["b"]
    assert (await house.states(found, ana))["b"] == "queued"


async def test_several_processes_check_each_one_once(house: House) -> None:
    ana = await house.person("ana")
    feeds = [house.another_feed(f"f{number}") for number in range(6)]
    for number, feed in enumerate(feeds):
        feed.put(f"a{number}")
        await house.follow(ana, feed.url)
        feed.put(f"b{number}", f"a{number}")
    await fetch(
        "UPDATE subscriptions SET due_at = {0}, next_check_at = {0}".replace("{0}", "{}"), *[datetime.now(UTC)] * 2
    )
    done = await asyncio.gather(*(house.checker.drain() for _ in range(4)))
    assert sum(done) == 6
    assert sorted(await house.queued(ana)) == [f"b{number}" for number in range(6)]
