"""Room: downloads wait before the disk of the database fills, and System says how much is free of how much."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from medianest.app import Application
from medianest.database import Engine
from medianest.database.filesystems import own_folders
from medianest.downloads.filing import Library
from medianest.downloads.model import DownloadState
from medianest.settings import Settings
from medianest.system import health
from tests.downloads.running_queue import Queue, make_user, scripted_command
from tests.harness.application import Visit
from tests.security.cast import headers_of

GB = 1024**3
Usage: Any = type(shutil.disk_usage("/"))


def small(monkeypatch: pytest.MonkeyPatch, folder: Path, free: int) -> None:
    """The disk of `folder` has so much free; every other one has 100 GB."""
    monkeypatch.setattr(
        shutil,
        "disk_usage",
        lambda path: Usage(500 * GB, 400 * GB, free if Path(path).is_relative_to(folder) else 100 * GB),
    )


def test_only_a_nearly_full_disk_of_our_own_makes_downloads_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, library = tmp_path / "data", tmp_path / "library"
    data.mkdir()
    library.mkdir()
    shelf = Library(library, library / ".medianest", (data,))
    for free, floor, waits in ((5 * GB, 20 * GB, False), (GB - 1, 20 * GB, True), (GB - 1, 0, False)):
        small(monkeypatch, data, free)
        assert shelf.is_own_disk_full(floor) is waits
        assert shelf.free_bytes() == 100 * GB  # a large video fits all the same
    assert Library(library, library / ".medianest").is_own_disk_full(GB) is False


def test_a_database_elsewhere_is_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data", "fast", "library"):
        (tmp_path / name).mkdir()
    settings = Settings(
        data_dir=tmp_path / "data", library_dir=tmp_path / "library", staging_dir=tmp_path / "library" / ".medianest",
        database_url=f"sqlite:///{tmp_path}/fast/db.sqlite",
    )  # fmt: skip
    folders = own_folders(settings.data_dir, settings.database_url)
    assert folders == (tmp_path / "data", tmp_path / "fast")
    assert health.own_disk_problems(settings) == []
    small(monkeypatch, tmp_path / "fast", 10)
    assert [one.code for one in health.own_disk_problems(settings)] == ["database_disk_low"]
    assert "fast" in health.own_disk_problems(settings)[0].advice
    names = [name for disk in health.disks(settings) for name in disk.names]
    assert sorted(names) == ["data", "database", "library", "unfinished files"]


async def test_the_system_page_shows_free_of_total(application: Application, visit: Visit) -> None:
    admin = visit(application, headers=await headers_of(application, "admin"))
    page = (await admin.get("/system")).text
    assert 'id="disks"' in page
    assert " free of " in page


async def test_a_download_waits_for_room_on_the_disk_of_the_database(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(tmp_path, command=scripted_command())
    (tmp_path / "data").mkdir(exist_ok=True)
    ana = await make_user("ana")
    small(monkeypatch, tmp_path / "data", GB // 2)
    await queue.start()
    try:
        waits = await queue.wait_for(await queue.add("http://site.test/video/1", ana), ana, DownloadState.WAITING)
        assert (waits.reason_code, "database" in (waits.reason or "")) == ("disk_full", True)
        small(monkeypatch, tmp_path / "data", 50 * GB)
        assert (await queue.ended(waits, ana)).state is DownloadState.COMPLETED
    finally:
        await queue.stop()
