"""Polling is the truth: what Overseerr says of its requests, read a page at a time, and what Plex has already.

Each round reads the newest pages, looks at open requests that stand on none of them, and asks Plex about some. A slow sweep
reads everything. A hint (a webhook) looks at one request at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from medianest.database import UniqueViolation
from medianest.errors import Conflict, MediaNestError, NotFound
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import RequestRow
from medianest.media.model import Availability, MediaType, TitleAvailabilityChanged, TitleKey
from medianest.requests import progress
from medianest.requests.announcer import Announcer
from medianest.requests.importing import Importing
from medianest.requests.model import RequestStatus, Source
from medianest.requests.neighbours import RequestManager, Titles
from medianest.requests.repository.lists import RequestLists
from medianest.requests.repository.outbox import Outbox
from medianest.requests.repository.rows import Row
from medianest.requests.repository.states import RequestStates, Step

log = logging.getLogger(__name__)


class SyncRules(msgspec.Struct, frozen=True, kw_only=True):
    """How much one round does."""

    page: int = 50
    pages: int = 2  # of the newest, in an ordinary round
    most_pages: int = 200  # in a sweep
    sweep_s: float = 3600.0
    single: int = 40  # open requests that stand on none of the pages
    in_plex: int = 20
    most_gone: int = 3  # so many may be missing at once; more, and half of all, look like another server


class Sync:
    """Built with the slice; `run` is called by the scheduler."""

    def __init__(
        self, lists: RequestLists, states: RequestStates, outbox: Outbox, overseerr: RequestManager, titles: Titles,
        importing: Importing, announcer: Announcer, rules: SyncRules,
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._outbox = outbox
        self._overseerr = overseerr
        self._titles = titles
        self._importing = importing
        self._announcer = announcer
        self._rules = rules
        self._swept: float | None = None
        self.is_another_server = False  # most of what we know is gone there: nothing is concluded from that

    async def run(self) -> str:
        """One round; a sentence about what it did. Raises what stands against it, but for a missing connection."""
        try:
            client = await self._overseerr.client()
        except Conflict:
            return "Overseerr is not connected. " + await self._look_in_plex()
        is_sweep = self._swept is None or time.monotonic() - self._swept >= self._rules.sweep_s
        trouble: MediaNestError | None = None
        changed, seen = 0, set[int]()
        try:
            changed, seen = await self._read_pages(client, self._rules.most_pages if is_sweep else self._rules.pages)
            changed += await self._read_single(client, seen)
            changed += await self._importing.name_some(client)
        except MediaNestError as error:  # Plex may know more all the same
            trouble = error
        sentence = await self._look_in_plex()
        if trouble is not None:
            raise trouble
        if is_sweep:
            self._swept = time.monotonic()
        return f"Looked at {len(seen)} requests in Overseerr; {changed} changed. {sentence}"

    def sweep_next(self) -> None:
        """Read everything in the next round: another server may answer."""
        self._swept = None

    async def hint(self, overseerr_id: int) -> None:
        """Somebody says that something happened to this one: look at it now."""
        client = await self._overseerr.client()
        try:
            there = await client.request(overseerr_id)
        except NotFound:
            rows = (await self._states.by_overseerr([overseerr_id])).get(overseerr_id, [])
            await self._gone([row for row in rows if row.is_open], client)
            return
        await self._apply([there])

    async def hint_title(self, key: TitleKey) -> None:
        """The same when only the title is known."""
        client = await self._overseerr.client()
        for row in await self._states.open_of(key):
            if row.overseerr_id is not None:
                await self._look_at(client, row)

    async def _read_pages(self, client: Overseerr, pages: int) -> tuple[int, set[int]]:
        changed, seen = 0, set[int]()
        for number in range(pages):
            page = await client.requests(take=self._rules.page, skip=number * self._rules.page)
            seen |= {one.id for one in page.results}
            changed += await self._apply(page.results)
            if len(page.results) < self._rules.page or (number + 1) * self._rules.page >= page.total:
                break
        return changed, seen

    async def _apply(self, found: Sequence[RequestRow]) -> int:
        """Follow the rows we have, take over those we have not."""
        if not found:
            return 0
        busy = await self._outbox.lanes()  # before ours are read: what is written down meanwhile is found there
        ours = await self._states.by_overseerr([one.id for one in found])
        changed = 0
        for there in found:
            rows = [row for row in ours.get(there.id, []) if _is_same(row, there)]
            if not rows:
                changed += await self._importing.take_over(there, busy)
            for row in rows:
                changed += await self._follow(row, there)
        looked = [row.id for rows in ours.values() for row in rows if row.is_open]
        await self._states.looked(looked, datetime.now(UTC))
        return changed

    async def _follow(self, row: Row, there: RequestRow) -> bool:
        step = progress.step_to(row, progress.found_status(row, there, there.media))
        # what we have not told it yet is newer than what it says
        if step is None or await self._outbox.has(row.id):
            return False
        return await self._take(row, step)

    async def _take(self, row: Row, step: Step) -> bool:
        try:
            if not await self._states.take(row, step, datetime.now(UTC)):
                return False  # somebody changed it meanwhile: the next round looks again
        except UniqueViolation:
            return False  # it was asked for again meanwhile: that one goes on
        await self._announcer.changed(row.id, step.status, step.reason_code)
        return True

    async def _read_single(self, client: Overseerr, seen: set[int]) -> int:
        rows = await self._lists.to_look_at(self._rules.single, is_sent=True)
        rows = [row for row in rows if row.overseerr_id not in seen]
        changed = 0
        gone: list[Row] = []
        for row in rows:
            try:
                changed += await self._look_at(client, row, gone)
            finally:
                await self._states.looked([row.id], datetime.now(UTC))
        return changed + await self._gone(gone, client, of=len(rows))

    async def _look_at(self, client: Overseerr, row: Row, gone: list[Row] | None = None) -> bool:
        try:
            there = await client.request(row.overseerr_id or 0)
        except NotFound:
            if gone is not None:
                gone.append(row)
            return False
        if not _is_same(row, there):
            if gone is not None:
                gone.append(row)
            return False
        return await self._follow(row, there)

    async def _gone(self, rows: Sequence[Row], client: Overseerr, of: int = 1) -> int:
        """Requests that were deleted there end here too, unless it looks as if another server answered."""
        self.is_another_server = len(rows) > self._rules.most_gone and 2 * len(rows) > of
        if self.is_another_server:
            log.warning("%d requests are not known to Overseerr any more; is it another one? They are kept", len(rows))
            return 0
        changed = 0
        for row in rows:
            if not await self._outbox.has(row.id):
                changed += await self._take(row, progress.deleted_step())
        return changed

    async def _look_in_plex(self) -> str:
        """What Plex has already counts as there, whatever Overseerr says."""
        half = self._rules.in_plex // 2
        rows = [
            *await self._lists.to_look_at(half, is_sent=True),
            *await self._lists.to_look_at(half, is_sent=False),
        ]
        found = 0
        for row in rows:
            if row.is_4k or row.status is RequestStatus.PENDING:
                continue
            try:
                is_there = await self._is_in_plex(row)
            except MediaNestError:
                return "Plex could not be asked."
            if is_there:
                found += await self._take(row, Step(status=RequestStatus.AVAILABLE, source=Source.PLEX))
            elif row.overseerr_id is None:
                await self._states.looked([row.id], datetime.now(UTC))
        return f"{found} found in Plex." if found else ""

    async def _is_in_plex(self, row: Row) -> bool:
        found = await self._titles.in_plex(row.key)
        if row.media_type is MediaType.MOVIE:
            return found is Availability.AVAILABLE
        return found.is_there and await self._has_seasons(row)

    async def _has_seasons(self, row: Row) -> bool:
        """Whether every season that was asked for is known to be there."""
        known = (await self._titles.known([row.key])).get(row.key)
        there = {one.number for one in known.seasons if one.availability is Availability.AVAILABLE} if known else set()
        return bool(row.seasons) and set(row.seasons) <= there

    async def arrived(self, event: TitleAvailabilityChanged) -> None:
        """Something of a title came to the server: requests for it may be done."""
        if not event.availability.is_there:
            return
        for row in await self._states.open_of(TitleKey(event.media_type, event.tmdb_id)):
            if row.is_4k or row.status is RequestStatus.PENDING:
                continue
            is_film = row.media_type is MediaType.MOVIE
            if (is_film and event.availability is Availability.AVAILABLE) or (
                not is_film and await self._has_seasons(row)
            ):
                await self._take(row, Step(status=RequestStatus.AVAILABLE, source=Source.PLEX))


def _is_same(row: Row, there: RequestRow) -> bool:
    """Whether the row with our number still is about our title: another server counts from 1 as well."""
    media = there.media
    if media is None:
        return True
    return (media.media_type, media.tmdb_id, there.is_4k) == (row.media_type.value, row.tmdb_id, row.is_4k)
