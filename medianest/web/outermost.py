"""What stands before the framework: the base path, the id of every request, and limits on what may be sent."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from medianest.logs import request_id

log = logging.getLogger("medianest.access")

PROBES = frozenset(("/ping", "/healthz", "/readyz"))
LONGEST_PATH = 16 * 1024
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
                await _redirect(send, base + "/")
                return
            else:
                path = "/outside-the-base-path"
        scope = {**scope, "path": path, "raw_path": path.encode("utf-8", "surrogateescape"), "root_path": base}
        scope.setdefault("state", {})
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _with_id(scope, send))


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


async def _redirect(send: Any, target: str) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 307,
            "headers": [(b"location", target.encode()), (b"content-length", b"0")],
        }
    )
    await send({"type": "http.response.body", "body": b""})
