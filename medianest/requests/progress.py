"""How far a request is, from what Overseerr says of its row and its title; and which steps a later look may bring.

The row and the title are read together: what is there counts whatever the row says, since Overseerr leaves good rows
"approved", and rows that were pending when the file came even "pending".
"""

from __future__ import annotations

from medianest.integrations.overseerr_answers import MediaInfo, MediaState, RequestRow, RowState
from medianest.media.model import MediaType
from medianest.requests.model import RANKS, ReasonCode, RequestStatus, Source
from medianest.requests.repository.rows import Row
from medianest.requests.repository.states import Step
from medianest.requests.words import REASONS

_THERE = (MediaState.AVAILABLE, MediaState.PARTIALLY_AVAILABLE)


def found_status(row: Row, upstream: RequestRow, media: MediaInfo | None) -> RequestStatus | None:
    """What Overseerr's answer says of our request; None when it says nothing we know."""
    there = _there(row, media)
    if there is not None:
        return there
    match upstream.status:
        case RowState.PENDING:
            return RequestStatus.PENDING
        case RowState.DECLINED:
            return RequestStatus.DECLINED
        case RowState.FAILED:
            return RequestStatus.FAILED
        case RowState.COMPLETED:  # Seerr: it became available, whatever has become of the files since
            return RequestStatus.AVAILABLE
        case RowState.APPROVED:
            return RequestStatus.PROCESSING if _is_processing(row, media) else RequestStatus.APPROVED
    return None


def _there(row: Row, media: MediaInfo | None) -> RequestStatus | None:
    if media is None:
        return None
    title = media.status_4k if row.is_4k else media.status
    if row.media_type is MediaType.MOVIE or row.is_4k:  # of 4K the seasons are not told apart
        if title is MediaState.AVAILABLE or (title in _THERE and row.media_type is MediaType.MOVIE):
            return RequestStatus.AVAILABLE
        return RequestStatus.PARTIALLY_AVAILABLE if title in _THERE else None
    seasons = [media.seasons.get(number, MediaState.UNKNOWN) for number in row.seasons]
    if seasons and all(one is MediaState.AVAILABLE for one in seasons):
        return RequestStatus.AVAILABLE
    if any(one in _THERE for one in seasons):
        return RequestStatus.PARTIALLY_AVAILABLE
    return RequestStatus.AVAILABLE if title is MediaState.AVAILABLE and not media.seasons else None


def _is_processing(row: Row, media: MediaInfo | None) -> bool:
    if media is None:
        return False
    if row.media_type is MediaType.TV and not row.is_4k and media.seasons:
        return any(media.seasons.get(number) is MediaState.PROCESSING for number in row.seasons)
    return (media.status_4k if row.is_4k else media.status) is MediaState.PROCESSING


def step_to(row: Row, found: RequestStatus | None, source: Source = Source.OVERSEERR) -> Step | None:
    """The step that `found` brings our request, None for none.

    Upwards always. Never down: an older answer, or a title that is matched anew, would have it waver. But a no, a failure,
    and a yes after either of them are followed, from wherever it stands; what is there stays there.
    """
    if found is None or row.status in (RequestStatus.AVAILABLE, RequestStatus.CANCELLED):
        return None
    if found is RequestStatus.PENDING and row.is_approved:
        return None  # our own yes has not arrived there yet
    if found is row.status:
        # it is there now: what stood in the way is over
        is_over = found is RequestStatus.APPROVED and row.reason_code is ReasonCode.UPSTREAM_DOWN
        return Step(status=found, source=source, is_noted=False) if is_over else None
    if found is RequestStatus.DECLINED:
        return _ended(row, found, ReasonCode.DECLINED_UPSTREAM, source)
    if found is RequestStatus.FAILED:
        return _ended(row, found, ReasonCode.HANDOVER_FAILED, source)
    is_up = row.status not in RANKS or RANKS[found] > RANKS[row.status]
    if not is_up or (row.status not in RANKS and found is RequestStatus.PENDING):
        return None
    return Step(status=found, source=source, is_approved=True if found is not RequestStatus.PENDING else None)


def _ended(row: Row, status: RequestStatus, code: ReasonCode, source: Source) -> Step | None:
    if row.status not in RANKS:  # it has ended here already, with words of our own
        return None
    return Step(status=status, source=source, reason_code=code, reason=REASONS[code])


def deleted_step() -> Step:
    """Somebody took it away in Overseerr."""
    code = ReasonCode.DELETED_UPSTREAM
    return Step(status=RequestStatus.CANCELLED, source=Source.OVERSEERR, reason_code=code, reason=REASONS[code])
