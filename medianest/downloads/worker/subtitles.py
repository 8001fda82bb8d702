"""Subtitle files beside the video. A video without its subtitles is still a video: failures are only logged."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_KINDS = ("srt", "vtt", "ass")
_MOST_BYTES = 20 * 1024**2


def choose_subtitles(info: dict[str, Any], languages: list[str]) -> dict[str, dict[str, Any]]:
    """Of what yt-dlp would take: what people wrote in any form of a wanted language, else one that a machine wrote."""
    requested: dict[str, dict[str, Any]] = info.get("requested_subtitles") or {}
    written = info.get("subtitles") or {}
    chosen: dict[str, dict[str, Any]] = {}
    for language in languages:
        forms = [code for code in requested if code == language or code.startswith(f"{language}-")]
        by_people = [code for code in forms if code in written]
        by_machine = [code for code in (f"{language}-orig", language, *forms) if code in forms][:1]
        for code in by_people or by_machine:
            chosen[code] = {**requested[code], "is_automatic": not by_people}
    return chosen


def languages_of(info: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Languages in which people, and in which a machine, wrote subtitles; translations by machine are left out."""
    written = sorted(str(code) for code in info.get("subtitles") or {} if code != "live_chat")
    captions = info.get("automatic_captions") or {}
    originals = [str(code).removesuffix("-orig") for code in captions if str(code).endswith("-orig")]
    return written[:60], sorted(originals or map(str, captions))[:60]


def fetch_subtitles(
    ydl: Any, wanted: dict[str, dict[str, Any]], result: dict[str, Any], media: Path
) -> list[dict[str, str]]:
    """Fetch each of `wanted` (by language code) beside `media`; the answer names path and language."""
    fetched = []
    for language, subtitle in wanted.items():
        code = re.sub(r"[^A-Za-z0-9-]", "", language).removesuffix("-orig")[:20]
        if not code or subtitle.get("ext") not in _KINDS:
            continue
        path = media.with_suffix(f".{code}.{subtitle['ext']}")
        try:
            _fetch(ydl, subtitle, result, path)
        except Exception as error:
            log.warning("The subtitles in %s could not be fetched: %s", code, error)
            continue
        if path.is_file() and 0 < path.stat().st_size <= _MOST_BYTES:
            fetched.append({"path": str(path), "language": code})
    return fetched


def _fetch(ydl: Any, subtitle: dict[str, Any], result: dict[str, Any], path: Path) -> None:
    if path.is_file():
        return
    if subtitle.get("data") is not None:
        path.write_text(str(subtitle["data"]), encoding="utf-8", newline="")
        return
    request = {**subtitle, "id": result.get("id"), "title": result.get("title")}
    request.setdefault("http_headers", result.get("http_headers"))
    ydl.dl(str(path), request, subtitle=True)
