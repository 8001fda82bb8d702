"""The main job from outside: a pasted link ends up in the library, whatever happens in between.

Real yt-dlp in a worker of the program under test, real ffmpeg, clips from a site on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import websockets.sync.client

from tests.harness.clips import ClipSite
from tests.harness.downloads import add, wait_for, wait_for_bytes
from tests.harness.processes import command_of, environment_of, wait_until
from tests.harness.server import Server

StartServer = Callable[..., Server]
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="joining streams needs ffmpeg")


def library_files(server: Server) -> list[Path]:
    """Files of the library that a person or Plex sees; none of the staging."""
    return [
        path for path in sorted(server.library_dir.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(server.library_dir).parts)
    ]  # fmt: skip


def workers_of(server: Server) -> list[int]:
    return [pid for pid in server.leftovers() if "_worker" in command_of(pid).split()]


def test_a_clip_ends_up_in_the_library(server: Server, clip_site: ClipSite) -> None:
    with server.client() as client:
        download = wait_for(client, add(client, f"{clip_site.url}/small.mp4")["id"], ("completed", "failed"))
        assert download["state"] == "completed", download
        assert download["progress"]["percent"] == 100
        (media,) = [file for file in download["files"] if file["media_type"].startswith("video/")]
        filed = server.library_dir / media["path"]
        assert filed.read_bytes()[4:8] == b"ftyp"
        assert media["size_bytes"] == filed.stat().st_size
        assert any(path.suffix == ".nfo" for path in library_files(server))
        # the same link again is answered with what is there
        assert add(client, f"{clip_site.url}/small.mp4")["id"] == download["id"]
    staging = server.library_dir / ".medianest" / "jobs"
    assert not staging.exists() or not list(staging.iterdir())


@needs_ffmpeg
def test_separate_streams_are_joined_by_ffmpeg(server: Server, clip_site: ClipSite) -> None:
    with server.client() as client:
        link = f"{clip_site.url}/dash/manifest.mpd"
        download = wait_for(client, add(client, link)["id"], ("completed", "failed"), timeout_s=60)
        assert download["state"] == "completed", download
        filed = server.library_dir / download["files"][0]["path"]
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_type", "-of", "csv=p=0", str(filed)],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert sorted(shown.stdout.split()) == ["audio", "video"]


def test_without_ffmpeg_plain_files_work_and_the_system_page_says_so(
    start_server: StartServer, clip_site: ClipSite, tmp_path: Path
) -> None:
    nothing = tmp_path / "empty"
    nothing.mkdir()
    server = start_server(env={"PATH": str(nothing)})
    with server.client() as client:
        download = wait_for(client, add(client, f"{clip_site.url}/small.mp4")["id"], ("completed", "failed"))
        assert download["state"] == "completed", download
        report = client.get("/api/v1/system/health").text
        assert "ffmpeg" in report
        page = client.get("/system")
        assert page.status_code == 200
        assert "ffmpeg" in page.text
        joined = wait_for(
            client, add(client, f"{clip_site.url}/dash/manifest.mpd")["id"], ("completed", "failed", "waiting")
        )
        assert joined["state"] != "completed"
        assert joined["reason_code"] == "ffmpeg_missing"
        assert "ffmpeg" in joined["reason"]


def test_a_private_address_is_refused_unless_it_is_allowed(start_server: StartServer, clip_site: ClipSite) -> None:
    server = start_server(env={"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": ""})
    with server.client() as client:
        answer = client.post("/api/v1/downloads", json={"url": f"{clip_site.url}/small.mp4"})
        assert answer.status_code == 400
        assert "private" in answer.json()["detail"]
    assert not clip_site.hits


def test_the_worker_knows_no_secret(server: Server, clip_site: ClipSite) -> None:
    clip_site.rate_bytes_s = 200_000
    with server.client() as client:
        number = add(client, f"{clip_site.url}/large.mp4")["id"]
        wait_for_bytes(client, number, 1)
        (worker, *_) = workers_of(server)
        environment = environment_of(worker)
        assert not [name for name in environment if name.startswith("MEDIANEST_") or "PASSWORD" in name]
        assert "MEDIANEST" not in command_of(worker).upper().replace("-M MEDIANEST", "").split("_WORKER")[-1]
        client.post(f"/api/v1/downloads/{number}/cancel").raise_for_status()


def test_cancel_ends_the_worker_and_trying_again_goes_on(server: Server, clip_site: ClipSite) -> None:
    clip_site.rate_bytes_s = 400_000
    with server.client() as client:
        number = add(client, f"{clip_site.url}/large.mp4")["id"]
        wait_for_bytes(client, number, 300_000)
        client.post(f"/api/v1/downloads/{number}/cancel").raise_for_status()
        wait_until(lambda: clip_site.open_connections == 0, timeout_s=10, what="the connection to the site closed")
        assert wait_for(client, number, ("cancelled",))["state"] == "cancelled"
        clip_site.rate_bytes_s = 0
        client.post(f"/api/v1/downloads/{number}/retry").raise_for_status()
        assert wait_for(client, number, ("completed", "failed"))["state"] == "completed"
    assert any(path == "/large.mp4" and not start.startswith("bytes=0-") for path, start in clip_site.ranges)


@pytest.mark.parametrize("database_kind", ["sqlite", "postgres"], indirect=True)
def test_killed_at_any_moment_it_goes_on_from_the_partial_file(
    start_server: StartServer, clip_site: ClipSite, database_url: str, database_kind: str
) -> None:
    clip_site.rate_bytes_s = 300_000
    server = start_server(database_url=database_url)
    with server.client() as client:
        number = add(client, f"{clip_site.url}/large.mp4")["id"]
        wait_for_bytes(client, number, 500_000)
    server.kill()
    wait_until(lambda: not server.leftovers(), timeout_s=20, what="no orphan is left")
    wait_until(lambda: clip_site.open_connections == 0, timeout_s=10, what="nobody reads from the site any more")
    ranges_before = len(clip_site.ranges)
    clip_site.rate_bytes_s = 600_000
    server.start()
    wait_until(lambda: len(clip_site.ranges) > ranges_before, timeout_s=20, what="the download goes on by Range")
    _path, asked = clip_site.ranges[-1]
    assert int(asked.removeprefix("bytes=").split("-")[0]) >= 400_000
    clip_site.rate_bytes_s = 0
    with server.client() as client:
        download = wait_for(client, number, ("completed", "failed"))
        assert download["state"] == "completed", download
        filed = server.library_dir / download["files"][0]["path"]
    assert len([path for path in library_files(server) if path.suffix == ".mp4"]) == 1
    verdict = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(filed), "-f", "null", "-"], capture_output=True, text=True, timeout=60
    )
    assert verdict.stderr == ""
    server.stop()


def test_a_killed_worker_costs_a_retry_and_nothing_else(server: Server, clip_site: ClipSite) -> None:
    clip_site.rate_bytes_s = 400_000
    with server.client() as client:
        number = add(client, f"{clip_site.url}/large.mp4")["id"]
        wait_for_bytes(client, number, 300_000)
        for worker in workers_of(server):
            os.kill(worker, 9)
        clip_site.rate_bytes_s = 0
        assert wait_for(client, number, ("completed", "failed"), timeout_s=60)["state"] == "completed"


def test_it_stops_in_seconds_with_an_open_socket_and_a_running_download(server: Server, clip_site: ClipSite) -> None:
    clip_site.rate_bytes_s = 200_000
    with server.client() as client:
        number = add(client, f"{clip_site.url}/large.mp4")["id"]
        wait_for_bytes(client, number, 100_000)
        socket = websockets.sync.client.connect(
            server.base_url.replace("http", "ws") + "/api/v1/live",
            additional_headers={"Authorization": client.headers["authorization"]}, proxy=None,
        )  # fmt: skip
        with socket:
            assert "hello" in socket.recv(timeout=10)
            assert server.stop(timeout_s=8) == 0
    assert "closed cleanly" in server.log()
    assert "Traceback" not in server.log()
    assert server.leftovers() == []
    clip_site.rate_bytes_s = 0
    server.start()
    with server.client() as client:
        assert wait_for(client, number, ("completed", "failed"))["state"] == "completed"


def test_nothing_of_an_ended_program_stays_in_the_temporary_folder(
    start_server: StartServer, clip_site: ClipSite, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    server = start_server(env={"TMPDIR": str(temporary)})
    with server.client() as client:
        wait_for(client, add(client, f"{clip_site.url}/small.mp4")["id"], ("completed", "failed"))
    assert server.stop() == 0
    assert list(temporary.iterdir()) == []
    # killed, a one-file executable can not clean up; the next start does
    server.start()
    server.kill()
    wait_until(lambda: not server.leftovers(), timeout_s=20, what="all processes ended")
    server.start()
    server.stop()
    assert list(temporary.iterdir()) == []
