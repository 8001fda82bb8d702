"""Pictures of a video: fetched under the guard, known by their first bytes, made small JPEGs by ffmpeg."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path
from typing import Any

from medianest.downloads.worker.engine import Engine

log = logging.getLogger(__name__)

MAX_SOURCE_BYTES = 5 * 1024**2
MAX_UNCONVERTED_BYTES = 300 * 1024
ROW_BYTES = 20 * 1024
_FETCH_TIME_S = 15
_CONVERT_TIME_S = 20
_TRIES = 3  # sites name pictures that do not exist
_FULL = "scale='min(1280,iw)':-2"
_ROW = "scale=320:180:force_original_aspect_ratio=increase,crop=320:180"
# Upright, as Plex shows posters: the picture in full on a blurred one of itself. Shrunk and grown, a blur costs nothing.
_POSTER = (
    "split[a][b];[a]scale=24:36:force_original_aspect_ratio=increase,crop=24:36,scale=600:900:flags=bicubic,"
    "eq=brightness=-0.12[back];[b]scale=600:900:force_original_aspect_ratio=decrease[front];"
    "[back][front]overlay=(W-w)/2:(H-h)/2"
)
_QUALITIES = (4, 8, 14, 24)
_DEMUXERS = {"jpg": "jpeg_pipe", "png": "png_pipe", "webp": "webp_pipe", "avif": "mov"}


class PictureTaker:
    """Fetches the picture of one video. No picture is never a failure: the answer is None and the cause is in the log."""

    def __init__(self, engine: Engine, ydl: Any) -> None:
        self._engine = engine
        self._ydl = ydl
        self._ffmpeg = engine.configuration.ffmpeg

    def for_preview(self, info: dict[str, Any], stem: Path) -> str | None:
        """The small picture for a row at `stem`.jpg (absolute path without suffix), or None."""
        source = self._fetch(addresses_of(info), info)
        if source is None:
            return None
        if self._ffmpeg is None:
            return self._keep(source, stem)
        path = Path(f"{stem}.jpg")
        return str(path) if self._convert(source, {path: _ROW}) else None

    def for_library(self, info: dict[str, Any], stem: Path) -> dict[str, str | None]:
        """The picture for the library, the one for a row, and an upright one for posters."""
        nothing: dict[str, str | None] = {"picture": None, "row_picture": None, "poster": None}
        source = self._fetch(addresses_of(info), info)
        if source is None:
            return nothing
        if self._ffmpeg is None:
            kept = self._keep(source, stem)
            return {"picture": kept, "row_picture": kept, "poster": kept}
        picture, row, poster = Path(f"{stem}.jpg"), Path(f"{stem}-row.jpg"), Path(f"{stem}-poster.jpg")
        if not self._convert(source, {picture: _FULL, row: _ROW, poster: _POSTER}):
            return nothing
        return {"picture": str(picture), "row_picture": str(row), "poster": str(poster)}

    def for_list(self, info: dict[str, Any], folder: Path) -> dict[str, str | None]:
        """Pictures of a channel or playlist: its face as a poster and for a row, its banner behind."""
        found: dict[str, str | None] = {"row_picture": None, "poster": None, "fanart": None}
        face, banner = faces_of(info)
        source = self._fetch(face, info) if self._ffmpeg else None
        if source is not None:
            row, poster = folder / "list-row.jpg", folder / "list-poster.jpg"
            if self._convert(source, {row: _ROW, poster: _POSTER}):
                found |= {"row_picture": str(row), "poster": str(poster)}
        source = self._fetch(banner, info) if self._ffmpeg and banner else None
        if source is not None and self._convert(source, {folder / "list-fanart.jpg": _FULL}):
            found["fanart"] = str(folder / "list-fanart.jpg")
        return found

    def _fetch(self, urls: list[str], info: dict[str, Any]) -> bytes | None:
        for url in urls[:_TRIES]:
            try:
                from yt_dlp.networking import Request

                headers = info.get("http_headers") or {}
                response = self._ydl.urlopen(Request(url, headers=dict(headers), extensions={"timeout": _FETCH_TIME_S}))
                with response:
                    data: bytes = response.read(MAX_SOURCE_BYTES + 1)
            except Exception as error:
                log.info("A picture could not be fetched: %s", error)
                continue
            if len(data) <= MAX_SOURCE_BYTES and kind_of_picture(data):
                return data
        return None

    def _convert(self, source: bytes, wanted: dict[Path, str]) -> bool:
        """Make the JPEGs of `wanted` (path → filter of ffmpeg) in one go; rows are made again until they are small."""
        if not self._run_ffmpeg(source, wanted, _QUALITIES[0]):
            return False
        for path, scale in wanted.items():
            for quality in _QUALITIES[1:]:
                if (
                    scale != _ROW
                    or path.stat().st_size <= ROW_BYTES
                    or not self._run_ffmpeg(source, {path: scale}, quality)
                ):
                    break
        return True

    def _run_ffmpeg(self, source: bytes, wanted: dict[Path, str], quality: int) -> bool:
        """Run ffmpeg once. The picture goes in through a pipe, and the demuxer is named: nothing is guessed."""
        kind = kind_of_picture(source)
        if kind is None or self._ffmpeg is None:
            return False
        taken: dict[str, Any] = {"input": source}
        place = "pipe:0"
        if kind == "avif":  # its demuxer jumps about, which a pipe can not
            place = f"file:{_write(Path(self._engine.configuration.temp_dir, 'picture.avif'), source)}"
            taken = {"stdin": subprocess.DEVNULL}
        command = [self._ffmpeg, "-v", "error", "-y", "-threads", "1", "-protocol_whitelist", "file,pipe"]
        command += ["-f", _DEMUXERS[kind], "-i", place]
        for path, scale in wanted.items():
            command += [
                "-frames:v",
                "1",
                "-vf",
                scale,
                "-q:v",
                str(quality),
                "-map_metadata",
                "-1",
                "-f",
                "mjpeg",
                f"file:{path}",
            ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_CONVERT_TIME_S, check=False, **taken)
        except (OSError, subprocess.SubprocessError) as error:
            log.info("A picture could not be converted: %s", error)
            return False
        if done.returncode != 0 or not all(path.is_file() and path.stat().st_size for path in wanted):
            log.info("A picture could not be converted: %r", done.stderr[-200:])
            return False
        return True

    def _keep(self, source: bytes, stem: Path) -> str | None:
        """Without ffmpeg: the picture as it came, when every browser shows it and it is small."""
        kind = kind_of_picture(source)
        if kind not in ("jpg", "png", "webp") or len(source) > MAX_UNCONVERTED_BYTES:
            return None
        return _write(Path(f"{stem}.{kind}"), source)


def kind_of_picture(data: bytes) -> str | None:
    """ "jpg", "png", "webp" or "avif" by the first bytes; None for anything else, SVG among it."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return None


def addresses_of(info: dict[str, Any]) -> list[str]:
    """Addresses of the video's pictures, the best first."""
    named = [info.get("thumbnail"), *(one.get("url") for one in reversed(info.get("thumbnails") or []))]
    return list(dict.fromkeys(url for url in named if isinstance(url, str) and url.startswith(("http://", "https://"))))


def faces_of(info: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Addresses of a list's own picture, and of its banner; a site that tells them apart names them."""
    named: dict[bool, list[str]] = {True: [], False: []}
    for one in reversed(info.get("thumbnails") or []):
        url, name = one.get("url"), str(one.get("id") or "").lower()
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            named["banner" in name].append(url)
            if "avatar" in name:
                named[False] = [url, *(other for other in named[False] if other != url)]
    rest = [url for url in addresses_of(info) if url not in named[True]]
    return list(dict.fromkeys([*named[False], *rest])), named[True]


def _write(path: Path, data: bytes) -> str:
    """Write the file under its name in one step."""
    partial = Path(f"{path}.part")
    partial.write_bytes(data)
    partial.replace(path)
    return str(path)
