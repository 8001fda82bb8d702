"""Which of a site's formats is taken: profiles of quality, and the walls around them.

yt-dlp's own "codec first" takes 360p H.264 over 1080p VP9, so the choice is made here in two steps: which formats are
in question at all, then yt-dlp's "best of these".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from medianest.downloads.model import Quality
from medianest.downloads.wishes import AudioFormat
from medianest.downloads.worker.messages import JobOptions

Format = dict[str, Any]
Selector = Callable[[dict[str, Any]], Iterator[Format]]

PLAYS_EVERYWHERE_HEIGHT = 1080
EASY = (Quality.DEFAULT, Quality.P1080, Quality.P720, Quality.P480, Quality.P360)  # H.264 exists at these heights
SHARP_ENOUGH = 720  # H.264 at this height is taken over a taller picture in a codec that some players lack
# Downloaders that stay inside the guard. Others hand the address to programs that know nothing of proxies (rtmp, mms),
# or record something that never ends.
_PROTOCOLS = re.compile(r"https?|m3u8(_native)?|http_dash_segments(_generator)?|ism")


_SOUND = {
    AudioFormat.BEST: "ba[acodec^=mp4a]/ba[ext=m4a]/ba",
    AudioFormat.M4A: "ba[acodec^=mp4a]/ba[ext=m4a]/ba",
    AudioFormat.MP3: "ba[acodec=mp3]/ba",
    AudioFormat.OPUS: "ba[acodec=opus]/ba",
}


class NeedsFfmpeg(Exception):
    """Picture and sound lie apart, and there is no ffmpeg to join them."""


def sorting(options: JobOptions) -> list[str]:
    """yt-dlp's order of formats: among pictures of one size those come first that every player takes, except for "best"."""
    if options.quality is Quality.BEST:
        return []
    return ["lang", "quality", "res", "fps", "hdr:12", "vcodec:h264", "acodec:aac"]


def height_limit(options: JobOptions) -> int | None:
    """The tallest picture that is taken, in lines; None is any. Upright videos count by their short side."""
    limits = [options.max_height] if options.max_height else []
    if options.quality is Quality.DEFAULT:
        limits.append(PLAYS_EVERYWHERE_HEIGHT)
    elif options.quality is not Quality.BEST:
        limits.append(int(options.quality.value))
    return min(limits, default=None)


def make_selector(options: JobOptions, build: Callable[[str], Selector], *, has_ffmpeg: bool) -> Selector:
    """A selector for yt-dlp. `build` turns yt-dlp's selection language into one (`YoutubeDL.build_format_selector`)."""
    if options.audio_only:
        pick = build(_SOUND[options.audio_format] + ("/b" if has_ffmpeg else ""))
    else:
        pick = build("bv*+ba/b" if has_ffmpeg else "b")

    def select(context: dict[str, Any]) -> Iterator[Format]:
        usable = [one for one in context["formats"] if _is_usable(one)]
        for candidates in _candidates(usable, options):
            if chosen := list(pick({**context, "formats": candidates, **kinds_of(candidates)})):
                yield from chosen
                return
        if usable and not has_ffmpeg:
            raise NeedsFfmpeg

    return select


def _candidates(usable: list[Format], options: JobOptions) -> Iterator[list[Format]]:
    """Sets of formats in the order in which they are tried."""
    limit = height_limit(options)
    fitting = [one for one in usable if limit is None or not _short_side(one) or _short_side(one) <= limit]
    if not options.audio_only and options.quality in EASY:
        easy = _easy_to_play(fitting)
        if easy:
            yield easy
    if any(map(_has_video, fitting)) or options.audio_only or not any(map(_has_video, usable)):
        yield fitting
    else:  # everything is taller than wanted: the least tall
        least = min(_short_side(one) for one in usable if _has_video(one))
        yield [one for one in usable if not _has_video(one) or _short_side(one) == least]
    yield usable


def _easy_to_play(fitting: list[Format]) -> list[Format]:
    """H.264 with AAC beside it, where that is sharp enough; empty where it is not."""
    video = [one for one in fitting if _has_video(one)]
    tallest = max((_short_side(one) for one in video), default=0)
    easy = [one for one in video if re.match(r"avc|h264", one.get("vcodec") or "")]
    if max((_short_side(one) for one in easy), default=-1) < min(SHARP_ENOUGH, tallest):
        return []
    sound = [one for one in fitting if not _has_video(one)]
    easy_sound = [one for one in sound if re.match(r"mp4a|aac", one.get("acodec") or "")]
    return [one for one in fitting if one in easy or one in (easy_sound or sound)]


def _is_usable(one: Format) -> bool:
    return bool(_PROTOCOLS.fullmatch(str(one.get("protocol") or "http"))) and not one.get("has_drm")


def _has_video(one: Format) -> bool:
    return one.get("vcodec") != "none"


def _short_side(one: Format) -> int:
    sides = [side for side in (one.get("width"), one.get("height")) if side]
    return int(min(sides, default=0))


def kinds_of(formats: Iterable[Format]) -> dict[str, bool]:
    """What yt-dlp's selectors want to know beside the formats: whether any holds picture and sound together."""
    formats = list(formats)
    has_both = any(one.get("vcodec") != "none" and one.get("acodec") != "none" for one in formats)
    return {
        "has_merged_format": has_both,
        "incomplete_formats": not has_both
        and (
            all(one.get("vcodec") == "none" for one in formats) or all(one.get("acodec") == "none" for one in formats)
        ),
    }
