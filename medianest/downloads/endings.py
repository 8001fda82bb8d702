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
from medianest.downloads.filing import Library
from medianest.downloads.links import host_of
from medianest.downloads.model import DownloadState, Progress, ReasonCode
from medianest.downloads.pictures import PictureStore
from medianest.downloads.pool import WorkerPool
from medianest.downloads.reasons import RetryRules, SitePauses, Verdict
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

    async def site_is_paused(self, left_s: float) -> None:
        """Its site asked for peace a moment ago: wait with it."""
        await self.settle(reasons.judge(_PAUSED, attempts=0, rules=self._tools.rules, now=now(), site_pause_s=left_s))

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

    async def has_no_room(self, reason: str) -> None:
        """Wait until there is space on the disk."""
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

    async def failed(self, failed: Failed) -> None:
        """What the table of reasons says about this failure."""
        pause_s = 0.0
        if failed.failure in ("rate_limited", "bot_check"):
            pause_s = self._tools.pauses.pause(host_of(self._claim.url), now(), failed.retry_after_s)
        log.info("Download %d: %s: %s", self._claim.id, failed.failure, failed.detail)
        verdict = reasons.judge(
            failed, attempts=self._claim.attempts, rules=self._tools.rules, now=now(), site_pause_s=pause_s
        )
        await self.settle(verdict, line=f"{failed.failure}: {failed.detail}")

    async def failed_by_system(self, error: OSError) -> None:
        """The disk is full, or a folder can not be written."""
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        await self.failed(Failed(failure="disk_full" if is_full else "library_not_writable", detail=str(error)))

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
            history_id=history_id,
            downloaded_bytes=progress.downloaded_bytes if progress else None,
            total_bytes=progress.total_bytes if progress else None,
            line=line,
        )
        if ended is None:
            raise ClaimLost
        await self._tools.announcer.ended(ended)


_PAUSED = Failed(failure="rate_limited", detail="Its site is left alone for a while.")


def now() -> datetime:
    return datetime.now(UTC)
