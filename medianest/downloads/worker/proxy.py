"""A filtering proxy on loopback for the programs that this process starts: ffmpeg, and JavaScript runtimes.

They can not be watched from inside, but all of them take a proxy from the environment. The proxy's own connections
are made by this process and so pass the address guard; a refused one is answered with 403. What comes is paced like a
download of this process's own.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import logging
import os
import secrets
import select
import socket
import socketserver
import sys
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from medianest.downloads.worker.guard import AddressRefused
from medianest.downloads.worker.pace import Pace

log = logging.getLogger(__name__)

_CONNECT_TIME_S = 20
_IDLE_TIME_S = 120
_PIECE_BYTES = 128 * 1024
_MOST_HEADER_BYTES = 64 * 1024
_HOP_HEADERS = (b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive")
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class FilterProxy(socketserver.ThreadingTCPServer):
    """Speaks CONNECT and absolute addresses, http only; listens on 127.0.0.1 and wants a password of this process's own."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, pace: Pace) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.pace = pace
        self._password = secrets.token_urlsafe(18)
        self.credential = b"Basic " + base64.b64encode(f"worker:{self._password}".encode())

    @classmethod
    def start(cls, pace: Pace) -> FilterProxy:
        """Listen, in a thread of its own, until the process ends."""
        proxy = cls(pace)
        Thread(target=proxy.serve_forever, name="proxy", daemon=True).start()
        return proxy

    @property
    def url(self) -> str:
        """The proxy's address, with the password in it."""
        return f"http://worker:{self._password}@127.0.0.1:{self.server_address[1]}"

    def hand_to_children(self) -> None:
        """Name the proxy in the environment, which every child process inherits."""
        for name in _VARIABLES:
            os.environ[name] = self.url
        for name in ("no_proxy", "NO_PROXY"):
            os.environ.pop(name, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.info("A connection through the filter proxy broke: %s", sys.exception())


class _Connection(socketserver.BaseRequestHandler):
    server: FilterProxy

    def handle(self) -> None:
        client: socket.socket = self.request
        client.settimeout(_IDLE_TIME_S)
        head, rest = _read_head(client)
        if not head:
            return
        request_line, *headers = head.split(b"\r\n")
        words = request_line.split(b" ")
        if len(words) != 3:
            return _answer(client, "400 Bad Request")
        if not self._is_ours(headers):
            return _answer(client, "407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="worker"')
        method, target, _ = words
        try:
            host, port = _destination(method, target)
            with socket.create_connection((host, port), timeout=_CONNECT_TIME_S) as site:
                if method == b"CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    site.sendall(rest)
                else:
                    site.sendall(_request_for_site(method, target, headers) + rest)
                _relay(client, site, self.server.pace)
        except AddressRefused:
            _answer(client, "403 Forbidden")
        except ValueError:
            _answer(client, "400 Bad Request")
        except OSError:
            _answer(client, "502 Bad Gateway")

    def _is_ours(self, headers: list[bytes]) -> bool:
        given = [
            line.partition(b":")[2].strip() for line in headers if line.lower().startswith(b"proxy-authorization:")
        ]
        return any(hmac.compare_digest(one, self.server.credential) for one in given)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """The request line and headers, and what came behind them; nothing when the client went away."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(_PIECE_BYTES)
        if not piece or len(data) > _MOST_HEADER_BYTES:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _destination(method: bytes, target: bytes) -> tuple[str, int]:
    """Host and port asked for; ValueError for what is neither CONNECT nor an http address."""
    text = target.decode("ascii")
    parts = urlsplit(f"//{text}" if method == b"CONNECT" else text)
    if not parts.hostname or (method != b"CONNECT" and parts.scheme != "http"):
        raise ValueError(text)
    return parts.hostname, parts.port or (443 if method == b"CONNECT" else 80)


def _request_for_site(method: bytes, target: bytes, headers: list[bytes]) -> bytes:
    """The request as the site expects it: path only, nothing of the proxy, one request for each connection."""
    parts = urlsplit(target.decode("ascii"))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = [line for line in headers if line.partition(b":")[0].strip().lower() not in _HOP_HEADERS]
    return b"\r\n".join([b"%s %s HTTP/1.1" % (method, path.encode()), *kept, b"Connection: close", b"", b""])


def _relay(client: socket.socket, site: socket.socket, pace: Pace) -> None:
    """Carry bytes both ways until one side ends or nothing moves for a while."""
    other = {client: site, site: client}
    while True:
        ready, _, _ = select.select([client, site], [], [], _IDLE_TIME_S)
        if not ready:
            return
        for one in ready:
            data = one.recv(_PIECE_BYTES)
            if not data:
                return
            other[one].sendall(data)
            if one is site:
                pace.pay(len(data))


def _answer(client: socket.socket, status: str, header: str = "X-Filter: worker") -> None:
    with contextlib.suppress(OSError):
        client.sendall(f"HTTP/1.1 {status}\r\n{header}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
