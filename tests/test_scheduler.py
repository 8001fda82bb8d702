"""Recurring jobs: run by one process, once for each slot, with the result kept where the owner sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from medianest.database import Engine, fetch
from medianest.errors import Conflict, NotFound, Unavailable
from medianest.events import EventBus
from medianest.scheduler import Job, Scheduler
from medianest.system.model import Outcome, Task, TaskRan
from medianest.system.repository import ScheduledRunRepository


class Rank:
    def __init__(self, is_leader: bool = True) -> None:
        self.is_leader = is_leader


def scheduler_of(
    call: Callable[[], Awaitable[str]], *, rank: Rank | None = None, bus: EventBus | None = None
) -> Scheduler:
    job = Job(name="tidy", title="Tidy up", schedule="Every hour", call=call, every_s=3600)
    return Scheduler((job,), ScheduledRunRepository(), rank or Rank(), bus or EventBus(), "me")


async def finished(scheduler: Scheduler) -> Task:
    while (task := await scheduler.task("tidy")).last_outcome in (None, Outcome.RUNNING):
        await asyncio.sleep(0.01)
    return task


async def test_run_now_keeps_the_result_and_tells_the_others(database: Engine) -> None:
    told: list[TaskRan] = []
    bus = EventBus()

    async def listen(event: TaskRan) -> None:
        told.append(event)

    async def tidy() -> str:
        return "Removed 3 things."

    bus.subscribe(TaskRan, listen)
    scheduler = scheduler_of(tidy, bus=bus)
    await scheduler.run_now("tidy")
    task = await finished(scheduler)
    assert (task.last_outcome, task.last_message) == (Outcome.OK, "Removed 3 things.")
    assert task.last_started_at is not None
    while not told:  # the others are told after the result is kept
        await asyncio.sleep(0.01)
    await scheduler.stop()
    assert told == [TaskRan(name="tidy", outcome=Outcome.OK)]


async def test_a_second_run_now_is_refused_while_the_first_one_runs(database: Engine) -> None:
    gate = asyncio.Event()

    async def tidy() -> str:
        await gate.wait()
        return "Done."

    scheduler = scheduler_of(tidy)
    assert (await scheduler.run_now("tidy")).is_running
    with pytest.raises(Conflict, match="running already"):
        await scheduler.run_now("tidy")
    gate.set()
    await finished(scheduler)
    await scheduler.stop()


@pytest.mark.parametrize(
    ("error", "words"),
    [(Unavailable("The disk is away."), "The disk is away."), (ValueError("secret detail"), "The log says more")],
)
async def test_a_job_that_fails_says_why_and_runs_again_next_time(
    database: Engine, error: Exception, words: str
) -> None:
    async def tidy() -> str:
        raise error

    scheduler = scheduler_of(tidy)
    await scheduler.run_now("tidy")
    task = await finished(scheduler)
    assert task.last_outcome is Outcome.FAILED
    assert words in task.last_message
    assert "secret detail" not in task.last_message
    await scheduler.run_now("tidy")
    await finished(scheduler)
    await scheduler.stop()


async def test_an_unknown_job_is_not_found(database: Engine) -> None:
    async def tidy() -> str:
        return ""

    with pytest.raises(NotFound):
        await scheduler_of(tidy).run_now("other")


async def test_of_several_processes_that_tick_at_once_one_runs_the_job(database: Engine) -> None:
    runs: list[int] = []

    def counted(number: int) -> Callable[[], Awaitable[str]]:
        async def tidy() -> str:
            runs.append(number)
            return "Done."

        return tidy

    schedulers = [scheduler_of(counted(number)) for number in range(4)]
    await asyncio.gather(*(one._tick("tidy") for one in schedulers))
    await finished(schedulers[0])
    assert len(runs) == 1
    assert len(await fetch("SELECT id FROM scheduled_runs")) == 1
    for one in schedulers:
        await one.stop()


async def test_a_process_that_does_not_lead_lets_the_tick_pass(database: Engine) -> None:
    async def tidy() -> str:
        raise AssertionError("it must not run")

    scheduler = scheduler_of(tidy, rank=Rank(is_leader=False))
    await scheduler._tick("tidy")
    assert await fetch("SELECT id FROM scheduled_runs") == []


async def test_a_run_that_was_cut_off_shows_as_failed_after_the_next_start(database: Engine) -> None:
    never = asyncio.Event()

    async def tidy() -> str:
        await never.wait()
        return ""

    first = scheduler_of(tidy)
    await first.run_now("tidy")
    await first.stop()
    second = scheduler_of(tidy)
    await second.start()
    try:
        task = await second.task("tidy")
        assert task.last_outcome is Outcome.FAILED
        assert "stopped while this ran" in task.last_message
        assert task.next_run_at is not None
    finally:
        await second.stop()


async def test_after_the_start_what_is_often_due_runs_before_what_is_done_once_a_night(database: Engine) -> None:
    async def call() -> str:
        return "Done."

    nightly = Job(name="nightly", title="Tidy up", schedule="Every night", call=call, at_hour=3)
    often = Job(name="often", title="Look", schedule="Every minute", call=call, every_s=60)
    scheduler = Scheduler((nightly, often), ScheduledRunRepository(), Rank(), EventBus(), "me")
    await scheduler.start()
    begins = {task.name: task.next_run_at for task in await scheduler.tasks()}
    await scheduler.stop()
    assert begins["often"] is not None
    assert begins["nightly"] is not None
    assert begins["often"] < begins["nightly"]
