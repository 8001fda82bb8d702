"""Everything that runs in the week: MediaNest, the sites, Plex, the release pages of yt-dlp, and who kills what."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from tests.harness.processes import command_of
from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server
from tests.plex import PlexWorld
from tests.release import Releases, real_program
from tests.site import Site, channels
from tests.soak import week_night, week_script
from tests.soak.week_script import BUSY, CLUB, Video

HOUSE = [sys.executable, "-m", "tests.soak.week_house"]
THERE = "/volume1/media/youtube"  # the library as Plex sees it
BEN, BENS_PASSWORD = "ben", "Lantern-Harbour-7-Meadow"
DAY_LIMIT_S = 150.0
DEAD_WITHIN_S = 5.0  # what a killed server leaves behind
QUIET_S = 1.2
NOTHING_BEGINS_S = 5.0  # after so long without a download the day is one without

# what is still to be done today; `now` is a text as the database writes it
TO_DO = {
    "downloads": "SELECT count(*) FROM download_queue WHERE state IN ('downloading', 'processing') OR "
    "(state IN ('queued', 'waiting') AND kind = 'video' AND coalesce(next_attempt_at, "
    "CASE state WHEN 'queued' THEN '' ELSE '9' END) <= :now)",
    "subscriptions": "SELECT count(*) FROM subscriptions WHERE owner IS NOT NULL OR due_at <= :now",
}
TO_TELL_PLEX = {
    "scans": "SELECT count(*) FROM plex_scans WHERE due_at IS NOT NULL",
    "collections": "SELECT count(*) FROM plex_collections WHERE due_at IS NOT NULL",
    "places": "SELECT count(*) FROM plex_places WHERE state = 'waiting'",
}


class Town:
    """Made once for the week; `chance` decides when what is killed."""

    def __init__(self, folder: Path, site: Site, plex: PlexWorld, releases: Releases, seed: int) -> None:
        self.folder, self.site, self.plex, self.releases = folder, site, plex, releases
        self.chance = random.Random(seed)
        self.kills: list[str] = []
        self.day = 0
        env = {
            **plex.settings(),
            "MEDIANEST_PLEX_SCAN_DELAY_S": "0.5",
            "MEDIANEST_ENGINE_URL": releases.url,
            "MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": f"127.0.0.1,{BUSY},{CLUB}",
        }
        self.server = Server(folder / "house", env=env, command=HOUSE)
        self.shows = plex.server.add_library("YouTube", "show", self.server.library_dir, path=THERE)
        self.films = plex.server.add_library(
            "Films of ours", "movie", self.server.library_dir / "Videos", path=f"{THERE}/Videos"
        )
        self.write("open", [])

    # the sites

    def write(self, name: str, value: object) -> Path:
        """A file that pages of the sites read."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(value))
        return path

    def show(self, day: int) -> None:
        """What the lists show from now on."""
        for name, videos in {
            "kitchen": week_script.KITCHEN[::-1],
            "news": week_script.shown_on(day, week_script.NEWS),
            "songs": week_script.SONGS,
        }.items():
            items = [{"id": one.name, "title": one.title, "link": one.page} for one in videos]
            channels.write(self.folder / f"{name}.json", items=items)
        garden = week_script.shown_on(day, week_script.GARDEN)
        channels.write(self.folder / "garden.json", videos=[self._of_channel(one) for one in garden])

    def _of_channel(self, one: Video) -> dict[str, Any]:
        url = self.site.url(f"/channel/clip/{one.name}?title={one.title.replace(' ', '+')}&date=2026{one.date}")
        return {"id": one.name, "title": one.title, "url": url}

    def list_of(self, name: str) -> str:
        """The address of a list."""
        path = "/channel/garden" if name == "garden" else f"/growing/{name}.xml"
        return self.site.url(f"{path}?file={self.folder / name}.json")

    def publish(self, version: str, *, is_bad: bool = False) -> None:
        """A newer yt-dlp. A bad one looks at pages as ever, so that its trial goes well, and can download nothing."""
        self.releases.publish(version, real_program(version, _broken() if is_bad else {}))

    # the clock and the killer

    def sleep(self) -> None:
        """The night: it is stopped in peace or by a power cut, and a day goes by."""
        if self.chance.random() < 0.5:
            self.server.stop()
        else:
            self._kill()
        self.day += 1
        week_night.pass_by(self.server.data_dir, self._database, self.day)

    def kill_server(self) -> None:
        """A power cut in the middle of the day."""
        self._kill()
        self.server.start()

    def _kill(self) -> None:
        self.kills.append(f"server, with {self.running} downloads")
        self.server.kill()
        end = time.monotonic() + DEAD_WITHIN_S
        while left := [command_of(pid) for pid in self.server.leftovers()]:
            assert time.monotonic() < end, f"{DEAD_WITHIN_S:g} s after its server was killed this still runs: {left}"
            time.sleep(0.05)

    def kill_worker(self) -> None:
        """One of the download workers dies, when there is one."""
        workers = [pid for pid in self.server.leftovers() if command_of(pid).endswith("_worker")]
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.chance.choice(sorted(workers)), signal.SIGKILL)
                self.kills.append("worker")

    # people

    @contextlib.contextmanager
    def owner(self) -> Iterator[httpx.Client]:
        with self.server.client(ADMIN_NAME, ADMIN_PASSWORD) as client:
            yield client

    @contextlib.contextmanager
    def ben(self) -> Iterator[httpx.Client]:
        with self.server.client(BEN, BENS_PASSWORD) as client:
            yield client

    # what stands written

    @property
    def _database(self) -> Path:
        return self.server.data_dir / "medianest.sqlite"

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        """Read the database beside the server."""
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=10)) as database:
            database.row_factory = sqlite3.Row
            return [dict(one) for one in database.execute(query, values)]

    def count(self, query: str) -> int:
        """The one number that a query gives."""
        return int(next(iter(self.rows(query, now=str(datetime.now(UTC)))[0].values())))

    def to_do(self, nightly: set[str]) -> dict[str, int]:
        """What is left of today, by kind."""
        queries = TO_DO if self.plex_is_off else {**TO_DO, **TO_TELL_PLEX}
        left = {name: self.count(query) for name, query in queries.items()}
        ran = self.rows("SELECT name FROM scheduled_runs WHERE slot NOT LIKE 'night %' AND finished_at IS NOT NULL")
        left["jobs of the night"] = len(nightly - {one["name"] for one in ran})
        return {name: number for name, number in left.items() if number}

    @property
    def running(self) -> int:
        """How many downloads run."""
        return self.count("SELECT count(*) FROM download_queue WHERE owner IS NOT NULL")

    @property
    def plex_is_off(self) -> bool:
        return self.day == week_script.PLEX_OFF

    def until_quiet(self, kills: list[tuple[float, Callable[[], None]]]) -> None:
        """Until all of today is done, with kills so many seconds after the first download began, or later without one."""
        with self.owner() as client:
            tasks = client.get("/api/v1/system/tasks").raise_for_status().json()
        nightly = {one["name"] for one in tasks if one["schedule"] == "Every night"}
        assert len(nightly) > 10, tasks
        began = quiet_since = time.monotonic()
        first = began + NOTHING_BEGINS_S
        while kills or time.monotonic() - quiet_since < QUIET_S:
            now = time.monotonic()
            if now < first and self.running:
                first = now
            if kills and now - first >= kills[0][0]:
                kills.pop(0)[1]()
            left = self.to_do(nightly)
            if left:
                quiet_since = time.monotonic()
            assert now - began < DAY_LIMIT_S, f"on day {self.day} this is still to be done: {left}; {self._shown()}"
            time.sleep(0.1)

    def _shown(self) -> list[dict[str, Any]]:
        return self.rows("SELECT url, state, reason_code, attempts, next_attempt_at FROM download_queue")


def _broken() -> dict[str, str]:
    spec = find_spec("yt_dlp")
    assert spec is not None
    assert spec.origin is not None
    text = (Path(spec.origin).parent / "downloader" / "http.py").read_text("utf-8")
    begin = "    def real_download(self, filename, info_dict):\n"
    assert begin in text
    return {"yt_dlp/downloader/http.py": text.replace(begin, begin + "        raise KeyError('itag')\n")}
