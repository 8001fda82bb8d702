"""What each profile would take of a video, told before anything is fetched: size of the picture, codecs, bytes."""

from __future__ import annotations

from typing import Any

from medianest.downloads.media import codec_of, container_of
from medianest.downloads.model import Quality
from medianest.downloads.worker.extraction import Found, expected_size
from medianest.downloads.worker.formats import NeedsFfmpeg, kinds_of, make_selector, sorting
from medianest.downloads.worker.messages import JobOptions
from medianest.downloads.worker.subtitles import languages_of


def offers_of(found: Found, max_height: int | None, *, has_ffmpeg: bool) -> list[dict[str, Any]]:
    """One offer for each quality, and one for the sound alone; what the site does not have is left out."""
    choices = [JobOptions(quality=quality, max_height=max_height) for quality in Quality]
    choices.append(JobOptions(audio_only=True))
    offers = []
    for options in choices:
        chosen = _chosen(found, options, has_ffmpeg=has_ffmpeg)
        if chosen is not None:
            offers.append({"quality": options.quality.value, "audio_only": options.audio_only, **_told(chosen)})
    return offers


def subtitles_of(info: dict[str, Any]) -> dict[str, list[str]]:
    """Languages of subtitles that people, and that a machine, wrote."""
    written, automatic = languages_of(info)
    return {"subtitles": written, "automatic_subtitles": automatic}


def _chosen(found: Found, options: JobOptions, *, has_ffmpeg: bool) -> dict[str, Any] | None:
    ydl = found.ydl
    formats = [dict(one) for one in found.info.get("formats") or []]
    if not formats:
        return None
    ydl.params["format_sort"] = sorting(options)
    ydl.sort_formats({**found.info, "formats": formats})
    select = make_selector(options, ydl.build_format_selector, has_ffmpeg=has_ffmpeg)
    try:
        return next(iter(select({"formats": formats, **kinds_of(formats)})), None)
    except NeedsFfmpeg:
        return None


def _told(chosen: dict[str, Any]) -> dict[str, Any]:
    parts = chosen.get("requested_formats") or [chosen]
    sides = [side for side in (chosen.get("width"), chosen.get("height")) if side]
    size = expected_size(chosen)
    return {
        "height": int(min(sides)) if sides else None,
        "container": container_of(str(chosen.get("ext") or "")),
        "video_codec": _codec(parts, "vcodec"),
        "audio_codec": _codec(parts, "acodec"),
        "size_bytes": int(size) if size else None,
    }


def _codec(parts: list[dict[str, Any]], key: str) -> str:
    return next((codec_of(part[key]) for part in parts if part.get(key) not in (None, "none")), "")
