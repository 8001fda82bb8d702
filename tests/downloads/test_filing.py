"""Files on their way into the library: sidecars first, the media by one rename, nothing half-done."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from medianest.downloads.filing import FilingPlan, FilingStopped, Library, Sidecar

STEM = "Ana/Season 2026/Ana - s2026e031501 - Rice [a]"


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A folder on another file system than the test's own."""
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat("/tmp").st_dev:
        pytest.skip("there is only one file system here")
    folder = Path("/dev/shm") / f"medianest-test-{uuid.uuid4().hex}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def staged(library: Library, content: bytes = b"media") -> FilingPlan:
    folder = library.prepare(7)
    media = folder / "media.0.mp4"
    media.write_bytes(content)
    picture = folder / "picture.jpg"
    picture.write_bytes(b"jpg")
    return FilingPlan(
        media_source=str(media),
        media_target=f"{STEM}.mp4",
        sidecars=(
            Sidecar(target="Ana/tvshow.nfo", text="<tvshow/>", is_kept=True),
            Sidecar(target=f"{STEM}.nfo", text="<episodedetails/>"),
            Sidecar(target=f"{STEM}.jpg", source=str(picture)),
        ),
    )


def names(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and ".medianest" not in path.parts
    )


ALL = [f"{STEM}.jpg", f"{STEM}.mp4", f"{STEM}.nfo", "Ana/tvshow.nfo"]


def test_the_staging_folder_is_private_and_hidden_from_plex(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", tmp_path / "library" / ".medianest")
    folder = library.prepare(7)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "library" / ".medianest" / ".plexignore").read_text() == "*\n"
    assert library.staged() == [7]
    library.discard(7)
    assert library.staged() == []


def test_media_on_one_file_system_is_renamed(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", tmp_path / "library" / ".medianest")
    plan = staged(library)
    inode = Path(plan.media_source).stat().st_ino
    files = library.place(plan, threading.Event())
    assert names(library.root) == ALL
    assert [(file.path, file.size_bytes) for file in files] == [
        (f"{STEM}.mp4", 5), (f"{STEM}.nfo", 17), (f"{STEM}.jpg", 3),
    ]  # fmt: skip
    media = library.root / f"{STEM}.mp4"
    assert media.stat().st_ino == inode
    mask = os.umask(0)
    os.umask(mask)
    assert media.stat().st_mode & 0o777 == 0o666 & ~mask


def test_media_from_another_file_system_is_never_seen_half(tmp_path: Path, other_disk: Path) -> None:
    library = Library(tmp_path / "library", other_disk)
    plan = staged(library, b"m" * 9_000_000)
    files = library.place(plan, threading.Event())
    assert files[0].size_bytes == 9_000_000
    assert not Path(plan.media_source).exists()
    assert names(library.root) == ALL


def test_a_stopped_copy_leaves_nothing_in_the_library(tmp_path: Path, other_disk: Path) -> None:
    library = Library(tmp_path / "library", other_disk)
    plan = staged(library)
    stop = threading.Event()
    stop.set()
    with pytest.raises(FilingStopped):
        library.place(plan, stop)
    assert names(library.root) == []
    assert Path(plan.media_source).exists()


def test_what_was_placed_can_be_taken_back(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", tmp_path / "library" / ".medianest")
    plan = staged(library)
    library.place(plan, threading.Event())
    library.take_back(plan)
    assert names(library.root) == []
    assert Path(plan.media_source).read_bytes() == b"media"


def test_deleting_the_last_video_takes_the_shows_own_files_along(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", tmp_path / "library" / ".medianest")
    files = library.place(staged(library), threading.Event())
    stranger = library.root / "Ana" / "Season 2026" / "holiday.mp4"
    stranger.write_bytes(b"not ours")
    library.delete(files)
    assert names(library.root) == ["Ana/Season 2026/holiday.mp4", "Ana/tvshow.nfo"]
    stranger.unlink()
    files = library.place(staged(library), threading.Event())
    library.delete(files)
    assert not (library.root / "Ana").exists()


def test_a_workers_answer_must_name_a_file_of_its_own_folder(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", tmp_path / "library" / ".medianest")
    plan = staged(library)
    assert library.is_staged(7, plan.media_source)
    assert not library.is_staged(8, plan.media_source)
    assert not library.is_staged(7, "/etc/passwd")
    link = library.job_folder(7) / "link.mp4"
    link.symlink_to("/etc/passwd")
    assert not library.is_staged(7, str(link))
