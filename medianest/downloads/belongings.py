"""What a person has in the queue and in the library, and who has it when they are gone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec

from medianest.downloads.announcer import Announcer
from medianest.downloads.filing import Library
from medianest.downloads.model import Belongings, DownloadState, LibraryFile
from medianest.downloads.reasons import CANCELLED
from medianest.downloads.repository.belongings import BelongingsRepository
from medianest.downloads.repository.history import HistoryRepository
from medianest.downloads.repository.states import DownloadStates, Outcome, Removed


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to do once the person's rows are another's."""

    removed: tuple[Removed, ...] = ()
    stopped: tuple[tuple[int, Outcome], ...] = ()
    given: tuple[int, ...] = ()
    files: tuple[tuple[LibraryFile, ...], ...] = ()  # of videos that no download shows


class PersonBelongings:
    """Given to whoever deletes people."""

    def __init__(
        self,
        rows: BelongingsRepository,
        states: DownloadStates,
        history: HistoryRepository,
        library: Library,
        announcer: Announcer,
    ) -> None:
        self._rows = rows
        self._states = states
        self._history = history
        self._library = library
        self._announcer = announcer

    async def summary(self, user_id: int) -> Belongings:
        """How much there is."""
        return await self._rows.summary(user_id)

    async def hand_over(self, user_id: int, to_user_id: int, *, deletes_files: bool) -> HandedOver:
        """Leave no row with the person; call it inside the transaction that deletes them.

        A download that others joined is theirs from now on. Of the rest, what is in the library goes to `to_user_id`, or
        with `deletes_files` away; what runs, waits or failed is taken off the queue.
        """
        now = datetime.now(UTC)
        removed: list[Removed] = []
        stopped: list[tuple[int, Outcome]] = []
        given: list[int] = []
        for one in await self._rows.tops(user_id):
            if one.heir is not None:
                await self._rows.give(one.id, one.heir)
                given.append(one.id)
            elif one.has_videos and not deletes_files:
                # of a list that is half done the rest is not fetched any more
                cancelled = await self._states.stop(one.id, None, DownloadState.CANCELLED, at=now, reason=CANCELLED)
                await self._rows.give(one.id, to_user_id)
                await self._states.join(one.id, to_user_id, now)
                stopped.append((one.id, cancelled))
                given.append(one.id)
            else:
                removed.append(await self._states.remove(one.id, None, at=now))
        files = await self._rows.forget_videos(user_id, at=now) if deletes_files else []
        await self._rows.give_rest(user_id, to_user_id)
        return HandedOver(removed=tuple(removed), stopped=tuple(stopped), given=tuple(given), files=tuple(files))

    async def finish(self, handed: HandedOver) -> None:
        """After the transaction: end the workers of what was taken off, tell the pages, delete what is to be deleted."""
        for removed in handed.removed:
            await self._announcer.removed(removed)
            for one in removed.all_ids:
                await asyncio.to_thread(self._library.discard, one)
            for history_id in removed.history_ids:
                record = await self._history.get(history_id)
                if record is not None and record.is_deleted:
                    await asyncio.to_thread(self._library.delete, record.files)
        for top_id, outcome in handed.stopped:
            await self._announcer.outcome(top_id, outcome)
        for download_id in handed.given:
            await self._announcer.created(download_id)
        for files in handed.files:
            await asyncio.to_thread(self._library.delete, files)
