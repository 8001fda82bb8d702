"""What the owner sets for everybody's downloads; part of the model."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from medianest.downloads.wishes import AudioFormat, Layout, Live, Place, SponsorBlock


class NightHolds(StrEnum):
    """What runs only between the two hours of the night window."""

    NOTHING = "nothing"
    LOW = "low"  # downloads of low priority
    ALL = "all"


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner sets for the whole queue."""

    concurrent_downloads: int = 3
    per_person_downloads: int | None = None  # at once; None is as many as there are
    is_paused: bool = False
    max_list_items: int = 1000
    max_height: int = 2160  # pixels; nobody gets more than this
    rate_limit_bytes_s: int | None = None  # per download; None is unlimited
    total_rate_bytes_s: int | None = None  # of all downloads together, divided among those that run
    night_holds: NightHolds = NightHolds.NOTHING
    night_from: int = 23  # hours of the clock in `time_zone`
    night_until: int = 7
    time_zone: str = ""  # IANA name; empty is the server's own
    subtitle_languages: str = ""  # comma list such as "en,de"; empty takes none
    automatic_subtitles: bool = False  # those that a machine wrote, where nobody wrote any
    subtitle_place: Place = Place.BESIDE
    chapters: bool = True
    sponsorblock: SponsorBlock = SponsorBlock.OFF
    picture_place: Place = Place.BESIDE
    audio_format: AudioFormat = AudioFormat.BEST
    video_layout: Layout = Layout.SHOW  # of single videos
    list_layout: Layout = Layout.SHOW  # of playlists
    live: Live = Live.REFUSE
    record_hours: int = 6  # a recording ends after that
    record_bytes: int = 50 * 1024**3
    free_space_floor_bytes: int = 2 * 1024**3
