"""What the scheduler calls for the requests; each gives a sentence about what it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from medianest.requests.repository.lists import RequestLists
from medianest.requests.sync import Sync

FORGOTTEN = timedelta(days=30)


class RequestJobs:
    """Polling, and the cleaning."""

    def __init__(self, lists: RequestLists, sync: Sync) -> None:
        self._lists = lists
        self._sync = sync

    async def sync(self) -> str:
        """Read from Overseerr and Plex how far the requests are."""
        return await self._sync.run()

    async def clean(self) -> str:
        """Remove ended requests of people who are gone, after a month."""
        removed = await self._lists.remove_forgotten(datetime.now(UTC) - FORGOTTEN)
        if not removed:
            return "There was nothing to remove."
        return f"Removed {removed} old {'request' if removed == 1 else 'requests'}."
