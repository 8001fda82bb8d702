"""What was pasted, how far it has come, and where it lies in the library."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from medianest.downloads.media import DirectPlay as DirectPlay  # noqa: PLC0414  # other slices take it from here
from medianest.downloads.media import MediaFacts as MediaFacts  # noqa: PLC0414
from medianest.downloads.queue_settings import NightHolds as NightHolds  # noqa: PLC0414
from medianest.downloads.queue_settings import QueueSettings as QueueSettings  # noqa: PLC0414
from medianest.downloads.wishes import Layout as Layout  # noqa: PLC0414
from medianest.downloads.wishes import Live as Live  # noqa: PLC0414
from medianest.downloads.wishes import Quality as Quality  # noqa: PLC0414
from medianest.downloads.wishes import Wishes as Wishes  # noqa: PLC0414
from medianest.events import Event


class DownloadKind(StrEnum):
    VIDEO = "video"
    PLAYLIST = "playlist"
    CHANNEL = "channel"


class DownloadState(StrEnum):
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    WAITING = "waiting"


class ReasonCode(StrEnum):
    """Why a download waits, failed or is as it is; stable for scripts. The words for people are in `reasons.py`."""

    UPCOMING = "upcoming"  # the waiting ones
    REPLAY = "replay"  # until a broadcast is over and the whole of it is there
    SITE_PAUSED = "site_paused"
    NEEDS_SIGN_IN = "needs_sign_in"
    DISK_FULL = "disk_full"
    APPROVAL = "approval"
    QUOTA = "quota"
    RETRYING = "retrying"  # queued again after a passing fault
    RECORDING = "recording"  # downloading: a broadcast that goes on is written down
    SAME_VIDEO = "same_video"  # queued until a running download of the same video ends
    TRANSIENT = "transient"  # the failed ones
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    BOT_CHECK = "bot_check"
    GEO_BLOCKED = "geo_blocked"
    GONE = "gone"
    UNSUPPORTED = "unsupported"
    LIVE = "live"
    ADDRESS_REFUSED = "address_refused"
    FFMPEG_MISSING = "ffmpeg_missing"
    JAVASCRIPT_MISSING = "javascript_missing"
    LIBRARY_NOT_WRITABLE = "library_not_writable"
    NO_FORMAT = "no_format"
    SUSPICIOUS_FILE = "suspicious_file"
    ENGINE_ERROR = "engine_error"
    WORKER_CRASHED = "worker_crashed"
    ALREADY_THERE = "already_there"  # the completed ones
    LOWER_QUALITY = "lower_quality"
    LIST_CAPPED = "list_capped"
    SOME_FAILED = "some_failed"
    EMPTY_LIST = "empty_list"
    DECLINED = "declined"  # cancelled: whoever looks after the children said no


class Priority(IntEnum):
    """Stored as a number so that the queue's index orders by it; the API speaks the names."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


ACTIVE_STATES = (DownloadState.DOWNLOADING, DownloadState.PROCESSING)
WAITING_STATES = (DownloadState.QUEUED, DownloadState.WAITING, DownloadState.PAUSED)
FAILED_STATES = (DownloadState.FAILED, DownloadState.CANCELLED)
FINISHED_STATES = (DownloadState.COMPLETED,)
OPEN_STATES = ACTIVE_STATES + WAITING_STATES


class NewDownload(Wishes, frozen=True, kw_only=True):
    """A pasted link and what is wanted of it. `as_film` is an older word for the layout `film`."""

    url: str
    quality: Quality = Quality.DEFAULT
    audio_only: bool = False
    priority: str = "normal"
    as_film: bool = False


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a download is. For a list, `items_*` count its videos and `percent` is of the whole list."""

    percent: float | None = None
    downloaded_bytes: int | None = None
    total_bytes: int | None = None
    speed_bytes_s: float | None = None
    eta_s: int | None = None
    items_done: int | None = None
    items_failed: int | None = None
    items_total: int | None = None


class LibraryFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file in the library; `path` is relative to the library root, with `/`."""

    path: str
    size_bytes: int
    media_type: str


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the queue as people and scripts see it. Sizes in bytes, durations in seconds."""

    id: int
    parent_id: int | None
    item_index: int | None
    url: str
    kind: DownloadKind
    title: str  # the link itself until the site has told the title
    uploader: str
    duration_s: int | None
    thumbnail: str | None  # address below the base path
    quality: Quality
    audio_only: bool
    as_film: bool
    state: DownloadState
    reason_code: ReasonCode | None
    reason: str | None
    priority: str
    position: int | None  # place in the line, 1 is next; None unless queued
    progress: Progress
    attempts: int
    next_attempt_at: datetime | None
    requested_by: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    files: tuple[LibraryFile, ...] = ()
    plex_url: str | None = None
    wishes: Wishes = Wishes()
    media: MediaFacts | None = None  # what is inside; None until it lies in the library

    @property
    def is_recording(self) -> bool:
        """Whether a broadcast is being written down; it can be ended with what there is."""
        return self.state is DownloadState.DOWNLOADING and self.reason_code is ReasonCode.RECORDING

    @property
    def is_live_refused(self) -> bool:
        """Whether it is a broadcast that can be recorded, or waited for."""
        return self.reason_code in (ReasonCode.LIVE, ReasonCode.REPLAY) and not self.is_list

    @property
    def is_list(self) -> bool:
        return self.kind is not DownloadKind.VIDEO

    @property
    def is_for_approval(self) -> bool:
        """Whether it waits for somebody to say yes."""
        return self.state is DownloadState.WAITING and self.reason_code is ReasonCode.APPROVAL

    @property
    def can_pause(self) -> bool:
        return not self.is_for_approval and self.state in (
            DownloadState.QUEUED,
            DownloadState.DOWNLOADING,
            DownloadState.WAITING,
        )

    @property
    def can_resume(self) -> bool:
        return self.state is DownloadState.PAUSED

    @property
    def can_cancel(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def can_retry(self) -> bool:
        # it need not wait for its time
        is_paused = self.reason_code is ReasonCode.SITE_PAUSED  # nobody asks a site that said stop
        is_held = self.state is DownloadState.WAITING and not (self.is_list or self.is_for_approval or is_paused)
        return self.state in FAILED_STATES or is_held or self.reason_code is ReasonCode.SOME_FAILED


ITEMS_OF_A_CHARGE = 25


def cost_of(items_total: int | None) -> int:
    """What a link counts in the downloads per hour: 1, and one more for each further 25 videos of a list."""
    return max(1, -(-(items_total or 0) // ITEMS_OF_A_CHARGE))


class PreviewItem(msgspec.Struct, frozen=True, kw_only=True):
    title: str
    duration_s: int | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a quality would take of a video; empty words and None for what the site does not tell."""

    quality: Quality
    audio_only: bool = False
    height: int | None = None  # lines
    container: str = ""
    video_codec: str = ""
    audio_codec: str = ""
    size_bytes: int | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a link leads to, before anything is downloaded."""

    url: str
    kind: DownloadKind
    title: str
    uploader: str = ""
    thumbnail: str | None = None
    duration_s: int | None = None
    items_total: int | None = None  # None for a single video
    is_capped: bool = False  # the list goes on beyond `items_total`
    items: tuple[PreviewItem, ...] = ()  # the first three
    is_live: bool = False
    starts_at: datetime | None = None  # of what has not begun yet, where the site tells it
    is_waiting: bool = False  # not begun, or not put together yet: it is downloaded when it is there
    offers: tuple[Offer, ...] = ()  # of a single video
    subtitles: tuple[str, ...] = ()  # languages
    automatic_subtitles: tuple[str, ...] = ()
    quota_cost: int = 1
    existing: int | None = None  # id of the download that already has it


class FoundVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video that a search by words found; `video_id` is the site's own."""

    url: str
    title: str
    uploader: str = ""
    duration_s: int | None = None
    video_id: str = ""


class QueueCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Figures above the list: top-level downloads of the person (an administrator: of all)."""

    active: int = 0
    waiting: int = 0
    finished: int = 0
    failed: int = 0
    done_today: int = 0
    speed_bytes_s: float = 0.0


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """A child's download that waits for a yes, and who asked."""

    download: Download
    asked_by: str


class QuotaUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has used of their share. A limit of -1, and None for what is left, mean that there is no limit."""

    downloads_per_hour: int
    downloads_used: int
    downloads_left: int | None
    opens_at: datetime | None  # when the next of what is used becomes free; None when nothing is used
    storage_bytes: int
    storage_used_bytes: int
    storage_left_bytes: int | None


class Belongings(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has: downloads on their list, and videos of the library that stand under their name."""

    downloads: int = 0
    shared: int = 0  # of the downloads, those that others have too
    open: int = 0  # of the downloads, those that have not ended
    videos: int = 0
    size_bytes: int = 0
    own_videos: int = 0  # of the videos, those that nobody else asked for
    own_bytes: int = 0


class DownloadCreated(Event, frozen=True):
    download_id: int
    parent_id: int | None
    people: tuple[int, ...]
    for_approvers: bool = False  # whoever may approve learns of it too


class DownloadStateChanged(Event, frozen=True):
    download_id: int
    parent_id: int | None
    people: tuple[int, ...]
    state: DownloadState
    reason_code: ReasonCode | None = None
    for_approvers: bool = False
    is_for_pages: bool = False  # the state is the same: what Plex made of it is what pages read again


class DownloadProgressed(Event, frozen=True):
    """At most two a second for each download. Numbers, since no row holds them."""

    download_id: int
    parent_id: int | None
    people: tuple[int, ...]
    progress: Progress


class DownloadRemoved(Event, frozen=True):
    download_id: int
    parent_id: int | None
    people: tuple[int, ...]


class DownloadLeft(Event, frozen=True):
    """A person took a shared download off their own list; for the others it is still there."""

    download_id: int
    user_id: int


class DownloadFinished(Event, frozen=True):
    """A video lies in the library; `folder` is relative to the library root."""

    download_id: int
    history_id: int
    folder: str


class RecordingEndWanted(Event, frozen=True):
    """Somebody ends a recording: whoever runs it lets ffmpeg finish the file."""

    download_id: int


class QueueSettingsChanged(Event, frozen=True):
    pass
