"""Phase two: the kept video is fetched, joined, looked at and given its tags, in its staging folder."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from medianest.downloads.wishes import Place
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.extraction import Found, is_live
from medianest.downloads.worker.failures import Failure, classify
from medianest.downloads.worker.files import MEDIA_TYPES, facts_of, mark_of, refuse_suspicious
from medianest.downloads.worker.finishing import (
    embed_picture,
    embed_subtitles,
    fit_container,
    mark_sponsors,
    only_sound,
)
from medianest.downloads.worker.messages import Extract, JobOptions
from medianest.downloads.worker.options import download_params, output_template
from medianest.downloads.worker.pictures import PictureTaker, addresses_of
from medianest.downloads.worker.progress import ProgressReporter, Send
from medianest.downloads.worker.recording import Recorder
from medianest.downloads.worker.subtitles import fetch_subtitles
from medianest.downloads.worker.tags import embed_tags

_STEPS = {"Merger": "merge", "ExtractAudio": "convert", "Metadata": "tags"}


def download(engine: Engine, found: Found, job: Extract, send: Send, recorder: Recorder) -> dict[str, Any]:
    """Fetch what `found` describes into the job's staging folder and return the fields of the `done` event.

    Raises:
        Failure: with the cause; partial files stay for the next try.
    """
    ydl, info = found.ydl, found.info
    engine.guard.forget()
    ydl.log.warnings.clear()
    try:
        Path(job.staging).mkdir(mode=0o700, parents=True, exist_ok=True)
        return _download(engine, ydl, info, job, send, recorder)
    except Exception as error:
        raise classify(error, warnings=ydl.log.warnings, refused=engine.guard.refused) from error


def _download(
    engine: Engine, ydl: Any, info: dict[str, Any], job: Extract, send: Send, recorder: Recorder
) -> dict[str, Any]:
    parts = _name_formats(info)
    format_id = str(info["format_id"])
    ydl.params.update(download_params(job.options, job.staging))
    ydl.params["outtmpl"]["default"] = output_template(format_id)
    engine.go_on_to_media(ydl)
    reporter = ProgressReporter(send, parts)
    ydl.add_progress_hook(reporter.on_hook)
    ydl.add_progress_hook(lambda status: None if reporter.is_over else _refuse_suspicious_part(status))
    ydl.add_postprocessor_hook(lambda status: _tell_step(status, send))
    subtitles = info.pop("requested_subtitles", None)
    free_of_leftovers(job.staging)
    result = dict(info)
    with recorder.of(ydl, job.options, Path(job.staging), send) if is_live(info) else contextlib.nullcontext():
        ydl.process_info(result)
    reporter.is_over = True
    path = Path(result.get("filepath") or "nothing")
    if not path.is_file():
        raise Failure("transient", "\n".join(ydl.log.warnings) or "The download ended without a file.")
    refuse_suspicious(path)
    return _finish(engine, ydl, {**result, "filepath": str(path)}, subtitles or {}, job, send)


def _finish(
    engine: Engine, ydl: Any, result: dict[str, Any], subtitles: dict[str, Any], job: Extract, send: Send
) -> dict[str, Any]:
    """From the fetched file to one that is ready for the library, with all that lies beside it."""
    options, ffprobe = job.options, engine.configuration.ffprobe
    result["ext"] = Path(result["filepath"]).suffix.lstrip(".").lower()
    if options.audio_only:
        only_sound(engine, ydl, result, options.audio_format)
    if result["ext"] not in MEDIA_TYPES:
        ending = result["ext"][:20]
        raise Failure("suspicious_file", f"The file has the ending .{ending}, which is none of a video or sound file.")
    fetched = fetch_subtitles(ydl, subtitles, result, Path(result["filepath"]))
    _cut_with(engine, ydl, result, fetched, options)
    inside, looked_at = facts_of(Path(result["filepath"]), result, ffprobe), mark_of(Path(result["filepath"]))
    if not options.audio_only:
        fit_container(engine, ydl, result, inside)
    embedded: list[str] = []
    if options.subtitle_place is not Place.BESIDE and engine.has_ffmpeg and ffprobe:
        embedded = embed_subtitles(ydl, result, fetched)
    path = Path(result["filepath"])
    if options.embed_metadata and engine.has_ffmpeg:
        embed_tags(ydl, result, path, options)
    if addresses_of(result):
        send("processing", step="picture")
    pictures = PictureTaker(engine, ydl).for_library(result, Path(job.staging, "picture"))
    has_picture_inside = False
    if (options.picture_place is not Place.BESIDE or options.audio_only) and engine.has_ffmpeg:
        has_picture_inside = embed_picture(ydl, result, pictures["picture"])
    if mark_of(path) != looked_at:  # ffprobe takes longer to start than most clips to file
        inside = facts_of(path, result, ffprobe)
    beside = [one for one in fetched if one["language"] not in embedded or options.subtitle_place is Place.BOTH]
    return {
        "files": {"media": str(path), **pictures, "subtitles": beside},
        "format_id": str(result.get("format_id")),
        "ext": result["ext"],
        "media_type": MEDIA_TYPES[result["ext"]],
        **inside,
        "subtitles": [one["language"] for one in fetched],
        "is_picture_inside": has_picture_inside and options.picture_place is Place.EMBEDDED,
    }


def _cut_with(
    engine: Engine, ydl: Any, result: dict[str, Any], fetched: list[dict[str, str]], options: JobOptions
) -> None:
    """Cut or mark passages; what is cut out of the video is cut out of its subtitle files too."""
    result["requested_subtitles"] = {
        one["language"]: {"ext": Path(one["path"]).suffix.lstrip("."), "filepath": one["path"]} for one in fetched
    }
    mark_sponsors(engine, ydl, result, options)
    result.pop("requested_subtitles")


def _name_formats(info: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the chosen formats names that are safe in a file name, and return the parts that are fetched one by one."""
    parts: list[dict[str, Any]] = [dict(part) for part in info.get("requested_formats") or []]
    for part in parts:
        part["format_id"] = _safe(part.get("format_id"))
    if parts:
        info["requested_formats"] = parts
        info["format_id"] = "+".join(part["format_id"] for part in parts)
    else:
        info["format_id"] = _safe(info.get("format_id"))
    return parts or [info]


def _safe(format_id: Any) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", str(format_id or "0"))[:40]


def _refuse_suspicious_part(status: dict[str, Any]) -> None:
    """Looks at every finished file before ffmpeg may open it."""
    if status.get("status") == "finished" and status.get("filename"):
        refuse_suspicious(Path(status["filename"]))


def _tell_step(status: dict[str, Any], send: Send) -> None:
    name = str(status.get("postprocessor"))
    if status.get("status") == "started" and name != "MoveFiles":
        send("processing", step=_STEPS.get(name, "convert"))


def free_of_leftovers(staging: str) -> None:
    """Drop ffmpeg's half-written files of an earlier try; what was downloaded stays."""
    for path in Path(staging).glob("media.*.temp.*"):
        path.unlink()
