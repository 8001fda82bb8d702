"""What a person does with downloads, through the API, and what they wait for."""

from __future__ import annotations

import time
from collections.abc import Container
from typing import Any

import httpx

FINAL = ("completed", "failed", "cancelled")


def add(client: httpx.Client, url: str, **options: Any) -> dict[str, Any]:
    """Add a link; the download as the API gives it."""
    answer = client.post("/api/v1/downloads", json={"url": url, **options})
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_for(
    client: httpx.Client, number: int, states: Container[str], *, timeout_s: float = 40, every_s: float = 0.1
) -> dict[str, Any]:
    """Ask until the download is in one of `states`.

    Raises:
        TimeoutError: it is not in time; the message says how it stands.
    """
    end = time.monotonic() + timeout_s
    while True:
        answer = client.get(f"/api/v1/downloads/{number}")
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        if found["state"] in states:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"download {number} is still {found['state']}: {found}")
        time.sleep(every_s)


def wait_for_bytes(client: httpx.Client, number: int, least: int, *, timeout_s: float = 40) -> int:
    """Ask until the running download has `least` bytes; how many it has."""
    end = time.monotonic() + timeout_s
    while True:
        found = client.get(f"/api/v1/downloads/{number}").json()
        have = (found.get("progress") or {}).get("downloaded_bytes") or 0
        if have >= least:
            return int(have)
        if found["state"] in FINAL or time.monotonic() > end:
            raise TimeoutError(f"download {number} has {have} bytes and is {found['state']}: {found}")
        time.sleep(0.05)
