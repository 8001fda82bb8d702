"""A big video site in small: `/tube/watch/ID` and `/tube/list/ID` give what its extractor (`tube_worker.py`) hands to yt-dlp.

Of a video: `heights` (comma list), `codec` (h264, vp9), `apart` (picture and sound come apart), `chapters` (seconds at which
they begin), `subs` and `auto` (languages), `live` (is_live, is_upcoming, post_live), `until` (so many visits it is; then it
was), `release` (seconds since 1970), `title`, `channel`, `uploader`, `date`, `album`, `artist`, `track`, `number`, `length`.
Of a list: `ids`, `list` (its title), `channel`, `faces` (an avatar and a banner), and all of the above for its videos.
`/tube/sponsors/…` stands in for SponsorBlock (`api/skipSegments/HASH`), `/tube/subtitles/LANGUAGE.vtt` gives subtitles.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.site import clips
from tests.site.answers import TYPES, Answer

if TYPE_CHECKING:
    from tests.site.pages import Page

SPONSORED = (1.5, 3.0)  # seconds of every video that SponsorBlock knows


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


def _watch(page: Page) -> Answer:
    name, live = page.name, page.text("live")
    if page.text("until") and page.visit > int(page.text("until")):
        live = "was_live"
    info: dict[str, Any] = {
        "id": name,
        "title": page.text("title", f"Video {name}"),
        "duration": page.length_s,
        "channel": page.text("uploader", "Ana"),
        "channel_id": page.text("channel", "UC1"),
        "uploader": page.text("uploader", "Ana"),
        "upload_date": page.text("date", "20260315"),
        "description": f"About {name}",
        "thumbnail": f"{page.base}/picture/{name}.jpg",
        "webpage_url": page.link(page.path),
        "formats": _formats(page, live),
    }
    if live:
        info["live_status"] = live
    if page.text("release"):
        info["release_timestamp"] = int(page.text("release"))
    if starts := [float(one) for one in page.text("chapters").split(",") if one]:
        ends = [*starts[1:], page.length_s]
        info["chapters"] = [
            {"start_time": start, "end_time": end, "title": f"Chapter {number}"}
            for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
        ]
    for key, field in (("subs", "subtitles"), ("auto", "automatic_captions")):
        languages = [one for one in page.text(key).split(",") if one]
        if languages:
            info[field] = {one: [{"url": f"{page.base}/tube/subtitles/{one}.vtt", "ext": "vtt"}] for one in languages}
    for key in ("album", "artist", "track"):
        if page.text(key):
            info[key] = page.text(key)
    if page.text("number"):
        info["track_number"] = int(page.text("number"))
    return _json(info)


def _formats(page: Page, live: str) -> list[dict[str, Any]]:
    if live in ("is_upcoming", "post_live"):
        return []
    if live == "is_live":
        url = f"{page.base}/hls-live/{page.name}/media.m3u8"
        return [{"format_id": "live", "url": url, "ext": "mp4", "protocol": "m3u8_native", "height": 180}]
    is_newer = page.text("codec") == "vp9"
    suffix = page.text("suffix") or ("webm" if is_newer else "mp4")
    video, sound = ("vp9", "opus") if is_newer else ("avc1.64001f", "mp4a.40.2")
    formats = []
    for height in [int(one) for one in (page.text("heights") or "180").split(",")]:
        url = f"{page.base}/tube/media/{page.name}.{suffix}?height={height}&length={page.length_s:g}&codec={page.text('codec')}"
        formats.append(
            {
                "format_id": f"h{height}",
                "url": url,
                "ext": suffix,
                "height": height,
                "width": height * 16 // 9,
                "vcodec": video,
                "acodec": sound,
                "filesize": _media_of(suffix, height, page.length_s, is_newer=is_newer).stat().st_size,
            }
        )
    return formats


def _media_of(suffix: str, height: int, length_s: float, *, is_newer: bool) -> Any:
    return clips.newer(length_s, suffix, height) if is_newer else clips.clip(length_s, None, suffix, height)


def _media(page: Page) -> Answer:
    if page.name.startswith("ad"):
        return Answer(clips.cuttable(page.length_s), TYPES[".mp4"])
    path = _media_of(
        page.suffix.lstrip("."), int(page.text("height")), page.length_s, is_newer=page.text("codec") == "vp9"
    )
    return Answer(path, TYPES.get(page.suffix, "video/mp4"))


def _list(page: Page) -> Answer:
    ids = [one for one in page.text("ids").split(",") if one]
    entries = [
        {
            "_type": "url",
            "ie_key": "Youtube",
            "id": one,
            "title": f"Item {one}",
            "url": page.link(f"/tube/watch/{one}"),
        }
        for one in ids
    ]
    info: dict[str, Any] = {
        "_type": "playlist",
        "id": page.text("channel") if page.text("faces") else page.name,
        "title": page.text("list", f"List {page.name}"),
        "channel": page.text("uploader", "Ana"),
        "channel_id": page.text("channel", "UC1"),
        "entries": entries,
    }
    if page.text("faces"):
        info["thumbnails"] = [
            {"id": "banner_uncropped", "url": f"{page.base}/picture/banner.jpg"},
            {"id": "avatar_uncropped", "url": f"{page.base}/picture/avatar.png"},
        ]
    return _json(info)


def _sponsors(page: Page) -> Answer:
    """Every video whose name begins with `ad` has one sponsored passage."""
    length = page.text("length")
    segment = {
        "category": "sponsor",
        "actionType": "skip",
        "segment": list(SPONSORED),
        "UUID": "x",
        "videoDuration": float(length) if length else 0,
        "locked": 0,
        "votes": 1,
        "description": "",
    }
    return _json([{"videoID": one, "segments": [segment]} for one in ("ad1", "ad2", "ad3")])


def _subtitles(page: Page) -> Answer:
    lines = "".join(f"00:0{second}.000 --> 00:0{second}.900\n{page.name} {second}\n\n" for second in range(4))
    return Answer(f"WEBVTT\n\n{lines}".encode(), TYPES[".vtt"])


ROUTES: dict[str, Callable[[Page], Answer]] = {
    "/tube/watch/": _watch,
    "/tube/media/": _media,
    "/tube/list/": _list,
    "/tube/sponsors/": _sponsors,
    "/tube/subtitles/": _subtitles,
}
