"""Seasons and episodes: handed out once, also when many ask at once, and the folders of shows."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime

import pytest

from medianest.accounts.model import User
from medianest.database import Engine, fetch
from medianest.downloads.model import LibraryFile
from medianest.downloads.plans import show_of
from medianest.downloads.reports import VideoInfo
from medianest.downloads.repository.history import (
    ClaimLost,
    Filed,
    HistoryRepository,
    Numbering,
    Record,
    first_long_of_day,
)

DAY = date(2026, 3, 15)
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
OWNER = "i/r/h/1/1"


def facts(name: str, user: User, day: date = DAY) -> Filed:
    return Filed(
        identity=f"tube:{name}", title=name, uploader="Ana", url="http://site.test/", site="tube", video_id=name, size_bytes=5,
        duration_s=1, published_on=day, requested_by=user.id,
    )  # fmt: skip


def plan(season: int | None, episode: int | None) -> tuple[LibraryFile, ...]:
    return (LibraryFile(path=f"{season}/{episode}.mp4", size_bytes=5, media_type="video/mp4"),)


async def claim(user: User, name: str) -> int:
    rows = await fetch(
        "INSERT INTO download_queue (requested_by, url, url_key, kind, title, uploader, quality, audio_only, as_film, state, priority, "
        "position, attempts, owner, created_at, changed_at) "
        "VALUES ({}, 'u', {}, 'video', 't', '', 'default', {}, {}, 'downloading', 1, 1, 1, {}, {}, {}) "
        "RETURNING id",
        *(user.id, name, False, False, OWNER, NOW, NOW),
    )
    return int(rows[0]["id"])


async def number(history: HistoryRepository, user: User, name: str, day: date = DAY) -> Record:
    show, _is_new = await history.show("tube:UC1", "Ana", "Ana", NOW)
    return await history.reserve(
        await claim(user, name), facts(name, user, day), show, numbering=Numbering(by_day=True), at=NOW, plan=plan
    )


async def test_a_days_videos_are_counted_from_one(database: Engine, ana: User) -> None:
    history = HistoryRepository(OWNER)
    records = [await number(history, ana, f"v{one}") for one in range(3)]
    assert [(one.season, one.episode) for one in records] == [(2026, 31501), (2026, 31502), (2026, 31503)]
    assert (await number(history, ana, "next", date(2026, 12, 31))).episode == 123101
    assert (await number(history, ana, "v0")).episode == 31501


async def test_forty_at_once_get_forty_numbers(database: Engine, ana: User) -> None:
    history = HistoryRepository(OWNER)
    records = await asyncio.gather(*(number(history, ana, f"v{one}") for one in range(40)))
    assert sorted(one.episode or 0 for one in records) == list(range(31501, 31541))


async def test_beyond_ninety_nine_a_day_numbers_have_seven_digits_that_no_other_day_uses(
    database: Engine, ana: User
) -> None:
    history = HistoryRepository(OWNER)
    first = await number(history, ana, "first")
    await fetch("UPDATE download_history SET episode = 31599 WHERE id = {}", first.id)
    assert [(await number(history, ana, f"v{one}")).episode for one in range(2)] == [1_740_000, 1_740_001]
    days = [date.fromordinal(date(2028, 1, 1).toordinal() + one) for one in range(366)]
    starts = [first_long_of_day(day) for day in days]
    assert starts == sorted(set(starts))
    assert min(starts) > 123199
    assert max(starts) + 9_999 <= 9_999_999


async def test_a_lost_claim_reserves_nothing(database: Engine, ana: User) -> None:
    history = HistoryRepository("somebody/else/h/1/1")
    show, _is_new = await history.show("tube:UC1", "Ana", "Ana", NOW)
    with pytest.raises(ClaimLost):
        await history.reserve(
            await claim(ana, "x"), facts("x", ana), show, numbering=Numbering(by_day=True), at=NOW, plan=plan
        )
    assert await fetch("SELECT id FROM download_history") == []


async def test_two_channels_of_one_name_have_two_folders(database: Engine, ana: User) -> None:
    history = HistoryRepository(OWNER)
    folders = [(await history.show(f"tube:{one}", "Ana", "Ana", NOW))[0].folder for one in ("UC1", "UC2", "UC1")]
    assert folders == ["Ana", "Ana (2)", "Ana"]
    assert (await history.show("tube:UC3", "ANA", "ANA", NOW))[0].folder == "ANA (3)"
    assert (await history.show("tube:UC4", "Videos", "Videos", NOW))[0].folder == "Videos (2)"


async def test_one_channel_asked_for_by_many_at_once_is_made_once(database: Engine, ana: User) -> None:
    history = HistoryRepository(OWNER)
    made = await asyncio.gather(*(history.show("tube:UC9", "Ben", "Ben", NOW) for _ in range(10)))
    assert {show.folder for show, _is_new in made} == {"Ben"}


def test_which_show_a_video_belongs_to() -> None:
    channel = VideoInfo(site="Youtube", channel_id="UC1", channel="Ana: cooks")
    assert (show_of(channel, "http://a.test/v", "").key, show_of(channel, "http://a.test/v", "").folder) == (
        "youtube:UC1", "Ana - cooks",
    )  # fmt: skip
    bare = VideoInfo(site="generic", webpage_url="http://www.a.test/v.mp4")
    assert show_of(bare, "http://a.test/v.mp4", "").title == "a.test"
    assert show_of(bare, "http://a.test/v.mp4", "My feed").folder == "My feed"
