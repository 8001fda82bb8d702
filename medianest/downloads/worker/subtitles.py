"""Subtitle files beside the video. A video without its subtitles is still a video: failures are only logged."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_KINDS = ("srt", "vtt", "ass")
_MOST_BYTES = 20 * 1024**2


def fetch_subtitles(
    ydl: Any, wanted: dict[str, dict[str, Any]], result: dict[str, Any], media: Path
) -> list[dict[str, str]]:
    """Fetch each of `wanted` (by language code) beside `media`; the answer names path and language."""
    fetched = []
    for language, subtitle in wanted.items():
        code = re.sub(r"[^A-Za-z0-9-]", "", language)[:20]
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
