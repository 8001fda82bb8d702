"""Tables of the download queue and of what was filed. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import JSONB, BigInt, BigSerial, Boolean, Date, DoublePrecision, Integer, Text, Timestamptz
from piccolo.table import Table


class DownloadRow(Table, tablename="download_queue"):
    id = BigSerial(primary_key=True)
    parent_id = BigInt(null=True, default=None)
    item_index = Integer(null=True, default=None, help_text="place in the list, from 1")
    requested_by = BigInt()
    url = Text()
    url_key = Text(help_text="SHA-256 of the normalised link, and of `audio` when only the sound is wanted")
    site = Text(null=True, default=None, help_text="yt-dlp's extractor key, lower case")
    video_id = Text(null=True, default=None)
    identity = Text(
        null=True, default=None, help_text="as in the history; of a list item it is known before the download"
    )
    kind = Text()
    title = Text()
    uploader = Text()
    duration_s = Integer(null=True, default=None)
    picture = Text(null=True, default=None, help_text="name in the picture store")
    quality = Text()
    audio_only = Boolean()
    as_film = Boolean()
    state = Text()
    reason_code = Text(null=True, default=None)
    reason = Text(null=True, default=None)
    priority = Integer(help_text="0 high, 1 normal, 2 low")
    position = BigInt(help_text="order within the priority")
    attempts = Integer()
    next_attempt_at = Timestamptz(null=True, default=None)
    owner = Text(null=True, default=None, help_text="the process that works on it")
    lease_until = Timestamptz(null=True, default=None)
    downloaded_bytes = BigInt(null=True, default=None)
    total_bytes = BigInt(null=True, default=None)
    items_total = Integer(null=True, default=None)
    items_done = Integer(null=True, default=None)
    items_failed = Integer(null=True, default=None)
    history_id = BigInt(null=True, default=None)
    server_id = Text(null=True, default=None)
    created_at = Timestamptz()
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    changed_at = Timestamptz()
    quota_cost = Integer(default=1, help_text="what it counts in the person's downloads per hour")
    charged_at = Timestamptz(null=True, default=None, help_text="when it was counted; again when tried again")
    needs_approval = Boolean(default=False, help_text="of a child: nobody has said yes yet")
    host = Text(default="", help_text="the site of the link, see `sites.py`")
    wishes = Text(default="", help_text="JSON of `wishes.Wishes`: what differs from the owner's defaults")
    list_key = Text(null=True, default=None, help_text="of a list: site and id, which its own show has too")
    poster = Text(null=True, default=None, help_text="of a list: name in the picture store")
    fanart = Text(null=True, default=None)
    engine_tries = Integer(default=0, help_text="how often yt-dlp could not read it; 1 waits for its next update")
    engine_version = Text(default="", help_text="the yt-dlp that could not read it")


class SitePauseRow(Table, tablename="site_pauses"):
    site = Text(primary_key=True, help_text="see `sites.py`; `*` is the whole queue")
    reason_code = Text()
    detail = Text()
    since = Timestamptz()
    until_at = Timestamptz()
    length_s = BigInt(help_text="seconds of the newest pause")
    probe_id = BigInt(null=True, default=None, help_text="the download that tries after the pause")


class SiteTurnRow(Table, tablename="site_turns"):
    site = Text(primary_key=True)
    next_at = Timestamptz(help_text="before it no further video is asked of the site")


class PersonTurnRow(Table, tablename="person_turns"):
    user_id = BigInt(primary_key=True)
    served_at = Timestamptz(help_text="when a download of theirs was started last")


class SiteCookiesRow(Table, tablename="site_cookies"):
    site = Text(primary_key=True)
    cookies = Text(help_text="the file, sealed")
    number = Integer(help_text="how many cookies it holds")
    expires_at = Timestamptz(null=True, default=None, help_text="when the first of its lasting cookies ends")
    uploaded_by = BigInt(null=True, default=None)
    uploaded_at = Timestamptz()
    stale_since = Timestamptz(null=True, default=None, help_text="the site refused them")


class SpentRow(Table, tablename="quota_spent"):
    """What removed downloads counted: taking a row off the list gives nothing back."""

    id = BigSerial(primary_key=True)
    user_id = BigInt()
    cost = Integer()
    charged_at = Timestamptz()


class DownloadPersonRow(Table, tablename="download_people"):
    """Who sees a top-level download: the one who asked first and those who joined. Its key is (user_id, download_id)."""

    user_id = BigInt(primary_key=True)
    download_id = BigInt()
    joined_at = Timestamptz()


class DownloadLogRow(Table, tablename="download_log"):
    id = BigSerial(primary_key=True)
    download_id = BigInt()
    at = Timestamptz()
    line = Text()


class ShowRow(Table, tablename="library_shows"):
    id = BigSerial(primary_key=True)
    key = Text(help_text="site and channel id; unique")
    title = Text()
    folder = Text(help_text="name of the folder in the library, decided once")
    folder_key = Text(help_text="the folder folded for comparison; unique")
    has_own_poster = Boolean(default=False, help_text="the picture of the channel, not of one of its videos")
    server_id = Text(null=True, default=None)
    created_at = Timestamptz()


class HistoryRow(Table, tablename="download_history"):
    """One video that was filed, or is being filed: its numbers are given once and never change."""

    id = BigSerial(primary_key=True)
    identity = Text(help_text="site:id of a real site, url:hash otherwise; unique")
    show_id = BigInt(null=True, default=None)
    season = Integer(null=True, default=None, help_text="year of upload")
    episode = Integer(null=True, default=None, help_text="MMDDNN")
    title = Text()
    uploader = Text()
    url = Text()
    site = Text()
    video_id = Text()
    files = JSONB(help_text="list of {path, size_bytes, media_type}; planned until filed_at is set")
    size_bytes = BigInt()
    duration_s = Integer(null=True, default=None)
    published_on = Date(null=True, default=None)
    requested_by = BigInt(null=True, default=None)
    created_at = Timestamptz()
    filed_at = Timestamptz(null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None, help_text="removed by a person: not fetched again by itself")
    container = Text(default="", help_text="the words of `media.py`")
    video_codec = Text(default="")
    audio_codec = Text(default="")
    width = Integer(null=True, default=None)
    height = Integer(null=True, default=None)
    fps = DoublePrecision(null=True, default=None)
    bit_depth = Integer(null=True, default=None, help_text="bits a colour")
    bitrate_bits_s = BigInt(null=True, default=None)
    subtitles = Text(default="", help_text="languages with commas")
    is_lower = Boolean(default=False, help_text="a much smaller picture than was asked for and than is usual")
    plex_rating_key = Text(null=True, default=None)
    server_id = Text(null=True, default=None)


class QueueSettingsRow(Table, tablename="queue_settings"):
    """One row, id 1."""

    id = Integer(primary_key=True)
    concurrent_downloads = Integer()
    is_paused = Boolean()
    max_list_items = Integer()
    max_height = Integer(help_text="pixels")
    rate_limit_bytes_s = BigInt(null=True, default=None)
    subtitle_languages = Text()
    automatic_subtitles = Boolean(default=False)
    subtitle_place = Text(default="beside")
    chapters = Boolean(default=True)
    sponsorblock = Text(default="off")
    picture_place = Text(default="beside")
    audio_format = Text(default="best")
    video_layout = Text(default="show")
    list_layout = Text(default="show")
    live = Text(default="refuse")
    record_hours = Integer(default=6)
    record_bytes = BigInt(default=50 * 1024**3)
    free_space_floor_bytes = BigInt()
    per_person_downloads = Integer(null=True, default=None)
    total_rate_bytes_s = BigInt(null=True, default=None)
    night_holds = Text(default="nothing")
    night_from = Integer(default=23, help_text="hour")
    night_until = Integer(default=7, help_text="hour")
    time_zone = Text(default="")
    updated_by = BigInt(null=True, default=None)
    updated_at = Timestamptz()
