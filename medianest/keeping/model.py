"""What the library has and had, what goes and why, and the owner's rules about it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import msgspec

from medianest.downloads.model import LibraryFile

LEAST_NOTICE_DAYS = 7


class Origin(StrEnum):
    """Where a record comes from when it was not downloaded here."""

    ADOPTED = "adopted"  # it lay in the folder already
    ARCHIVE = "archive"  # another tool's list says that somebody had it


class VideoState(StrEnum):
    """How a video of the history stands, as the filter and scripts name it."""

    THERE = "there"
    GOING = "going"  # its deletion is announced
    SHIELDED = "shielded"
    DELETED = "deleted"
    HAD = "had"  # by another tool's list; its file was never here
    UNFINISHED = "unfinished"  # being filed, or its file disappeared


class VideoKind(StrEnum):
    EPISODE = "episode"
    FILM = "film"
    AUDIO = "audio"


class Why(StrEnum):
    """Which rule lets a video go."""

    AGE = "age"
    NEWEST = "newest"  # newer ones of its show fill the number
    WATCHED = "watched"
    SPACE = "space"
    FOLLOWED_AGE = "followed_age"  # by the subscription it came with
    FOLLOWED_NEWEST = "followed_newest"


class Outcome(StrEnum):
    """How an announced deletion ended."""

    OPEN = ""
    DELETING = "deleting"  # the record says so, its files are being removed
    DELETED = "deleted"
    SHIELDED = "shielded"
    WITHDRAWN = "withdrawn"  # no rule says so any more
    GONE = "gone"  # somebody removed it before


class KeepingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's rules for everything; None is off. They are applied once a night."""

    days: int | None = None  # after it was filed
    newest_per_show: int | None = None
    watched_days: int | None = None  # after whoever asked for it watched it in Plex
    free_space_bytes: int | None = None  # the oldest go until so much is free
    notice_days: int = LEAST_NOTICE_DAYS  # between the word to people and the deletion


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """A video that a rule lets go."""

    history_id: int
    title: str
    uploader: str
    size_bytes: int
    filed_at: datetime
    why: Why
    detail: str = ""


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules would delete now, oldest first; `items` are the first hundred."""

    count: int
    size_bytes: int
    by_rule: dict[str, int]
    items: tuple[Going, ...]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A deletion that was announced. `told` counts the people."""

    id: int
    history_id: int
    title: str
    size_bytes: int
    why: Why
    detail: str
    told: int
    announced_at: datetime
    due_at: datetime
    outcome: Outcome
    ended_at: datetime | None


class GoingSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What of somebody's videos goes soon."""

    count: int
    size_bytes: int
    first_at: datetime | None


class InPlex(msgspec.Struct, frozen=True, kw_only=True):
    """What Plex knows of a video."""

    state: str  # waiting, found, missing, removed
    reason: str
    item_type: str | None
    section: str | None
    rating_key: str | None
    found_at: datetime | None
    checked_at: datetime | None


class HistoryVideo(msgspec.Struct, frozen=True, kw_only=True):
    """One video that the library has or had. Sizes in bytes."""

    id: int
    title: str
    uploader: str
    url: str
    site: str
    video_id: str
    kind: VideoKind
    state: VideoState
    origin: Origin | None
    size_bytes: int
    duration_s: int | None
    published_on: date | None
    created_at: datetime
    filed_at: datetime | None
    deleted_at: datetime | None
    requested_by: int | None
    requested_by_name: str
    is_shielded: bool
    watched_at: datetime | None
    goes_at: datetime | None = None  # not before, when its deletion is announced
    why: Why | None = None
    why_detail: str = ""
    plex_url: str | None = None

    @property
    def is_there(self) -> bool:
        """Whether its file lies in the library."""
        return self.filed_at is not None and self.deleted_at is None


class HistoryDetail(HistoryVideo, frozen=True, kw_only=True):
    """With its files and what Plex knows."""

    files: tuple[LibraryFile, ...] = ()
    plex: InPlex | None = None


class HistoryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to show; what is empty counts for nothing. Days of `since` and `until` are those of filing."""

    words: str = ""
    state: VideoState | None = None
    kind: VideoKind | None = None
    site: str = ""
    person: str = ""  # user name; administrators only
    since: datetime | None = None
    until: datetime | None = None  # not included


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first. `older` and `newer` are ids for `before` and `after`; None where nothing follows."""

    items: tuple[HistoryVideo, ...]
    older: int | None
    newer: int | None


class WorkKind(StrEnum):
    ADOPT = "adopt"
    MOVE = "move"


class WorkState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class LibraryWork(msgspec.Struct, frozen=True, kw_only=True):
    """Long work on the library: taking in what lies there, or moving it. `done` and `total` are files, or bytes of a move."""

    id: int
    kind: WorkKind
    is_dry_run: bool
    target: str
    state: WorkState
    step: str
    done: int
    total: int
    message: str
    found: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None

    @property
    def percent(self) -> int:
        return round(100 * min(self.done, self.total) / self.total) if self.total else 0


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """How an archive file of another tool was read."""

    added: int
    known: int
    unread: tuple[str, ...] = ()  # the first lines that say nothing
