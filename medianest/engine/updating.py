"""Updates: one at a time, each with its outcome written down."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from medianest.accounts.model import User
from medianest.engine.fetching import Fetched, Fetcher
from medianest.engine.installing import Installer
from medianest.engine.model import (
    Channel,
    CurrentEngine,
    EngineChanged,
    EngineUpdateDue,
    EngineUpdateMoved,
    Outcome,
    RunningUpdate,
    Step,
    Way,
)
from medianest.engine.refusals import Refused
from medianest.engine.repository import EngineRepository
from medianest.engine.service import EngineService
from medianest.engine_folder import is_version
from medianest.errors import Conflict, MediaNestError, UpstreamFailed
from medianest.events import EventBus

log = logging.getLogger(__name__)

KEPT = timedelta(days=365)


class EngineUpdates:
    """Known to handlers as `engine_updates`.

    Args:
        instance: name of the data folder; the updates of several are told apart by it.
    """

    def __init__(
        self,
        instance: str,
        engine: EngineService,
        repository: EngineRepository,
        fetcher: Fetcher,
        installer: Installer,
        events: EventBus,
    ) -> None:
        self._instance = instance
        self._engine = engine
        self._repository = repository
        self._fetcher = fetcher
        self._installer = installer
        self._events = events
        self._running: RunningUpdate | None = None
        self._task: asyncio.Task[str] | None = None
        events.subscribe(EngineUpdateDue, self._on_due)

    @property
    def running(self) -> RunningUpdate | None:
        """The update that goes on in this process."""
        return self._running

    @property
    def source(self) -> str:
        """The address of the release page."""
        return self._fetcher.source

    @property
    def drop_folder(self) -> str:
        """Where a release may be put by hand."""
        return str(self._fetcher.drop_folder)

    async def stop(self) -> None:
        """Cut off a running update: everything stays as it was."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._fetcher.close()

    async def begin_update(self, *, by: User, address: str = "") -> None:
        """Look for a newer version now, beside everything else.

        Raises:
            Conflict: an update goes on.
        """
        self._begin(Way.BUTTON, None, by, address)

    async def begin_file(self, program: bytes, sums: str, *, by: User, address: str = "") -> None:
        """Take a release that somebody brought along; raises Conflict."""
        self._begin(Way.FILE, Fetched(program=program, sums=sums), by, address)

    def _begin(self, way: Way, brought: Fetched | None, by: User, address: str) -> None:
        if self._engine.lock.locked() or (self._task is not None and not self._task.done()):
            raise Conflict("An update of yt-dlp is running already. Wait until it has ended.", code="update_running")
        self._running = RunningUpdate(way=way, step=Step.LOOKING)
        self._task = asyncio.create_task(self._update(way, brought, by, address), name="engine update")

    async def wait(self) -> None:
        """Until the update that was begun has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def update_daily(self) -> str:
        """What the scheduler calls, in one of several processes: the others learn of it. Gives a sentence."""
        await self._repository.clean(before=datetime.now(UTC) - KEPT)
        await self._events.publish(EngineUpdateDue(instance=self._instance))
        if self._engine.lock.locked():
            return "An update was running already."
        return await self._update(Way.DAILY, None, None, "")

    async def _on_due(self, event: EngineUpdateDue) -> None:
        is_free = self._task is None or self._task.done()
        if event.instance != self._instance and is_free and not self._engine.lock.locked():
            self._task = asyncio.create_task(self._update(Way.DAILY, None, None, ""), name="engine update")
            self._task.add_done_callback(_let_go)

    async def _update(self, way: Way, brought: Fetched | None, by: User | None, address: str) -> str:
        async with self._engine.lock:
            current = await self._engine.current()
            try:
                outcome, version, code, text = await self._outcome(way, brought, current)
            finally:
                self._running = None
            if way is not Way.DAILY or outcome is not Outcome.CURRENT or await self._has_failed():
                await self._engine.keep(way, outcome, version, current.version, code, text, by, address)
        if outcome is Outcome.CHANGED:
            await self._events.publish(EngineChanged(version=version, from_version=current.version))
        await self._events.publish(EngineUpdateMoved(step=""))
        if outcome in (Outcome.REFUSED, Outcome.FAILED) and way is Way.DAILY:
            raise MediaNestError(text, code=code)  # so that the list of tasks shows it
        return text

    async def _has_failed(self) -> bool:
        """Whether the last thing that was written down is a failure: then it is news that all is well."""
        last = await self._repository.updates(limit=1)
        return bool(last) and last[0].outcome in (Outcome.REFUSED, Outcome.FAILED)

    async def _outcome(
        self, way: Way, brought: Fetched | None, current: CurrentEngine
    ) -> tuple[Outcome, str, str, str]:
        """How it went, with the new version, a code, and a sentence for people."""
        try:
            await self._say(way, Step.LOOKING)
            found = brought or await self._fetched(way, current)
            if isinstance(found, str):
                return Outcome.CURRENT, "", "", found
            version = await self._install(way, found, current)
            text = f"yt-dlp {version} runs from now on; before it was {current.version}."
            return Outcome.CHANGED, version, "", text
        except Refused as error:
            is_known = error.code == "already_there"
            return Outcome.CURRENT if is_known else Outcome.REFUSED, "", error.code, error.message
        except UpstreamFailed as error:
            return Outcome.FAILED, "", error.code, error.message
        except Exception as error:
            log.exception("The update of yt-dlp failed")
            text = f"It failed with an error ({type(error).__name__}). The log says more."
            return Outcome.FAILED, "", "internal_error", text

    async def _fetched(self, way: Way, current: CurrentEngine) -> Fetched | str:
        """A newer release; or a sentence why there is nothing to take."""
        dropped = await asyncio.to_thread(self._fetcher.dropped)
        if dropped is not None:
            return dropped
        channel = (await self._repository.settings()).channel
        if channel is Channel.OFF:
            if way is Way.DAILY:
                return "Updates are off."
            channel = Channel.STABLE
        withheld = await self._repository.withheld() if way is Way.DAILY else ""

        async def say(version: str) -> None:
            await self._say(way, Step.FETCHING, version)

        return await self._fetcher.newer(channel, current.version, withheld, say)

    async def _install(self, way: Way, fetched: Fetched, current: CurrentEngine) -> str:
        async def say(step: Step, version: str) -> None:
            await self._say(way, step, version)

        try:
            fetched.check()
            facts = {"channel": fetched.channel, "source": fetched.source, "sha256": fetched.sha256}
            version = await self._installer.install(
                fetched.program, expected=fetched.version, active=current.version, facts=facts, say=say
            )
        except Refused:
            await asyncio.to_thread(fetched.put_aside)
            raise
        await asyncio.to_thread(fetched.taken)
        return version

    async def _say(self, way: Way, step: Step, version: str = "") -> None:
        self._running = RunningUpdate(way=way, step=step, version=version if is_version(version) else "")
        await self._events.publish(EngineUpdateMoved(step=step.value))


def _let_go(task: asyncio.Task[str]) -> None:
    """Its outcome is written down already: nobody waits for it."""
    if not task.cancelled():
        task.exception()
