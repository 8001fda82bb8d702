"""Shares: downloads an hour and room in the library, counted exactly, on both engines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from medianest.accounts.model import Permission, Quotas, User
from medianest.database import fetch
from medianest.downloads.allowance import opens_at
from medianest.downloads.model import DownloadState, NewDownload, cost_of
from medianest.errors import Conflict, NotAllowed, QuotaExceeded
from tests.downloads.running_queue import Queue

State = DownloadState


def with_share(user: User, downloads: int = -1, room: int = -1) -> User:
    return msgspec.structs.replace(user, quotas=Quotas(downloads_per_hour=downloads, storage_bytes=room))


async def add(queue: Queue, name: str, by: User, **more: Any) -> int:
    download, _is_new = await queue.service.add(NewDownload(url=f"http://site.test/video?id={name}", **more), by=by)
    return download.id


@pytest.mark.parametrize(("items", "cost"), [(None, 1), (0, 1), (1, 1), (25, 1), (26, 2), (50, 2), (51, 3), (1000, 40)])
def test_a_list_costs_one_and_one_more_for_each_further_25(items: int | None, cost: int) -> None:
    assert cost_of(items) == cost


def test_it_opens_when_enough_of_what_was_counted_is_an_hour_old() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    charges = [(now - timedelta(minutes=minutes), cost) for minutes, cost in ((50, 1), (40, 3), (5, 1))]
    assert opens_at(charges, 5, 1, now) == now + timedelta(minutes=10)
    assert opens_at(charges, 5, 3, now) == now + timedelta(minutes=20)
    assert opens_at(charges, 5, 9, now) == now + timedelta(minutes=55)


async def test_the_sixth_download_of_an_hour_is_refused_with_the_time_it_opens(still_queue: Queue, ana: User) -> None:
    ana = with_share(ana, 5)
    for number in range(5):
        await add(still_queue, str(number), ana)
    with pytest.raises(QuotaExceeded) as refused:
        await add(still_queue, "6", ana)
    assert (refused.value.code, refused.value.status) == ("quota_exceeded", 429)
    assert 3500 < refused.value.retry_after_s <= 3601
    assert "min (at " in refused.value.message
    use = await still_queue.service.quota_use(ana)
    assert (use.downloads_per_hour, use.downloads_used, use.downloads_left) == (5, 5, 0)
    assert use.opens_at is not None
    await fetch("UPDATE download_queue SET charged_at = {} WHERE id = 1", datetime.now(UTC) - timedelta(minutes=61))
    await add(still_queue, "6", ana)


async def test_simultaneous_adds_get_exactly_what_is_left(still_queue: Queue, ana: User) -> None:
    ana = with_share(ana, 5)

    async def try_one(number: int) -> bool:
        try:
            await add(still_queue, f"at-once-{number}", ana)
        except QuotaExceeded:
            return False
        return True

    taken = await asyncio.gather(*(try_one(number) for number in range(20)))
    assert sum(taken) == 5
    assert (await fetch("SELECT count(*) AS n FROM download_queue"))[0]["n"] == 5


async def test_joining_is_free_and_so_is_everything_for_administrators(
    still_queue: Queue, ana: User, ben: User, owner: User
) -> None:
    ana, owner = with_share(ana, 1), with_share(owner, 0)
    await add(still_queue, "shared", ben)
    await add(still_queue, "shared", ana)
    await add(still_queue, "own", ana)
    with pytest.raises(QuotaExceeded):
        await add(still_queue, "more", ana)
    for number in range(3):
        await add(still_queue, f"owner-{number}", owner)
    with pytest.raises(QuotaExceeded, match="no downloads of its own"):
        await add(still_queue, "none", with_share(ben, 0))


async def test_what_failed_or_was_cancelled_gives_its_share_back_until_it_is_tried_again(
    still_queue: Queue, ana: User
) -> None:
    ana = with_share(ana, 2)
    first = await add(still_queue, "1", ana)
    await add(still_queue, "2", ana)
    await still_queue.service.cancel(first, ana)
    await add(still_queue, "3", ana)
    with pytest.raises(QuotaExceeded):
        await still_queue.service.retry(first, ana)
    assert (await still_queue.service.get(first, ana)).state is State.CANCELLED
    await fetch("UPDATE download_queue SET charged_at = {}", datetime.now(UTC) - timedelta(hours=2))
    await still_queue.service.retry(first, ana)  # counts from now on, however old it is
    assert (await still_queue.service.quota_use(ana)).downloads_used == 1


async def test_taking_a_finished_download_off_the_list_gives_nothing_back(queue: Queue, ana: User) -> None:
    ana = with_share(ana, 1)
    done = await queue.ended(await add(queue, "rice", ana), ana)
    assert done.state is State.COMPLETED
    await queue.service.remove(done.id, ana)
    with pytest.raises(QuotaExceeded):
        await add(queue, "more", ana)


async def test_a_list_counts_by_its_videos_once_they_are_known(queue: Queue, ana: User) -> None:
    ana = with_share(ana, 5)
    added, _ = await queue.service.add(NewDownload(url="http://site.test/list?n=60&each=slow"), by=ana)
    await queue.wait(added, ana, lambda found: found.is_list)
    assert (await queue.service.quota_use(ana)).downloads_used == 3


async def test_who_has_used_their_room_is_told_to_remove_something(queue: Queue, ana: User) -> None:
    await queue.ended(await add(queue, "rice", ana), ana)
    use = await queue.service.quota_use(with_share(ana, room=10_000))
    assert use.storage_used_bytes >= 1000
    assert use.storage_left_bytes == 10_000 - use.storage_used_bytes
    with pytest.raises(Conflict, match="Remove something") as refused:
        await add(queue, "more", with_share(ana, room=1000))
    assert refused.value.code == "storage_quota_exceeded"
    await queue.service.remove(1, ana)
    await add(queue, "more", with_share(ana, room=1000))


async def test_without_the_right_nothing_is_added_looked_at_or_put_first(still_queue: Queue, ana: User) -> None:
    number = await add(still_queue, "1", ana)
    plain = msgspec.structs.replace(ana, permissions=(Permission.DOWNLOAD,))
    with pytest.raises(NotAllowed, match="may not put downloads first"):
        await add(still_queue, "2", plain, priority="high")
    with pytest.raises(NotAllowed):
        await still_queue.service.change(number, plain, priority="high")
    await still_queue.service.change(number, plain, priority="low")
    without = msgspec.structs.replace(ana, permissions=())
    with pytest.raises(NotAllowed, match="may not add downloads"):
        await add(still_queue, "2", without)
    with pytest.raises(NotAllowed):
        await still_queue.service.preview("http://site.test/video?id=2", without)
    await still_queue.service.cancel(number, without)
    with pytest.raises(NotAllowed):
        await still_queue.service.retry(number, without)


async def test_people_take_turns_and_a_move_changes_only_ones_own_order(
    still_queue: Queue, ana: User, ben: User, owner: User
) -> None:
    first, second, third = [await add(still_queue, name, ana) for name in "123"]
    bens = await add(still_queue, "b", ben)

    async def line() -> list[int]:
        shown, _total = await still_queue.service.list(owner, "waiting")
        return [one.id for one in sorted(shown, key=lambda one: one.position or 0)]

    assert await line() == [first, bens, second, third]
    await still_queue.service.change(
        third, msgspec.structs.replace(ana, permissions=(Permission.DOWNLOAD,)), position=1
    )
    assert await line() == [third, bens, first, second]
    await still_queue.service.change(second, owner, position=1)
    assert await line() == [second, bens, third, first]
    await still_queue.service.change(bens, owner, position=1)  # its turn stays what it is
    assert await line() == [second, bens, third, first]
    await still_queue.service.step(second, ana, 1)
    assert await line() == [third, bens, second, first]
    await still_queue.service.change(first, owner, priority="high")
    assert await line() == [first, third, bens, second]
