"""The listening address: reads requests, notes them, does the trouble, sends the answer."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from tests.overseerr.traffic import Answer, Call, call_from, instead

if TYPE_CHECKING:
    from tests.overseerr.world import OverseerrWorld

LARGEST_BODY_BYTES = 1024 * 1024


class Listener(ThreadingHTTPServer):
    """A server of `world`; stopping it breaks the connections that are kept open too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, world: OverseerrWorld, host: str, port: int) -> None:
        self.world = world
        self.open_sockets: set[socket.socket] = set()
        super().__init__((host, port), _Handler)
        self.port = int(self.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for one in tuple(self.open_sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients of a test go away in the middle: that is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: apart, the second waits 40 ms for a delayed acknowledgement
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.open_sockets.add(self.connection)

    def finish(self) -> None:
        self.server.open_sockets.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        world = self.server.world
        size = min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY_BYTES)
        body = self.rfile.read(size).decode("utf-8", "replace")
        call = call_from(self.command, self.path, dict(self.headers.items()), body)
        with world.lock:
            world.calls.append(call)
        if world.latency_s:
            world.stopping.wait(world.latency_s)
        acts_for = call.headers.get("x-api-user")
        if acts_for is not None and not acts_for.strip().isdigit():
            # notes 2a: a non-number takes the server down, and the call never gets an answer
            world.takedowns.append(acts_for)
            return self._reset()
        fault = world.faults.take(call)
        if fault is None:
            return self._send(call, world.answer(call))
        match fault.kind:
            case "reset":
                return self._reset()
            case "hang":
                world.stopping.wait(300)
                return self._reset()
            case "slow":
                world.stopping.wait(fault.seconds)
            case "late":
                answer = world.answer(call)
                world.stopping.wait(fault.seconds)
                return self._send(call, answer)
            case "lost":
                world.answer(call)
                return self._reset()
        return self._send(call, instead(fault, lambda: world.answer(call)))

    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_GET  # noqa: N815

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
