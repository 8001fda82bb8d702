"""What people do with the whole queue, and what it waits for."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import msgspec

from medianest.accounts.model import User
from medianest.downloads import reasons
from medianest.downloads.announcer import Announcer
from medianest.downloads.holding import EVERYTHING, SitePause
from medianest.downloads.model import DownloadState, NightHolds, ReasonCode
from medianest.downloads.night import opens_at
from medianest.downloads.pauses import SitePauses
from medianest.downloads.repository.pauses import PauseRepository
from medianest.downloads.repository.settings import QueueSettingsRepository
from medianest.downloads.repository.whole import WholeRepository
from medianest.downloads.service import DownloadService
from medianest.engine.model import EngineChanged
from medianest.errors import Conflict, Invalid, NotAllowed, TooMany

log = logging.getLogger(__name__)

MOST_RETRIED = 200  # in one act
VERBS = ("pause", "resume", "cancel", "retry")


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """A site that is left alone, or everything (`site` is `*`): until when, why, and how many videos wait for it."""

    site: str
    reason_code: ReasonCode
    reason: str
    since: datetime
    until: datetime
    is_trying: bool  # the time is over, and one download tries
    waiting: int


class WholeQueue(msgspec.Struct, frozen=True, kw_only=True):
    """What holds the queue up, and how many downloads each act on all of them would change."""

    is_paused: bool
    night_holds: NightHolds
    night_opens_at: datetime | None  # None while nothing is held by the night window
    stops: tuple[Stop, ...]
    can_pause: int
    can_resume: int
    can_cancel: int  # always one's own only
    can_retry: int


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """How many downloads an act changed, videos of lists counted one by one; `note` says why not more."""

    changed: int
    note: str | None = None


class WholeQueueService:
    """`by` acts on what is theirs; administrators on everybody's, but they too cancel only their own."""

    def __init__(
        self, rows: WholeRepository, pauses: SitePauses, pause_rows: PauseRepository, settings: QueueSettingsRepository,
        downloads: DownloadService, announcer: Announcer,
    ) -> None:  # fmt: skip
        self._rows = rows
        self._pauses = pauses
        self._pause_rows = pause_rows
        self._settings = settings
        self._downloads = downloads
        self._announcer = announcer

    async def show(self, by: User) -> WholeQueue:
        """What holds the queue up now, and what can be done with all of it."""
        now, settings, person = _now(), await self._settings.get(), _person(by)
        counts = await self._rows.counts(person)
        paused = counts.get(DownloadState.PAUSED, 0)
        return WholeQueue(
            is_paused=settings.is_paused,
            night_holds=settings.night_holds,
            night_opens_at=opens_at(settings, now),
            stops=await self._stops(now),
            can_pause=sum(counts.values()) - paused,
            can_resume=paused,
            can_cancel=await self._rows.count_own(by.id),
            can_retry=len(await self._rows.failed(person, MOST_RETRIED)),
        )

    async def _stops(self, now: datetime) -> tuple[Stop, ...]:
        stops = []
        for pause in await self._pauses.current():
            waiting = await self._pause_rows.count_waiting(pause.site)
            is_over = pause.until_at <= now
            if not is_over or waiting or pause.site == EVERYTHING:
                stops.append(_stop(pause, is_over, waiting))
        return tuple(stops)

    async def act(self, verb: str, by: User) -> Acted:
        """Pause, resume, cancel or retry all.

        Raises:
            Invalid: there is no such act.
            NotAllowed, TooMany, Conflict: nothing could be tried again, with the reason of the first one.
        """
        if verb not in VERBS:
            raise Invalid("All downloads can be paused, resumed, cancelled or tried again.")
        if verb == "retry":
            return await self._retry(by)
        person, now = _person(by), _now()
        if verb == "pause":
            many = await self._rows.pause(person, now)
        elif verb == "resume":
            many = await self._rows.resume(person, now)
        else:
            many = await self._rows.cancel_own(by.id, reasons.CANCELLED, now)
        await self._announcer.many(many)
        return Acted(changed=len(many.changed))

    async def _retry(self, by: User) -> Acted:
        done = 0
        failed = await self._rows.failed(_person(by), MOST_RETRIED)
        for download_id in failed:
            try:
                await self._downloads.retry(download_id, by)
            except (NotAllowed, TooMany) as error:
                if not done:
                    raise
                return Acted(changed=done, note=f"{len(failed) - done} are left: {error.message}")
            except Conflict as error:
                if error.code == "storage_quota_exceeded":
                    if not done:
                        raise
                    return Acted(changed=done, note=error.message)
                continue  # somebody else was faster
            done += 1
        return Acted(changed=done)

    async def on_engine_changed(self, event: EngineChanged) -> None:
        """Another yt-dlp: what the old one could not read gets its second try."""
        if event.version == event.from_version:
            return
        many = await self._rows.after_engine_update(_now())
        if many.changed:
            log.info("%d downloads are tried once more with yt-dlp %s", len(many.changed), event.version)
        await self._announcer.many(many)


def _stop(pause: SitePause, is_over: bool, waiting: int) -> Stop:
    return Stop(
        site=pause.site,
        reason_code=pause.reason_code,
        reason=reasons.stop_sentence(pause),
        since=pause.since,
        until=pause.until_at,
        is_trying=is_over,
        waiting=waiting,
    )


def _person(by: User) -> int | None:
    return None if by.is_admin else by.id


def _now() -> datetime:
    return datetime.now(UTC)
