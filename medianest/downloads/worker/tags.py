"""Tags inside the file, where that needs no encoding: title, artist, date, description, chapters.

Season and episode are left out on purpose: MP4 keeps only the low byte of a year, so 2024 would come back as 232.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from medianest.downloads.wishes import SponsorBlock
from medianest.downloads.worker.messages import JobOptions

log = logging.getLogger(__name__)

_NOT_EMBEDDED = (
    *("season", "season_number", "season_id", "episode", "episode_number", "episode_id", "series", "series_id"),
    *("comments", "formats", "requested_formats", "tags", "categories"),
)
_WORTH_IT = ("uploader", "artist", "artists", "creator", "channel", "description", "chapters", "album", "track")
_CONTAINERS = ("mp4", "m4a", "m4v", "mov", "mkv", "mka", "webm", "mp3", "opus", "ogg", "flac")


def embed_tags(ydl: Any, result: dict[str, Any], path: Path, options: JobOptions) -> None:
    """Write what the site told into the file at `path`. A file with nothing but a name to tell stays as it is."""
    extension = path.suffix.lstrip(".").lower()
    if extension not in _CONTAINERS or not any(result.get(key) for key in _WORTH_IT):
        return
    from yt_dlp.postprocessor import FFmpegMetadataPP
    from yt_dlp.utils import PostProcessingError

    info = {key: value for key, value in result.items() if key not in _NOT_EMBEDDED and not key.startswith("meta_")}
    info |= {"filepath": str(path), "ext": extension}
    if options.audio_only:
        info["album"] = result.get("album") or options.album
        info["track_number"] = result.get("track_number") or options.track
    has_chapters = options.chapters or options.sponsorblock is not SponsorBlock.OFF
    try:
        FFmpegMetadataPP(ydl, add_metadata=True, add_chapters=has_chapters, add_infojson=False).run(info)
    except PostProcessingError as error:
        log.warning("The tags could not be written into the file: %s", error)
