"""What is done to a fetched file before it is handed over: passages cut or marked, container, subtitles, tags, picture.

All of it through yt-dlp's own post-processors and without encoding the picture again. What goes wrong here costs the
trimming, never the video: it is logged, and the file goes on as it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medianest.downloads.media import codec_of
from medianest.downloads.wishes import AudioFormat, SponsorBlock
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.failures import Failure
from medianest.downloads.worker.files import refuse_suspicious
from medianest.downloads.worker.messages import JobOptions

log = logging.getLogger(__name__)

Send = Callable[..., None]
Info = dict[str, Any]

SPONSOR_CATEGORIES = ("sponsor", "selfpromo", "interaction")
CHAPTER_TITLE = "%(category_names)l (SponsorBlock)"
_TO_MP4 = ("flv", "ts", "mov", "avi", "3gp", "m4v")  # when what is inside fits there
_IN_MP4 = ("h264", "hevc", "av1")
_SOUND_IN_MP4 = ("aac", "mp3", "ac3", "eac3", "alac")
_WITH_SUBTITLES = ("mp4", "mov", "m4v", "mkv", "webm")
_WITH_PICTURE = ("mp4", "m4a", "m4v", "mov", "mkv", "mka", "mp3", "opus", "ogg", "flac")


def mark_sponsors(engine: Engine, ydl: Any, info: Info, options: JobOptions) -> None:
    """Ask SponsorBlock about the video, then mark its passages as chapters or cut them out of the file at `filepath`."""
    if options.sponsorblock is SponsorBlock.OFF or not (engine.has_ffmpeg and engine.configuration.ffprobe):
        return
    from yt_dlp.postprocessor import ModifyChaptersPP, SponsorBlockPP

    is_cut = options.sponsorblock is SponsorBlock.CUT
    with _Forgiving("SponsorBlock"):
        SponsorBlockPP(ydl, SPONSOR_CATEGORIES, engine.configuration.sponsorblock_url).run(info)
        if info.get("sponsorblock_chapters"):
            remove = set(SPONSOR_CATEGORIES) if is_cut else set()
            chapters = ModifyChaptersPP(ydl, remove_sponsor_segments=remove, sponsorblock_chapter_title=CHAPTER_TITLE)
            _run(chapters, info)


def only_sound(engine: Engine, ydl: Any, info: Info, wanted: AudioFormat) -> Path:
    """The sound of the file at `filepath`, encoded again only where another format is wanted than it has.

    Raises:
        Failure: there is no ffmpeg for it.
    """
    path = Path(info["filepath"])
    if info.get("vcodec") == "none" and wanted is AudioFormat.BEST:
        return path
    if wanted is not AudioFormat.BEST and path.suffix == f".{wanted.value}":
        return path
    if not engine.has_ffmpeg:
        raise Failure("ffmpeg_missing", "The sound can not be taken out of the video without ffmpeg.")
    from yt_dlp.postprocessor import FFmpegExtractAudioPP

    _run(FFmpegExtractAudioPP(ydl, preferredcodec=wanted.value), info)
    return Path(info["filepath"])


def fit_container(engine: Engine, ydl: Any, info: Info, inside: Info) -> Path:
    """Move what lies in a box that does not suit it into one that does, without encoding: MP4, or Matroska.

    Args:
        inside: codecs as measured (`vcodec`, `acodec`).
    """
    path = Path(info["filepath"])
    target = _better_container(path.suffix.lstrip(".").lower(), inside)
    if target is None or not engine.has_ffmpeg:
        return path
    from yt_dlp.postprocessor import FFmpegVideoRemuxerPP

    with _Forgiving("Another container"):
        _run(FFmpegVideoRemuxerPP(ydl, preferedformat=target), info)
    return Path(info["filepath"])


def _better_container(ending: str, inside: Info) -> str | None:
    picture, sound = codec_of(inside.get("vcodec")), codec_of(inside.get("acodec"))
    if not picture:
        return None
    fits_mp4 = picture in _IN_MP4 and (not sound or sound in _SOUND_IN_MP4)
    if ending in _TO_MP4 and fits_mp4:
        return "mp4"
    if ending in ("mp4", "m4v", "mov") and (picture in ("vp8", "vp9") or sound in ("opus", "vorbis")):
        return "mkv"
    return None


def embed_subtitles(ydl: Any, info: Info, subtitles: list[dict[str, str]]) -> list[str]:
    """Put subtitle files into the video; gives the languages that are in it now."""
    if info["ext"] not in _WITH_SUBTITLES or not subtitles:
        return []
    from yt_dlp.postprocessor import FFmpegEmbedSubtitlePP

    requested = {
        one["language"]: {"ext": Path(one["path"]).suffix.lstrip("."), "filepath": one["path"]} for one in subtitles
    }
    with _Forgiving("Embedding subtitles"):
        _run(FFmpegEmbedSubtitlePP(ydl, already_have_subtitle=True), {**info, "requested_subtitles": requested})
        is_webm = info["ext"] == "webm"
        return [one["language"] for one in subtitles if not is_webm or one["path"].endswith(".vtt")]
    return []


def embed_picture(ydl: Any, info: Info, picture: str | None) -> bool:
    """Put the picture into the file, which shows it in music players and file lists."""
    if picture is None or info["ext"] not in _WITH_PICTURE:
        return False
    from yt_dlp.postprocessor import EmbedThumbnailPP

    with _Forgiving("Embedding the picture"):
        _run(EmbedThumbnailPP(ydl, already_have_thumbnail=True), {**info, "thumbnails": [{"filepath": picture}]})
        return True
    return False


def _run(processor: Any, info: Info) -> None:
    """Run one of yt-dlp's post-processors on `info` and clear away what it left over."""
    leftovers, changed = processor.run(info)
    info |= changed
    info["ext"] = Path(info["filepath"]).suffix.lstrip(".").lower()
    for leftover in leftovers:
        if leftover != info["filepath"]:
            Path(leftover).unlink(missing_ok=True)
    refuse_suspicious(Path(info["filepath"]))


class _Forgiving:
    """Logs what a step could not do."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if error is None or not isinstance(error, Exception) or isinstance(error, Failure):
            return False
        log.warning("%s did not work: %s", self._step, error)
        return True
