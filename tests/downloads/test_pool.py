"""Warm workers: how many there are, how long they stay, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from medianest.downloads.child import WorkerDied, group_is_there
from medianest.downloads.pool import PoolRules, WorkerPool
from medianest.processes import own_child_env
from tests.downloads.running_queue import scripted_command


async def configuration() -> Mapping[str, Any]:
    return {"op": "configure"}


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[WorkerPool]:
    made = WorkerPool(
        scripted_command(), own_child_env, configuration, tmp_path / "temp" / "run", PoolRules(jobs_per_worker=3)
    )
    yield made
    await made.stop()


async def test_a_worker_is_used_again_and_replaced_after_its_jobs(pool: WorkerPool) -> None:
    pids = []
    for _number in range(4):
        child = await pool.acquire()
        pids.append(child.pid)
        pool.release(child)
    assert pids[0] == pids[1] == pids[2] != pids[3]
    assert pool.version == "1.2.3"


async def test_a_worker_that_has_done_its_jobs_leaves_a_warm_spare_in_its_place(pool: WorkerPool) -> None:
    for _number in range(3):
        child = await pool.acquire()
        pool.release(child)
    assert pool.size == 1  # on its way, before anybody asks
    spare = await pool.acquire()
    assert (spare.pid != child.pid, pool.size) == (True, 1)
    pool.release(spare)


async def test_the_one_that_is_being_warmed_is_the_one_that_is_handed_out(pool: WorkerPool) -> None:
    pool.warm()
    pool.warm()
    assert pool.size == 1
    child = await pool.acquire()
    assert pool.size == 1
    pool.release(child)


async def test_a_discarded_worker_is_gone_with_all_it_started(pool: WorkerPool, tmp_path: Path) -> None:
    child = await pool.acquire()
    await child.send(
        {"op": "extract", "url": "http://site.test/slow?child=yes", "staging": str(tmp_path), "options": {}}
    )
    await child.receive(5)
    await child.send({"op": "download"})
    await child.receive(5)
    await pool.discard(child)
    assert not group_is_there(child.pid)
    assert pool.size == 0


async def test_what_a_worker_started_ends_when_the_worker_dies(pool: WorkerPool, tmp_path: Path) -> None:
    child = await pool.acquire()
    await child.send(
        {"op": "extract", "url": "http://site.test/slow?child=yes", "staging": str(tmp_path), "options": {}}
    )
    await child.receive(5)
    await child.send({"op": "download"})
    await child.receive(5)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        while True:
            await child.receive(5)
    for _try in range(100):
        if not group_is_there(child.pid):
            break
        await asyncio.sleep(0.01)
    assert not group_is_there(child.pid)
    await pool.discard(child)


async def test_one_spare_is_kept_and_none_after_a_quiet_time(pool: WorkerPool) -> None:
    children = [await pool.acquire() for _number in range(3)]
    for child in children:
        pool.release(child)
    assert pool.size == 3
    pool.trim(time.monotonic() + 11)
    assert pool.size == 1
    pool.trim(time.monotonic() + 301)
    assert pool.size == 0


async def test_after_another_version_was_chosen_idle_workers_end_and_busy_ones_finish_what_they_do(
    pool: WorkerPool,
) -> None:
    busy, idle = await pool.acquire(), await pool.acquire()
    pool.release(idle)
    starting = asyncio.create_task(pool.acquire())
    taken = await starting  # the idle one again
    assert taken is idle
    begun = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0)  # a start that began with the version before
    pool.renew()
    fresh = await begun
    assert fresh not in (busy, idle)
    assert pool.last_started is fresh
    assert busy.is_alive
    pool.release(busy)
    pool.release(taken)
    assert not busy.is_alive
    assert not taken.is_alive
    pool.release(fresh)
    assert (await pool.acquire()) is fresh


async def test_a_worker_that_can_not_start_says_so(tmp_path: Path) -> None:
    pool = WorkerPool(["/nowhere/medianest"], own_child_env, configuration, tmp_path / "t" / "r")
    with pytest.raises(WorkerDied, match="can not be started"):
        await pool.acquire()
    await pool.stop()
    with pytest.raises(WorkerDied):
        await pool.acquire()


async def test_a_worker_that_ends_at_once_says_so(tmp_path: Path) -> None:
    pool = WorkerPool(["/bin/false"], own_child_env, configuration, tmp_path / "t" / "r")
    with pytest.raises(WorkerDied):
        await pool.acquire()
    await pool.stop()


async def test_who_gives_up_waiting_leaves_the_worker_to_the_next(pool: WorkerPool) -> None:
    waiting = asyncio.create_task(pool.acquire())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    child = await pool.acquire()
    assert pool.size == 1
    pool.release(child)


async def test_nothing_secret_and_no_folder_of_ours_is_in_a_workers_environment(
    pool: WorkerPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIANEST_SECRET_KEY", "s3cret")
    monkeypatch.setenv("PGPASSWORD", "s3cret")
    child = await pool.acquire()
    if Path(f"/proc/{child.pid}/environ").exists():
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        assert b"s3cret" not in environment
        assert b"TMPDIR=" + str(tmp_path / "temp" / "run").encode() in environment
    pool.release(child)


async def test_folders_of_earlier_runs_are_removed(pool: WorkerPool, tmp_path: Path) -> None:
    old = tmp_path / "temp" / "earlier" / "worker-1"
    old.mkdir(parents=True)
    child = await pool.acquire()
    assert not old.exists()
    await pool.discard(child)
    assert list((tmp_path / "temp" / "run").iterdir()) == []
