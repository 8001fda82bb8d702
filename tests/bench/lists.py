"""Many videos at once: twenty slow clips against what the line could do at best, and a playlist of a thousand."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websockets.exceptions
import websockets.sync.client

from tests.bench.downloads import add_at_once, wait_until_done
from tests.bench.table import Figure, median, percentile, say
from tests.harness.clips import ClipSite, make_clip
from tests.harness.downloads import add, wait_for
from tests.harness.processes import wait_until
from tests.harness.server import Server
from tests.site import Site
from tests.site.channels import write

CLIPS, AT_ONCE = 20, 3
ITEMS, ROUNDS = 1000, 3
MIB = 1024 * 1024


def slow_clips(folder: Path) -> Iterator[Figure]:
    """The site gives each connection 1 MiB/s: at best three run without a gap until none is left."""
    clips = folder / "clips"
    clips.mkdir()
    size = make_clip(clips / "slow.mp4", seconds=20, bitrate="2000k", size="640x360").stat().st_size
    ideal = -(-CLIPS // AT_ONCE) * size / MIB
    with ClipSite(clips) as site:
        server = Server(folder / "slow").start()
        try:
            with server.client() as client:
                wait_for(client, add(client, f"{site.url}/n/100/slow.mp4")["id"], ("completed",))
                time.sleep(2)  # the spare is warm again
                site.rate_bytes_s = MIB
                began = time.monotonic()
                add_at_once(server, client, [f"{site.url}/n/{number}/slow.mp4" for number in range(CLIPS)])
                wait_until_done(server, CLIPS + 1)
                wall = time.monotonic() - began
        finally:
            server.close()
    say(f"  {CLIPS} clips of {size / MIB:.1f} MiB at 1 MiB/s, {AT_ONCE} at once: {wall:.1f} s, ideal {ideal:.1f} s")
    note = f"{wall:.1f} s, ideal {ideal:.1f} s"
    yield Figure("20 clips at 1 MiB/s each, 3 at once, against the ideal", wall / ideal, 1.1, "x", note)


class Ears:
    """An open page's socket: when the first and each later message about a download came."""

    def __init__(self, server: Server, authorization: str) -> None:
        self.heard: list[tuple[float, str, int]] = []
        self._socket = websockets.sync.client.connect(
            server.base_url.replace("http", "ws") + "/api/v1/live",
            additional_headers={"Authorization": authorization}, proxy=None,
        )  # fmt: skip
        self._socket.recv(timeout=10)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for message in self._socket:
                found: dict[str, Any] = json.loads(message)
                self.heard.append((time.monotonic(), found["event"], found["id"]))
        except websockets.exceptions.ConnectionClosed:
            pass

    def after(self, moment: float, number: int) -> float:
        """Seconds from `moment` to the next message about a download."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for when, _event, subject in tuple(self.heard):
                if subject == number and when >= moment:
                    return when - moment
            time.sleep(0.02)
        raise TimeoutError(f"no message about {number}")

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)


class Pages:
    """A person who looks at one light page after the other; the seconds that each took."""

    def __init__(self, server: Server) -> None:
        self.seconds: list[float] = []
        self._browser = server.browser()
        self._browser.get("/settings").raise_for_status()  # the first one of a process makes its template
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.01):
            began = time.monotonic()
            self._browser.get("/settings").raise_for_status()
            self.seconds.append(time.monotonic() - began)

    def close(self) -> None:
        self._over.set()
        self._thread.join(10)
        self._browser.close()


def children(server: Server, number: int) -> int:
    """How many items of a list the database has, as any other process sees them: what is committed."""
    database = sqlite3.connect(f"file:{server.data_dir / 'medianest.sqlite'}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT count(*) FROM download_queue WHERE parent_id = ?", (number,))
        return int(rows.fetchone()[0])
    finally:
        database.close()


def one_playlist(site: Site, folder: Path, number: int) -> tuple[float, float, float, list[float]]:
    """Seconds to a thousand durable rows, to the first live message and to the one that tells of the items; page times."""
    file = folder / f"list-{number}.json"
    write(file, items=[f"{number}-{item}" for item in range(ITEMS)])
    server = Server(folder / f"playlist-{number}").start()
    try:
        with server.client() as client:
            wait_for(client, add(client, site.url(f"/clip/warm-{number}.mp4"))["id"], ("completed",))
            time.sleep(2)  # the spare is warm again
            ears, pages = Ears(server, client.headers["Authorization"]), Pages(server)
            began = time.monotonic()
            one = add(client, site.url(f"/growing/thousand.xml?file={file}"))["id"]
            wait_until(lambda: children(server, one) == ITEMS, timeout_s=30, what="a thousand rows", every_s=0.02)
            durable = time.monotonic()
            time.sleep(1)
            pages.close()
            told, known = ears.after(began, one), ears.after(durable - 0.02, one)
            server.kill()
            ears.close()
            server.start()
        with server.client() as client:
            found = client.get(f"/api/v1/downloads/{one}").json()
            assert found["kind"] == "playlist", found
            assert client.get(f"/api/v1/downloads/{one}/items").json()["total"] == ITEMS, "rows were lost by a kill"
    finally:
        server.close()
    say(f"  a playlist of {ITEMS}: {durable - began:.2f} s, told after {told:.2f} s, of its items {known:.2f} s later")
    return durable - began, told, known, pages.seconds


def playlists(folder: Path) -> Iterator[Figure]:
    """From the call to rows that a kill can not take away, and how the pages fare meanwhile."""
    with Site() as site:
        rounds = [one_playlist(site, folder, number) for number in range(ROUNDS)]
    durable, told, known = ([one[0] for one in rounds], [one[1] for one in rounds], [one[2] for one in rounds])
    seconds = [second for one in rounds for second in one[3]]
    note = f"worst {max(durable):.2f} s; all there after a kill"
    yield Figure("a playlist of 1000 added, to durable rows", median(durable), 3, "s", note)
    yield Figure(
        "the same, to the first live message", max(told), 1, "s", f"of its items {max(known):.2f} s after the rows"
    )
    note = f"{len(seconds)} pages, p50 {median(seconds) * 1000:.0f} ms"
    yield Figure("light page meanwhile, p99", percentile(seconds, 0.99) * 1000, 100, "ms", note)


def measure(folder: Path) -> Iterator[Figure]:
    """Figures of this part."""
    say("slow clips …")
    yield from slow_clips(folder)
    say("playlists of a thousand …")
    yield from playlists(folder)
