"""The small XML files beside the media, in Kodi's form, which Plex's NFO agents read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape, quoteattr

import msgspec

# what XML 1.0 can not hold, even escaped
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNIQUE_TYPE = re.compile(r"[^a-z0-9]+")


class VideoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a video's `.nfo`."""

    title: str
    show: str
    site: str
    video_id: str
    aired: date
    season: int | None = None
    episode: int | None = None
    plot: str = ""
    studio: str = ""
    duration_s: int | None = None
    tags: Sequence[str] = ()
    genres: Sequence[str] = ()


def episode_nfo(video: VideoFacts) -> str:
    """The `.nfo` of one video of a show; its numbers are those of the file name."""
    return _document(
        "episodedetails",
        [
            ("title", video.title),
            ("showtitle", video.show),
            ("season", video.season),
            ("episode", video.episode),
            ("aired", video.aired.isoformat()),
            *_common(video),
        ],
    )


def movie_nfo(video: VideoFacts) -> str:
    """The `movie.nfo` of a video that is filed as a film."""
    return _document(
        "movie",
        [
            ("title", video.title),
            ("year", video.aired.year),
            ("premiered", video.aired.isoformat()),
            *_common(video),
        ],
    )


def show_nfo(*, title: str, site: str, channel_id: str, plot: str = "", premiered: date | None = None) -> str:
    """The `tvshow.nfo` of a channel."""
    lines: list[tuple[str, object]] = [("title", title), ("plot", plot), ("studio", title), ("genre", "YouTube")]
    if site != "youtube":
        lines[-1] = ("genre", "Videos")
    if premiered:
        lines.append(("premiered", premiered.isoformat()))
    return _document("tvshow", lines, unique=(site, channel_id))


def _common(video: VideoFacts) -> list[tuple[str, object]]:
    return [
        ("plot", video.plot),
        ("runtime", max(1, round(video.duration_s / 60)) if video.duration_s else None),
        ("studio", video.studio),
        *(("genre", genre) for genre in video.genres),
        *(("tag", tag) for tag in video.tags),
        ("uniqueid", (video.site, video.video_id)),
    ]


def _document(root: str, lines: Sequence[tuple[str, object]], unique: tuple[str, str] | None = None) -> str:
    parts = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', f"<{root}>"]
    for name, value in [*lines, *([("uniqueid", unique)] if unique else [])]:
        if isinstance(value, tuple):
            kind = _UNIQUE_TYPE.sub("", str(value[0]).lower()) or "url"
            parts.append(f'  <{name} type={quoteattr(kind)} default="true">{_text(value[1])}</{name}>')
        elif value not in (None, ""):
            parts.append(f"  <{name}>{_text(value)}</{name}>")
    return "\n".join([*parts, f"</{root}>", ""])


def _text(value: object) -> str:
    return escape(_NOT_XML.sub("", str(value)))
