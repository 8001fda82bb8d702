"""Requests that were made in Overseerr itself are shown too: under the person they are matched with, or as nobody's here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from medianest.database import UniqueViolation, transaction
from medianest.errors import MediaNestError
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import RequestRow
from medianest.integrations.overseerr_failures import TitleUnavailable
from medianest.media.model import MediaType, TitleKey
from medianest.requests import progress
from medianest.requests.announcer import Announcer
from medianest.requests.model import NewRequest, RequestStatus, Source
from medianest.requests.neighbours import RequestManager, Titles
from medianest.requests.repository.lists import RequestLists
from medianest.requests.repository.rows import Row, lane_of
from medianest.requests.repository.states import RequestStates, Step

NAMED_AT_ONCE = 25  # each costs a call
MOST_SEASONS = 200


class Importing:
    """Used by the sync."""

    def __init__(
        self, lists: RequestLists, states: RequestStates, manager: RequestManager, titles: Titles, announcer: Announcer
    ) -> None:
        self._lists = lists
        self._states = states
        self._manager = manager
        self._titles = titles
        self._announcer = announcer

    async def take_over(self, there: RequestRow, busy: Collection[str]) -> bool:
        """Keep a row of Overseerr that we do not have; False when it is none of our business (yet).

        Args:
            busy: titles about which something is on its way: the row may be ours, and its number is not written down yet.
        """
        media = there.media
        if media is None or not media.tmdb_id:
            return False
        key = TitleKey(MediaType(media.media_type), media.tmdb_id)
        if lane_of(key) in busy:
            return False
        seasons = there.seasons[:MOST_SEASONS] if key.media_type is MediaType.TV else ()
        if key.media_type is MediaType.TV and not seasons:
            return False
        status = progress.found_status(_as_row(there, key, seasons), there, media) or RequestStatus.PENDING
        known = (await self._titles.known([key])).get(key)
        person = await self._person(there.requested_by_id)
        now = datetime.now(UTC)
        asked_at = min(there.created_at or now, now)
        try:
            async with transaction():
                request_id = await self._states.add(
                    NewRequest(media_type=key.media_type, tmdb_id=key.tmdb_id, is_4k=there.is_4k),
                    seasons=seasons,
                    title=known.title if known else "",
                    year=known.year if known else None,
                    requested_by=person,
                    status=status,
                    is_approved=status is not RequestStatus.PENDING,
                    is_charged=False,
                    overseerr_id=there.id,
                    at=now,
                    created_at=asked_at,
                )
                asked = Step(status=RequestStatus.PENDING, source=Source.OVERSEERR)
                await self._states.note(request_id, asked, asked_at)
                if status is not RequestStatus.PENDING:
                    changed_at = min(there.updated_at or now, now)
                    await self._states.note(request_id, Step(status=status, source=Source.OVERSEERR), changed_at)
        except UniqueViolation:  # the title is asked for here as well; that one will be matched with it when it is sent
            return False
        await self._announcer.created(request_id)
        return True

    async def _person(self, number: int | None) -> int | None:
        """Who of ours is behind a number of a person there: by Plex account, then by e-mail."""
        if number is None:
            return None
        account = next((one for one in await self._manager.people() if one.id == number), None)
        return await self._lists.person_with(account.plex_id, account.email) if account else None

    async def name_some(self, client: Overseerr) -> int:
        """Look up titles of imported requests that have none: rows of Overseerr hold only numbers."""
        named = 0
        for row in await self._lists.unnamed(NAMED_AT_ONCE):
            known = (await self._titles.known([row.key])).get(row.key)
            if known is not None:
                title, year = known.title, known.year
            else:
                try:
                    read = client.movie if row.media_type is MediaType.MOVIE else client.tv
                    found = await read(row.tmdb_id)
                    title, year = found.title, found.year
                except TitleUnavailable:
                    title, year = f"#{row.tmdb_id}", None
                except MediaNestError:
                    return named
            await self._states.name(row.id, title, year)
            named += 1
        return named


def _as_row(there: RequestRow, key: TitleKey, seasons: tuple[int, ...]) -> Row:
    now = datetime.now(UTC)
    return Row(
        id=0,
        media_type=key.media_type,
        tmdb_id=key.tmdb_id,
        is_4k=there.is_4k,
        seasons=seasons,
        requested_by=None,
        title="",
        year=None,
        status=RequestStatus.PENDING,
        reason_code=None,
        reason=None,
        is_approved=False,
        overseerr_id=there.id,
        quota_cost=1,
        version=1,
        created_at=now,
        changed_at=now,
    )
