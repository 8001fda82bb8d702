"""The speed that all downloads together may have, divided among those that run, over all processes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from medianest.downloads.model import QueueSettings
from medianest.downloads.repository.claims import ClaimRepository

LOWEST_SHARE_BYTES_S = 8 * 1024  # below it a site takes us for dead


class Limited(Protocol):
    """A running download whose speed can be set."""

    async def limit(self, bytes_s: int | None) -> None: ...


def share_of(total_bytes_s: int, running: int) -> int:
    """What each of `running` downloads may have of the whole."""
    return max(LOWEST_SHARE_BYTES_S, total_bytes_s // max(1, running))


async def divide(settings: QueueSettings, jobs: Iterable[Limited], claims: ClaimRepository) -> None:
    """Tell every job of this process its share; one that has it already is told nothing."""
    jobs = tuple(jobs)
    if not jobs:
        return
    total = settings.total_rate_bytes_s
    share = None if total is None else share_of(total, await claims.running())
    for job in jobs:
        await job.limit(share)
