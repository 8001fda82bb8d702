"""The cleaning: what nobody needs goes, everything else stays. And the pictures that pages show."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import fetch
from medianest.downloads.model import DownloadState
from medianest.downloads.pictures import PictureStore
from medianest.downloads.repository.cleaning import CleaningRepository
from medianest.errors import NotFound
from tests.downloads.running_queue import Queue

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 60


async def row(queue: Queue, user: User, number: int, state: DownloadState, age: timedelta) -> int:
    download = await queue.add(f"http://site.test/video?id={number}", user)
    await fetch(
        "UPDATE download_queue SET state = {}, changed_at = {} WHERE id = {}",
        state,
        datetime.now(UTC) - age,
        download.id,
    )
    folder = queue.staging / "jobs" / str(download.id)
    folder.mkdir(parents=True)
    return download.id


async def test_unfinished_files_go_when_nobody_can_use_them(still_queue: Queue, ana: User) -> None:
    queued = await row(still_queue, ana, 1, DownloadState.QUEUED, timedelta(days=9))
    failed = await row(still_queue, ana, 2, DownloadState.FAILED, timedelta(days=2))
    fresh = await row(still_queue, ana, 3, DownloadState.CANCELLED, timedelta(hours=23))
    await row(still_queue, ana, 4, DownloadState.CANCELLED, timedelta(hours=25))
    await row(still_queue, ana, 5, DownloadState.COMPLETED, timedelta(hours=1))
    (still_queue.staging / "jobs" / "99999").mkdir()
    assert await still_queue.parts.jobs.clean_staging() == "Removed 3 folders of unfinished files."
    assert sorted(int(path.name) for path in (still_queue.staging / "jobs").iterdir()) == [queued, failed, fresh]
    assert await still_queue.parts.jobs.clean_staging() == "There was nothing to remove."


async def test_old_failures_go_but_the_newest_stay(still_queue: Queue, ana: User) -> None:
    ids = [await row(still_queue, ana, number, DownloadState.FAILED, timedelta(days=8)) for number in range(4)]
    done = await row(still_queue, ana, 9, DownloadState.COMPLETED, timedelta(days=900))
    removed = await CleaningRepository().remove_ended(datetime.now(UTC) - timedelta(days=7), keep=1)
    assert removed == 3
    left = await fetch("SELECT id FROM download_queue ORDER BY id")
    assert [one["id"] for one in left] == [ids[3], done]
    assert await still_queue.parts.jobs.clean_rows() == "There was nothing to remove."
    assert await still_queue.parts.jobs.clean_download_log() == "There was nothing to remove."


async def test_pictures_that_no_row_shows_go_after_a_day(still_queue: Queue, ana: User, tmp_path: Path) -> None:
    store = still_queue.parts.pictures
    names = []
    for number in range(3):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(JPEG + bytes([number]))
        name = store.keep(path)
        assert name is not None
        names.append(name)
    download = await still_queue.add("http://site.test/video?id=1", ana)
    await fetch("UPDATE download_queue SET picture = {} WHERE id = {}", names[0], download.id)
    for name in names[:2]:
        os.utime(store.root / name[:2] / name, (time.time() - 90_000,) * 2)
    assert await still_queue.parts.jobs.clean_pictures() == "Removed 1 picture."
    assert store.read(names[0])[1] == "image/jpeg"
    assert store.read(names[2])[1] == "image/jpeg"
    with pytest.raises(NotFound):
        store.read(names[1])


@pytest.mark.parametrize("name", ["../secret.key", "x.jpg", "a" * 64, "A" * 64 + ".jpg", "a" * 64 + ".jpg\n", ""])
def test_only_names_of_the_store_are_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        PictureStore(tmp_path).read(name)


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"<html>", b""])
def test_what_is_no_picture_is_not_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(content)
    assert PictureStore(tmp_path).keep(path) is None
