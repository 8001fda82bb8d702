"""Searching, asking and waiting, with a Plex server and an Overseerr that take 20 ms for each answer."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import websockets.sync.client

from tests.bench.table import Figure, percentile, say
from tests.harness.downloads import add
from tests.harness.processes import process_info
from tests.harness.server import Server
from tests.overseerr import OverseerrWorld
from tests.plex import PlexWorld
from tests.site import Site

LATENCY_S = 0.02
FILMS, ASKED, ROWS, PEOPLE = 60, 50, 10_000, 50
CALLS = 60
IDLE_S = 20
FIRST = 700_000  # number of the first film


def cpu_s(server: Server) -> float:
    """What the server process has used so far."""
    info = process_info(server.pid)
    assert info is not None
    return info.cpu_s


def times_ms(client: httpx.Client, paths: list[str]) -> list[float]:
    """How long each page takes."""
    found = []
    for path in paths:
        began = time.perf_counter()
        client.get(path).raise_for_status()
        found.append((time.perf_counter() - began) * 1000)
    return found


def page_cpu_ms(server: Server, client: httpx.Client, path: str) -> float:
    """CPU of the server for one page, less what it uses meanwhile for everything else."""
    for _warm in range(5):
        client.get(path).raise_for_status()
    before, began = cpu_s(server), time.monotonic()
    time.sleep(4)
    idle = (cpu_s(server) - before) / (time.monotonic() - began)
    before, began = cpu_s(server), time.monotonic()
    for _one in range(CALLS):
        client.get(path)
    took = time.monotonic() - began
    return max(0.0, cpu_s(server) - before - idle * took) / CALLS * 1000


def fill_requests(database: Path, rows: int) -> None:
    """Put `rows` requests that have ended into a stopped server's SQLite database."""
    connection = sqlite3.connect(database)
    try:
        (user,) = connection.execute("SELECT id FROM users").fetchone()
        for number in range(rows):
            title = f"A film with an ordinary title {number}"
            at = f"2026-01-{number % 28 + 1:02d} 03:04:05+00:00"
            made = connection.execute(
                "INSERT INTO media_requests (media_type, tmdb_id, is_4k, seasons, requested_by, title, title_key, year, "
                "status, is_approved, quota_cost, version, created_at, changed_at) "
                "VALUES ('movie', ?, 0, '', ?, ?, ?, 2001, 'available', 1, 1, 1, ?, ?)",
                (FIRST * 2 + number, user, title, title.lower(), at, at),
            )
            connection.execute("INSERT INTO request_followers VALUES (?, ?, ?)", (user, made.lastrowid, at))
            connection.execute(
                "INSERT INTO request_status (request_id, at, status, source) VALUES (?, ?, 'available', 'sync')",
                (made.lastrowid, at),
            )
        connection.commit()
    finally:
        connection.close()


def socket(server: Server, client: httpx.Client) -> websockets.sync.client.ClientConnection:
    """The live socket of somebody who is signed in, past its greeting."""
    address = server.base_url.replace("http", "ws", 1) + "/api/v1/live"
    made = websockets.sync.client.connect(
        address, additional_headers={"Authorization": client.headers["authorization"]}, proxy=None, ping_interval=None
    )
    made.recv(10)
    return made


def seen_after_webhook_s(server: Server, client: httpx.Client, overseerr: OverseerrWorld) -> float:
    """From the webhook until an open page has been told and has read the new status."""
    number = FIRST
    asked = client.get("/api/v1/requests?limit=100").json()["items"]
    request_id = next(one["id"] for one in asked if one["tmdb_id"] == number)
    overseerr.webhook_url = server.base_url + "/api/v1/webhooks/overseerr"
    with server.browser() as browser:
        found = re.search(r'name="webhook_secret"[^>]*value="([^"]+)"', browser.get("/system/overseerr").text)
    assert found, "the page does not show the webhook's secret"
    overseerr.webhook_authorization = found[1]
    with socket(server, client) as live:
        began = time.monotonic()
        overseerr.mark_available("movie", number)
        while time.monotonic() - began < 60:
            message = json.loads(live.recv(60))
            if message["event"] == "request.status_changed" and message["id"] == request_id:
                break
        assert client.get(f"/api/v1/requests/{request_id}").json()["status"] == "available"
        return time.monotonic() - began


def idle_cpu_percent(server: Server, client: httpx.Client) -> float:
    """Of one processor, while `PEOPLE` have a page open and nothing happens."""
    with ExitStack() as opened:
        for _one in range(PEOPLE):
            opened.enter_context(socket(server, client))
        time.sleep(3)
        before, began = cpu_s(server), time.monotonic()
        time.sleep(IDLE_S)
        return (cpu_s(server) - before) / (time.monotonic() - began) * 100


def ask(client: httpx.Client, number: int) -> None:
    """Ask for one film."""
    client.post("/api/v1/requests", json={"media_type": "movie", "tmdb_id": number, "is_4k": False}).raise_for_status()


def measure(folder: Path) -> Iterator[Figure]:
    say("searching and asking …")
    with ExitStack() as opened:
        plex, overseerr = opened.enter_context(PlexWorld()), opened.enter_context(OverseerrWorld())
        site = opened.enter_context(Site())
        library = plex.server.add_library("Films", "movie")
        for number in range(FILMS):
            overseerr.add_movie(FIRST + number, f"Lantern {number}", "2001-02-03")
            plex.server.add_movie(library, f"Lamp {number}", 2002, tmdb=FIRST * 3 + number)
        server = Server(folder / "asking", env={**plex.settings(), **overseerr.settings()})
        opened.callback(server.close)
        server.start()
        client = opened.enter_context(server.client())
        for number in range(ASKED):
            ask(client, FIRST + number)
        overseerr.latency_s = LATENCY_S
        plex.faults.add("/", "slow", None, seconds=LATENCY_S, place="server")
        words = [f"/search?q=Lantern%20{number}" for number in range(CALLS)]
        client.get("/search?q=warm").raise_for_status()
        yield Figure("search page, cold, p95", percentile(times_ms(client, words), 0.95), 400, "ms", "20 ms a service")
        yield Figure("search page, from cache, p95", percentile(times_ms(client, words[:20] * 3), 0.95), 60, "ms")
        seen = seen_after_webhook_s(server, client, overseerr)
        yield Figure("status on an open page after the webhook", seen, 1, "s")
        for number in range(3):
            add(client, site.url(f"/clip/slow-{number}.mp4?length=4&size=90000000&throttle=60000"))
        time.sleep(3)
        home = page_cpu_ms(server, client, "/")
        yield Figure("home page, 50 requests and 3 downloads, CPU", home, 20, "ms")
        yield from pictures(client)
        server.stop()
        fill_requests(server.data_dir / "medianest.sqlite", ROWS)
        server.start()
        with server.client() as again:
            again.post("/api/v1/downloads/1/cancel")
            yield Figure("list of requests, 10,000 rows, CPU", page_cpu_ms(server, again, "/requests"), 20, "ms")
            yield Figure("idle with 50 open pages, CPU", idle_cpu_percent(server, again), 3, "%", "of one processor")


def pictures(client: httpx.Client) -> Iterator[Figure]:
    """Posters that were fetched once."""
    page = client.get("/search?q=Lamp").text
    found = sorted(set(re.findall(r'src="(/pictures/plex/[^"]+)"', page)))
    assert found, "the page shows no posters of Plex"
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(client.get, found))
    taken = times_ms(client, (found * CALLS)[: CALLS * 3])
    yield Figure("picture from cache, p95", percentile(taken, 0.95), 15, "ms")
