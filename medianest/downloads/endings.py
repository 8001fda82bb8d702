"""How a claim ends: one conditional write, then the events. A claim that was lost meanwhile changes nothing."""

from __future__ import annotations

import errno
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.model import User
from medianest.downloads import reasons
from medianest.downloads.allowance import Allowance
from medianest.downloads.announcer import Announcer
from medianest.downloads.board import ProgressBoard
from medianest.downloads.cookies.store import CookieStore
from medianest.downloads.filing import Library
from medianest.downloads.holding import EVERYTHING, SitePause
from medianest.downloads.model import DownloadState, Progress, ReasonCode
from medianest.downloads.pauses import SitePauses
from medianest.downloads.pictures import PictureStore
from medianest.downloads.pool import WorkerPool
from medianest.downloads.reasons import RetryRules, Verdict
from medianest.downloads.reports import Failed
from medianest.downloads.repository.claims import Claim, ClaimRepository
from medianest.downloads.repository.expansion import ExpansionRepository
from medianest.downloads.repository.history import ClaimLost, HistoryRepository
from medianest.events import EventBus

log = logging.getLogger(__name__)


class JobTools(msgspec.Struct, frozen=True, kw_only=True):
    """What every running download works with."""

    claims: ClaimRepository
    expansion: ExpansionRepository
    history: HistoryRepository
    library: Library
    pictures: PictureStore
    pool: WorkerPool
    announcer: Announcer
    board: ProgressBoard
    events: EventBus
    pauses: SitePauses
    cookies: CookieStore
    rules: RetryRules
    allowance: Allowance
    person: Callable[[int], Awaitable[User]]  # raises NotFound


class Endings:
    """Gives one claim up in the state that its end calls for."""

    def __init__(self, claim: Claim, tools: JobTools) -> None:
        self._claim = claim
        self._tools = tools
        self.is_ending = False  # from here on the job finds out by itself whether its claim still holds

    async def already_there(self, history_id: int) -> None:
        """The library has the video: done at once."""
        await self._end(
            Verdict(state=DownloadState.COMPLETED, code=ReasonCode.ALREADY_THERE, reason=reasons.ALREADY_THERE),
            history_id=history_id,
        )

    async def site_is_paused(self, pause: SitePause) -> None:
        """Its site, or everything, was paused a moment ago: wait with it."""
        code = ReasonCode.SITE_PAUSED if pause.site != EVERYTHING else pause.reason_code
        left_s = max(0.0, (pause.until_at - now()).total_seconds())
        reason = reasons.pause_sentence(pause.reason_code)
        await self.settle(Verdict(state=DownloadState.WAITING, code=code, reason=reason, delay_s=left_s, counts=False))

    async def has_twin(self) -> None:
        """Back to the line until the other download of this video has ended."""
        await self.settle(
            Verdict(
                state=DownloadState.QUEUED,
                code=ReasonCode.SAME_VIDEO,
                reason=reasons.SAME_VIDEO,
                counts=False,
            )
        )

    async def has_no_room(self, reason: str, *, for_anything: bool) -> None:
        """Wait until there is space on the disk; with no room `for_anything` the whole queue does."""
        if for_anything:
            await self._tools.pauses.broken(EVERYTHING, ReasonCode.DISK_FULL, reason)
        await self.settle(
            Verdict(
                state=DownloadState.WAITING,
                code=ReasonCode.DISK_FULL,
                reason=reason,
                delay_s=self._tools.rules.disk_full_s,
                counts=False,
            )
        )

    async def is_over_quota(self, cost: int, wait_s: float) -> None:
        """Wait until the person's share of an hour has room for a list."""
        await self.settle(
            Verdict(
                state=DownloadState.WAITING,
                code=ReasonCode.QUOTA,
                reason=reasons.LIST_OVER_QUOTA.format(cost=cost),
                delay_s=wait_s,
                counts=False,
            )
        )

    async def failed(self, failed: Failed, *, site: str | None = None, has_cookies: bool = False) -> None:
        """What the table of reasons says about this failure."""
        claim, kind = self._claim, failed.failure
        site = site or claim.host
        log.info("Download %d: %s: %s", claim.id, kind, failed.detail)
        pause_s = await self._pause_for(failed, site)
        if kind in ANSWERS:  # the site speaks to us again, whatever it says about this video
            await self._tools.pauses.got_through(site, claim.id)
        verdict = reasons.judge(
            failed,
            attempts=claim.attempts,
            rules=self._tools.rules,
            now=now(),
            site_pause_s=pause_s,
            engine_tries=claim.engine_tries,
            engine_version=claim.engine_version,
            has_cookies=has_cookies,
        )
        await self.settle(verdict, line=f"{kind}: {failed.detail}")

    async def _pause_for(self, failed: Failed, site: str) -> float:
        """Seconds for which this failure pauses its site or everything; 0 for most."""
        kind, pauses = failed.failure, self._tools.pauses
        if kind in reasons.PAUSES:
            pause = await pauses.complained(site, reasons.PAUSES[kind], failed.detail, failed.retry_after_s)
        elif kind in reasons.SETUP:
            where = EVERYTHING if kind in reasons.STOPS_EVERYTHING else site
            pause = await pauses.broken(where, reasons.SETUP[kind], failed.detail)
        else:
            return 0.0
        return max(0.0, (pause.until_at - now()).total_seconds())

    async def failed_by_system(self, error: OSError) -> None:
        """The disk is full, or a folder can not be written."""
        kind = "folder_blocked"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            kind = "disk_full"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            kind = "library_not_writable"
        await self.failed(Failed(failure=kind, detail=str(error)))

    async def failed_inside(self, code: ReasonCode, reason: str, line: str) -> None:
        """It can not go on, and trying again by itself would not help."""
        await self.settle(Verdict(state=DownloadState.FAILED, code=code, reason=reason), line=line)

    async def settle(self, verdict: Verdict, *, line: str | None = None) -> None:
        """Carry out a verdict; raises `ClaimLost`."""
        await self._end(verdict, progress=self._tools.board.get(self._claim.id), line=line)

    async def _end(
        self,
        verdict: Verdict,
        *,
        progress: Progress | None = None,
        history_id: int | None = None,
        line: str | None = None,
    ) -> None:
        at = now()
        self.is_ending = True
        ended = await self._tools.claims.end(
            self._claim,
            verdict.state,
            at=at,
            code=verdict.code,
            reason=verdict.reason,
            next_attempt_at=None if verdict.delay_s is None else at + timedelta(seconds=verdict.delay_s),
            counts=verdict.counts,
            engine_tries=verdict.engine_tries,
            engine_version=verdict.engine_version,
            history_id=history_id,
            downloaded_bytes=progress.downloaded_bytes if progress else None,
            total_bytes=progress.total_bytes if progress else None,
            line=line,
        )
        if ended is None:
            raise ClaimLost
        await self._tools.announcer.ended(ended)


ANSWERS = (
    "gone",
    "unsupported",
    "needs_sign_in",
    "geo_blocked",
    "upcoming",
    "live",
    "replay",
    "post_live",
    "no_format",
)


def now() -> datetime:
    return datetime.now(UTC)
