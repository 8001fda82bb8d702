"""What the download worker reports, as the server reads it. Unknown fields are skipped: the worker may know more."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec


class VideoInfo(msgspec.Struct, frozen=True, kw_only=True):
    """INFO of the protocol: what a site tells of a video or a list. All of it is a stranger's text."""

    site: str = ""
    video_id: str = ""
    webpage_url: str | None = None
    title: str = ""
    uploader: str | None = None
    channel_id: str | None = None
    channel: str | None = None
    playlist_id: str | None = None
    description: str | None = None
    duration_s: float | None = None
    published_on: str | None = None  # YYYY-MM-DD
    live_status: str | None = None
    is_live: bool = False
    release_at: int | None = None  # seconds since 1970
    artist: str | None = None
    album: str | None = None
    track: str | None = None
    track_number: int | None = None
    tags: list[str] = []
    categories: list[str] = []
    filesize_approx: float | None = None
    kind: str = "video"

    @property
    def whole_duration_s(self) -> int | None:
        return None if self.duration_s is None else max(0, min(round(self.duration_s), 2**31 - 1))

    @property
    def begins_at(self) -> datetime | None:
        """When what is announced begins; None for what makes no sense."""
        if self.release_at is None or not 0 < self.release_at < 2**33:
            return None
        return datetime.fromtimestamp(self.release_at, UTC)

    @property
    def published(self) -> date | None:
        try:
            return date.fromisoformat(self.published_on) if self.published_on else None
        except ValueError:
            return None


class ListEntry(msgspec.Struct, frozen=True, kw_only=True):
    """ENTRY of the protocol: one line of a playlist, not opened yet."""

    url: str
    title: str | None = None
    duration_s: float | None = None
    site: str | None = None
    video_id: str | None = None
    uploader: str | None = None

    @property
    def whole_duration_s(self) -> int | None:
        return None if self.duration_s is None else max(0, min(round(self.duration_s), 2**31 - 1))


class Subtitle(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    language: str = ""


class DoneFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths in the staging folder."""

    media: str
    picture: str | None = None
    row_picture: str | None = None
    poster: str | None = None
    subtitles: list[Subtitle] = []


class Done(msgspec.Struct, frozen=True, kw_only=True):
    files: DoneFiles
    media_type: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    vcodec: str | None = None
    acodec: str | None = None
    duration_s: float | None = None
    fps: float | None = None
    bit_depth: int | None = None
    bitrate_bits_s: int | None = None
    subtitles: list[str] = []  # languages, inside or beside
    is_picture_inside: bool = False  # and not to lie beside the video


class ListPictures(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute paths in the staging folder of a list."""

    row_picture: str | None = None
    poster: str | None = None
    fanart: str | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True, rename={"failure": "class"}):
    """Why it can not go on; `failure` is one of the protocol's classes."""

    failure: str = "engine_error"
    detail: str = ""
    retry_after_s: int | None = None
    release_at: int | None = None
    countries: list[str] = []
    version: str = ""  # of the yt-dlp that failed


def read_info(event: dict[str, Any]) -> VideoInfo:
    """The `info` of an event."""
    return msgspec.convert(event.get("info") or {}, VideoInfo, strict=False)
