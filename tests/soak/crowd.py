"""What people do meanwhile: they add, cancel and remove, look at pages, and leave a page open."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import websockets.exceptions
import websockets.sync.client

from tests.harness.server import Server
from tests.soak.trouble import Item


class Row:
    """One row of the queue, as the table has it."""

    def __init__(self, number: int, parent: int | None, url: str, state: str, reason: str | None) -> None:
        self.id, self.parent, self.url, self.state, self.reason = number, parent, url, state, reason


def rows_of(server: Server) -> list[Row]:
    """Every row. Read from the file itself: asking the API for two thousand each second would be the load."""
    database = sqlite3.connect(f"file:{database_of(server)}?mode=ro", uri=True)
    try:
        found = database.execute("SELECT id, parent_id, url, state, reason_code FROM download_queue ORDER BY id")
        return [Row(*one) for one in found.fetchall()]
    finally:
        database.close()


def database_of(server: Server) -> Path:
    return server.data_dir / "medianest.sqlite"


def database_bytes(server: Server) -> int:
    """What the pages of the database take that are in use, wherever they are written."""
    database = sqlite3.connect(f"file:{database_of(server)}?mode=ro", uri=True)
    try:
        pages, free, size = (
            database.execute(f"PRAGMA {one}").fetchone()[0] for one in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)
    finally:
        database.close()


class Person:
    """An administrator at the API, who waits when they have done a hundred things within a minute."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client = server.client()

    def __enter__(self) -> Person:
        return self

    def __exit__(self, *_: Any) -> None:
        self._client.close()

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any call; signs in anew when the token is worn out."""
        while True:
            answer = self._client.request(method, f"/api/v1{path}", **more)
            if answer.status_code == 401:
                self._client.close()
                self._client = self._server.client()
            elif answer.status_code == 429:
                time.sleep(int(answer.headers["Retry-After"]))
            else:
                return answer

    def add(self, url: str) -> int:
        """Queue a link; its id."""
        return int(self.call("POST", "/downloads", json={"url": url}).raise_for_status().json()["id"])

    def wait_until_completed(self, number: int, timeout_s: float = 90) -> None:
        end = time.monotonic() + timeout_s
        while (state := self.call("GET", f"/downloads/{number}").json()["state"]) != "completed":
            if time.monotonic() > end:
                raise AssertionError(f"download {number} must complete and is {state}")
            time.sleep(0.3)


class Actor:
    """Cancels and removes items as soon as each is where it should be; the links of removed ones come into `removed`."""

    def __init__(self, person: Person, removed: set[str]) -> None:
        self._person = person
        self._removed = removed
        self._waiting: dict[str, Item] = {}
        self.refused: list[str] = []

    def expect(self, items: list[Item]) -> None:
        self._waiting |= {item.url: item for item in items if item.kind.act}

    def act(self, rows: list[Row]) -> None:
        """Do what is due."""
        for row in rows:
            item = self._waiting.get(row.url)
            if item is None or row.state not in item.kind.act_at:
                continue
            del self._waiting[row.url]
            method, tail = ("POST", "/cancel") if item.kind.act == "cancel" else ("DELETE", "")
            answer = self._person.call(method, f"/downloads/{row.id}{tail}")
            if item.kind.act == "remove":
                self._removed.add(item.url)
            if answer.is_error:
                self.refused.append(f"{item.name} ({row.state}): {answer.status_code} {answer.text[:200]}")


class Viewer:
    """A browser with one page open that hears of everything, and another that is loaded anew each second."""

    PAGES = ("/settings", "/downloads", "/", "/downloads/history")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self.messages = 0
        self.loaded = 0
        self.troubles: list[str] = []
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._load)]

    def __enter__(self) -> Viewer:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        for one in self._threads:
            one.join(10)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                with self._server.client() as client:
                    self._hear(client.headers["Authorization"])
            except websockets.exceptions.ConnectionClosed as error:  # as a page does, it comes again
                if error.rcvd is None or error.rcvd.code not in (1013, 4401):  # too slow for a burst; token worn out
                    self.troubles.append(f"The live socket ended: {error}")

    def _hear(self, authorization: str) -> None:
        address = self._server.base_url.replace("http", "ws") + "/api/v1/live"
        with websockets.sync.client.connect(
            address, additional_headers={"Authorization": authorization}, proxy=None
        ) as socket:
            while not self._over.is_set():
                try:
                    json.loads(socket.recv(timeout=1))
                    self.messages += 1
                except TimeoutError:
                    continue

    def _load(self) -> None:
        with self._server.browser() as browser:
            while not self._over.wait(1):
                page = self.PAGES[self.loaded % len(self.PAGES)]
                answer = browser.get(page)
                self.loaded += 1
                if answer.status_code != 200:
                    self.troubles.append(f"{page}: {answer.status_code}")
