"""A site that says stop is left alone by everybody, in every process and after a restart; then exactly one download tries."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import fetch, is_postgres
from medianest.downloads.holding import EVERYTHING
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.downloads.repository.pauses import PauseRepository
from medianest.errors import NotFound, Unavailable
from tests.downloads.running_queue import Queue, make_user, scripted_command

State = DownloadState
ROWS = PauseRepository()
QUEUE_PROCESS = Path(__file__).parent / "queue_process.py"


def now() -> datetime:
    return datetime.now(UTC)


async def pause(site: str = "site.test", *, asked_s: float | None = None, at: datetime | None = None) -> float:
    """Seconds of the pause that holds then."""
    at = at or now()
    made = await ROWS.pause(
        site, ReasonCode.RATE_LIMITED, "x", at=at, asked_s=asked_s, first_s=3600, most_s=86400, doubles=True
    )
    return round((made.until_at - at).total_seconds())


async def test_a_pause_doubles_when_it_follows_on_one_and_is_never_longer_than_a_day(database: object) -> None:
    at = now()
    assert await pause(at=at) == 3600
    assert await pause(at=at + timedelta(seconds=60)) == 3540  # several ran into one wall
    lengths = []
    for _ in range(6):
        at += timedelta(days=1, seconds=1)
        lengths.append(await pause(at=at))
    assert lengths == [7200, 14400, 28800, 57600, 86400, 86400]
    assert await pause("other.test", asked_s=77, at=at) == 77
    assert [one.site for one in await ROWS.current()] == ["other.test", "site.test"]


async def test_after_a_pause_one_download_tries_and_then_all_go_on(queue: Queue, ana: User, tmp_path: Path) -> None:
    marker, counter = tmp_path / "m", tmp_path / "c"
    url = f"http://site.test/fail?class=rate_limited&times=3&marker={marker}&counter={counter}"
    first = await queue.add(f"{url}&id=p0", ana)
    await queue.wait_for(first, ana, State.WAITING)
    others = [await queue.add(f"{url}&id=p{number}", ana) for number in range(1, 5)]
    for one in others:
        waiting = await queue.wait_for(one, ana, State.WAITING)
        assert (waiting.reason_code, waiting.attempts) == (ReasonCode.SITE_PAUSED, 0)
        assert waiting.next_attempt_at is not None
    stops = (await queue.parts.whole.show(ana)).stops
    assert [(one.site, one.reason_code) for one in stops] == [("site.test", ReasonCode.RATE_LIMITED)]
    done = [await queue.ended(one, ana, seconds=30) for one in (first, *others)]
    assert {one.state for one in done} == {State.COMPLETED}
    # three were refused, one at a time, and each of the five got through once
    assert (len(marker.read_text()), counter.read_text()) == (8, "x" * 8)
    assert await ROWS.current() == ()


async def test_what_waits_says_the_new_time_when_the_site_asks_once_more(still_queue: Queue, ana: User) -> None:
    pauses, code = still_queue.parts.pauses, ReasonCode.RATE_LIMITED
    one = await still_queue.add("http://site.test/one", ana)
    first = await pauses.complained("site.test", code, "x", 60)
    await pauses.tend(now())
    assert (await still_queue.service.get(one.id, by=ana)).next_attempt_at == first.until_at
    await fetch("UPDATE site_pauses SET until_at = {}", now() - timedelta(seconds=1))  # another download tries
    second = await pauses.complained("site.test", code, "x", 7200)
    assert second.until_at > first.until_at
    assert (await still_queue.service.get(one.id, by=ana)).next_attempt_at == second.until_at


async def test_the_pause_is_still_there_after_a_restart_and_other_sites_go_on(
    still_queue: Queue, ana: User, tmp_path: Path
) -> None:
    await pause("site.test")
    blocked = await still_queue.add("http://site.test/video?id=a", ana)
    free = await still_queue.add("http://other.test/video?id=b", ana)
    await still_queue.start()
    assert (await still_queue.ended(free, ana)).state is State.COMPLETED
    assert (await still_queue.wait_for(blocked, ana, State.WAITING)).reason_code is ReasonCode.SITE_PAUSED
    with pytest.raises(Unavailable, match=r"site\.test asked us to slow down"):
        await still_queue.service.preview("http://site.test/video?id=c", ana)


async def test_an_administrator_lets_a_site_go_on_at_once(queue: Queue, ana: User, owner: User) -> None:
    await pause("site.test")
    download = await queue.add("http://site.test/video?id=a", ana)
    await queue.wait_for(download, ana, State.WAITING)
    await queue.parts.pauses.go_on("site.test", owner)
    assert (await queue.ended(download, ana)).state is State.COMPLETED
    with pytest.raises(NotFound):
        await queue.parts.pauses.go_on("site.test", owner)
    lines = await fetch("SELECT action, target FROM audit_logs ORDER BY id DESC LIMIT 1")
    assert (lines[0]["action"], lines[0]["target"]) == ("download.site_resumed", "site.test")


async def test_a_probe_that_ends_otherwise_hands_its_turn_on(queue: Queue, ana: User, owner: User) -> None:
    await pause("site.test")
    first = await queue.add("http://site.test/slow?id=a&seconds=60", ana)
    second = await queue.add("http://site.test/video?id=b", ana)
    for one in (first, second):
        await queue.wait_for(one, ana, State.WAITING)
    await queue.settings(owner, is_paused=True)
    await queue.parts.pauses.go_on("site.test", owner)
    await queue.wait_for(first, ana, State.QUEUED)
    assert (await queue.service.get(second.id, ana)).state is State.WAITING
    await queue.service.cancel(first.id, ana)
    await queue.settings(owner, is_paused=False)
    assert (await queue.ended(second, ana)).state is State.COMPLETED


async def test_an_answer_that_is_no_wall_ends_the_pause_too(queue: Queue, ana: User, owner: User) -> None:
    await pause("site.test")
    gone = await queue.add("http://site.test/fail?class=gone", ana)
    await queue.wait_for(gone, ana, State.WAITING)
    await queue.parts.pauses.go_on("site.test", owner)
    assert (await queue.ended(gone, ana)).reason_code is ReasonCode.GONE
    assert await ROWS.current() == ()


async def test_what_is_wrong_with_the_machine_stops_everything_and_uses_up_no_try(
    queue: Queue, ana: User, ben: User, tmp_path: Path
) -> None:
    url = f"http://site.test/fail?class=disk_full&times=2&marker={tmp_path}/m&id=a"
    first = await queue.add(url, ana)
    waiting = await queue.wait_for(first, ana, State.WAITING)
    assert (waiting.reason_code, waiting.attempts) == (ReasonCode.DISK_FULL, 0)
    other = await queue.add("http://other.test/video?id=b", ben)
    assert [one.site for one in await queue.parts.pauses.current()] == [EVERYTHING]
    (problem,) = await queue.parts.pauses.problems()
    assert (problem.code, problem.severity) == ("downloads_disk_full", "error")
    for one, person in ((first, ana), (other, ben)):
        assert (await queue.ended(one, person, seconds=30)).state is State.COMPLETED
    assert await queue.parts.pauses.problems() == []


async def test_a_missing_program_stops_only_the_sites_that_need_it(queue: Queue, ana: User) -> None:
    needs = await queue.add("http://site.test/fail?class=javascript_missing&id=a", ana)
    assert (await queue.wait_for(needs, ana, State.WAITING)).reason_code is ReasonCode.JAVASCRIPT_MISSING
    plain = await queue.add("http://other.test/video?id=b", ana)
    assert (await queue.ended(plain, ana)).state is State.COMPLETED
    assert "need a JavaScript runtime" in (await queue.parts.pauses.problems())[0].text


async def test_a_preview_that_meets_the_wall_pauses_the_site_for_all(queue: Queue, ana: User) -> None:
    with pytest.raises(Exception, match="robot"):
        await queue.service.preview("http://site.test/fail?class=bot_check", ana)
    assert [(one.site, one.reason_code) for one in await ROWS.current()] == [("site.test", ReasonCode.BOT_CHECK)]


async def test_what_yt_dlp_can_not_read_is_tried_once_more_with_the_next_version(
    queue: Queue, ana: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medianest.engine.model import EngineChanged

    counter = tmp_path / "c"
    failed = await queue.ended(await queue.add(f"http://site.test/fail?class=engine_error&counter={counter}", ana), ana)
    assert failed.reason_code is ReasonCode.ENGINE_ERROR
    await queue.events.publish(EngineChanged(version="2", from_version="2"))
    # of several processes one that still has the old version may be first: that is not the second try
    await queue.events.publish(EngineChanged(version="2", from_version="1"))
    await queue.wait(failed, ana, lambda _one: counter.read_text() == "xx")
    still = await queue.ended(failed, ana)
    assert "after the next update" in (still.reason or "")
    monkeypatch.setenv("SCRIPTED_VERSION", "2")
    queue.parts.pool.renew()
    await queue.events.publish(EngineChanged(version="2", from_version="1"))
    again = await queue.wait(failed, ana, lambda one: "did not help" in (one.reason or ""))
    assert again.state is State.FAILED
    await queue.events.publish(EngineChanged(version="3", from_version="2"))
    assert (await queue.service.get(failed.id, ana)).state is State.FAILED
    assert counter.read_text() == "xxx"


@pytest.mark.timeout_s(120)
async def test_four_processes_leave_a_site_alone_together_and_one_of_them_tries(
    migrated_database_url: str, database: object, tmp_path: Path
) -> None:
    if not is_postgres():
        pytest.skip("one SQLite database belongs to one process")
    people = [await make_user(name) for name in ("ana", "ben", "cat")]
    queue = Queue(tmp_path / "own", command=scripted_command())
    marker = tmp_path / "m"
    url = f"http://site.test/fail?class=rate_limited&retry_after_s=1&times=2&marker={marker}"
    first = await queue.add(f"{url}&id=x", people[0])
    processes = [
        await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                str(QUEUE_PROCESS),
                migrated_database_url,
                str(tmp_path / "library"),
                str(tmp_path / name),
                name,
            ),
            stdout=asyncio.subprocess.PIPE,
        )
        for name in "abcd"
    ]
    try:
        await queue.wait_for(first, people[0], State.WAITING, seconds=40)
        more = [
            (await queue.add(f"{url}&id={person.username}-{name}", person), person)
            for person in people
            for name in "efgh"
        ]
        for one, person in ((first, people[0]), *more):
            assert (await queue.ended(one, person, seconds=60)).state is State.COMPLETED
    finally:
        for process in processes:
            process.kill()
            await process.wait()
        await queue.stop()
    assert len(marker.read_text()) == 2 + 13  # refused twice, one at a time; each got through once
