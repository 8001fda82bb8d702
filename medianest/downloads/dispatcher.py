"""One loop for each process: claims what is next in line, starts it, keeps the claims alive, takes over from the dead."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.database.relay import RelayResumed
from medianest.downloads.bandwidth import divide
from medianest.downloads.endings import JobTools
from medianest.downloads.holding import QueueChanged
from medianest.downloads.job import DownloadJob
from medianest.downloads.model import (
    ACTIVE_STATES,
    DownloadCreated,
    DownloadRemoved,
    DownloadState,
    DownloadStateChanged,
    QueueSettings,
    QueueSettingsChanged,
    RecordingEndWanted,
)
from medianest.downloads.night import lowest_priority
from medianest.downloads.recovery import Owner
from medianest.downloads.repository.rows import Changed
from medianest.downloads.repository.settings import QueueSettingsRepository

log = logging.getLogger(__name__)

LONGEST_TROUBLE_S = 30.0  # between looks at a database that does not answer


class DispatcherRules(msgspec.Struct, frozen=True, kw_only=True):
    """The loop's times in seconds."""

    tick_s: float = 1.0
    gather_s: float = 0.03  # after a new download, before the queue is looked at
    gather_most_s: float = 0.25  # when one comes after the other
    lease_s: float = 60.0
    heartbeat_s: float = 15.0
    recovery_s: float = 2.0
    settings_s: float = 10.0  # read again this often, in case another process changed them unheard
    stop_s: float = 2.0


class Dispatcher:
    """Runs downloads in this process, as many at once as the settings allow over all processes together."""

    def __init__(
        self,
        owner: Owner,
        tools: JobTools,
        settings: QueueSettingsRepository,
        rules: DispatcherRules = DispatcherRules(),  # noqa: B008  # frozen
    ) -> None:
        self._owner = owner
        self._tools = tools
        self._settings_rows = settings
        self._rules = rules
        self._running: dict[int, tuple[DownloadJob, asyncio.Task[None]]] = {}
        self._removed: set[int] = set()
        self._wake = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._gather_end = 0.0
        self._loop: asyncio.Task[None] | None = None
        self._settings = QueueSettings()
        self._settings_until = float("-inf")
        self._beaten_at = self._recovered_at = float("-inf")
        self._must_verify = False
        self._stopping = asyncio.Event()
        events = tools.events
        events.subscribe(DownloadCreated, self._on_created)
        events.subscribe(DownloadStateChanged, self._on_state_changed)
        events.subscribe(DownloadRemoved, self._on_removed)
        events.subscribe(QueueChanged, self._on_queue_changed)
        events.subscribe(RecordingEndWanted, self._on_recording_end_wanted)
        events.subscribe(QueueSettingsChanged, self._on_settings_changed)
        events.subscribe(RelayResumed, self._on_relay_resumed)

    @property
    def running(self) -> tuple[int, ...]:
        """Ids of the downloads that run in this process."""
        return tuple(self._running)

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    async def start(self) -> None:
        """Begin; what a dead process left behind is taken over in the first round."""
        self._loop = asyncio.create_task(self._run(), name="download dispatcher")

    async def stop(self) -> None:
        """End every worker and give the claims back, so that another process or the next run goes on at once."""
        self._stopping.set()
        self.wake()
        if self._loop:  # its round ends in peace: a query that is cut off costs a connection
            await asyncio.wait([self._loop], timeout=self._rules.stop_s / 2)
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        tasks = [task for _job, task in self._running.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=self._rules.stop_s)
        try:
            async with asyncio.timeout(self._rules.stop_s):
                for ended in await self._tools.claims.take_back(str(self._owner), _now()):
                    await self._tools.announcer.ended(ended)
        except Exception:
            log.exception("The claims could not be given back; the next start takes them over")

    async def _run(self) -> None:
        trouble_s = self._rules.tick_s
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                await self._round()
                trouble_s = self._rules.tick_s
            except Exception:
                log.exception("The download queue could not be looked at; it is tried again in %.0f s", trouble_s)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(trouble_s):
                        await self._stopping.wait()
                trouble_s = min(trouble_s * 2, LONGEST_TROUBLE_S)
            if self._stopping.is_set():
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rules.tick_s):
                    await self._wake.wait()

    async def _round(self) -> None:
        """Everything the loop does, one after the other, so that no two parts see each other's half-done work."""
        now = time.monotonic()
        if now - self._beaten_at >= self._rules.heartbeat_s:
            self._beaten_at = now
            self._must_verify = False
            await self._reconcile(await self._tools.claims.renew(self._lease_until()))
        elif self._must_verify:
            self._must_verify = False
            await self._reconcile(await self._tools.claims.mine())
        if now - self._recovered_at >= self._rules.recovery_s:
            self._recovered_at = now
            await self._take_over()
        at = _now()
        await self._tools.pauses.tend(at)
        for row in await self._tools.claims.due(at):
            ended = await self._tools.claims.wake(row, at)
            if ended is not None:
                await self._tools.announcer.ended(ended)
        await self._claim(now)

    async def _claim(self, now: float) -> None:
        if now >= self._settings_until:
            self._settings_until = now + self._rules.settings_s  # before the reading: a change meanwhile undoes it
            self._settings = await self._settings_rows.get()
        settings = self._settings
        await self._start_next(settings)
        await divide(settings, (job for job, _task in self._running.values()), self._tools.claims)

    async def _start_next(self, settings: QueueSettings) -> None:
        room = settings.concurrent_downloads - len(self._running)
        lowest = lowest_priority(settings, _now())
        if settings.is_paused or room <= 0 or lowest is None or self._stopping.is_set():
            return
        claims = await self._tools.claims.claim(
            limit=settings.concurrent_downloads,
            most=room,
            at=_now(),
            lease_until=self._lease_until(),
            per_person=settings.per_person_downloads,
            lowest=lowest,
            breath_s=self._breath_s,
            but=self.running,  # paused and resumed at once: its worker, which is about to end, still writes to the part
        )
        for claim in claims:
            job = DownloadJob(claim, self._tools, settings)
            task = asyncio.create_task(self._carry_out(job), name=f"download {claim.id}")
            self._running[claim.id] = (job, task)
        for claim in claims:
            changed = Changed(id=claim.id, parent_id=claim.parent_id, state=DownloadState.DOWNLOADING)
            await self._tools.announcer.refreshed(changed)

    def _breath_s(self, site: str) -> float:
        """Seconds of peace for a site after one of its videos was begun: chance decides, so that no pattern shows."""
        rules = self._tools.rules
        return random.uniform(*rules.polite_pause_s) if site in rules.polite_sites else 0.0  # noqa: S311  # no secret

    async def _carry_out(self, job: DownloadJob) -> None:
        claim = job.claim
        try:
            await job.run()
        except asyncio.CancelledError:
            log.info("Download %d was ended", claim.id)
        except Exception:
            log.exception("Download %d broke off; its claim is given back", claim.id)
        finally:
            self._running.pop(claim.id, None)
            self._must_verify = True  # a claim that its job could not end is found there
            self.wake()
        if claim.id in self._removed or claim.parent_id in self._removed:
            self._removed.discard(claim.id)
            await asyncio.to_thread(self._tools.library.discard, claim.id)

    async def _reconcile(self, mine: set[int]) -> None:
        """End what is not ours any more, and give back what is ours in the table only."""
        for download_id in set(self._running) - mine:
            job, task = self._running[download_id]
            if not job.is_ending and not task.cancelling():  # a second word would end the wait for its worker's end
                task.cancel()
        stray = mine - set(self._running)
        if stray:
            for ended in await self._tools.claims.take_back(str(self._owner), _now(), ids=stray):
                await self._tools.announcer.ended(ended)

    async def _take_over(self) -> None:
        for owner in await self._tools.claims.owners():
            if self._owner.knows_dead(owner):
                taken = await self._tools.claims.take_back(owner, _now())
                if taken:
                    log.warning("%d downloads of a process that died are taken over", len(taken))
                for ended in taken:
                    await self._tools.announcer.ended(ended)
        for ended in await self._tools.claims.take_expired(_now()):
            await self._tools.announcer.ended(ended)

    def _lease_until(self) -> datetime:
        return _now() + timedelta(seconds=self._rules.lease_s)

    async def _on_created(self, event: DownloadCreated) -> None:
        del event
        # a moment after the last one: who pastes twenty links gets twenty answers before the work begins
        loop = asyncio.get_running_loop()
        if self._gathering is None or self._gathering.when() <= loop.time():
            self._gather_end = loop.time() + self._rules.gather_most_s
        else:
            self._gathering.cancel()
        self._gathering = loop.call_at(min(loop.time() + self._rules.gather_s, self._gather_end), self.wake)

    async def _on_state_changed(self, event: DownloadStateChanged) -> None:
        if event.state in ACTIVE_STATES:
            return
        if event.download_id in self._running:
            self._must_verify = True  # the event may be older than our claim: the table decides
            self.wake()
        elif any(job.claim.parent_id == event.download_id for job, _task in self._running.values()):
            self._must_verify = True
            self.wake()
        elif event.state is DownloadState.QUEUED:
            self.wake()

    async def _on_removed(self, event: DownloadRemoved) -> None:
        for job, task in tuple(self._running.values()):
            if event.download_id in (job.claim.id, job.claim.parent_id):
                self._removed.add(event.download_id)
                if not task.cancelling():
                    task.cancel()

    async def _on_queue_changed(self, event: QueueChanged) -> None:
        del event
        self._must_verify = self._must_verify or bool(self._running)
        self.wake()

    async def _on_recording_end_wanted(self, event: RecordingEndWanted) -> None:
        if event.download_id in self._running:
            await self._running[event.download_id][0].end_recording()

    async def _on_settings_changed(self, event: QueueSettingsChanged) -> None:
        del event
        self._settings_until = float("-inf")
        self.wake()

    async def _on_relay_resumed(self, event: RelayResumed) -> None:
        del event
        self._must_verify = True
        self._settings_until = float("-inf")
        self.wake()


def _now() -> datetime:
    return datetime.now(UTC)
