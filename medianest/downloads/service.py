"""The rules of the download queue: what people may see and do with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from medianest.accounts.model import User
from medianest.addresses import AllowedAddresses, check_url
from medianest.downloads import reasons
from medianest.downloads.adding import Adding
from medianest.downloads.allowance import Allowance, require_download
from medianest.downloads.announcer import Announcer
from medianest.downloads.approvals import may_approve
from medianest.downloads.board import ProgressBoard
from medianest.downloads.broadcasts import Broadcasts
from medianest.downloads.filing import Library
from medianest.downloads.line import Line, wrong_fields
from medianest.downloads.links import key_of
from medianest.downloads.model import (
    Download,
    DownloadState,
    FoundVideo,
    NewDownload,
    Preview,
    QueueCounts,
    QueueSettings,
    QueueSettingsChanged,
    QuotaUse,
    cost_of,
)
from medianest.downloads.previews import Previews
from medianest.downloads.repository.history import HistoryRepository
from medianest.downloads.repository.lists import GROUP_STATES, DownloadLists
from medianest.downloads.repository.rows import Row
from medianest.downloads.repository.settings import QueueSettingsRepository
from medianest.downloads.repository.states import AGAIN, HELD, DownloadStates, Outcome
from medianest.downloads.searching import VideoSearch
from medianest.downloads.showing import Showing
from medianest.errors import Conflict, Invalid
from medianest.events import EventBus

State = DownloadState
MOST_AT_ONCE = 100


class DownloadService:
    """What pages and API call. `by` is the person; another person's download does not exist for them."""

    def __init__(
        self, *, lists: DownloadLists, states: DownloadStates, history: HistoryRepository, settings: QueueSettingsRepository,
        previews: Previews, library: Library, board: ProgressBoard, announcer: Announcer, events: EventBus,
        allowed: AllowedAddresses, showing: Showing, allowance: Allowance, videos: VideoSearch,
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._line = Line(lists, states)
        self._history = history
        self._settings = settings
        self._previews = previews
        self._videos = videos
        self._adding = Adding(states, previews, library, announcer, allowed, allowance)
        self._library = library
        self._board = board
        self._announcer = announcer
        self._events = events
        self._allowed = allowed
        self._models = showing.of
        self._allowance = allowance
        self.broadcasts = Broadcasts(lists, states, events, get=self.get, retry=self.retry)

    async def add(self, new: NewDownload, by: User, *, known: Preview | None = None) -> tuple[Download, bool]:
        """Queue a link, or join the download that has it already; nothing is asked of the network.

        Args:
            known: what is known of it from elsewhere, such as the list it stood in.

        Returns:
            The download, and whether it is new.

        Raises:
            Invalid: the link can not be one, points where it may not, or the priority has no such name.
            NotAllowed: they may not add downloads, or none that goes first.
            QuotaExceeded, Conflict: their downloads of this hour, or their room in the library, are used up.
        """
        added = await self._adding.add(new, by, known)
        if added.row is not None:
            return (await self._models([added.row], has_places=True))[0], True
        return await self.get(added.id, by=by), False

    async def preview(self, url: str, by: User) -> Preview:
        """What a link leads to.

        Raises:
            Invalid, UpstreamFailed, Unavailable: with the reason why it leads nowhere.
            NotAllowed: they may not add downloads.
        """
        require_download(by)
        url = check_url(url, self._allowed)
        settings = await self._settings.get()
        found = await self._previews.look(url, max_items=settings.max_list_items, max_height=settings.max_height)
        found = msgspec.structs.replace(found, quota_cost=cost_of(found.items_total))
        existing = await self._states.find(key_of(url, audio_only=False))
        if existing is None:
            return found
        people = await self._lists.people(existing["id"])
        is_seen = by.is_admin or by.id in people
        return msgspec.structs.replace(found, existing=existing["id"] if is_seen else None)

    async def search_videos(self, words: str, by: User) -> tuple[FoundVideo, ...]:
        """Videos by words; raises as `preview`."""
        require_download(by)
        return await self._videos.find(words)

    async def get(self, download_id: int, by: User) -> Download:
        """One download; raises `NotFound`. Whoever may approve sees what waits for it."""
        row = await self._lists.row(download_id, _person(by), approves=may_approve(by))
        return (await self._models([row], has_places=row["parent_id"] is None))[0]

    async def list(
        self, by: User, group: str | None = None, *, state: State | None = None, limit: int = 50, offset: int = 0
    ) -> tuple[tuple[Download, ...], int]:
        """A page of top-level downloads and how many there are in all.

        Args:
            group: `active`, `waiting` (in the order of the line), `finished`, `failed`, or None for all, newest first.
            state: one state instead of a group.
        """
        if group is not None and group not in GROUP_STATES:
            raise Invalid("Show can be active, waiting, finished or failed.", fields={"show": "This is none of them."})
        limit, offset = _window(limit, offset)
        rows = await self._lists.page(_person(by), group=group, state=state, limit=limit, offset=offset)
        counts = await self._lists.counts(_person(by))
        wanted = (state,) if state is not None else GROUP_STATES[group] if group else tuple(State)
        return await self._models(rows, has_places=True), sum(counts.get(one, 0) for one in wanted)

    async def items(
        self, download_id: int, by: User, *, limit: int = 50, offset: int = 0
    ) -> tuple[tuple[Download, ...], int]:
        """The videos of a list, in its order; none for a single video."""
        await self._lists.row(download_id, _person(by))
        rows = await self._lists.items(download_id, *_window(limit, offset))
        return await self._models(rows, has_places=False), await self._lists.count_items(download_id)

    async def counts(self, by: User) -> QueueCounts:
        """Figures over the list."""
        counts = await self._lists.counts(_person(by))
        today = _now().replace(hour=0, minute=0, second=0, microsecond=0)
        sums = {group: sum(counts.get(one, 0) for one in states) for group, states in GROUP_STATES.items()}
        return QueueCounts(
            active=sums["active"],
            waiting=sums["waiting"],
            finished=sums["finished"],
            failed=sums["failed"],
            done_today=await self._lists.finished_since(_person(by), today),
            speed_bytes_s=self._board.speed_bytes_s(_person(by)),
        )

    async def active(self, by: User) -> tuple[Download, ...]:
        """Up to three that are running: for the first page and for a socket that has just opened."""
        rows = await self._lists.page(_person(by), group="active", state=None, limit=3, offset=0)
        return await self._models(rows, has_places=False)

    async def log(self, download_id: int, by: User) -> Sequence[str]:
        """What happened to it, a line each."""
        await self._lists.row(download_id, _person(by), approves=may_approve(by))
        return await self._lists.log(download_id)

    async def cancel(self, download_id: int, by: User) -> Download:
        """Stop it for good; what was fetched is kept for a day. Of a list: everything that has not ended."""
        return await self._stop(download_id, State.CANCELLED, by)

    async def pause(self, download_id: int, by: User) -> Download:
        """Stop it until `resume`; what was fetched is kept."""
        return await self._stop(download_id, State.PAUSED, by)

    async def _stop(self, download_id: int, to: State, by: User) -> Download:
        row = await self._lists.row(download_id, _person(by))
        progress = self._board.get(download_id)
        outcome = await self._states.stop(
            download_id,
            row["parent_id"],
            to,
            at=_now(),
            reason=reasons.CANCELLED if to is State.CANCELLED else None,
            downloaded_bytes=progress.downloaded_bytes if progress else None,
            total_bytes=progress.total_bytes if progress else None,
        )
        refused = "It has ended already." if to is State.CANCELLED else "It does not run, so it can not be paused."
        return await self._after(row, outcome, by, refused=refused)

    async def resume(self, download_id: int, by: User) -> Download:
        """Go on with what was paused."""
        row = await self._lists.row(download_id, _person(by))
        outcome = await self._states.queue_again(download_id, row["parent_id"], which="state = 'paused'", at=_now())
        return await self._after(row, outcome, by, refused="It is not paused.")

    async def retry(self, download_id: int, by: User) -> Download:
        """Try again what failed, was cancelled or waits; of a list its items that failed or were cancelled.

        It counts anew; raises as `add` does.
        """
        require_download(by)
        row = await self._lists.row(download_id, _person(by))
        which = AGAIN if row["kind"] != "video" else HELD
        if row["kind"] != "video" and not await self._lists.count_items(download_id):
            await self._states.look_again(download_id, _now())

        async def admit() -> None:
            await self._allowance.admit_again(by, row["parent_id"] or download_id, _now())

        outcome = await self._states.queue_again(download_id, row["parent_id"], which=which, at=_now(), admit=admit)
        return await self._after(row, outcome, by, refused="There is nothing to try again: it did not fail.")

    async def _after(self, row: Row, outcome: Outcome, by: User, *, refused: str) -> Download:
        if not outcome.changed:
            current = await self.get(row["id"], by=by)
            raise Conflict(refused if current.state == row["state"] else "It has just changed. Look at it again.")
        await self._announcer.outcome(row["parent_id"] or row["id"], outcome)
        return await self.get(row["id"], by=by)

    async def remove(self, download_id: int, by: User) -> None:
        """Take it off the list. Its unfinished files go at once; files in the library too, unless another row has them.

        A person who shares it with others only leaves it; an administrator removes it for everybody.
        """
        row = await self._lists.row(download_id, _person(by))
        if not by.is_admin and row["parent_id"] is None and await self._states.leave(download_id, by.id):
            await self._announcer.left(download_id, by.id)
            return
        removed = await self._states.remove(download_id, row["parent_id"], at=_now())
        await self._announcer.removed(removed)  # first: whoever runs it ends its worker
        for one in removed.all_ids:
            await asyncio.to_thread(self._library.discard, one)
        for history_id in removed.history_ids:
            record = await self._history.get(history_id)
            if record is not None and record.is_deleted:
                await asyncio.to_thread(self._library.delete, record.files)

    async def change(
        self, download_id: int, by: User, *, priority: str | None = None, position: int | None = None
    ) -> Download:
        """Another priority, or another place in the line (1 is next).

        Raises:
            Conflict: it is no single download in line, so it has no place.
            NotAllowed: they may not put downloads first.
        """
        row = await self._lists.row(download_id, _person(by))
        if row["parent_id"] is not None:
            raise Conflict("A video of a list moves with its list.")
        await self._line.change(row, by, priority=priority, place=position, at=_now())
        await self._announcer.created(download_id)  # the order of the line is another: lists read themselves again
        return await self.get(download_id, by=by)

    async def step(self, download_id: int, by: User, places: int) -> Download:
        """So many places up (-1) or down (1) among what the same person has in line; raises as `change`."""
        row = await self._lists.row(download_id, _person(by))
        if row["parent_id"] is not None:
            raise Conflict("A video of a list moves with its list.")
        await self._line.step(row, places, _now())
        await self._announcer.created(download_id)
        return await self.get(download_id, by=by)

    async def quota_use(self, by: User) -> QuotaUse:
        """What they have used of their share."""
        return await self._allowance.use(by)

    async def queue_settings(self) -> QueueSettings:
        """What holds for the whole queue."""
        return await self._settings.get()

    async def change_queue_settings(self, settings: QueueSettings, *, by: User) -> QueueSettings:
        """Keep new settings; they hold for what starts from now on. Raises `Invalid` with a sentence for each field."""
        fields = wrong_fields(settings)
        if fields:
            raise Invalid("Some values do not fit. Nothing was changed.", fields=fields)
        await self._settings.put(settings, by=by.id, at=_now())
        await self._events.publish(QueueSettingsChanged())
        return settings


def _person(by: User) -> int | None:
    return None if by.is_admin else by.id


def _window(limit: int, offset: int) -> tuple[int, int]:
    return max(1, min(limit, MOST_AT_ONCE)), max(0, min(offset, 10**9))


def _now() -> datetime:
    return datetime.now(UTC)
