"""Who may open the live socket: the same people as everywhere, and no page of another site."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from medianest.app import Application
from tests.harness.application import Visit, set_up, sign_in


class Handshake:
    """One WebSocket as the server sees it; `answers` are the messages it sent."""

    def __init__(self, application: Application, headers: dict[str, str], path: str = "/api/v1/live") -> None:
        self.answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._sent.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "root_path": "", "scheme": "ws",
            "query_string": b"", "subprotocols": [], "client": ("192.0.2.10", 1), "server": ("medianest.test", 80),
            "headers": [(name.encode(), value.encode()) for name, value in {"host": "medianest.test", **headers}.items()],
        }  # fmt: skip
        self._task = asyncio.create_task(application.asgi(scope, self._sent.get, self.answers.put))

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.answers.get(), 5)

    async def leave(self) -> None:
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(self._task, 5)


def cookies_of(client: httpx.AsyncClient, end: str = "") -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items() if name.endswith(end))


async def test_the_socket_opens_for_a_cookie_and_for_a_bearer_token(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    for headers in (
        {"cookie": cookies_of(client), "origin": "http://medianest.test"},
        {"cookie": cookies_of(client), "origin": "http://medianest.test", "sec-fetch-site": "same-origin"},
        {"authorization": f"Bearer {token}"},
        {"authorization": f"Bearer {token}", "origin": "capacitor://app"},
    ):
        socket = Handshake(application, headers)
        assert (await socket.next())["type"] == "websocket.accept"
        assert '"hello"' in (await socket.next())["text"]
        await socket.leave()


async def test_the_socket_stays_shut_for_everybody_else(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    cookie = cookies_of(client)
    for headers in (
        {},
        {"cookie": cookie, "origin": "http://evil.example"},
        {"cookie": cookie, "origin": "http://medianest.test:81"},
        {"cookie": cookie, "origin": "null"},
        {"cookie": cookie, "sec-fetch-site": "cross-site"},
        {"authorization": "Bearer x", "cookie": cookie},
        # no renewal here: there is no answer that could carry the new cookies
        {"cookie": cookies_of(client, "_refresh"), "origin": "http://medianest.test"},
    ):
        socket = Handshake(application, headers)
        assert (await socket.next())["type"] == "websocket.close", headers
    # and the refresh token was not used up
    assert (await client.get("/api/v1/me")).status_code == 200


async def test_the_socket_closes_when_the_session_ends(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    socket = Handshake(application, {"cookie": cookies_of(client), "origin": "http://medianest.test"})
    assert (await socket.next())["type"] == "websocket.accept"
    await socket.next()
    await application.accounts.reset_password("Ada", "another-Horse-8-staple")
    closed = await socket.next()
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)


@pytest.mark.parametrize("path", ["/medianest/api/v1/live", "/api/v1/live"])
async def test_the_socket_lies_below_the_base_path_only(path: str, below_a_path: Application, visit: Visit) -> None:
    client = visit(below_a_path)
    await set_up(client, below_a_path)
    socket = Handshake(below_a_path, {"cookie": cookies_of(client), "origin": "http://medianest.test"}, path)
    answer = await socket.next()
    assert answer["type"] == ("websocket.accept" if path.startswith("/medianest") else "websocket.close")
    if answer["type"] == "websocket.accept":
        await socket.next()
        await socket.leave()
