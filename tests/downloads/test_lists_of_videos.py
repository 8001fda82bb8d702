"""A link that leads to a playlist: one row with its items, which act together."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from medianest.accounts.model import Quotas, User
from medianest.database import fetch
from medianest.downloads.model import DownloadKind, DownloadState, ReasonCode
from medianest.downloads.repository.parents import state_of_list
from medianest.errors import Conflict
from tests.downloads.running_queue import Queue

State = DownloadState
LIST = "http://site.test/list?n=5&title=Cooking"
SLOW_LIST = "http://site.test/list?n=5&each=slow"


async def test_a_playlist_becomes_one_row_with_its_items(queue: Queue, ana: User) -> None:
    parent = await queue.ended(await queue.add(LIST, ana), ana)
    assert (parent.kind, parent.title, parent.state) == (DownloadKind.PLAYLIST, "Cooking", State.COMPLETED)
    assert (parent.progress.items_done, parent.progress.items_total, parent.progress.percent) == (5, 5, 100.0)
    items, total = await queue.service.items(parent.id, ana)
    assert total == 5
    assert [(item.item_index, item.state) for item in items] == [(number, State.COMPLETED) for number in range(1, 6)]
    found, total = await queue.service.list(ana)
    assert ([one.id for one in found], total) == ([parent.id], 1)
    assert len([name for name in queue.files() if name.endswith(".mp4")]) == 5


async def test_a_list_that_was_added_unseen_waits_when_it_counts_more_than_is_left(queue: Queue, ana: User) -> None:
    ana = msgspec.structs.replace(ana, quotas=Quotas(downloads_per_hour=3, storage_bytes=-1))
    queue.people[ana.id] = ana
    await queue.ended(await queue.add("http://site.test/video?id=first", ana), ana)
    big = await queue.add("http://site.test/list?n=60", ana)  # counts as 3, of which one was taken when it was added
    waiting = await queue.wait_for(big, ana, State.WAITING)
    assert waiting.reason_code is ReasonCode.QUOTA
    assert waiting.reason is not None
    assert "counts as 3 downloads" in waiting.reason
    assert waiting.next_attempt_at is not None
    assert (await queue.service.items(big.id, ana))[1] == 0
    # the hour goes by
    await fetch("UPDATE download_queue SET charged_at = {}", datetime.now(UTC) - timedelta(hours=2))
    await queue.service.retry(big.id, ana)
    opened = await queue.wait(big, ana, lambda found: found.is_list)
    assert opened.progress.items_total == 60
    assert (await queue.service.quota_use(ana)).downloads_left == 0
    await queue.service.cancel(big.id, ana)


async def test_items_that_the_library_has_are_done_at_once(queue: Queue, ana: User) -> None:
    single = await queue.ended(await queue.add("http://site.test/video?id=i2&title=Item+2", ana), ana)
    parent = await queue.ended(await queue.add(LIST, ana), ana)
    items, _total = await queue.service.items(parent.id, ana)
    assert [item.reason_code for item in items] == [None, None, ReasonCode.ALREADY_THERE, None, None]
    assert items[2].files == single.files
    assert len([name for name in queue.files() if name.endswith(".mp4")]) == 5


async def test_cancelling_a_list_stops_everything_in_it(queue: Queue, ana: User) -> None:
    parent = await queue.add(SLOW_LIST, ana)
    await queue.wait(parent, ana, lambda found: found.is_list)
    while len(queue.dispatcher.running) < 3:
        await asyncio.sleep(0.02)
    cancelled = await queue.service.cancel(parent.id, ana)
    assert cancelled.state is State.CANCELLED
    while queue.dispatcher.running:
        await asyncio.sleep(0.01)
    items, _total = await queue.service.items(parent.id, ana)
    assert {item.state for item in items} == {State.CANCELLED}


async def test_pausing_and_resuming_a_list(queue: Queue, ana: User) -> None:
    parent = await queue.add("http://site.test/list?n=4&each=slow", ana)
    await queue.wait(parent, ana, lambda found: found.is_list)
    paused = await queue.service.pause(parent.id, ana)
    assert paused.state is State.PAUSED
    await asyncio.sleep(0.3)
    assert not queue.dispatcher.running
    resumed = await queue.service.resume(parent.id, ana)
    assert resumed.state is State.DOWNLOADING
    with pytest.raises(Conflict):
        await queue.service.resume(parent.id, ana)
    await queue.service.cancel(parent.id, ana)


async def test_a_list_tells_how_many_did_not_work_and_tries_those_again(queue: Queue, ana: User) -> None:
    parent = await queue.ended(
        await queue.add("http://site.test/list?n=3&each=fail&prefix=x%26class%3Dgone%26", ana), ana
    )
    assert (parent.state, parent.reason_code) == (State.FAILED, ReasonCode.SOME_FAILED)
    assert parent.reason is not None
    assert parent.reason.startswith("3 of 3 videos")
    assert parent.progress.items_failed == 3
    again = await queue.service.retry(parent.id, ana)
    assert again.state is State.DOWNLOADING
    assert (await queue.ended(parent, ana)).state is State.FAILED


async def test_removing_a_list_removes_its_items_and_their_files(queue: Queue, ana: User) -> None:
    parent = await queue.ended(await queue.add(LIST, ana), ana)
    await queue.service.remove(parent.id, ana)
    assert queue.files() == []
    assert (await queue.service.list(ana))[1] == 0


async def test_removing_one_item_leaves_the_others(queue: Queue, ana: User) -> None:
    parent = await queue.ended(await queue.add(LIST, ana), ana)
    items, _total = await queue.service.items(parent.id, ana)
    await queue.service.remove(items[0].id, ana)
    assert (await queue.service.get(parent.id, ana)).progress.items_total == 4
    assert len([name for name in queue.files() if name.endswith(".mp4")]) == 4


async def test_an_empty_list_says_so(queue: Queue, ana: User) -> None:
    parent = await queue.ended(await queue.add("http://site.test/list?n=0", ana), ana)
    assert (parent.state, parent.reason_code) == (State.COMPLETED, ReasonCode.EMPTY_LIST)


async def test_an_endless_list_is_cut_and_says_so(queue: Queue, ana: User, owner: User) -> None:
    await queue.settings(owner, max_list_items=2)
    parent = await queue.ended(await queue.add("http://site.test/list?n=9", ana), ana)
    assert (parent.progress.items_total, parent.reason_code) == (2, ReasonCode.LIST_CAPPED)


async def test_a_thousand_items_are_durable_before_the_first_of_them_has_ended(queue: Queue, ana: User) -> None:
    await queue.ended(await queue.add("http://site.test/video?id=warm", ana), ana)
    parent = await queue.add("http://site.test/list?n=1000&each=slow", ana)
    await queue.wait(parent, ana, lambda found: found.is_list)
    items, count = await queue.service.items(parent.id, ana, limit=10)
    assert count == 1000
    assert not [item for item in items if item.state is State.COMPLETED]
    await queue.service.cancel(parent.id, ana)


def test_the_state_of_a_list_follows_its_items() -> None:
    assert state_of_list({State.QUEUED: 1, State.COMPLETED: 5}) is State.DOWNLOADING
    assert state_of_list({State.WAITING: 1, State.PAUSED: 2}) is State.WAITING
    assert state_of_list({State.PAUSED: 2, State.COMPLETED: 1}) is State.PAUSED
    assert state_of_list({State.COMPLETED: 1, State.FAILED: 1}) is State.COMPLETED
    assert state_of_list({State.CANCELLED: 1, State.FAILED: 1}) is State.FAILED
    assert state_of_list({State.CANCELLED: 2}) is State.CANCELLED
