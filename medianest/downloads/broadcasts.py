"""What people may do with a broadcast that goes on: record it, wait for the whole of it, end a recording."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from medianest.accounts.model import User
from medianest.downloads.allowance import require_download
from medianest.downloads.model import Download, DownloadState, Live, ReasonCode, RecordingEndWanted
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.states import DownloadStates
from medianest.downloads.wishes import from_text, to_text
from medianest.errors import Conflict
from medianest.events import EventBus

Act = Callable[[int, User], Awaitable[Download]]


class Broadcasts:
    """Used by pages and API through the download service. Another person's download does not exist for `by`."""

    def __init__(self, lists: DownloadLists, states: DownloadStates, events: EventBus, *, get: Act, retry: Act) -> None:
        self._lists = lists
        self._states = states
        self._events = events
        self._get = get
        self._retry = retry

    async def record(self, download_id: int, by: User) -> Download:
        """Write the broadcast down from now on; raises `Conflict` when it is none that was refused or is waited for."""
        return await self._choose(download_id, Live.RECORD, by)

    async def replay(self, download_id: int, by: User) -> Download:
        """Wait until it is over and take the whole of it; raises as `record`."""
        return await self._choose(download_id, Live.REPLAY, by)

    async def finish(self, download_id: int, by: User) -> Download:
        """End a recording and keep what there is; raises `Conflict` when none runs."""
        row = await self._lists.row(download_id, None if by.is_admin else by.id)
        if (row["state"], row["reason_code"]) != (DownloadState.DOWNLOADING, ReasonCode.RECORDING):
            raise Conflict("It is not being recorded.")
        await self._events.publish(RecordingEndWanted(download_id=download_id))
        return await self._get(download_id, by)

    async def _choose(self, download_id: int, choice: Live, by: User) -> Download:
        require_download(by)
        row = await self._lists.row(download_id, None if by.is_admin else by.id)
        wishes = to_text(msgspec.structs.replace(from_text(row["wishes"]), live=choice))
        if not await self._states.wish_of_broadcast(download_id, wishes, datetime.now(UTC)):
            raise Conflict("This is no broadcast that waits for a choice.")
        return await self._retry(download_id, by)
