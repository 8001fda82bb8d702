"""A small web site on loopback with clips that ffmpeg made: whole files and DASH, at any speed, counting what it gave.

For tests and figures of the whole program; what real sites do wrong is the business of `tests/site/`.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import pytest

SLOW_CHUNK_BYTES = 32 * 1024
FAST_CHUNK_BYTES = 1024 * 1024


def make_clip(path: Path, *, seconds: int = 4, bitrate: str = "400k", size: str = "320x180") -> Path:
    """An mp4 with picture and sound."""
    run_ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25", "-f", "lavfi", "-i", "sine=frequency=440",
        "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-b:v", bitrate, "-minrate", bitrate,
        "-maxrate", bitrate, "-bufsize", bitrate, "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart",
        str(path),
    )  # fmt: skip
    return path


def make_dash(folder: Path, clip: Path) -> Path:
    """The clip as DASH: one picture and one sound stream, which only ffmpeg can join again."""
    folder.mkdir()
    run_ffmpeg(
        "-i", str(clip), "-c", "copy", "-map", "0:v", "-map", "0:a", "-f", "dash", "-seg_duration", "2",
        "-use_template", "1", "-use_timeline", "1", str(folder / "manifest.mpd"),
    )  # fmt: skip
    return folder / "manifest.mpd"


def run_ffmpeg(*arguments: str) -> None:
    subprocess.run(["ffmpeg", "-nostdin", "-y", "-loglevel", "error", *arguments], check=True, timeout=120)


class QuietServer(ThreadingHTTPServer):
    """Clients that hang up are what these tests are about: no traceback for them."""

    def handle_error(self, *_: object) -> None:
        pass


class ClipSite:
    """Serves the files of `folder`.

    `/NAME` gives a file; `/n/NUMBER/NAME` the same file under as many addresses as one likes. `rate_bytes_s` slows every
    connection (0: as fast as it goes). `hits` counts requests by path, `given` the bytes, `ranges` the Range headers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rate_bytes_s = 0
        self.hits: Counter[str] = Counter()
        self.given: Counter[str] = Counter()
        self.ranges: list[tuple[str, str]] = []
        self.open_connections = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.answer(self, sends_body=True)

            def do_HEAD(self) -> None:
                site.answer(self, sends_body=False)

            def log_message(self, *_: object) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ClipSite:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, handler: BaseHTTPRequestHandler, *, sends_body: bool) -> None:
        """Send a file or the asked part of it."""
        path = handler.path.split("?")[0]
        file = self.folder / re.sub(r"^/n/\d+/", "", path).lstrip("/")
        if not file.is_file() or not file.resolve().is_relative_to(self.folder.resolve()):
            handler.send_error(404)
            return
        size = file.stat().st_size
        first, last, asked = 0, size - 1, handler.headers.get("Range", "")
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", asked):
            first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
        if first >= size:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{size}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        with self._lock:
            self.hits[path] += 1
            self.open_connections += 1
            if asked:
                self.ranges.append((path, asked))
        try:
            handler.send_response(206 if asked else 200)
            types = {".mp4": "video/mp4", ".m4s": "video/mp4", ".mpd": "application/dash+xml"}
            handler.send_header("Content-Type", types.get(file.suffix, "application/octet-stream"))
            handler.send_header("Accept-Ranges", "bytes")
            handler.send_header("Content-Length", str(last - first + 1))
            if asked:
                handler.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            handler.end_headers()
            if sends_body:
                self._send(handler, file, first, last + 1, path)
        except OSError:
            handler.close_connection = True
        finally:
            with self._lock:
                self.open_connections -= 1

    def _send(self, handler: BaseHTTPRequestHandler, file: Path, first: int, end: int, path: str) -> None:
        began, sent = time.monotonic(), 0
        with file.open("rb") as source:
            source.seek(first)
            while first + sent < end and not self._stopped.is_set():
                chunk = SLOW_CHUNK_BYTES if self.rate_bytes_s else FAST_CHUNK_BYTES
                part = source.read(min(chunk, end - first - sent))
                handler.wfile.write(part)
                sent += len(part)
                with self._lock:
                    self.given[path] += len(part)
                if self.rate_bytes_s:
                    time.sleep(max(0.0, sent / self.rate_bytes_s - (time.monotonic() - began)))


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`small.mp4` (a few hundred kB), `large.mp4` (some MB) and `dash/manifest.mpd`, made once."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "small.mp4")
    make_clip(folder / "large.mp4", seconds=20, bitrate="2000k", size="640x360")
    make_dash(folder / "dash", folder / "small.mp4")
    return folder


@pytest.fixture
def clip_site(clip_folder: Path) -> Iterator[ClipSite]:
    """A running site with these clips."""
    with ClipSite(clip_folder) as site:
        yield site
