"""What Overseerr has of a request already: looked up before every send, since it takes no lock and knows no idempotency."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from medianest.accounts.model import User
from medianest.errors import NotFound
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import MediaInfo, MediaState, RequestRow, RowState
from medianest.media.model import MediaType
from medianest.requests.neighbours import PersonOf, RequestManager
from medianest.requests.repository.rows import Row

# rows that stand for the title; a declined one does not, nor a completed one whose files are gone again
_STANDING = (RowState.PENDING, RowState.APPROVED, RowState.FAILED)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A row that is ours, or None; and the seasons that no row stands for yet."""

    row: RequestRow | None
    media: MediaInfo | None
    missing: tuple[int, ...] = ()


async def look(client: Overseerr, row: Row, as_user: int | None) -> Found:
    """What there is for our request at Overseerr now."""
    read = client.movie if row.media_type is MediaType.MOVIE else client.tv
    media = (await read(row.tmdb_id)).media
    return match(row, media, as_user)


def match(row: Row, media: MediaInfo | None, as_user: int | None) -> Found:
    """Of the rows of a title the one that is ours: the same person's first, then anybody's.

    A film that somebody else has asked for there would be refused, so theirs is ours. Of a series all that is wanted must be
    covered; otherwise the seasons that are missing are still to be sent.
    """
    if media is None:
        return Found(row=None, media=None, missing=row.seasons)
    standing = [one for one in media.requests if one.is_4k == row.is_4k and _stands(row, one, media)]
    if row.media_type is MediaType.MOVIE:
        return Found(row=_best(standing, row, as_user), media=media)
    covered = {number for one in standing for number in one.seasons}
    there = {number for number, state in media.seasons.items() if state is MediaState.AVAILABLE}
    missing = tuple(number for number in row.seasons if number not in covered | (set() if row.is_4k else there))
    overlapping = [one for one in standing if set(one.seasons) & set(row.seasons)]
    return Found(row=_best(overlapping, row, as_user), media=media, missing=missing)


def _stands(row: Row, one: RequestRow, media: MediaInfo) -> bool:
    if one.status in _STANDING:
        return True
    state = media.status_4k if row.is_4k else media.status
    return one.status is RowState.COMPLETED and state in (MediaState.AVAILABLE, MediaState.PARTIALLY_AVAILABLE)


def _best(rows: Sequence[RequestRow], row: Row, as_user: int | None) -> RequestRow | None:
    def weight(one: RequestRow) -> tuple[bool, int, int]:
        return one.requested_by_id == as_user, len(set(one.seasons) & set(row.seasons)), -one.id

    return max(rows, key=weight, default=None)


async def name_for(overseerr: RequestManager, person_of: PersonOf, user_id: int | None) -> int | None:
    """The number under which something is sent: the person's own at Overseerr, else that of the chosen user."""
    person: User | None = None
    if user_id is not None:
        try:
            person = await person_of(user_id)
        except NotFound:
            person = None
    own = await overseerr.user_id_of(person) if person is not None else None
    return own if own is not None else await overseerr.default_user_id()
