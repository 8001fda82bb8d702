"""What stands before the framework, for every call: base path, walls, request id, headers, compression."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from medianest.logs import request_id
from medianest.walls.client_address import client_address
from medianest.walls.rules import PROBES, Walls
from medianest.web.compression import with_compression
from medianest.web.headers import with_security_headers

log = logging.getLogger("medianest.access")

HEADER = b"x-request-id"
AT_THE_ROOT = "/the-root-outside-the-base-path"  # from where a browser is sent on
Headers = tuple[tuple[bytes, bytes], ...]


class Outermost:
    """Wraps the Litestar application.

    Args:
        base_path: `""` or such as `/medianest`; taken off the path before routing. The probes answer outside it too.
    """

    def __init__(self, app: Any, base_path: str, walls: Walls) -> None:
        self._app = app
        self._base_path = base_path
        self._walls = walls

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        token = request_id.set(uuid.uuid4().hex[:12])
        try:
            await self._judge(scope, receive, send)
        finally:
            request_id.reset(token)

    async def _judge(self, scope: Any, receive: Any, send: Any) -> None:
        """Let the walls look at the call, and pass it on as they see it."""
        peer, called = client_address(scope), scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
        path = self._below_base(scope)
        # no root_path: the framework would cut it out of the path a second time, wherever it stands
        scope = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), "root_path": ""}
        scope = self._walls.seen(scope)
        scope.setdefault("state", {})
        refusal = await self._walls.refusal(scope, peer, called)
        if scope["type"] == "websocket":
            if refusal is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": refusal.text.partition("\n")[0][:100]})
            return
        cors = self._walls.cors(scope)
        send = with_security_headers(path, send, self._walls.frame_ancestors(), self._more_headers(scope, cors))
        send = _with_id(scope, send)
        if refusal is not None:
            plain = ((b"content-type", b"text/plain; charset=utf-8"), *refusal.headers)
            await _answer(send, refusal.status, plain, refusal.text.encode())
            return
        if path == AT_THE_ROOT:
            await _answer(send, 307, ((b"location", self._base_path.encode() + b"/"),))
            return
        asked = self._walls.preflight(scope)
        if asked is not None:
            await _answer(send, 204, asked[len(cors) :])
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        else:
            send = with_compression(_header(scope, b"accept-encoding"), send)
        await self._app(scope, receive, send)

    def _below_base(self, scope: Any) -> str:
        path: str = scope["path"]
        base = self._base_path
        if not base or path in PROBES:
            return path
        if path == base or path.startswith(base + "/"):
            return path[len(base) :] or "/"
        return AT_THE_ROOT if path == "/" and scope["type"] == "http" else "/outside-the-base-path"

    def _more_headers(self, scope: Any, cors: Headers) -> Headers:
        hsts = self._walls.hsts(scope)
        return (*cors, (b"strict-transport-security", hsts)) if hsts else cors


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


async def _answer(send: Any, status: int, headers: Headers, body: bytes = b"") -> None:
    length = ((b"content-length", str(len(body)).encode()),) if status != 204 else ()
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": body})
