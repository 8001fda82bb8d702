"""The main job in figures: beside plain yt-dlp over the same links in the same run, and what a person feels."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import websockets.sync.client

from tests.bench.table import Figure, median, percentile, say
from tests.harness.clips import ClipSite, make_clip
from tests.harness.downloads import add, wait_for, wait_for_bytes
from tests.harness.processes import command_of, family_cpu_s
from tests.harness.server import Server

CLIPS = 20
ROUNDS = 3
MIB = 1024 * 1024


def plain_yt_dlp(links: list[str], folder: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one yt-dlp call over `links`."""
    folder.mkdir()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "yt_dlp", "--ignore-config", "--quiet", "-o", "%(autonumber)s.%(ext)s", *links],
        cwd=folder, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    assert len(list(folder.iterdir())) == len(links), "yt-dlp did not bring every clip"
    return wall, usage.ru_utime + usage.ru_stime


def ffprobe_cpu_s(clip: Path, runs: int) -> float:
    """CPU seconds of as many calls of ffprobe as the clips need: yt-dlp looks into none of its files."""
    before = os.times()
    for _run in range(runs):
        subprocess.run(
            ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(clip)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def add_at_once(server: Server, client: httpx.Client, links: list[str]) -> list[float]:
    """Add all links at the same moment; the seconds each call took.

    Plain sockets: an HTTP library would cost this process more than the calls cost the server.
    """

    async def one(link: str, ready: asyncio.Barrier) -> float:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        body = json.dumps({"url": link})
        await ready.wait()
        began = time.monotonic()
        writer.write(
            f"POST {server.base_path}/api/v1/downloads HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Authorization: {client.headers['authorization']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        status = await reader.readline()
        taken = time.monotonic() - began
        assert status.split()[1] == b"202", status
        writer.close()
        return taken

    async def all_of_them() -> list[float]:
        ready = asyncio.Barrier(len(links))
        return await asyncio.gather(*(one(link, ready) for link in links))

    return asyncio.run(all_of_them())


def wait_until_done(server: Server, count: int) -> None:
    """Wait until the queue holds `count` finished downloads. Read from the file: asking the server would be work for it."""
    end = time.monotonic() + 180
    database = sqlite3.connect(f"file:{server.data_dir / 'medianest.sqlite'}?mode=ro", uri=True)
    try:
        done = "SELECT count(*) FROM download_queue WHERE state = 'completed'"
        while database.execute(done).fetchone()[0] < count:
            if time.monotonic() > end:
                raise TimeoutError(str(database.execute("SELECT state, reason FROM download_queue").fetchall()))
            time.sleep(0.02)
    finally:
        database.close()


def whole_job(site: ClipSite, folder: Path) -> Iterator[Figure]:
    """20 clips against plain yt-dlp, and the add calls of the same moment."""
    walls, cpus, adds, notes, whole = [], [], [], [], []
    for number in range(ROUNDS):
        links = [f"{site.url}/n/{number * 100 + clip}/large.mp4" for clip in range(CLIPS)]
        wall, cpu = plain_yt_dlp(links, folder / f"plain-{number}")
        server = Server(folder / f"job-{number}").start()
        try:
            with server.client() as client:
                warm = [add(client, f"{site.url}/n/{number * 100 + 50 + clip}/large.mp4")["id"] for clip in range(3)]
                for one in warm:
                    wait_for(client, one, ("completed",))
                time.sleep(2)  # the spare is warm again
                before = family_cpu_s(server.pid)
                began = time.monotonic()
                seconds = add_at_once(server, client, links)
                wait_until_done(server, CLIPS + len(warm))
                own_wall = time.monotonic() - began
                own_cpu = family_cpu_s(server.pid) - before
        finally:
            server.close()
        looks = ffprobe_cpu_s(folder / "clips" / "large.mp4", CLIPS)
        walls.append(own_wall / wall)
        cpus.append((own_cpu - looks) / cpu)
        whole.append(own_cpu / cpu)
        adds += seconds
        notes.append(f"{own_wall:.1f}/{wall:.1f} s")
        say(
            f"  20 clips: {own_wall:.2f} s and {own_cpu:.2f} s CPU, of it {looks:.2f} s ffprobe; yt-dlp {wall:.2f} s and {cpu:.2f} s CPU"
        )
    yield Figure("20 clips of 5 MB, time against yt-dlp", median(walls), 1.7, "x", ", ".join(notes))
    with_ffprobe = f"without ffprobe; {median(whole):.2f} with it"
    yield Figure("20 clips of 5 MB, CPU against yt-dlp", median(cpus), 2.0, "x", with_ffprobe)
    yield Figure("add call, 20 at once, p95", percentile(adds, 0.95) * 1000, 100, "ms", f"{len(adds)} calls")


def first_progress_s(server: Server, client: httpx.Client, link: str) -> float:
    """Seconds from the add call to the first progress message with bytes."""
    with websockets.sync.client.connect(
        server.base_url.replace("http", "ws") + "/api/v1/live",
        additional_headers={"Authorization": client.headers["authorization"]}, proxy=None,
    ) as socket:  # fmt: skip
        socket.recv(timeout=10)
        began = time.monotonic()
        number = add(client, link)["id"]
        while True:
            message = json.loads(socket.recv(timeout=30))
            if (
                message["event"] == "download.progress"
                and message["id"] == number
                and message["data"]["downloaded_bytes"]
            ):
                return time.monotonic() - began


def feelings(site: ClipSite, folder: Path) -> Iterator[Figure]:
    """First progress with and without a warm worker, and how fast a cancel ends the worker."""
    site.rate_bytes_s = 2 * MIB
    cold, warm, ends = [], [], []
    for number in range(ROUNDS):
        server = Server(folder / f"feel-{number}").start()
        try:
            with server.client() as client:
                time.sleep(3)  # what a start still does in the background is over
                cold.append(first_progress_s(server, client, f"{site.url}/n/{number * 10 + 1000}/large.mp4"))
                for clip in range(2, 5):
                    time.sleep(4)
                    warm.append(first_progress_s(server, client, f"{site.url}/n/{number * 10 + 1000 + clip}/large.mp4"))
                time.sleep(4)  # the last of them is through
                site.rate_bytes_s = MIB // 4
                one = add(client, f"{site.url}/n/{number * 10 + 1009}/large.mp4")["id"]
                wait_for_bytes(client, one, 1)
                began = time.monotonic()
                client.post(f"/api/v1/downloads/{one}/cancel").raise_for_status()
                # whoever reads from the site is the worker of this download: the only one that runs
                while site.open_connections:
                    time.sleep(0.005)
                ends.append(time.monotonic() - began)
                site.rate_bytes_s = 2 * MIB
        finally:
            server.close()
    yield Figure("first progress, worker warm", median(warm), 0.6, "s", f"worst {max(warm):.2f} s")
    yield Figure("first progress, worker cold", median(cold), 3.5, "s", f"worst {max(cold):.2f} s")
    yield Figure("cancel to the worker gone", max(ends), 1.0, "s", "the worst of three")


def busy_pages(site: ClipSite, folder: Path) -> Iterator[Figure]:
    """A light page, asked for again and again while three downloads run at 1 MiB/s each."""
    site.rate_bytes_s = MIB
    server = Server(folder / "busy").start()
    seconds = []
    try:
        with server.client() as client, server.browser() as person:
            ids = [add(client, f"{site.url}/n/{number + 2000}/long.mp4")["id"] for number in range(3)]
            for one in ids:
                wait_for_bytes(client, one, 1)
            workers = [one for one in server.leftovers() if "_worker" in command_of(one).split()]
            end = time.monotonic() + 20
            while time.monotonic() < end:
                began = time.monotonic()
                person.get("/settings").raise_for_status()
                seconds.append(time.monotonic() - began)
                time.sleep(0.02)
    finally:
        server.close()
    note = f"{len(seconds)} pages, p50 {median(seconds) * 1000:.0f} ms, {len(workers)} workers"
    yield Figure("light page during 3 downloads, p99", percentile(seconds, 0.99) * 1000, 100, "ms", note)


def measure(folder: Path) -> Iterator[Figure]:
    say("clips …")
    clips = folder / "clips"
    clips.mkdir()
    make_clip(clips / "large.mp4", seconds=20, bitrate="2000k", size="640x360")
    make_clip(clips / "long.mp4", seconds=120, bitrate="2000k", size="640x360")
    with ClipSite(clips) as site:
        yield from whole_job(site, folder)
        say("first progress and cancel …")
        yield from feelings(site, folder)
        say("pages during downloads …")
        yield from busy_pages(site, folder)
