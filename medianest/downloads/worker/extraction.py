"""Looking at a link: what it leads to, without downloading it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from medianest.downloads.worker.cookies import load_cookies
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.failures import Failure, classify
from medianest.downloads.worker.formats import make_selector, sorting
from medianest.downloads.worker.lists import LIST_TYPES, ListReader, site_of
from medianest.downloads.worker.messages import JobOptions
from medianest.downloads.worker.options import list_params, polite_params, subtitle_params
from medianest.downloads.worker.subtitles import choose_subtitles

DESCRIPTION_LENGTH = 5000
_NOT_YET = ("is_upcoming", "post_live")


@dataclass
class Found:
    """What a link leads to: one video with all that yt-dlp knows of it, or a list with its entries (ENTRY of the protocol)."""

    ydl: Any
    info: dict[str, Any]
    is_list: bool
    entries: list[dict[str, Any]] = field(default_factory=list)
    is_capped: bool = False


def look_at(
    engine: Engine, url: str, options: JobOptions, max_items: int, *, cookies: str | None = None, is_polite: bool = False,
    is_preview: bool = False,
) -> Found:  # fmt: skip
    """Open `url` with yt-dlp.

    Args:
        cookies: a Netscape cookies file of the link's site; yt-dlp sends each cookie to its own domain only.
        is_polite: the site counts its visitors, so there are breaths between its pages.
        is_preview: what has not begun, or goes on right now, is looked at too.

    Raises:
        Failure: with the cause in the protocol's classes.
    """
    params = {
        **list_params(max_items),
        **subtitle_params(options.subtitle_languages, automatic=options.automatic_subtitles),
        "format_sort": sorting(options),
    }
    ydl = engine.open({**params, **polite_params()} if is_polite else params)
    if cookies:
        load_cookies(ydl, cookies, engine.configuration.temp_dir)
    ydl.format_selector = make_selector(options, ydl.build_format_selector, has_ffmpeg=engine.has_ffmpeg)
    engine.limit_pages(ydl)
    engine.guard.forget()
    reader = ListReader(ydl, max_items)
    try:
        info = reader.extract(url)
    except Exception as error:
        raise classify(error, warnings=ydl.log.warnings, refused=engine.guard.refused) from error
    if not info:
        raise Failure("engine_error", "The site gave no answer that can be used.")
    if info.get("_type") in LIST_TYPES:
        return Found(ydl, info, True, reader.entries, reader.is_capped)
    if not (is_preview and info.get("live_status") in _NOT_YET):
        refuse_what_can_not_be_downloaded(info, ydl.log.warnings, records=options.record or is_preview)
    info["requested_subtitles"] = choose_subtitles(info, options.subtitle_languages)
    return Found(ydl, info, False)


def search(engine: Engine, words: str, max_items: int) -> Found:
    """What YouTube finds for `words`: entries only, nothing is opened.

    Raises:
        Failure: with the cause in the protocol's classes.
    """
    # the count stands before the colon, so that words which look like an address or another search are words all the same
    found = look_at(engine, f"ytsearch{max_items}:{words}", JobOptions(), max_items)
    if not found.is_list:
        raise Failure("engine_error", "The search gave something else than a list.")
    return found


def refuse_what_can_not_be_downloaded(info: dict[str, Any], warnings: list[str], *, records: bool = False) -> None:
    """Raise Failure for what has not begun, goes on right now, is protected, or has nothing that can be fetched.

    Args:
        records: a broadcast that goes on right now is welcome.
    """
    status = info.get("live_status")
    release = info.get("release_timestamp")
    if status == "post_live":
        raise Failure("post_live", "The broadcast is over, and the site has not put it together yet.")
    if status == "is_upcoming":
        raise Failure("upcoming", "It has not begun yet.", release_at=int(release) if release else None)
    if is_live(info) and not records:
        raise Failure("live", "It is being broadcast right now.")
    if info.get("formats") == [] or not (info.get("url") or info.get("requested_formats")):
        if info.get("_has_drm"):
            raise Failure("unsupported", "It is protected by DRM.")
        text = "\n".join(warnings) or "No video formats found"
        if any("JavaScript runtime" in warning for warning in warnings):
            raise Failure("javascript_missing", f"No JavaScript runtime was found, which this site needs. {text}")
        raise classify(NoFormats(text))


def is_live(info: dict[str, Any]) -> bool:
    """Whether it is being broadcast right now."""
    return info.get("live_status") == "is_live" or bool(info.get("is_live"))


class NoFormats(Exception):
    """The site told only by warnings why there is nothing to download."""


def describe(info: dict[str, Any]) -> dict[str, Any]:
    """INFO of the protocol."""
    is_list = info.get("_type") in LIST_TYPES
    return {
        "kind": _kind_of(info) if is_list else "video",
        "site": site_of(info.get("extractor_key")),
        "video_id": _text(info.get("id")),
        "webpage_url": _text(info.get("webpage_url") or info.get("original_url")),
        "title": _text(info.get("title") or info.get("fulltitle") or info.get("id")),
        "uploader": _text(info.get("uploader") or info.get("creator") or info.get("artist") or info.get("channel")),
        "channel_id": _text(info.get("channel_id") or info.get("uploader_id")) or None,
        "channel": _text(info.get("channel") or info.get("uploader")) or None,
        "playlist_id": _text(info.get("id") if is_list else info.get("playlist_id")) or None,
        "description": _text(info.get("description"))[:DESCRIPTION_LENGTH],
        "duration_s": _whole(info.get("duration")),
        "published_on": _day(info),
        "timestamp": _whole(info.get("timestamp")),
        "live_status": _text(info.get("live_status")) or None,
        "is_live": is_live(info),
        "release_at": _whole(info.get("release_timestamp")),
        "artist": _text(info.get("artist") or ", ".join(_texts(info.get("artists")))) or None,
        "album": _text(info.get("album")) or None,
        "track": _text(info.get("track")) or None,
        "track_number": _whole(info.get("track_number")),
        "tags": _texts(info.get("tags")),
        "categories": _texts(info.get("categories")),
        "width": _whole(info.get("width")),
        "height": _whole(info.get("height")),
        "filesize_approx": _whole(expected_size(info)),
    }


def expected_size(info: dict[str, Any]) -> float | None:
    """Bytes that the chosen formats have together, as far as the site tells; None when one is unknown."""
    parts = info.get("requested_formats") or [info]
    sizes = [part.get("filesize") or part.get("filesize_approx") for part in parts]
    return sum(size for size in sizes if size) if all(sizes) else None


def _kind_of(info: dict[str, Any]) -> str:
    """A channel is a list that is somebody's own; every other list is a playlist."""
    own = {info.get("channel_id"), info.get("uploader_id"), info.get("channel")} - {None, ""}
    key = str(info.get("extractor_key") or "").lower()
    is_channel = info.get("id") in own or any(word in key for word in ("channel", "user"))
    return "channel" if is_channel else "playlist"


def _day(info: dict[str, Any]) -> str | None:
    for key in ("upload_date", "release_date"):
        text = str(info.get(key) or "")
        try:
            return datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
        except ValueError:
            continue
    return None


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\0", "")


def _texts(value: Any) -> list[str]:
    return [_text(one)[:100] for one in (value if isinstance(value, (list, tuple)) else [])][:50]


def _whole(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
