"""Sites that asked for peace, and what stops the whole queue: who pauses, who tries again, who is told."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from medianest.accounts.model import User
from medianest.downloads import reasons
from medianest.downloads.announcer import Announcer
from medianest.downloads.holding import EVERYTHING, QueueChanged, SitePause, SitePaused
from medianest.downloads.model import ReasonCode
from medianest.downloads.reasons import RetryRules
from medianest.downloads.repository.bulk import Many
from medianest.downloads.repository.pauses import HELD_CODES, PauseRepository
from medianest.errors import NotFound
from medianest.events import EventBus
from medianest.system.audit import record
from medianest.system.model import HealthProblem, Severity

log = logging.getLogger(__name__)

KEPT = timedelta(days=2)  # after its end, so that a site that complains again is left alone for longer


class SitePauses:
    """One for each process; what it knows stands in the database."""

    def __init__(self, rows: PauseRepository, rules: RetryRules, announcer: Announcer, events: EventBus) -> None:
        self._rows = rows
        self._rules = rules
        self._announcer = announcer
        self._events = events
        self._known: frozenset[str] = frozenset()

    async def current(self) -> tuple[SitePause, ...]:
        """Every pause that holds."""
        return await self._rows.current()

    async def against(self, site: str, download_id: int) -> SitePause | None:
        """The pause because of which a claimed download may not ask `site`; None when it may, or is the one that tries."""
        for pause in await self._rows.of(site):
            if pause.probe_id != download_id:
                return pause
        return None

    async def complained(self, site: str, code: ReasonCode, detail: str, asked_s: float | None) -> SitePause:
        """`site` asked to be left alone."""
        rules = self._rules
        return await self._pause(
            site, code, detail, asked_s, rules.site_pause_s, rules.longest_site_pause_s, doubles=True
        )

    async def broken(self, site: str, code: ReasonCode, detail: str) -> SitePause:
        """Something on this machine is missing or full: nothing (`site` is `*`), or nothing of this site, can work."""
        seconds = self._rules.setup_s
        return await self._pause(site, code, detail, None, seconds, seconds, doubles=False)

    async def _pause(
        self, site: str, code: ReasonCode, detail: str, asked_s: float | None, first_s: float, most_s: float, *, doubles: bool
    ) -> SitePause:  # fmt: skip
        at = _now()
        pause = await self._rows.pause(
            site, code, detail, at=at, asked_s=asked_s, first_s=first_s, most_s=most_s, doubles=doubles
        )
        await self._tell(await self._rows.put_off(pause, at))
        if site not in self._known:
            log.warning(
                "%s: downloads pause until %s (%s)", _name(site), pause.until_at.isoformat(timespec="seconds"), code
            )
        self._known |= {site}
        await self._events.publish(SitePaused(site=site, reason_code=code))
        await self._events.publish(QueueChanged())
        return pause

    async def got_through(self, site: str, download_id: int) -> None:
        """A download was answered well: when it was the one that tried, everybody goes on."""
        for name in {site, EVERYTHING} & self._known:
            is_lifted, many = await self._rows.lift(name, _now(), probe_id=download_id)
            if is_lifted:
                log.info("%s: downloads go on", _name(name))
                await self._tell(many)

    async def tend(self, at: datetime) -> None:
        """In every round of the dispatcher: after a pause one download tries; what came into line meanwhile waits too."""
        pauses = await self._rows.current()
        self._known = frozenset(pause.site for pause in pauses)
        for pause in pauses:
            if pause.until_at <= at:
                await self._tell(await self._rows.choose_probe(pause, at))
        for pause in await self._rows.current() if pauses else ():
            if pause.site != EVERYTHING and await self._rows.has_queued(pause):
                await self._tell(await self._rows.hold(pause, reasons.pause_sentence(pause.reason_code), at))

    async def go_on(self, site: str, by: User, *, address: str = "") -> None:
        """An administrator does not want to wait: one download tries now. Raises `NotFound`."""
        if not await self._rows.hasten(site, _now()):
            raise NotFound("This site is not paused any more.")
        await record("download.site_resumed", site, actor_id=by.id, actor_name=by.username, address=address)
        await self._events.publish(QueueChanged())

    async def try_again(self, site: str) -> None:
        """Something about `site` is other now, such as its cookies: one download tries now, when it is paused."""
        if await self._rows.hasten(site, _now()):
            await self._events.publish(QueueChanged())

    async def forget(self) -> str:
        """For the scheduler: forget pauses that are over and that nobody waits for."""
        number = await self._rows.forget_idle(_now() - KEPT)
        return f"Forgot {number} pauses of sites." if number else "There was nothing to forget."

    async def problems(self) -> list[HealthProblem]:
        """For the health list: what an administrator has to mend, and sites that take us for a robot."""
        return [
            HealthProblem(
                code=f"downloads_{pause.reason_code}",
                severity=Severity.ERROR if pause.reason_code in HELD_CODES else Severity.WARNING,
                text=reasons.stop_sentence(pause),
                advice=reasons.stop_advice(pause.reason_code),
            )
            for pause in await self._rows.current()
            if pause.reason_code is not ReasonCode.RATE_LIMITED
        ]

    async def _tell(self, many: Many) -> None:
        await self._announcer.many(many)


def _name(site: str) -> str:
    return "The whole queue" if site == EVERYTHING else site


def holds_everything(pauses: Iterable[SitePause]) -> bool:
    """Whether the whole queue is stopped."""
    return any(pause.site == EVERYTHING for pause in pauses)


def _now() -> datetime:
    return datetime.now(UTC)
