"""The recurring jobs: one table of name, schedule and what it calls, run by one process.

APScheduler gives the ticks. A run first takes its slot in the database, so that several instances on one Postgres run it
once, and its result is kept there.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from medianest.errors import Conflict, MediaNestError, NotFound
from medianest.events import EventBus
from medianest.system.model import Outcome, Task, TaskRan
from medianest.system.repository import ScheduledRunRepository

log = logging.getLogger(__name__)

SOON = timedelta(seconds=60)  # after the start, for what was missed
APART = timedelta(seconds=5)  # one of them after the other


class Leader(Protocol):
    is_leader: bool


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    `call` gives a sentence about what it did. `every_s` is its interval; with `at_hour` it runs daily at that hour (UTC).
    """

    name: str
    title: str
    schedule: str
    call: Callable[[], Awaitable[str]]
    every_s: int = 24 * 3600
    at_hour: int | None = None


class Scheduler:
    """Runs the jobs of the table on the leader and remembers how it went."""

    def __init__(
        self, jobs: Sequence[Job], runs: ScheduledRunRepository, leader: Leader, events: EventBus, owner: str
    ) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._runs = runs
        self._leader = leader
        self._events = events
        self._owner = owner
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._scheduler: Any = None

    async def start(self) -> None:
        """Plan every job; what was missed while MediaNest was off runs a minute after the start."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.cron import CronTrigger
        from apscheduler.triggers.interval import IntervalTrigger

        now = datetime.now(UTC)
        if self._leader.is_leader:
            await self._runs.close_abandoned(at=now, started_before=now)
        scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
        )
        # how a request stands is waited for, what is done once a night is not
        places = {job.name: place for place, job in enumerate(sorted(self._jobs.values(), key=lambda job: job.every_s))}
        for number, job in enumerate(self._jobs.values()):
            trigger = (
                IntervalTrigger(seconds=job.every_s, timezone=UTC)
                if job.at_hour is None
                else CronTrigger(hour=job.at_hour, minute=(10 + number * 5) % 60, timezone=UTC)
            )
            last = await self._runs.last(job.name)
            is_due = last is None or now - last["started_at"] > timedelta(seconds=job.every_s)
            first = {"next_run_time": now + SOON + APART * places[job.name]} if is_due else {}
            scheduler.add_job(self._tick, trigger, args=(job.name,), id=job.name, **first)
        scheduler.start()
        self._scheduler = scheduler

    async def stop(self) -> None:
        """No more ticks; a running job is cancelled and shows as failed at the next start."""
        if self._scheduler:
            self._scheduler.shutdown(wait=False)
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def tasks(self) -> tuple[Task, ...]:
        """Every job with its last run."""
        return tuple([await self.task(name) for name in self._jobs])

    async def task(self, name: str) -> Task:
        job = self._get(name)
        last = await self._runs.last(name)
        planned = self._scheduler.get_job(name) if self._scheduler else None
        task = Task(
            name=job.name,
            title=job.title,
            schedule=job.schedule,
            next_run_at=planned.next_run_time if planned else None,
        )
        if last is None:
            return task
        ended = last["finished_at"]
        return msgspec.structs.replace(
            task,
            is_running=last["outcome"] == Outcome.RUNNING,
            # a board without a clock may have written a time in the future: that counts as never
            last_started_at=last["started_at"] if last["started_at"] <= datetime.now(UTC) + SOON else None,
            last_duration_s=(ended - last["started_at"]).total_seconds() if ended else None,
            last_outcome=Outcome(last["outcome"]),
            last_message=last["message"],
        )

    async def run_now(self, name: str) -> Task:
        """Start the job at once, in this process; its schedule stays.

        Raises:
            NotFound: there is no such job.
            Conflict: it runs already.
        """
        job = self._get(name)
        if (await self.task(name)).is_running:
            raise Conflict(f"“{job.title}” is running already. Wait until it has ended.")
        await self._begin(job, f"now-{uuid.uuid4().hex}")
        return await self.task(name)

    def _get(self, name: str) -> Job:
        if name not in self._jobs:
            raise NotFound(f"There is no task called {name}.")
        return self._jobs[name]

    async def _tick(self, name: str) -> None:
        job = self._jobs[name]
        if self._leader.is_leader and name not in self._running:
            await self._begin(job, f"slot-{int(time.time()) // min(job.every_s, 3600)}")

    async def _begin(self, job: Job, slot: str) -> None:
        run_id = await self._runs.begin(job.name, slot, owner=self._owner, at=datetime.now(UTC))
        if run_id is not None:
            task = asyncio.create_task(self._run(job, run_id), name=f"task {job.name}")
            self._running[job.name] = task
            task.add_done_callback(lambda _done: self._running.pop(job.name, None))

    async def _run(self, job: Job, run_id: int) -> None:
        try:
            outcome, message = Outcome.OK, await job.call()
        except MediaNestError as error:
            outcome, message = Outcome.FAILED, error.message
        except Exception as error:
            log.exception("Task %s failed", job.name)
            outcome, message = Outcome.FAILED, f"It failed with an error ({type(error).__name__}). The log says more."
        await self._runs.finish(run_id, outcome, message, at=datetime.now(UTC))
        log.info("Task %s: %s", job.name, message)
        await self._events.publish(TaskRan(name=job.name, outcome=outcome))
