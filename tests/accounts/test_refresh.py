"""Renewing sessions by the API: many at once, wrong ones, and the day on which a session ends whatever is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit, cookie_named, set_up, sign_in
from tests.harness.databases import PostgresCluster
from tests.harness.server import Server

REFRESH = "/api/v1/auth/refresh"
SHARED = {"MEDIANEST_SECRET_KEY": "0123456789abcdef-0123456789abcdef-shared"}  # two instances of one MediaNest


def new_refresh(answer: httpx.Response) -> list[str]:
    return [text for text in answer.headers.get_list("set-cookie") if "_refresh=" in text]


async def test_twenty_renewals_at_once_give_one_new_cookie_and_twenty_working_tokens(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    old = {"cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    answers = await asyncio.gather(*(visit(application, headers=old).post(REFRESH) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sum(len(new_refresh(answer)) for answer in answers) == 1
    for answer in answers:
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await visit(application).get("/api/v1/me", headers=bearer)).status_code == 200
    winner = visit(application)
    winner.cookies.update(next(answer for answer in answers if new_refresh(answer)).cookies)
    await fetch("UPDATE user_sessions SET rotated_at = {}", datetime.now(UTC) - timedelta(minutes=20))
    assert (await winner.post(REFRESH)).status_code == 200


@pytest.mark.parametrize("is_postgres", [False, True], ids=["sqlite", "postgres"])
def test_in_real_processes_as_well(
    start_server: Callable[..., Server], request: pytest.FixtureRequest, is_postgres: bool
) -> None:
    url = ""
    if is_postgres:
        cluster: PostgresCluster = request.getfixturevalue("postgres")
        url = cluster.url(cluster.create_database())
    servers = [start_server(database_url=url, env=SHARED)]
    if is_postgres:
        servers.append(start_server(database_url=url, env=SHARED))
    with servers[0].browser() as browser:
        old = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)

    def renew(number: int) -> httpx.Response:
        address = servers[number % len(servers)].base_url + REFRESH
        return httpx.post(address, headers={"cookie": old}, timeout=30, trust_env=False)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(renew, range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sum(len(new_refresh(answer)) for answer in answers) == 1
    for number, answer in enumerate(answers):
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        address = servers[number % len(servers)].base_url + "/api/v1/me"
        assert httpx.get(address, headers=bearer, trust_env=False).status_code == 200


def test_a_session_that_ends_on_one_instance_closes_its_socket_on_the_other_at_once(
    start_server: Callable[..., Server], postgres: PostgresCluster
) -> None:
    url = postgres.url(postgres.create_database())
    one, other = start_server(database_url=url, env=SHARED), start_server(database_url=url, env=SHARED)
    with one.client() as phone, one.client() as desk:
        header = {"Authorization": phone.headers["authorization"]}
        with connect(other.base_url.replace("http", "ws") + "/api/v1/live", additional_headers=header) as socket:
            assert json.loads(socket.recv(10))["event"] == "hello"
            mine = [one["session"]["id"] for one in desk.get("/api/v1/me/sessions").json() if not one["is_this_device"]]
            began = datetime.now(UTC)
            for session in mine:
                assert desk.delete(f"/api/v1/me/sessions/{session}").status_code == 204
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    socket.recv(10)
            assert datetime.now(UTC) - began < timedelta(seconds=5)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
        assert httpx.get(other.base_url + "/api/v1/me", headers=header, trust_env=False).status_code == 401


async def test_an_invented_token_never_signs_anybody_out(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    session = (await fetch("SELECT id FROM user_sessions"))[0]["id"]
    number = str(session).replace("-", "")
    real = cookie_named(client, "_refresh")
    wrong = (
        f"{number}." + "x" * 43, f"{number}." + "x" * 63, real[:-1] + ("a" if real[-1] != "a" else "b"), real[:-20], real + "0",
        real.replace(number, "0" * 32), "0" * 32 + "." + "y" * 60, number, "ü.€", "",
    )  # fmt: skip
    for token in wrong:
        answer = await visit(application).post(REFRESH, json={"refresh_token": token})
        assert answer.status_code == 401, token
    assert (await client.get("/api/v1/me")).status_code == 200
    assert (await client.post(REFRESH)).status_code == 200
    for token in (*wrong, real[:-1] + "!"):
        await visit(application).post(REFRESH, json={"refresh_token": token})
    assert (await client.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize(("remember", "longest"), [(False, 90), (True, 365)])
async def test_a_session_ends_at_its_longest_however_much_it_is_used(
    application: Application, visit: Visit, remember: bool, longest: int
) -> None:
    await set_up(visit(application), application)
    client = visit(application)
    await sign_in(client, remember=remember)
    began = datetime.now(UTC) - timedelta(days=longest - 1)
    await fetch("UPDATE user_sessions SET created_at = {} WHERE is_remembered = {}", began, remember)
    assert (await client.post(REFRESH)).status_code == 200
    rows = await fetch(
        "SELECT expires_at FROM user_sessions WHERE is_remembered = {} ORDER BY last_used_at DESC", remember
    )
    assert abs(rows[0]["expires_at"] - began - timedelta(days=longest)) < timedelta(minutes=1)
    await fetch("UPDATE user_sessions SET created_at = {}", datetime.now(UTC) - timedelta(days=longest, seconds=5))
    answer = await client.post(REFRESH)
    assert answer.status_code == 401
    assert (await client.get("/api/v1/me")).status_code == 401
