"""Whose download is next: by priority, in turns between people, never too many of one, big sites with a breath, at night."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from medianest.accounts.model import User
from medianest.database import fetch, is_postgres
from medianest.downloads.model import DownloadState, NightHolds, Priority, QueueSettings
from medianest.downloads.night import is_night, lowest_priority, opens_at
from medianest.downloads.repository.claims import Claim, ClaimRepository
from medianest.downloads.repository.turns import InLine, Share, place_of
from medianest.errors import Invalid
from tests.downloads.running_queue import QUICK, Queue, make_user, scripted_command

State = DownloadState
CLAIMS = ClaimRepository("test/run/host/1/0")
CLAIMER = Path(__file__).parent / "claiming_process.py"


async def fill(person: User, count: int, *, host: str = "site.test", priority: int = 1, position: int = 1) -> None:
    """So many queued rows of a person, one after the other."""
    at = datetime.now(UTC)
    for start in range(0, count, 500):
        piece = range(start, min(start + 500, count))
        values = [
            value
            for number in piece
            for value in (person.id, f"http://{host}/{number}", f"{person.id}-{host}-{number}", priority, position + number, at, at, host)
        ]  # fmt: skip
        flags = "FALSE, FALSE" if is_postgres() else "0, 0"
        row = f"({{}}, {{}}, {{}}, 'video', 't', '', 'default', {flags}, 'queued', {{}}, {{}}, 0, {{}}, {{}}, {{}})"
        await fetch(
            "INSERT INTO download_queue (requested_by, url, url_key, kind, title, uploader, quality, audio_only, as_film, state, "
            f"priority, position, attempts, created_at, changed_at, host) VALUES {', '.join([row] * len(piece))}",
            *values,
        )


async def claim(most: int = 1, *, limit: int = 100, **more: object) -> list[Claim]:
    now = datetime.now(UTC)
    return await CLAIMS.claim(limit=limit, most=most, at=now, lease_until=now + timedelta(seconds=60), **more)  # type: ignore[arg-type]


async def end_all() -> None:
    await fetch("UPDATE download_queue SET state = 'completed', owner = NULL WHERE owner IS NOT NULL")


async def test_a_long_list_of_one_never_blocks_the_single_link_of_another(ana: User, ben: User) -> None:
    await fill(ana, 10_000)
    await fill(ben, 1, position=1_000_000)
    first = await claim(2)
    assert [one.requested_by for one in first] == [ana.id, ben.id]
    assert [one.requested_by for one in await claim(3)] == [ana.id] * 3  # nobody else wants anything


async def test_with_one_at_a_time_people_are_served_in_turns(ana: User, ben: User, owner: User) -> None:
    await fill(ana, 9)
    await fill(ben, 9, position=100)
    await fill(owner, 2, position=200)
    served = []
    for _ in range(9):
        (one,) = await claim(limit=1)
        served.append(one.requested_by)
        assert await claim(limit=1) == []
        await end_all()
    assert Counter(served) == {ana.id: 4, ben.id: 3, owner.id: 2}
    assert served[:3] == [ana.id, ben.id, owner.id]


async def test_priority_goes_before_turns_and_one_person_has_no_more_than_allowed(ana: User, ben: User) -> None:
    await fill(ana, 5)
    await fill(ana, 1, host="other.test", priority=0, position=900)
    await fill(ben, 5, priority=2)
    claims = await claim(10, per_person=2)
    assert [(one.requested_by, one.priority) for one in claims] == [(ana.id, 0), (ana.id, 1), (ben.id, 2), (ben.id, 2)]
    assert await claim(10, per_person=2) == []
    assert await claim(10, limit=4) == []
    assert len(await claim(10, limit=5)) == 1


async def test_a_big_site_gets_a_breath_between_two_videos_and_others_go_on_meanwhile(ana: User) -> None:
    await fill(ana, 3, host="youtube.com")
    await fill(ana, 2, position=50)
    asked: list[str] = []

    def breath(site: str) -> float:
        asked.append(site)
        return 30.0 if site == "youtube.com" else 0.0

    first = await claim(10, breath_s=breath)
    assert [one.host for one in first] == ["youtube.com", "site.test", "site.test"]
    assert await claim(10, breath_s=breath) == []
    rows = await fetch("SELECT site, next_at FROM site_turns")
    assert [row["site"] for row in rows] == ["youtube.com"]
    await fetch("UPDATE site_turns SET next_at = {}", datetime.now(UTC) - timedelta(seconds=1))
    assert [one.host for one in await claim(10, breath_s=breath)] == ["youtube.com"]


def test_the_breath_is_left_to_chance_within_the_preset(tmp_path: Path) -> None:
    queue = Queue(tmp_path, command=scripted_command(), rules=msgspec.structs.replace(QUICK))
    breaths = {queue.dispatcher._breath_s("youtube.com") for _ in range(50)}
    assert len(breaths) > 10
    assert all(10 <= one <= 20 for one in breaths)
    assert queue.dispatcher._breath_s("files.example") == 0


def test_a_place_in_line_is_the_turn_it_will_be() -> None:
    ana, ben = Share(requested_by=1, priority=1, waiting=3), Share(requested_by=2, priority=1, waiting=2)

    def place(person: int, before: int, *shares: Share) -> int:
        return place_of(InLine(id=9, requested_by=person, priority=1, before=before), shares)

    assert [place(1, 0, ana, ben), place(2, 0, ana, ben), place(1, 1, ana, ben)] == [1, 2, 3]
    assert [place(2, 1, ana, ben), place(1, 2, ana, ben)] == [4, 5]
    busy = msgspec.structs.replace(ana, running=2)
    assert [place(2, 0, busy, ben), place(2, 1, busy, ben), place(1, 0, busy, ben)] == [1, 2, 3]
    urgent = Share(requested_by=3, priority=0, waiting=10)
    assert place(1, 0, ana, ben, urgent) == 11


def test_the_night_goes_over_midnight_and_holds_what_it_is_to_hold() -> None:
    night = QueueSettings(night_holds=NightHolds.LOW, night_from=23, night_until=7, time_zone="Europe/Vienna")

    def at(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 3, 15, hour, minute, tzinfo=UTC)  # Vienna is an hour ahead

    assert [is_night(night, at(hour)) for hour in (21, 22, 5, 6)] == [False, True, True, False]
    assert (lowest_priority(night, at(12)), lowest_priority(night, at(23))) == (Priority.NORMAL, Priority.LOW)
    everything = msgspec.structs.replace(night, night_holds=NightHolds.ALL)
    assert (lowest_priority(everything, at(12)), lowest_priority(everything, at(23))) == (None, Priority.LOW)
    assert opens_at(night, at(12)) == at(22)
    assert opens_at(night, at(23)) is None
    assert opens_at(QueueSettings(), at(12)) is None
    day = msgspec.structs.replace(night, night_from=9, night_until=17)
    assert [is_night(day, at(hour)) for hour in (7, 8, 15, 16)] == [False, True, True, False]


async def test_only_low_priority_waits_for_the_night(queue: Queue, ana: User, owner: User) -> None:
    hour = datetime.now(UTC).hour
    window = {"night_from": (hour + 2) % 24, "night_until": (hour + 3) % 24, "time_zone": "UTC"}
    await queue.settings(owner, night_holds=NightHolds.LOW, **window)
    low = await queue.add("http://site.test/video?id=low", ana, priority="low")
    normal = await queue.add("http://site.test/video?id=normal", ana)
    assert (await queue.ended(normal, ana)).state is State.COMPLETED
    assert (await queue.service.get(low.id, ana)).state is State.QUEUED
    shown = await queue.parts.whole.show(ana)
    assert shown.night_opens_at is not None
    await queue.settings(owner, night_holds=NightHolds.NOTHING)
    assert (await queue.ended(low, ana)).state is State.COMPLETED


@pytest.mark.parametrize(
    "wrong",
    [{"per_person_downloads": 0}, {"total_rate_bytes_s": 10}, {"night_from": 24}, {"time_zone": "Nowhere/Land"}],
)
async def test_settings_that_make_no_sense_are_refused(
    still_queue: Queue, owner: User, wrong: dict[str, object]
) -> None:
    with pytest.raises(Invalid) as refused:
        await still_queue.settings(owner, **wrong)
    assert set(refused.value.fields) == set(wrong)


@pytest.mark.timeout_s(120)
async def test_four_processes_claim_each_row_once_and_keep_to_every_limit(
    migrated_database_url: str, database: object
) -> None:
    if not is_postgres():
        pytest.skip("one SQLite database belongs to one process")
    people = [await make_user(name) for name in ("ana", "ben", "cat")]
    for number, person in enumerate(people):
        await fill(person, (300, 20, 5)[number], position=1000 * number)
    claimers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, str(CLAIMER), migrated_database_url, str(number)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for number in range(4)
    ]
    for one in claimers:
        assert one.stdout
        assert await one.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(one.communicate(b"go\n") for one in claimers))
    taken = [int(part) for out, _ in answers for part in out.split()]
    assert len(taken) == len(set(taken)) == 325
    order = await fetch("SELECT requested_by FROM download_queue ORDER BY started_at, id")
    # while all three had something in line, nobody got more than their turn and one or two beside it
    first = Counter(row["requested_by"] for row in order[:15])
    assert all(3 <= first[person.id] <= 7 for person in people), first
