"""What signing in costs others: many tabs that wake together, a flood of wrong passwords, and bcrypt beside the loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.bench.table import Figure, percentile, say
from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server

TABS = 20
FLOOD_S = 20
WRONG_A_MINUTE = 1000
HASHINGS = 12


def tabs_that_wake_together(server: Server) -> tuple[int, int]:
    """Twenty calls at once with one refresh token: how many new refresh cookies, how many working access tokens."""
    with server.browser() as browser:
        refresh = {name: value for name, value in browser.cookies.items() if name.endswith("_refresh")}
    header = {"cookie": "; ".join(f"{name}={value}" for name, value in refresh.items())}

    def one(_number: int) -> tuple[bool, str]:
        with server.visitor() as tab:
            answer = tab.get("/api/v1/me", headers=header)
            given = {name.rpartition("_")[2]: value for name, value in answer.cookies.items()}
            return "refresh" in given, given.get("access", "") if answer.status_code == 200 else ""

    with ThreadPoolExecutor(TABS) as threads:
        answers = list(threads.map(one, range(TABS)))
    working = 0
    with server.visitor() as client:
        for _has_refresh, access in answers:
            answer = client.get("/api/v1/me", headers={"authorization": f"Bearer {access}"})
            working += answer.status_code == 200
    return sum(has_refresh for has_refresh, _access in answers), working


def page_during_a_flood(server: Server) -> tuple[float, int]:
    """The 99th percentile (ms) of a signed-in person's page during wrong passwords, and how many of those were sent."""
    ending = threading.Event()
    sent = 0

    def flood() -> None:
        nonlocal sent
        began = time.monotonic()
        with server.visitor() as client:
            while not ending.is_set():
                wrong = {"username": ADMIN_NAME, "password": f"wrong-{sent}"}
                assert client.post("/api/v1/auth/login", json=wrong).status_code in (401, 429)
                sent += 1
                ending.wait(max(0.0, began + sent * 60 / WRONG_A_MINUTE - time.monotonic()))

    with server.browser() as browser:
        browser.get("/downloads").raise_for_status()
        thread = threading.Thread(target=flood)
        thread.start()
        times: list[float] = []
        end = time.monotonic() + FLOOD_S
        while time.monotonic() < end:
            began = time.perf_counter()
            browser.get("/downloads").raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.05)
        ending.set()
        thread.join()
    return percentile(times, 0.99), sent


async def lag_ms() -> float:
    """The longest time (ms) that the loop does not turn while passwords are hashed."""
    from medianest.accounts.passwords import NOBODY, is_password

    worst = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, (time.perf_counter() - began - 0.005) * 1000)

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    await asyncio.gather(*(is_password("wrong-Horse-7-battery", NOBODY) for _ in range(HASHINGS)))
    done.set()
    await watching
    return worst


def longest_answer_during_sign_ins(server: Server) -> float:
    """The slowest `/ping` (ms) of a real server while people sign in."""
    ending = threading.Event()

    def sign_in(_number: int) -> None:
        with server.visitor() as client:
            while not ending.is_set():
                right = {"username": ADMIN_NAME, "password": ADMIN_PASSWORD, "cookies": False}
                assert client.post("/api/v1/auth/login", json=right).status_code in (200, 429)

    with ThreadPoolExecutor(2) as threads, server.visitor() as client:
        client.get("/ping").raise_for_status()
        for number in range(2):
            threads.submit(sign_in, number)
        times = []
        for _one in range(60):
            began = time.perf_counter()
            client.get("/ping").raise_for_status()
            times.append((time.perf_counter() - began) * 1000)
            time.sleep(0.05)
        ending.set()
    return percentile(times, 0.95)


def measure(folder: Path) -> Iterator[Figure]:
    say("signing in …")
    server = Server(folder / "sign-in").start()
    try:
        with httpx.Client() as client:  # the machine's first connection is not measured
            client.get(server.root_url + "/ping")
        cookies, working = tabs_that_wake_together(server)
        yield Figure("new refresh cookies for 20 tabs at once", cookies, 2, "", "must be exactly one")
        yield Figure("access tokens of them that do not work", TABS - working, 1, "")
        slowest = longest_answer_during_sign_ins(server)
        yield Figure("answer during sign-ins, p95", slowest, 50, "ms", "probe of a server whose people sign in")
        page_ms, sent = page_during_a_flood(server)
        note = f"{sent * 60 // FLOOD_S} wrong passwords a minute"
        yield Figure("page during a flood of passwords, p99", page_ms, 150, "ms", note)
    finally:
        server.close()
    yield Figure("lag of the loop while hashing", asyncio.run(lag_ms()), 50, "ms", f"{HASHINGS} at once, cost 12")
