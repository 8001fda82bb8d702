"""The release pages: which release is the newest, its files by way of another address, and trouble ordered by a test.

Paths and answers as the pages give them: `/<owner>/<name>/releases/latest` redirects to `/releases/tag/<version>`, files
lie below `/releases/download/<version>/` and `/releases/latest/download/`, and each redirects to a host for files.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

STABLE, NIGHTLY = "yt-dlp/yt-dlp", "yt-dlp/yt-dlp-nightly-builds"
PROGRAM, SUMS, SPEC = "yt-dlp", "SHA2-256SUMS", "_update_spec"
# real lines of upstream's file
OLD_SYSTEMS = (
    "# This file is used for regulating self-update\n"
    "lock 2025.10.14 zip Python 3\\.9\n"
    "lockV2 yt-dlp/yt-dlp 2023.11.16 win_x86_exe .+ Windows-(?:Vista|2008Server)\n"
    "lockV2 yt-dlp/yt-dlp 2025.10.14 zip Python 3\\.9\n"
    "lockV2 yt-dlp/yt-dlp-nightly-builds 2025.10.14.232845 zip Python 3\\.9\n"
)


@dataclass
class Release:
    """The files of one version."""

    files: dict[str, bytes] = field(default_factory=dict)


class Releases:
    """The pages, running in threads between `with Releases() as pages` and the end of the block."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.newest: dict[str, str] = {}
        self.releases: dict[tuple[str, str], Release] = {}
        self.broken: dict[str, int] = {}  # file name → status instead of it
        self.cut: dict[str, int] = {}  # file name → bytes after which the line breaks
        self.wait_s: dict[str, float] = {}  # file name → before its answer
        self.files_at = ""  # address that files are sent from; empty: this server's own
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Releases:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(
        self,
        version: str,
        content: bytes,
        *,
        repository: str = STABLE,
        sums: str | None = None,
        spec: str | None = OLD_SYSTEMS,
        is_newest: bool = True,
    ) -> Release:
        """Put up a release; `sums` in the place of the right ones."""
        right = f"{hashlib.sha256(content).hexdigest()}  {PROGRAM}\n{'0' * 64}  yt-dlp.exe\n{'1' * 64}  yt-dlp_linux\n"
        files = {PROGRAM: content, SUMS: (right if sums is None else sums).encode()}
        if spec is not None:
            files[SPEC] = spec.encode()
        release = self.releases[repository, version] = Release(files)
        if is_newest:
            self.newest[repository] = version
        return release

    def fetched(self, name: str) -> int:
        """How often the file itself went out."""
        return sum(path.startswith("/files/") and path.endswith(f"/{name}") for path in self.asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, pages: Releases) -> None:
        self.pages = pages
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of a test go away in the middle: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        pages = self.server.pages
        pages.asked.append(self.path)
        parts = self.path.strip("/").split("/")
        if parts[0] == "files":
            return self._send_file("/".join(parts[1:3]), parts[3], parts[4])
        repository, rest = "/".join(parts[:2]), parts[2:]
        if rest == ["releases", "latest"]:
            if status := pages.broken.get("latest"):
                return self._send(status, b"no")
            if repository not in pages.newest:
                return self._send(404, b"Not Found")
            return self._move(f"{pages.url}/{repository}/releases/tag/{pages.newest[repository]}")
        match rest:
            case ["releases", "latest", "download", name]:
                return self._to_file(repository, pages.newest.get(repository, ""), name)
            case ["releases", "download", tag, name]:
                return self._to_file(repository, tag, name)
        return self._send(404, b"Not Found")

    def _to_file(self, repository: str, tag: str, name: str) -> None:
        pages = self.server.pages
        release = pages.releases.get((repository, tag))
        if release is None or name not in release.files:
            return self._send(404, b"Not Found")
        return self._move(f"{pages.files_at or pages.url}/files/{repository}/{tag}/{name}?token=short-lived")

    def _send_file(self, repository: str, tag: str, name: str) -> None:
        pages = self.server.pages
        name = name.partition("?")[0]
        pages.asked[-1] = self.path.partition("?")[0]
        time.sleep(pages.wait_s.get(name, 0))
        if status := pages.broken.get(name):
            return self._send(status, b"no")
        return self._send(200, pages.releases[repository, tag].files[name], pages.cut.get(name))

    def _move(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, body: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The list of what was asked for tells more."""
