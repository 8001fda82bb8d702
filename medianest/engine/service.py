"""Every rule about the engine: which version runs, where others come from, and the way back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from medianest.accounts.model import User
from medianest.engine.installing import Installer
from medianest.engine.model import (
    Channel,
    CurrentEngine,
    EngineChanged,
    EngineSettings,
    EngineSettingsChanged,
    EngineUpdateMoved,
    Outcome,
    TrialReport,
    Way,
)
from medianest.engine.proving import Trials
from medianest.engine.repository import EngineRepository
from medianest.engine_folder import EngineFolder, numbers
from medianest.errors import Conflict
from medianest.events import EventBus
from medianest.system.audit import record

log = logging.getLogger(__name__)

NOTHING_BEFORE = "There is no other version here to go back to."


class EngineService:
    """Known to handlers as `engine`.

    Args:
        inside: the version that came with MediaNest.
        worker_problem: what the newest worker said about the version it runs with; empty: all is well.
    """

    def __init__(
        self,
        folder: EngineFolder,
        repository: EngineRepository,
        installer: Installer,
        trials: Trials,
        events: EventBus,
        *,
        inside: str,
        worker_problem: Callable[[], str],
    ) -> None:
        self._folder = folder
        self._repository = repository
        self._installer = installer
        self._trials = trials
        self._events = events
        self._inside = inside
        self._worker_problem = worker_problem
        self.lock = asyncio.Lock()  # held by whatever changes the chosen version

    async def start(self) -> None:
        """Tidy up after an update that was cut off."""
        await asyncio.to_thread(self._folder.clean)

    async def current(self) -> CurrentEngine:
        """The version that the next worker loads."""
        return await asyncio.to_thread(self._current)

    async def version(self) -> str:
        """Its version alone, for a line among others."""
        return (await self.current()).version

    def _current(self) -> CurrentEngine:
        version, named = self._folder.usable(self._inside), self._folder.named()
        facts = self._folder.facts(version) if version else None
        problem = self._worker_problem()
        if not problem and named and not version and numbers(named) > numbers(self._inside):
            problem = f"The files of yt-dlp {named} are not there, not whole or not safe any more."
        if facts is None:
            return CurrentEngine(version=self._inside, is_inside=True, inside_version=self._inside, problem=problem)
        return CurrentEngine(
            version=version,
            is_inside=False,
            inside_version=self._inside,
            path=str(self._folder.path(version)),
            channel=str(facts.get("channel") or ""),
            installed_at=_time(facts.get("installed_at")),
            problem=problem,
        )

    async def before(self) -> str | None:
        """The version that a way back leads to, empty for the one inside; None when there is none."""
        return await asyncio.to_thread(self._before)

    def _before(self) -> str | None:
        version = self._folder.usable(self._inside)
        if not version:
            return None
        for other in self._folder.versions():
            if numbers(self._inside) < numbers(other) < numbers(version):
                return other
        return ""

    async def settings(self) -> EngineSettings:
        return await self._repository.settings()

    async def set_channel(self, channel: Channel, *, by: User, address: str = "") -> None:
        """Where updates come from by themselves."""
        saved = await self._repository.settings()
        if saved.channel is channel:
            return
        await self._repository.save_settings(EngineSettings(channel=channel), by=by.id, at=_now())
        await record(
            "engine.channel_changed",
            "yt-dlp",
            actor_id=by.id,
            actor_name=by.username,
            address=address,
            before={"channel": saved.channel.value},
            after={"channel": channel.value},
        )
        await self._events.publish(EngineSettingsChanged(channel=channel))

    # the way back

    async def go_back(self, *, by: User, address: str = "") -> str:
        """Choose the version before; gives a sentence.

        Raises:
            Conflict: there is none, or an update goes on.
        """
        return await self._go_back(Way.ROLLBACK, "", by, address)

    async def go_back_for(self, site: str, failures: int) -> None:
        """By itself: a site broke with this version and works with the one before."""
        why = f"{failures} links of {site} in a row failed that worked before"
        try:
            await self._go_back(Way.AUTOMATIC_ROLLBACK, why, None, "")
        except Conflict as error:
            log.warning("yt-dlp was not taken back: %s", error.message)

    async def _go_back(self, way: Way, why: str, by: User | None, address: str) -> str:
        if self.lock.locked():
            raise Conflict("An update of yt-dlp is running. Wait until it has ended.", code="update_running")
        async with self.lock:
            current, before = await self.current(), await self.before()
            if before is None:
                raise Conflict(NOTHING_BEFORE, code="nothing_before")
            await self._installer.point_to(before)
            version = before or self._inside
            text = f"yt-dlp {version} runs again instead of {current.version}"
            text += f": {why}." if why else "."
            await self.keep(way, Outcome.CHANGED, version, current.version, "", text, by, address)
        log.warning("%s", text) if way is Way.AUTOMATIC_ROLLBACK else log.info("%s", text)
        await self._events.publish(EngineChanged(version=version, from_version=current.version))
        await self._events.publish(EngineUpdateMoved(step=""))
        return text

    async def probe_before(self, url: str) -> TrialReport:
        """Look at a link with the version that a way back leads to."""
        before = await self.before()
        if before is None:
            return TrialReport(failure="nothing_before")
        return await self._trials.run(self._folder.path(before) if before else None, url)

    async def keep(
        self, way: Way, outcome: Outcome, version: str, left: str, code: str, text: str, by: User | None, address: str
    ) -> None:
        """Write down how it ended: everything in the page's list, what changed something in the audit log."""
        name = by.username if by else ""
        await self._repository.add_update(
            at=_now(), way=way, outcome=outcome, version=version, from_version=left, code=code, text=text, by_name=name
        )
        log.info("Update of yt-dlp (%s): %s", way.value, text)
        if outcome is Outcome.CHANGED:
            is_back = way in (Way.ROLLBACK, Way.AUTOMATIC_ROLLBACK)
            await record(
                "engine.rolled_back" if is_back else "engine.updated",
                "yt-dlp",
                actor_id=by.id if by else None,
                actor_name=name or "MediaNest",
                address=address,
                detail=text,
                before={"version": left},
                after={"version": version},
            )


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
