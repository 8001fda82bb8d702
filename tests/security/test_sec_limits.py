"""SEC-66 and the counting of acts: over instances, exactly, and cheaply for whoever is flooded."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from medianest.accounts.limits import Limits
from medianest.app import Application, create_app
from medianest.database import Engine, fetch
from medianest.errors import TooMany
from tests.harness.application import PASSWORD, Visit, set_up, sign_in
from tests.harness.server import Server

NESTED = 100_000


async def test_acts_are_counted_exactly_over_instances(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    clients = [
        visit(one, headers={"Authorization": f"Bearer {token}"})
        for one in (application, create_app(application.settings))
    ]
    statuses = [
        (await clients[number % 2].patch("/api/v1/me/preferences", json={})).status_code for number in range(103)
    ]
    assert statuses.count(200) == 100
    assert statuses[100:] == [429] * 3
    for client in clients:
        answer = await client.patch("/api/v1/me/preferences", json={})
        assert 0 < int(answer.headers["retry-after"]) <= 60


async def test_strangers_may_send_sixty_things_a_minute_from_one_network(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    stranger, neighbour = visit(application, address="2001:db8::1"), visit(application, address="2001:db8::2")
    statuses = [
        (await (stranger, neighbour)[n % 2].post("/nowhere", headers={"x-forwarded-for": f"1.1.1.{n}"})).status_code
        for n in range(62)
    ]
    assert statuses == [404] * 60 + [429] * 2
    assert (await visit(application, address="2001:db8:1::1").post("/nowhere")).status_code == 404
    assert (await sign_in(stranger)).status_code == 200


async def test_hits_at_the_same_moment_are_all_counted(database: Engine) -> None:
    limits = [Limits() for _ in range(4)]

    async def one(number: int) -> bool:
        try:
            await limits[number % 4].hit("k", 10, "{until}")
        except TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*(one(number) for number in range(40)))) == 10


async def test_a_flood_of_wrong_passwords_is_refused_from_memory_and_the_console_still_opens_the_account(
    application: Application, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(visit(application), application)
    client = visit(application)
    for _number in range(5):
        assert (await sign_in(client, password="wrong")).status_code == 401
    assert (await sign_in(client)).status_code == 429
    before = (await fetch("SELECT sum(hits) AS hits FROM rate_limits"))[0]["hits"]
    began = time.perf_counter()
    for _number in range(200):
        answer = await sign_in(client, password="wrong")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
    assert time.perf_counter() - began < 15  # hashing each would take longer
    assert (await fetch("SELECT sum(hits) AS hits FROM rate_limits"))[0]["hits"] - before <= 4
    await create_app(application.settings).accounts.unlock("ada")
    await asyncio.sleep(3.1)
    assert (await sign_in(client, password=PASSWORD)).status_code == 200


async def test_nothing_is_let_through_when_the_counting_fails(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    client = visit(application)
    await fetch("ALTER TABLE rate_limits RENAME TO rate_limits_gone")
    try:
        assert (await sign_in(client)).status_code >= 500
        assert (await client.post("/nowhere")).status_code >= 500
    finally:
        await fetch("ALTER TABLE rate_limits_gone RENAME TO rate_limits")


@pytest.mark.parametrize("body", [b"[" * NESTED, b'{"a":' * NESTED, b"[" * NESTED + b"]" * NESTED])
async def test_sec_66_deep_json_is_refused_quickly(application: Application, visit: Visit, body: bytes) -> None:
    client = visit(application)
    began = time.perf_counter()
    answer = await client.post("/api/v1/auth/login", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert time.perf_counter() - began < 5


async def test_sec_66_forms_with_too_many_parts_or_bytes_are_refused(application: Application, visit: Visit) -> None:
    client = visit(application)
    parts = {f"f{number}": (None, "x") for number in range(1500)}
    assert (await client.post("/sign-in", files=parts)).status_code in (400, 413)
    assert (await client.post("/sign-in", data={"username": "x" * 200_000})).status_code == 413

    async def endless() -> object:
        for _number in range(40):
            yield b"username=" + b"x" * 60_000 + b"&"

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await client.post("/sign-in", content=endless(), headers=headers)).status_code == 413  # type: ignore[arg-type]


def exchange(port: int, sent: bytes) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(sent)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def test_sec_66_a_head_over_32_kib_is_refused_over_the_wire(start_server: Callable[..., Server]) -> None:
    server = start_server()
    head = b"Host: localhost\r\nConnection: close\r\n"
    large = b"X-Long: " + b"x" * 33_000
    many = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 100) for number in range(400))
    upgrade = b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n"
    for sent in (
        b"GET /sign-in HTTP/1.1\r\n" + head + large + b"\r\n\r\n",
        b"GET /sign-in HTTP/1.1\r\n" + head + many + b"\r\n",
        b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\n" + head + b"\r\n",
        b"GET /sign-in HTTP/1.1\r\n" + head + b"X-Endless: " + b"x" * 600_000,
        b"GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n" + upgrade + many + b"\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=bGET / HTTP/1.1\r\n"
        + head
        + many
        + b"\r\n",
    ):
        answer = exchange(server.port, sent)
        assert answer == b"" or b"HTTP/1.1 431 " in answer, (sent[:40], answer[:200])
    fine = b"GET /sign-in HTTP/1.1\r\n" + head + b"X-Long: " + b"x" * 20_000 + b"\r\n\r\n"
    assert exchange(server.port, fine).startswith(b"HTTP/1.1 200 ")
    body = b"username=" + b"x" * 60_000
    posted = b"POST /sign-in HTTP/1.1\r\n" + head + b"Content-Type: application/x-www-form-urlencoded\r\n"
    posted += b"Content-Length: %d\r\n\r\n" % len(body) + body
    assert b" 431 " not in exchange(server.port, posted)[:20]
    assert "Traceback" not in server.log()
