"""The server of the test site: threads, counters, and the handler that sends answers out."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from tests.site.answers import Answer, Knobs, byte_range, paced, pieces_of
from tests.site.pages import find_answer


@dataclass
class Request:
    """One request as it came, and what went out for it."""

    host: str  # the address of ours that was connected to
    method: str
    path: str
    query: str
    range: str | None
    headers: dict[str, str]
    status: int = 0
    bytes_sent: int = 0


class Site:
    """The site, running in threads between `with Site() as site` and the end of the block.

    Args:
        host: loopback address to listen on.
        port: 0 takes a free one.
        also: further loopback addresses that lead to the same site on the same port, to see what reaches them.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, also: tuple[str, ...] = ()) -> None:
        self.requests: list[Request] = []
        self._visits: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        first = _Server((host, port), self)
        self.host, self.port = host, int(first.server_address[1])
        self._servers = [first, *(_Server((address, self.port), self) for address in also)]

    def __enter__(self) -> Site:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def url(self, path: str, host: str | None = None) -> str:
        """The whole address of `path`."""
        return f"http://{host or self.host}:{self.port}{path}"

    def asked(self, path: str) -> list[Request]:
        """The requests whose path is, or begins with, `path`."""
        return [request for request in self.requests if request.path.startswith(path)]

    def bytes_sent(self, path: str) -> int:
        """Bytes of bodies that went out for `path`."""
        return sum(request.bytes_sent for request in self.asked(path))

    def forget(self) -> None:
        """Start the counting anew."""
        with self._lock:
            self.requests.clear()
            self._visits.clear()

    def note(self, request: Request) -> int:
        """Keep the request; the answer says the how-manieth it is for its address."""
        with self._lock:
            self.requests.append(request)
            address = f"{request.path}?{request.query}"
            self._visits[address] += 1
            return self._visits[address]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        self.site = site
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of a test go away in the middle: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        host = str(self.server.server_address[0])
        self.note = Request(
            host, self.command, parts.path, parts.query, self.headers.get("Range"), dict(self.headers.items())
        )
        visit = self.server.site.note(self.note)
        knobs = Knobs.of(query)
        time.sleep(knobs.wait)
        if visit in knobs.fail:
            headers = {"Retry-After": knobs.retry_after} if knobs.retry_after else {}
            return self._send(Answer(b"no", "text/plain", knobs.fail_status, headers), knobs, visit)
        if visit in knobs.redirect:
            return self._send(Answer(b"", "text/plain", 302, {"Location": knobs.to}), knobs, visit)
        base = f"http://{self.headers.get('Host') or host}"
        return self._send(
            find_answer(base, parts.path, parts.query, query, visit, self.headers.get("Cookie", "")), knobs, visit
        )

    def _send(self, answer: Answer, knobs: Knobs, visit: int) -> None:
        with contextlib.ExitStack() as stack:
            size: int | None = None
            if isinstance(answer.body, Path):
                size = answer.body.stat().st_size
            elif isinstance(answer.body, bytes):
                size = len(answer.body)
            try:
                part = None if knobs.no_range or size is None else byte_range(self.headers.get("Range"), size)
            except ValueError:
                answer, size, part = Answer(b"", "text/plain", 416, {"Content-Range": f"bytes */{size}"}), 0, None
            self._send_head(answer, size, part, knobs)
            if self.command == "HEAD":
                return
            first, last = part or (0, (size or 0) - 1)
            if isinstance(answer.body, Path):
                pieces = pieces_of(stack.enter_context(answer.body.open("rb")), first, last)
            elif isinstance(answer.body, bytes):
                pieces = iter([answer.body[first : last + 1]])
            else:
                pieces = answer.body
            self._send_body(pieces, knobs, visit)

    def _send_head(self, answer: Answer, size: int | None, part: tuple[int, int] | None, knobs: Knobs) -> None:
        status = 206 if part and answer.status == 200 else answer.status
        self.note.status = status
        self.send_response(status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if size is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(part[1] - part[0] + 1 if part else size))
            if part:
                self.send_header("Content-Range", f"bytes {part[0]}-{part[1]}/{size}")
            if not knobs.no_range:
                self.send_header("Accept-Ranges", "bytes")
        if isinstance(answer.body, Path):
            self.send_header("Last-Modified", "Sun, 15 Mar 2026 12:00:00 GMT")
        self.end_headers()

    def _send_body(self, pieces: Iterator[bytes], knobs: Knobs, visit: int) -> None:
        limit = knobs.stop_after(visit)
        for piece in paced(pieces, knobs.throttle):
            if limit is not None and self.note.bytes_sent + len(piece) > limit:
                piece = piece[: limit - self.note.bytes_sent]
            if knobs.stall is not None and self.note.bytes_sent >= knobs.stall:
                self.server.site.stopping.wait(300)
                self.close_connection = True
                return
            self.wfile.write(piece)
            self.note.bytes_sent += len(piece)
            if limit is not None and self.note.bytes_sent >= limit:
                self.close_connection = True
                return

    def log_message(self, format: str, *args: object) -> None:
        """The counters tell more."""
