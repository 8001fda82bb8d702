"""One listening address of the stand-in: reads requests, notes them, does the trouble, sends the answer."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.plex.traffic import Answer, Call, call_from, instead

if TYPE_CHECKING:
    from tests.plex.world import PlexWorld

LARGEST_BODY_BYTES = 8 * 1024 * 1024


class Listener(ThreadingHTTPServer):
    """A server of `world`; `place` is the word for it in the note of calls."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, world: PlexWorld, place: str, host: str, port: int, find_answer: Callable[[Call], Answer]
    ) -> None:
        self.world, self.place, self.find_answer = world, place, find_answer
        self.is_off = False
        super().__init__((host, port), _Handler)
        self.url = f"http://{host}:{self.server_address[1]}"

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def turn_off(self) -> None:
        """Stop, and break what is kept open as soon as it is used."""
        if not self.is_off:
            self.is_off = True
            self.stop()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of a test go away in the middle: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, the second waits 40 ms for a delayed acknowledgement
    server: Listener

    def do_GET(self) -> None:
        world = self.server.world
        if self.server.is_off:
            return self._reset()
        size = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY_BYTES)
        content = self.rfile.read(size)
        call = call_from(self.server.place, self.command, self.path, dict(self.headers.items()), content)
        world.calls.append(call)
        fault = world.faults.take(call)
        if fault is None:
            return self._send(call, self.server.find_answer(call))
        if fault.kind == "reset":
            return self._reset()
        if fault.kind == "hang":
            world.stopping.wait(300)
            return self._reset()
        if fault.kind == "slow":
            world.stopping.wait(fault.seconds)
        return self._send(call, instead(fault, lambda: self.server.find_answer(call)))

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _send(self, call: Call, answer: Answer) -> None:
        call.status = answer.status
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 204:
            self.wfile.write(answer.body)

    def _reset(self) -> None:
        """Break the connection with a reset instead of an end."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """The note of calls tells more."""
