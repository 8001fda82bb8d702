"""Processes that die: their downloads go on elsewhere, soon, once, and from where they were."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import Engine, fetch
from medianest.database.relay import PostgresRelay
from medianest.downloads.assembly import Rules
from medianest.downloads.dispatcher import DispatcherRules
from medianest.downloads.model import DownloadState
from medianest.downloads.recovery import Owner, is_running
from medianest.downloads.repository.claims import ClaimRepository
from medianest.instance import start_ticks
from tests.downloads.running_queue import QUICK, Queue, scripted_command

State = DownloadState
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")
SLOW = "http://site.test/slow?id=slow&seconds=600"


class Other:
    """A queue in a process of its own."""

    def __init__(self, url: str, library: Path, data: Path, instance: str, *more: str) -> None:
        script = Path(__file__).with_name("queue_process.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), url, str(library), str(data), instance, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    async def started(self) -> None:
        assert self.process.stdout is not None
        assert await asyncio.to_thread(self.process.stdout.readline) == "started\n"

    def kill(self, number: int = signal.SIGKILL) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def owner(**change: object) -> Owner:
    known = {"instance": "i", "run": "r", "host": "h", "pid": os.getpid(), "start": start_ticks(os.getpid())}
    return Owner(**{**known, **change})  # type: ignore[arg-type]


@linux_only
def test_who_is_known_to_be_dead() -> None:
    me = owner()
    assert not me.knows_dead(str(me))
    assert me.knows_dead(str(owner(run="earlier")))  # its data folder is ours now
    assert not me.knows_dead(str(owner(instance="other", run="x")))  # that process is alive
    assert me.knows_dead(str(owner(instance="other", run="x", start="1")))  # its number was given anew
    assert me.knows_dead(str(owner(instance="other", run="x", pid=2**22 + 7)))
    assert not me.knows_dead(str(owner(instance="other", run="x", host="elsewhere", pid=2**22 + 7)))
    assert not me.knows_dead("something else")


@linux_only
def test_a_process_that_nobody_has_buried_yet_is_dead() -> None:
    child = subprocess.Popen(["sleep", "60"])
    start = start_ticks(child.pid)
    assert is_running(child.pid, start)
    child.send_signal(signal.SIGKILL)
    for _try in range(100):
        if not is_running(child.pid, start):
            break
        import time

        time.sleep(0.02)
    assert not is_running(child.pid, start)
    child.wait()


@linux_only
async def test_a_killed_process_is_taken_over_within_five_seconds_and_nothing_goes_on_writing(
    database: Engine, migrated_database_url: str, tmp_path: Path, ana: User
) -> None:
    library = tmp_path / "library"
    instance = uuid.uuid4().hex
    other = Other(migrated_database_url, library, tmp_path / "other", instance)
    mine = Queue(tmp_path, command=scripted_command(), library=library)
    try:
        await other.started()
        download = await mine.add(SLOW, ana)
        await mine.wait_for(download, ana, State.DOWNLOADING)
        part = library / ".medianest" / "jobs" / str(download.id) / "media.x.mp4.part"
        while not part.exists() or part.stat().st_size < 5:
            await asyncio.sleep(0.05)
        other.kill()
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(0.2)
        size = part.stat().st_size
        await asyncio.sleep(0.3)
        assert part.stat().st_size == size  # the worker died with its server
        await mine.start()
        while part.stat().st_size <= size:
            assert asyncio.get_running_loop().time() - began < 20  # its lease is longer
            await asyncio.sleep(0.05)
        found = await mine.service.get(download.id, ana)
        assert (found.state, found.attempts) == (State.DOWNLOADING, 1)
    finally:
        other.kill()
        await mine.stop()


async def test_an_owner_that_does_not_renew_its_lease_loses_its_claim(
    database: Engine, tmp_path: Path, ana: User
) -> None:
    queue = Queue(tmp_path, command=scripted_command())
    download = await queue.add("http://site.test/video?id=lease", ana)
    stranger = ClaimRepository("elsewhere/run/host/1/1")
    now = datetime.now(UTC)
    claims = await stranger.claim(limit=3, most=3, at=now, lease_until=now + timedelta(seconds=3))
    assert [claim.id for claim in claims] == [download.id]
    await queue.start()
    try:
        await asyncio.sleep(0.5)
        assert (await queue.service.get(download.id, ana)).state is State.DOWNLOADING
        done = await queue.ended(download, ana)
        assert (done.state, done.attempts) == (State.COMPLETED, 2)
        late = await stranger.end(claims[0], State.FAILED, at=datetime.now(UTC))
        assert late is None
        assert (await queue.service.get(download.id, ana)).state is State.COMPLETED
    finally:
        await queue.stop()


async def test_a_stop_gives_the_claims_back_and_leaves_no_worker(queue: Queue, ana: User) -> None:
    downloads = [await queue.add(f"http://site.test/slow?id=s{number}", ana) for number in range(3)]
    for download in downloads:
        await queue.wait(download, ana, lambda found: found.progress.percent is not None)
    groups = [child.pid for child in queue.parts.pool._busy]
    await queue.stop()
    assert len(groups) == 3
    for group in groups:
        with pytest.raises(ProcessLookupError):
            os.killpg(group, 0)
    for download in downloads:
        found = await queue.service.get(download.id, ana)
        assert (found.state, found.attempts) == (State.QUEUED, 0)


async def test_a_claim_that_no_job_works_on_goes_back_to_the_line(queue: Queue, ana: User) -> None:
    download = await queue.add("http://site.test/video?id=stray", ana)
    await queue.ended(download, ana)
    await fetch(
        "UPDATE download_queue SET state = 'downloading', owner = {}, lease_until = {} WHERE id = {}",
        *(queue.owner, datetime.now(UTC) + timedelta(seconds=60), download.id),
    )
    done = await queue.wait_for(download, ana, State.COMPLETED)
    assert done.state is State.COMPLETED


async def test_after_a_crash_between_rename_and_commit_nothing_is_fetched_again(
    queue: Queue, ana: User, tmp_path: Path
) -> None:
    counter = tmp_path / "asked"
    done = await queue.ended(await queue.add(f"http://site.test/video?id=k1&counter={counter}", ana), ana)
    assert counter.read_text() == "x"
    await fetch(
        "UPDATE download_history SET filed_at = NULL"
    )  # as it was before the commit: planned, and the file in place
    await fetch(
        "UPDATE download_queue SET state = 'processing', owner = 'gone/run/host/1/1', lease_until = {} WHERE id = {}",
        *(datetime.now(UTC) - timedelta(seconds=1), done.id),
    )
    again = await queue.wait_for(done, ana, State.COMPLETED)
    assert again.files == done.files
    assert counter.read_text() == "x"


@pytest.fixture
async def two_processes(
    database: Engine, migrated_database_url: str, database_kind: str, tmp_path: Path
) -> AsyncIterator[tuple[Queue, Path]]:
    if database_kind != "postgres":
        pytest.skip("one SQLite database belongs to one process")
    library = tmp_path / "library"
    rules = Rules(retries=QUICK.retries, dispatcher=DispatcherRules(tick_s=0.1))
    mine = Queue(tmp_path, command=scripted_command(), library=library, rules=rules)
    relay = PostgresRelay(migrated_database_url, mine.events)
    await relay.start()
    other = Other(migrated_database_url, library, tmp_path / "other", uuid.uuid4().hex)
    try:
        await other.started()
        yield mine, library
    finally:
        other.kill()
        await mine.stop()
        await relay.stop()


@pytest.mark.timeout_s(90)
async def test_two_processes_share_the_work_and_do_each_piece_once(
    two_processes: tuple[Queue, Path], owner: User, tmp_path: Path
) -> None:
    mine, _library = two_processes
    await mine.start()
    counters = [tmp_path / f"asked-{number}" for number in range(30)]
    downloads = [
        await mine.add(f"http://site.test/video?id=n{number}&counter={counter}", owner)
        for number, counter in enumerate(counters)
    ]
    for download in downloads:
        assert (await mine.ended(download, owner, 40)).state is State.COMPLETED
    assert [counter.read_text() for counter in counters] == ["x"] * 30
    episodes = await fetch("SELECT episode FROM download_history ORDER BY episode")
    assert [row["episode"] for row in episodes] == list(range(31501, 31531))
    assert len([name for name in mine.files() if name.endswith(".mp4")]) == 30


async def test_a_cancel_reaches_the_process_that_downloads(two_processes: tuple[Queue, Path], ana: User) -> None:
    mine, library = two_processes  # it is not started: the other process does the work
    download = await mine.add(SLOW, ana)
    found = await mine.wait(download, ana, lambda one: one.progress.percent is not None)
    assert found.state is State.DOWNLOADING  # its figures came over the relay
    part = library / ".medianest" / "jobs" / str(download.id) / "media.x.mp4.part"
    await mine.service.cancel(download.id, ana)
    await asyncio.sleep(1)
    size = part.stat().st_size
    await asyncio.sleep(0.3)
    assert part.stat().st_size == size
