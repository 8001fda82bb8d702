"""What was asked for, by whom, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from medianest.events import Event
from medianest.media.model import MediaType

LONGEST_REASON = 300


class RequestStatus(StrEnum):
    """How far a request is; stable for scripts."""

    PENDING = "pending"  # waits for somebody to say yes
    APPROVED = "approved"  # on its way to be looked for; with `upstream_down`: kept, will be sent
    PROCESSING = "processing"  # a copy is looked for
    PARTIALLY_AVAILABLE = "partially_available"
    AVAILABLE = "available"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReasonCode(StrEnum):
    """Why a request is as it is; stable for scripts. The words for people are in `words.py`."""

    UPSTREAM_DOWN = "upstream_down"  # approved: kept, will be sent
    DECLINED = "declined"
    DECLINED_UPSTREAM = "declined_upstream"
    CANCELLED = "cancelled"
    DELETED_UPSTREAM = "deleted_upstream"
    UPSTREAM_PERMISSION = "upstream_permission"  # the failed ones
    UPSTREAM_QUOTA = "upstream_quota"
    BLOCKLISTED = "blocklisted"
    NOTHING_TO_REQUEST = "nothing_to_request"
    UPSTREAM_REFUSED = "upstream_refused"
    HANDOVER_FAILED = "handover_failed"


class Source(StrEnum):
    """Where a step of the history comes from."""

    PERSON = "person"
    OVERSEERR = "overseerr"  # done in the request manager itself
    PLEX = "plex"
    HOUSE = "house"  # MediaNest by itself, such as an approval that somebody's rights give


OPEN_STATUSES = (
    RequestStatus.PENDING,
    RequestStatus.APPROVED,
    RequestStatus.PROCESSING,
    RequestStatus.PARTIALLY_AVAILABLE,
)
# how far each is; a later look may only go up, see `progress.py`
RANKS = {
    RequestStatus.PENDING: 0,
    RequestStatus.APPROVED: 1,
    RequestStatus.PROCESSING: 2,
    RequestStatus.PARTIALLY_AVAILABLE: 3,
    RequestStatus.AVAILABLE: 4,
}


class NewRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for. `seasons` None: of a series all that are missing."""

    media_type: MediaType
    tmdb_id: int
    seasons: tuple[int, ...] | None = None
    is_4k: bool = False


class RequestPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody beside a request. `id` is None for people without an account here."""

    id: int | None
    name: str


class RequestEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the history. `who` is empty where the reader may not know, or nobody did it."""

    at: datetime
    status: RequestStatus
    source: Source
    who: str = ""
    reason: str | None = None


class TimelineStep(msgspec.Struct, frozen=True, kw_only=True):
    """One of the steps every request takes. `state`: done, now, later, or bad where it ended."""

    name: str  # asked, approved, looking, partly, there, declined, failed or cancelled
    state: str
    at: datetime | None = None
    who: str = ""
    source: Source = Source.HOUSE
    reason: str | None = None


class MediaRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request as the person who looks may see it."""

    id: int
    media_type: MediaType
    tmdb_id: int
    title: str
    year: int | None
    poster: str | None  # address below the base path
    seasons: tuple[int, ...]  # none for a film
    is_4k: bool
    status: RequestStatus
    reason_code: ReasonCode | None
    reason: str | None
    requested_by: RequestPerson | None  # None: somebody the reader need not know
    is_mine: bool
    is_followed: bool
    followers: int  # how many others wait with the person who asked
    created_at: datetime
    changed_at: datetime
    can_cancel: bool = False
    can_decide: bool = False  # approve it
    can_decline: bool = False
    can_retry: bool = False
    plex_url: str | None = None
    history: tuple[RequestEntry, ...] = ()  # oldest first; only of a single request
    steps: tuple[TimelineStep, ...] = ()  # the same as a way with what is still to come; only of a single request
    follower_names: tuple[str, ...] = ()  # for whoever may see others' requests; only of a single request

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_kept(self) -> bool:
        """Whether it waits for the request manager to answer again."""
        return self.status is RequestStatus.APPROVED and self.reason_code is ReasonCode.UPSTREAM_DOWN


class AskedState(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of requests for one title: for badges. `request_id` is None where the person may not open it."""

    request_id: int | None
    status: RequestStatus
    is_mine: bool
    is_followed: bool
    asked_by: str  # empty: somebody else
    reason: str | None = None


class RequestQuota(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has used of their requests. A film counts one, a series one for each season."""

    limit: int  # -1 is none
    days: int
    used: int
    left: int | None  # None: no limit
    opens_at: datetime | None  # when the next of what is used becomes free


class SeasonState(StrEnum):
    """Of a season in the panel: only a missing one can be asked for."""

    MISSING = "missing"
    THERE = "there"
    ASKED = "asked"


class PanelSeason(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of seasons."""

    number: int
    title: str
    episodes: int | None
    state: SeasonState

    @property
    def is_locked(self) -> bool:
        return self.state is not SeasonState.MISSING


class RequestPanel(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody can do about a title. `why_not` is a sentence, empty when they may ask."""

    media_type: MediaType
    tmdb_id: int
    title: str
    may_ask: bool
    why_not: str
    needs_approval: bool
    may_4k: bool
    is_kept: bool  # the request manager does not answer: it is kept and sent later
    quota: RequestQuota | None  # None: nothing limits them
    seasons: tuple[PanelSeason, ...]
    existing: AskedState | None
    asked: MediaRequest | None = None  # the existing one, where the person may open it
    people: tuple[RequestPerson, ...] = ()  # for whom whoever looks after requests may ask

    @property
    def missing(self) -> int:
        """How many seasons can be asked for."""
        return sum(not season.is_locked for season in self.seasons)


class RequestCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over the list: what the person sees. `to_approve` only for whoever may say yes."""

    all: int = 0
    waiting: int = 0
    on_the_way: int = 0
    there: int = 0
    declined: int = 0  # and what did not work or was taken back
    to_approve: int = 0


class RequestBelongings(msgspec.Struct, frozen=True, kw_only=True):
    """What one person asked for: how many, how many of them others follow, and how many of the rest are open."""

    requests: int = 0
    shared: int = 0
    open: int = 0


class RequestCreated(Event, frozen=True):
    """Something was asked for, or somebody joined. `people`: who asked and who follows."""

    request_id: int
    people: tuple[int, ...]


class RequestStatusChanged(Event, frozen=True):
    request_id: int
    people: tuple[int, ...]
    status: RequestStatus
    reason_code: ReasonCode | None = None
