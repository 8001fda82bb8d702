"""Fifty followed feeds with nothing new: what looking at them costs, the server and its download workers together."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.bench.table import Figure, say
from tests.harness.processes import family_cpu_s
from tests.harness.server import Server
from tests.site import Site
from tests.site.channels import write

FEEDS, VIDEOS = 50, 30


def follow(client: httpx.Client, site: Site, folder: Path) -> list[int]:
    """Follow all of them."""
    ids = []
    for number in range(FEEDS):
        file = folder / f"feed-{number}.json"
        write(file, items=[f"{number}-{video}" for video in range(VIDEOS)])
        link = site.url(f"/growing/channel{number}.xml?file={file}")
        answer = client.post("/api/v1/subscriptions", json={"url": link, "interval_minutes": 1440})
        ids.append(int(answer.raise_for_status().json()["id"]))
    return ids


def check(client: httpx.Client, ids: list[int], folder: Path) -> float:
    """Let all of them be checked; seconds until the last one was."""
    began = time.monotonic()
    before = {one["id"]: one["checked_at"] for one in listed(client)}
    for one in ids:
        client.post(f"/api/v1/subscriptions/{one}/check").raise_for_status()
    found = listed(client)
    while any(one["checked_at"] == before[one["id"]] or one["is_checking"] for one in found):
        if time.monotonic() - began > 180:
            raise TimeoutError("not all feeds were checked")
        time.sleep(1)
        found = listed(client)
    assert {one["outcome"] for one in found} == {"nothing_new"}, found
    return time.monotonic() - began


def listed(client: httpx.Client) -> list[dict[str, object]]:
    """All that is followed."""
    items: list[dict[str, object]] = client.get("/api/v1/subscriptions?limit=100").raise_for_status().json()["items"]
    return items


def measure(folder: Path) -> Iterator[Figure]:
    """Figures of this part."""
    with Site() as site:
        server = Server(folder / "following").start()
        try:
            with server.client() as client:
                ids = follow(client, site, folder)
                check(client, ids, folder)  # the workers are warm from here on
                time.sleep(61)  # a person does a hundred things a minute at most
                before = family_cpu_s(server.pid)
                wall = check(client, ids, folder)
                cpu = family_cpu_s(server.pid) - before
        finally:
            server.close()
    say(f"  {FEEDS} feeds with nothing new: {cpu:.2f} s CPU, {wall:.1f} s")
    yield Figure(
        "check of a followed feed with nothing new, CPU",
        cpu / FEEDS * 1000,
        100,
        "ms",
        f"{FEEDS} feeds, {wall:.1f} s in all",
    )
