"""A list on a site as it stands right now, for whoever comes back to it again and again."""

from __future__ import annotations

from datetime import date

import msgspec

from medianest.downloads.model import DownloadKind, DownloadState, ReasonCode
from medianest.errors import UpstreamFailed


class FeedEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list, not opened. All of it is a stranger's text; durations in seconds."""

    key: str  # names it within its list: the feed's own id where it has one, else the identity
    identity: str  # as in the download history, of the video (not of its sound alone)
    url: str
    title: str
    uploader: str = ""
    duration_s: int | None = None
    tab: str = ""  # `videos`, `shorts` or `streams` of a channel
    published_on: date | None = None  # as far as the list tells; of a channel about right
    live_status: str = ""
    is_short: bool = False
    is_for_members: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it is, or was, a broadcast."""
        return self.tab == "streams" or self.live_status in ("is_live", "was_live", "is_upcoming", "post_live")

    @property
    def is_not_out(self) -> bool:
        """Announced, going on right now, or not put together yet: there is nothing to download."""
        return self.live_status in ("is_live", "is_upcoming", "post_live")


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A list with its entries in its own order."""

    kind: DownloadKind
    title: str
    uploader: str = ""
    picture: str | None = None  # name in the picture store
    entries: tuple[FeedEntry, ...] = ()
    is_capped: bool = False  # it goes on beyond the limit
    is_cut: bool = False  # reading stopped at what was known


class FeedRefused(UpstreamFailed):
    """A list can not be read now. `failure` is the class of the worker's protocol; `wait_s` how long the site is left alone."""

    def __init__(self, message: str, *, failure: str, wait_s: float | None = None) -> None:
        super().__init__(message, code=failure)
        self.failure = failure
        self.wait_s = wait_s


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a download stands; `is_deleted`: its video was in the library and was removed."""

    state: DownloadState
    reason_code: ReasonCode | None
    history_id: int | None
    is_deleted: bool


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """A video that the library has, or had until somebody removed it."""

    history_id: int
    is_there: bool
    is_deleted: bool
