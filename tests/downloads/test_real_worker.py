"""The whole way with real yt-dlp and ffmpeg, from a small site on loopback into the library.

The database is SQLite on one file system, the library lies on another where the machine has two.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import Engine
from medianest.downloads.child import group_is_there
from medianest.downloads.model import DownloadKind, DownloadState, Quality, ReasonCode
from tests.downloads.running_queue import Queue, real_command
from tests.site import Site

State = DownloadState
CLIP_BYTES = 400_000
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks processes up in /proc")


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


async def whole_size(real: Queue, site: Site, owner: User) -> int:
    """Size of the same clip, downloaded without a break; ffmpeg writes its tags and leaves the padding out."""
    url = site.url(f"/clip/whole.mp4?size={CLIP_BYTES * 4}")
    return (await real.ended(await real.add(url, owner), owner, 40)).files[0].size_bytes


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Path]:
    """On another file system than data folder and database, where there is one."""
    if os.path.isdir("/dev/shm"):
        folder = Path("/dev/shm") / f"medianest-library-{uuid.uuid4().hex}"
        folder.mkdir()
        yield folder
        shutil.rmtree(folder)
    else:
        yield tmp_path / "library"


@pytest.fixture
async def real(database: Engine, tmp_path: Path, library: Path, owner: User) -> AsyncIterator[Queue]:
    """A running queue with real workers."""
    queue = Queue(tmp_path, command=real_command(), library=library)
    await queue.settings(owner, free_space_floor_bytes=0)
    await queue.start()
    try:
        yield queue
    finally:
        await queue.stop()


async def test_a_clip_goes_into_the_library(real: Queue, site: Site, owner: User) -> None:
    done = await real.ended(await real.add(site.url("/page/jsonld/rice.html?length=2"), owner), owner, 40)
    assert (done.state, done.reason) == (State.COMPLETED, None)
    media = real.library / done.files[0].path
    assert media.read_bytes()[4:8] == b"ftyp"
    names = [file.path for file in done.files]
    assert {name.rpartition(".")[2] for name in names} == {"mp4", "nfo", "jpg"}
    assert "/Season 20" in names[0]
    assert done.thumbnail is not None
    assert done.duration_s == 2


async def test_a_feed_becomes_a_list_whose_files_bear_the_items_titles(real: Queue, site: Site, owner: User) -> None:
    parent = await real.ended(await real.add(site.url("/feed/enclosures/show.xml?items=3"), owner), owner, 40)
    assert (parent.kind, parent.state) == (DownloadKind.PLAYLIST, State.COMPLETED)
    items, total = await real.service.items(parent.id, owner)
    assert total >= 2
    for item in items:
        assert item.state is State.COMPLETED
        assert f" - {item.title} [" in item.files[0].path


async def test_two_links_with_one_file_name_are_two_videos(real: Queue, site: Site, owner: User) -> None:
    urls = [site.url(f"/clip/video.mp4?src={letter}") for letter in "ab"]
    done = [await real.ended(await real.add(url, owner), owner, 40) for url in urls]
    assert [one.reason_code for one in done] == [None, None]
    assert done[0].files[0].path != done[1].files[0].path


async def test_resume_asks_for_the_rest_only(real: Queue, site: Site, owner: User) -> None:
    url = site.url(f"/clip/long.mp4?size={CLIP_BYTES * 4}&throttle={CLIP_BYTES}")
    download = await real.add(url, owner)
    await real.wait(download, owner, lambda found: (found.progress.downloaded_bytes or 0) > CLIP_BYTES, 40)
    await real.service.pause(download.id, owner)
    parts = list((real.staging / "jobs" / str(download.id)).glob("*.part"))
    assert parts
    site.forget()
    await real.service.resume(download.id, owner)
    done = await real.ended(download, owner, 40)
    assert (done.state, done.reason) == (State.COMPLETED, None)
    assert done.files[0].size_bytes == await whole_size(real, site, owner)
    assert any(request.range and not request.range.startswith("bytes=0-") for request in site.asked("/clip/long.mp4"))


@linux_only
async def test_a_worker_killed_in_the_middle_goes_on_from_its_part(real: Queue, site: Site, owner: User) -> None:
    url = site.url(f"/clip/killed.mp4?size={CLIP_BYTES * 4}&throttle={CLIP_BYTES}")
    download = await real.add(url, owner)
    await real.wait(download, owner, lambda found: (found.progress.downloaded_bytes or 0) > CLIP_BYTES, 40)
    (child,) = real.parts.pool._busy
    site.forget()
    os.kill(child.pid, signal.SIGKILL)
    done = await real.ended(download, owner, 40)
    whole = await whole_size(real, site, owner)
    assert (done.state, done.attempts, done.files[0].size_bytes) == (State.COMPLETED, 1, whole)
    assert any(request.range and not request.range.startswith("bytes=0-") for request in site.asked("/clip/killed.mp4"))


def ffmpegs_of(group: int) -> list[int]:
    """Process ids of the ffmpeg programs in a process group."""
    found = subprocess.run(["ps", "-eo", "pid=,pgid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(pid) for pid, pgid, name in (row[:3] for row in rows) if int(pgid) == group and name == "ffmpeg"]


@needs_ffmpeg
@linux_only
@pytest.mark.timeout_s(120)
async def test_a_merge_survives_a_kill_and_a_cancel_takes_ffmpeg_along(
    real: Queue, site: Site, owner: User, tmp_path: Path
) -> None:
    download = await real.add(site.url("/dash/film/manifest.mpd?length=20&size=60000000"), owner)
    end = time.monotonic() + 60
    merging: list[int] = []
    while not merging:
        assert time.monotonic() < end
        found = await real.service.get(download.id, owner)
        assert found.state not in (State.FAILED, State.COMPLETED), "the merge was too quick to be seen"
        merging = [pid for child in real.parts.pool._busy for pid in ffmpegs_of(child.pid)]
        await asyncio.sleep(0.005)
    (child,) = real.parts.pool._busy
    os.kill(child.pid, signal.SIGKILL)
    while group_is_there(child.pid):
        assert time.monotonic() < end
        await asyncio.sleep(0.01)
    done = await real.ended(download, owner, 60)
    assert (done.state, done.reason) == (State.COMPLETED, None)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/status/404", ReasonCode.GONE),
        ("/page/plain/x.html", ReasonCode.UNSUPPORTED),
        ("/page/iframe/x.html", ReasonCode.UNSUPPORTED),
        ("/status/403", ReasonCode.FORBIDDEN),
        ("/disguised/x.mp4", ReasonCode.SUSPICIOUS_FILE),
    ],
)
async def test_trouble_gets_its_sentence(
    real: Queue, site: Site, owner: User, path: str, code: ReasonCode, database_kind: str
) -> None:
    if database_kind == "postgres":
        pytest.skip("the same on either engine")
    failed = await real.ended(await real.add(site.url(path), owner), owner, 40)
    assert (failed.state, failed.reason_code) == (State.FAILED, code)
    assert failed.reason
    assert real.files() == []


async def test_a_redirect_to_another_private_address_is_refused(real: Queue, site: Site, owner: User) -> None:
    failed = await real.ended(await real.add(site.url("/redirect?to=http://127.0.0.2:9/x.mp4"), owner), owner, 40)
    assert failed.reason_code is ReasonCode.ADDRESS_REFUSED


async def test_only_the_sound(real: Queue, site: Site, owner: User, database_kind: str) -> None:
    if database_kind == "postgres" or shutil.which("ffmpeg") is None:
        pytest.skip("once is enough, and ffmpeg is needed")
    url = site.url("/page/jsonld/song.html?length=2")
    sound = await real.ended(await real.add(url, owner, audio_only=True), owner, 40)
    picture = await real.ended(await real.add(url, owner, quality=Quality.P480), owner, 40)
    assert sound.files[0].path.endswith(".m4a")
    assert picture.files[0].path.endswith(".mp4")


def test_the_server_process_never_imports_yt_dlp() -> None:
    code = "import medianest.downloads.assembly, sys; sys.exit('yt_dlp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0


@pytest.mark.timeout_s(120)
async def test_titles_that_want_to_break_out_stay_inside(
    real: Queue, site: Site, owner: User, database_kind: str, tmp_path: Path
) -> None:
    if database_kind == "postgres":
        pytest.skip("the same on either engine")
    inside = {"data", "library"} | {path.name for path in tmp_path.iterdir()}
    parent = await real.ended(await real.add(site.url("/feed/hostile/evil.xml?length=1"), owner), owner, 100)
    items, total = await real.service.items(parent.id, owner, limit=100)
    assert {item.state for item in items} == {State.COMPLETED}, [(item.title, item.reason) for item in items]
    media = [name for name in real.files() if name.endswith(".mp4")]
    assert len(media) == total
    assert all(len(part.encode()) <= 255 and part[0] not in ".-" for name in real.files() for part in name.split("/"))
    assert {path.name for path in tmp_path.iterdir()} <= inside
