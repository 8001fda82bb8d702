"""What lies in the staging folder: is it what it says it is, and what is inside."""

from __future__ import annotations

import json
import logging
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from medianest.downloads.worker.failures import Failure

log = logging.getLogger(__name__)

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "ts": "video/mp2t",
    "mpg": "video/mpeg",
    "wmv": "video/x-ms-wmv",
    "3gp": "video/3gpp",
    "ogv": "video/ogg",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "wav": "audio/wav",
    "mka": "audio/x-matroska",
    "weba": "audio/webm",
    "wma": "audio/x-ms-wma",
}
# ffmpeg follows addresses and local files named in these; a web page under a video's name is no video either.
_PLAYLISTS = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:#EXTM3U|#EXT-X|<\?xml|<MPD|<SmoothStreaming|<!DOCTYPE|<html|<svg|<smil|<asx|\[playlist\]|ffconcat"
    rb"|\[Reference\]|;FFMETADATA|RTSPtext|v=0\r?\no=|\{|%PDF|#!)",
    re.IGNORECASE,
)
_PROBE_TIME_S = 30
_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_MOST_HEADER_BYTES = 64 * 1024**2


def refuse_suspicious(path: Path) -> None:
    """Raise Failure when the file is text of a kind that ffmpeg would follow instead of decode (SEC-25)."""
    with path.open("rb") as file:
        start = file.read(4096)
    if _PLAYLISTS.match(start) or _is_text(start):
        raise Failure("suspicious_file", "What came is text, such as a playlist or a web page, and no video.")


def facts_of(path: Path, info: dict[str, Any], ffprobe: str | None) -> dict[str, Any]:
    """Size (bytes), picture size (pixels), codecs and length (seconds) of a finished file; None for what is unknown.

    With ffprobe also pictures and bits a second, and bits a colour; without it MP4 files are read here.
    """
    facts: dict[str, Any] = {"width": None, "height": None, "vcodec": None, "acodec": None, "duration_s": None}
    facts |= {"fps": None, "bit_depth": None, "bitrate_bits_s": None}
    known = {"width": info.get("width"), "height": info.get("height"), "duration_s": info.get("duration")}
    known |= {key: info.get(key) for key in ("vcodec", "acodec") if info.get(key) not in (None, "none")}
    try:
        inside = _probe(path, ffprobe) if ffprobe else _read_mp4(path)
    except (OSError, ValueError, struct.error, subprocess.SubprocessError) as error:
        log.info("The inside of the file could not be read: %s", error)
        inside = {}
    if inside.get("vcodec") or inside.get("acodec"):  # measured: what the site said counts no more
        known = {"duration_s": known["duration_s"]}
    facts |= {key: value for key, value in {**known, **inside}.items() if value}
    return {**facts, "size_bytes": path.stat().st_size}


def mark_of(path: Path) -> tuple[str, int, int, int]:
    """The same for as long as nobody wrote to the file or put another in its place."""
    seen = path.stat()
    return str(path), seen.st_ino, seen.st_size, seen.st_mtime_ns


def _is_text(start: bytes) -> bool:
    """True when nothing but printable text is there: no container of media begins so."""
    return bool(start) and not re.search(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]", start[:512])


def _probe(path: Path, ffprobe: str) -> dict[str, Any]:
    command = [
        ffprobe,
        "-v",
        "error",
        "-protocol_whitelist",
        "file,pipe",
        "-show_streams",
        "-show_format",
        "-of",
        "json",
    ]
    done = subprocess.run(
        [*command, f"file:{path}"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_TIME_S, check=False
    )
    told = json.loads(done.stdout or b"{}")
    container = told.get("format") or {}
    facts: dict[str, Any] = {
        "duration_s": float(container.get("duration") or 0),
        "bitrate_bits_s": int(container.get("bit_rate") or 0),
    }
    for stream in told.get("streams") or []:
        is_picture = bool((stream.get("disposition") or {}).get("attached_pic"))
        if stream.get("codec_type") == "video" and not is_picture and "vcodec" not in facts:
            facts |= {"width": stream.get("width"), "height": stream.get("height"), "vcodec": stream.get("codec_name")}
            facts |= {"fps": _rate(stream.get("avg_frame_rate")), "bit_depth": _bits(stream)}
        elif stream.get("codec_type") == "audio":
            facts.setdefault("acodec", stream.get("codec_name"))
    return facts


def _rate(text: Any) -> float | None:
    """`30000/1001` as pictures a second."""
    number, _, of = str(text or "").partition("/")
    try:
        return round(float(number) / float(of or 1), 3)
    except (ValueError, ZeroDivisionError):
        return None


def _bits(stream: dict[str, Any]) -> int | None:
    """Bits a colour: as the stream says, else by the name of its pixels (`yuv420p10le`)."""
    told = str(stream.get("bits_per_raw_sample") or "")
    if told.isdigit() and int(told):
        return int(told)
    found = re.search(r"p(\d\d)(?:le|be)$", str(stream.get("pix_fmt") or ""))
    return int(found[1]) if found else 8 if stream.get("pix_fmt") else None


def _read_mp4(path: Path) -> dict[str, Any]:
    """Codecs, picture size and length out of an MP4's header; empty for any other file."""
    facts: dict[str, Any] = {}
    with path.open("rb") as file:
        if file.read(8)[4:] not in (b"ftyp", b"moov", b"styp"):
            return {}
        kind = b""
        for name, body in _boxes(file, 0, path.stat().st_size):
            if name == b"mvhd":
                wide = body[0] == 1
                scale, length = struct.unpack_from(">IQ" if wide else ">II", body, 20 if wide else 12)
                facts["duration_s"] = round(length / scale, 3) if scale else None
            elif name == b"hdlr":
                kind = body[8:12]
            elif name == b"stsd" and len(body) >= 16:
                codec = body[12:16].decode("ascii", "replace").strip()
                if kind == b"vide" and "vcodec" not in facts:
                    width, height = struct.unpack_from(">HH", body, 40)
                    facts |= {"vcodec": codec, "width": width, "height": height}
                elif kind == b"soun":
                    facts.setdefault("acodec", codec)
    return facts


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """The small boxes of interest between two places of an MP4, in their order, going down into containers."""
    place = start
    while place + 8 <= end:
        file.seek(place)
        size, name = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            head = 16
        size = size or end - place
        if size < head:
            return
        if name in _CONTAINERS:
            yield from _boxes(file, place + head, min(place + size, end))
        elif name in (b"mvhd", b"hdlr", b"stsd") and size <= _MOST_HEADER_BYTES:
            yield name, file.read(min(size - head, 256))
        place += size
