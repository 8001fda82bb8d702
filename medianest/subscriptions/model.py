"""What somebody follows, what of it is taken, and what each check found."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from medianest.downloads.model import DownloadKind, DownloadState, Quality
from medianest.events import Event


class SubscriptionState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    FAILING = "failing"  # the last three checks or more did not work; it is tried further on
    ENDING = "ending"  # unfollowed: what waits in the queue is being taken off; nobody sees it any more


class Outcome(StrEnum):
    """How the last check ended; stable for scripts."""

    FOUND = "found"
    NOTHING_NEW = "nothing_new"
    QUOTA = "quota"  # found, and waiting for the person's share to open
    SITE_PAUSED = "site_paused"
    NEEDS_SIGN_IN = "needs_sign_in"
    UNREACHABLE = "unreachable"
    GONE = "gone"
    UNREADABLE = "unreadable"
    RUNS_AWAY = "runs_away"  # another list at every look: nothing of it is taken
    NOT_ALLOWED = "not_allowed"  # the person may not follow or download any more


class ItemState(StrEnum):
    """What becomes of a video of a followed list."""

    KNOWN = "known"  # seen and not taken; `reason` says why
    WANTED = "wanted"  # waits to be put into the queue
    QUEUED = "queued"  # a download has it
    DOWNLOADED = "downloaded"
    IGNORED = "ignored"  # somebody said so
    DELETED = "deleted"  # it was in the library or in the queue and somebody removed it: it does not come back


class LeftOut(StrEnum):
    """Why a video is not taken."""

    OLD = "old"  # it was there before
    WORDS = "words"
    PATTERN = "pattern"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    SHORTS = "shorts"
    LIVE = "live"
    MEMBERS = "members"
    BEFORE = "before"  # published before the date
    NO_DATE = "no_date"  # an older one whose date the site does not tell
    REMOVED = "removed"  # its download was cleared away without a file
    REFUSED = "refused"  # its link can not be downloaded


class Layout(StrEnum):
    """How its videos are filed."""

    SHOW = "show"  # each in the show of its channel
    FILM = "film"


class Keep(StrEnum):
    ALL = "all"
    NEWEST = "newest"
    DAYS = "days"


class KeepRule(msgspec.Struct, frozen=True, kw_only=True):
    """How long its videos stay: all of them, the newest `number`, or `number` days after they were filed."""

    rule: Keep = Keep.ALL
    number: int | None = None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What of a list is taken. Words are comma lists, upper and lower case alike; lengths are seconds."""

    words: str = ""  # one of them is in the title
    without: str = ""  # none of them is
    pattern: str = ""  # as `patterns.py` reads it
    min_duration_s: int | None = None
    max_duration_s: int | None = None
    shorts: bool = True
    live: bool = True  # recordings of broadcasts
    members: bool = False
    since: date | None = None


class Old(StrEnum):
    """What is taken of the videos that are there when somebody begins to follow."""

    NONE = "none"
    LAST = "last"
    ALL = "all"


class NewSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """A link to follow and what is wanted of it. `confirmed`: the number of old videos is known and meant."""

    url: str
    interval_minutes: int = 360
    quality: Quality = Quality.DEFAULT
    audio_only: bool = False
    layout: Layout = Layout.SHOW
    priority: str = "normal"  # of fresh videos; older ones are low
    filters: Filters = Filters()
    keep: KeepRule = KeepRule()
    take_old: Old = Old.NONE
    old_number: int = 10  # how many with `last`
    confirmed: bool = False


class SubscriptionChange(msgspec.Struct, frozen=True, kw_only=True):
    """A partial change: what is unset stays. `state` takes `active` and `paused`."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    interval_minutes: int | msgspec.UnsetType = msgspec.UNSET
    quality: Quality | msgspec.UnsetType = msgspec.UNSET
    audio_only: bool | msgspec.UnsetType = msgspec.UNSET
    layout: Layout | msgspec.UnsetType = msgspec.UNSET
    priority: str | msgspec.UnsetType = msgspec.UNSET
    filters: Filters | msgspec.UnsetType = msgspec.UNSET
    keep: KeepRule | msgspec.UnsetType = msgspec.UNSET
    state: SubscriptionState | msgspec.UnsetType = msgspec.UNSET


class ItemCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many of its videos are in which state. `new` are those on their way that came up since it is followed."""

    known: int = 0
    wanted: int = 0
    queued: int = 0
    downloaded: int = 0
    ignored: int = 0
    deleted: int = 0
    new: int = 0


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """One followed list as people and scripts see it."""

    id: int
    user_id: int
    url: str
    kind: DownloadKind
    title: str
    uploader: str
    picture: str | None  # address below the base path
    site: str
    interval_minutes: int
    quality: Quality
    audio_only: bool
    layout: Layout
    priority: str
    filters: Filters
    keep: KeepRule
    state: SubscriptionState
    is_checking: bool
    checked_at: datetime | None
    next_check_at: datetime
    outcome: Outcome | None
    message: str
    failures: int
    created_at: datetime
    counts: ItemCounts = ItemCounts()
    newest_title: str = ""
    newest_at: datetime | None = None  # when it was published, as far as the site tells, else when it was found
    owner_name: str = ""  # for administrators, who see everybody's

    @property
    def is_paused(self) -> bool:
        return self.state is SubscriptionState.PAUSED


class SubscriptionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One video of a followed list. `download_state` is there while a download has it."""

    id: int
    subscription_id: int
    url: str
    title: str
    duration_s: int | None
    tab: str
    published_on: date | None
    found_at: datetime
    is_backlog: bool
    state: ItemState
    reason: LeftOut | None
    download_id: int | None
    download_state: DownloadState | None = None


class PreviewedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """One video of a dry run; `reason` says why it would be left out."""

    title: str
    url: str
    duration_s: int | None = None
    published_on: date | None = None
    tab: str = ""
    is_taken: bool = True
    reason: LeftOut | None = None


class SubscriptionPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What following a link would do now; nothing is kept of it."""

    url: str
    kind: DownloadKind
    title: str
    uploader: str
    items_total: int
    is_capped: bool  # the list goes on beyond what is read
    takes: int
    left_out: dict[str, int]  # by LeftOut
    not_out_yet: int  # live or announced: looked at again once it is over
    tabs: dict[str, int]  # of a channel
    videos: tuple[PreviewedVideo, ...]  # the first ones
    needs_confirmation: bool  # so many would be taken that `confirmed` is asked for
    existing: int | None = None  # it is followed already


class Unfollowed(msgspec.Struct, frozen=True, kw_only=True):
    """What ending a subscription does: downloads that have not ended go, files stay unless asked for."""

    waiting: int
    downloaded: int


class SubscriptionChanged(Event, frozen=True):
    """Its card or its videos are other now; also when a check begins or ends."""

    subscription_id: int
    user_id: int


class SubscriptionsChanged(Event, frozen=True):
    """Somebody began or ended to follow something."""

    user_id: int
