"""Several instances on one database: each has a yt-dlp of its own, and the daily look of one has all of them look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from medianest.accounts.model import User
from medianest.app import Application, create_app
from medianest.database import fetch
from medianest.engine.model import Channel, Outcome, Way
from medianest.settings import AllowList, Settings
from tests.engine.conftest import INSIDE, NEWER, ended, folder_of
from tests.release import Releases, real_program

# on SQLite there is one process
pytestmark = [pytest.mark.parametrize("database_kind", ["postgres"], indirect=True), pytest.mark.timeout_s(150)]


async def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for a condition of another instance; nobody here can be told."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, what
        await asyncio.sleep(0.05)


@pytest.fixture
async def two(house: Application, settings: Settings, pages: Releases, tmp_path: Path) -> AsyncIterator[Application]:
    """A second instance with a data folder of its own; both hear of each other."""
    folder = tmp_path / "second"
    folder.mkdir()
    allowed = AllowList(networks=("127.0.0.1/32",))
    other = create_app(
        msgspec.structs.replace(settings, data_dir=folder, engine_url=pages.url, allow_private_downloads=allowed)
    )
    for one in (house, other):
        await one.relay.start()
    await until(lambda: house.relay.is_leader or other.relay.is_leader, "nobody leads")
    await asyncio.sleep(0.2)  # both listen
    yield other
    await other.engine_parts.updates.stop()
    await other.downloads.pool.stop()
    for one in (house, other):
        await one.relay.stop()


async def version_of_a_worker(instance: Application) -> tuple[str, str]:
    """What the next worker loads, and from where."""
    child = await instance.downloads.pool.acquire()
    instance.downloads.pool.release(child)
    return child.version, child.engine_path


async def test_the_daily_look_of_one_brings_the_newer_version_to_the_workers_of_all(
    house: Application, two: Application, pages: Releases, owner: User
) -> None:
    assert (await version_of_a_worker(two))[0] == INSIDE  # a warm one, which must not be the next
    pages.publish(NEWER, real_program(NEWER))
    assert NEWER in await house.engine_parts.updates.update_daily()
    await until(lambda: folder_of(two).named() == NEWER, "the other instance did not look for itself")
    await two.engine_parts.updates.wait()
    for one in (house, two):
        version, path = await version_of_a_worker(one)
        assert (version, Path(path)) == (NEWER, folder_of(one).path(NEWER) / "yt_dlp")
        (record,) = (await one.engine_parts.board.report()).history
        assert (record.way, record.outcome, record.version) == (Way.DAILY, Outcome.CHANGED, NEWER)
    assert folder_of(house).root != folder_of(two).root
    assert pages.fetched("yt-dlp") == 2  # each for its own folder

    # a way back is this instance's own, and so is what it does not take again by itself
    await house.engine_parts.service.go_back(by=owner)
    assert (await version_of_a_worker(house))[0] == INSIDE
    assert (await version_of_a_worker(two))[0] == NEWER
    assert "taken back" in await two_looks(two, house)
    assert (folder_of(house).named(), folder_of(two).named()) == ("", NEWER)


async def two_looks(leader: Application, other: Application) -> str:
    """The daily look of `leader`; what that of `other` came to, in a sentence."""
    before = other.engine_parts.updates._task
    await leader.engine_parts.updates.update_daily()
    await until(lambda: other.engine_parts.updates._task is not before, "the other instance did not begin")
    task = other.engine_parts.updates._task
    assert task is not None
    return await task


async def test_the_channel_that_one_was_told_holds_for_all(
    house: Application, two: Application, pages: Releases, owner: User
) -> None:
    pages.publish(NEWER, real_program(NEWER))
    await two.engine_parts.service.set_channel(Channel.OFF, by=owner)
    assert await two_looks(house, two) == "Updates are off."
    assert pages.asked == []
    assert await fetch("SELECT id FROM engine_updates") == []


async def test_a_file_that_one_was_given_is_its_own(
    house: Application, two: Application, pages: Releases, owner: User
) -> None:
    content = real_program(NEWER)
    sums = pages.publish(NEWER, content).files["SHA2-256SUMS"].decode()
    await house.engine_parts.updates.begin_file(content, sums, by=owner)
    assert (await ended(house)).outcome is Outcome.CHANGED
    assert (await version_of_a_worker(house))[0] == NEWER
    assert (await version_of_a_worker(two))[0] == INSIDE
    assert await two_looks(house, two) == f"yt-dlp {NEWER} runs from now on; before it was {INSIDE}."
    assert (await version_of_a_worker(two))[0] == NEWER
