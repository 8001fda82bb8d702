"""What a page gives back, and how the bytes of it go out: with Range, slowly, cut off, or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".m4a": "audio/mp4",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".vtt": "text/vtt",
    ".xml": "application/rss+xml",
    ".xspf": "application/xspf+xml",
}
PIECE_BYTES = 16 * 1024


@dataclass
class Answer:
    """One answer: a body in memory, a file, or an endless stream of pieces."""

    body: bytes | Path | Iterator[bytes] = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Knobs:
    """Trouble that any address of the site takes as query parameters. Sizes in bytes, times in seconds."""

    throttle: float | None = None  # bytes a second
    cut: int | None = None  # every connection breaks after so many bytes
    cut_first: int | None = None  # only those of the requests `cut_on` do
    cut_on: tuple[int, ...] = (1,)
    stall: int | None = None  # nothing more comes after so many bytes
    no_range: bool = False
    wait: float = 0  # before the answer
    fail: tuple[int, ...] = ()  # which requests for this address fail, counted from 1
    fail_status: int = 503
    retry_after: str | None = None
    redirect: tuple[int, ...] = ()  # which requests are sent elsewhere
    to: str = ""

    @classmethod
    def of(cls, query: dict[str, str]) -> Knobs:
        def number(name: str) -> int | None:
            return int(query[name]) if query.get(name) else None

        def numbers(name: str) -> tuple[int, ...]:
            return tuple(int(part) for part in query.get(name, "").split(",") if part)

        return cls(
            throttle=float(query["throttle"]) if query.get("throttle") else None,
            cut=number("cut"),
            cut_first=number("cut_first"),
            cut_on=numbers("cut_on") or (1,),
            stall=number("stall"),
            no_range=bool(query.get("no_range")),
            wait=float(query.get("wait") or 0),
            fail=numbers("fail"),
            fail_status=number("fail_status") or 503,
            retry_after=query.get("retry_after"),
            redirect=numbers("redirect"),
            to=query.get("to", ""),
        )

    def stop_after(self, visit: int) -> int | None:
        """Bytes after which the connection of the `visit`th request breaks; None sends all."""
        return self.cut if self.cut is not None else self.cut_first if visit in self.cut_on else None


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte asked for, None for the whole; ValueError for what lies behind the end."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", header or "")
    if not found:
        return None
    first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    if first >= size:
        raise ValueError(header)
    return first, last


def pieces_of(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    """The bytes from `first` to `last` of a file, in pieces."""
    file.seek(first)
    left = last - first + 1
    while left > 0 and (data := file.read(min(PIECE_BYTES, left))):
        left -= len(data)
        yield data


def paced(pieces: Iterator[bytes], bytes_s: float | None) -> Iterator[bytes]:
    """The same pieces, no faster than `bytes_s`."""
    if bytes_s is None:
        yield from pieces
        return
    start, sent = time.monotonic(), 0
    for piece in pieces:
        small = max(1, min(len(piece), int(bytes_s / 20) or 1))
        for place in range(0, len(piece), small):
            part = piece[place : place + small]
            sent += len(part)
            time.sleep(max(0.0, start + sent / bytes_s - time.monotonic()))
            yield part
