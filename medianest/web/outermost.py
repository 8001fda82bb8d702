"""What stands before the framework, for every answer whatever it is: base path, request id, headers, compression."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from medianest.logs import request_id
from medianest.web.compression import with_compression
from medianest.web.headers import with_security_headers

log = logging.getLogger("medianest.access")

PROBES = frozenset(("/ping", "/healthz", "/readyz"))
HEADER = b"x-request-id"


class Outermost:
    """Wraps the Litestar application.

    Args:
        base_path: `""` or such as `/medianest`; taken off the path before routing. The probes answer outside it too.
    """

    def __init__(self, app: Any, base_path: str) -> None:
        self._app = app
        self._base_path = base_path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        token = request_id.set(uuid.uuid4().hex[:12])
        try:
            await self._route(scope, receive, send)
        finally:
            request_id.reset(token)

    async def _route(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        base = self._base_path
        if base and path not in PROBES:
            if path == base or path.startswith(base + "/"):
                path = path[len(base) :] or "/"
            elif path == "/" and scope["type"] == "http":
                send = _with_id(scope, with_security_headers(path, send))
                await _answer(send, 307, (b"location", base.encode() + b"/"))
                return
            else:
                path = "/outside-the-base-path"
        # no root_path: the framework would cut it out of the path a second time, wherever it stands
        scope = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), "root_path": ""}
        scope.setdefault("state", {})
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        send = _with_id(scope, with_security_headers(path, send))
        if path not in PROBES and [name for name, _ in scope["headers"]].count(b"host") != 1:
            # two of them: a proxy in front may have looked at the other one
            await _answer(send, 400, (b"content-type", b"text/plain; charset=utf-8"), b"One Host header is needed.\n")
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        else:
            send = with_compression(_header(scope, b"accept-encoding"), send)
        await self._app(scope, receive, send)


def _header(scope: Any, wanted: bytes) -> str:
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _without_body(send: Any) -> Any:
    async def send_without_body(message: Any) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_without_body


def _with_id(scope: Any, send: Any) -> Any:
    began = time.perf_counter()
    current = request_id.get()

    async def send_with_id(message: Any) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (HEADER, current.encode())]}
            if scope["path"] not in PROBES and log.isEnabledFor(logging.DEBUG):
                # without the query: it may hold what a person searched for
                log.debug(
                    "%s %s %s %.0f ms",
                    scope["method"],
                    scope["path"],
                    message["status"],
                    1000 * (time.perf_counter() - began),
                )
        await send(message)

    return send_with_id


async def _answer(send: Any, status: int, header: tuple[bytes, bytes], body: bytes = b"") -> None:
    headers = [header, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
