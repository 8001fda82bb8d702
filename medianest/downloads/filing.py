"""Putting a finished video into the library: what Plex needs beside it first, the media itself last, by one rename.

All of this blocks and runs in threads.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import mimetypes
import os
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from medianest.downloads.model import LibraryFile
from medianest.downloads.names import safe_relative
from medianest.errors import MediaNestError

log = logging.getLogger(__name__)

COPY_BYTES = 4 * 1024 * 1024
OWN_FLOOR_BYTES = 1024**3
PLEXIGNORE = "*\n"  # Plex skips a folder whose .plexignore says so
# what belongs to a show, season or album and goes with its last video
SHOW_FILES = re.compile(r"tvshow\.nfo|poster\.jpg|fanart\.jpg|cover\.jpg|Season\d+\.jpg")
MEDIA_TYPES = {".nfo": "text/xml", ".srt": "application/x-subrip", ".vtt": "text/vtt", ".mkv": "video/x-matroska"}


class FilingStopped(Exception):
    """A long copy was ended because the download was cancelled or MediaNest stops."""


class Sidecar(msgspec.Struct, frozen=True, kw_only=True):
    """A small file beside the media: either a file somewhere else or a text.

    A shared one belongs to the whole show and not to the video; a kept one is shared and never replaced.
    """

    target: str
    source: str | None = None
    text: str | None = None
    is_kept: bool = False
    is_shared: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it belongs to this one video."""
        return not (self.is_kept or self.is_shared)


class FilingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What goes where; targets are relative to the library, with `/`."""

    media_source: str
    media_target: str
    sidecars: Sequence[Sidecar] = ()


class Library:
    """The folder that Plex reads, and the staging folder where unfinished files lie."""

    def __init__(self, library_dir: Path, staging_dir: Path, own: Sequence[Path] = ()) -> None:
        """`own`: folders of the database and of MediaNest's data, whose disk must not be filled either."""
        self.root = library_dir
        self.staging = staging_dir
        self._own = tuple(own)
        mask = os.umask(0o022)
        os.umask(mask)
        self._file_mode = 0o666 & ~mask

    def job_folder(self, download_id: int) -> Path:
        """Where the unfinished files of a download lie; private to this user."""
        return self.staging / "jobs" / str(download_id)

    def prepare(self, download_id: int) -> Path:
        """Make the folders of a download and see that library and staging can be written; raises OSError."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not os.access(self.root, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "The library can not be written", str(self.root))
        ignore = self.staging / ".plexignore"
        self.staging.mkdir(parents=True, exist_ok=True)
        if not ignore.exists():
            ignore.write_text(PLEXIGNORE, "ascii")
        folder = self.job_folder(download_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "The staging folder can not be written", str(folder))
        return folder

    def discard(self, download_id: int) -> None:
        """Remove what a download has left in its staging folder."""
        shutil.rmtree(self.job_folder(download_id), ignore_errors=True)

    def staged(self) -> list[int]:
        """Ids of the downloads that have a staging folder."""
        try:
            return sorted(int(path.name) for path in (self.staging / "jobs").iterdir() if path.name.isdigit())
        except OSError:
            return []

    def free_bytes(self) -> int:
        """Free space for unfinished files; where the library is another disk, the lesser of both."""
        free = [shutil.disk_usage(path).free for path in (self.staging, self.root) if path.exists()]
        return min(free, default=0)

    def is_own_disk_full(self, floor_bytes: int) -> bool:
        """Whether the disk of the database is below the floor; a gigabyte is enough there."""
        free = [shutil.disk_usage(path).free for path in self._own if path.exists()]
        return bool(free) and min(free) < min(floor_bytes, OWN_FLOOR_BYTES)

    def is_staged(self, download_id: int, path: str) -> bool:
        """Whether a worker's answer names a plain file in the folder it was given."""
        folder = self.job_folder(download_id).resolve()
        file = Path(path)
        return file.is_file() and not file.is_symlink() and folder in file.resolve().parents

    def has_media(self, files: Sequence[LibraryFile], *, exactly: bool = False) -> bool:
        """Whether the media of a record, its first file, lies in the library; `exactly` compares the size too."""
        if not files:
            return False
        try:
            found = safe_relative(self.root, files[0].path).stat()
        except (OSError, MediaNestError):
            return False
        return not exactly or found.st_size == files[0].size_bytes

    def measured(self, files: Sequence[LibraryFile]) -> tuple[LibraryFile, ...]:
        """These files as they lie in the library, without those that are not there."""
        found = []
        for file in files:
            with contextlib.suppress(OSError):
                size = safe_relative(self.root, file.path).stat().st_size
                found.append(LibraryFile(path=file.path, size_bytes=size, media_type=file.media_type))
        return tuple(found)

    def place(self, plan: FilingPlan, stop: threading.Event) -> tuple[LibraryFile, ...]:
        """Carry the plan out.

        Returns:
            The files of the video with their sizes, the media first; files of the whole show are not among them.

        Raises:
            OSError: something can not be written; what was placed for the video is taken away again.
            FilingStopped: `stop` was set; likewise.
        """
        placed: list[LibraryFile] = []
        try:
            for sidecar in plan.sidecars:
                path = self._place_sidecar(sidecar)
                if path and sidecar.is_own:
                    placed.append(_described(path, sidecar.target))
            media = safe_relative(self.root, plan.media_target)
            media.parent.mkdir(parents=True, exist_ok=True)
            self._move(Path(plan.media_source), media, stop)
        except BaseException:
            self.delete(placed)
            raise
        return (_described(media, plan.media_target), *placed)

    def take_back(self, plan: FilingPlan) -> None:
        """Undo `place`: the media goes back to staging, where a later try finds it."""
        media, source = safe_relative(self.root, plan.media_target), Path(plan.media_source)
        with contextlib.suppress(OSError):
            if media.exists() and source.parent.is_dir():
                self._move(media, source, threading.Event())
        self.delete([_named(plan.media_target), *(_named(one.target) for one in plan.sidecars if one.is_own)])

    def delete(self, files: Sequence[LibraryFile]) -> None:
        """Remove files of a video, and the folders that are empty after it; a show's own files go with its last video."""
        folders: set[Path] = set()
        for file in files:
            try:
                path = safe_relative(self.root, file.path)
                path.unlink(missing_ok=True)
            except (OSError, MediaNestError) as error:
                log.warning("%s can not be removed from the library: %s", file.path, error)
            else:
                folders.add(path.parent)
        for folder in folders:
            self._remove_if_empty(folder)

    def _remove_if_empty(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            while folder != self.root and self.root in folder.parents:
                left = {path.name for path in folder.iterdir()}
                if not all(map(SHOW_FILES.fullmatch, left)):
                    return
                for name in left:
                    (folder / name).unlink()
                folder.rmdir()
                folder = folder.parent

    def _place_sidecar(self, sidecar: Sidecar) -> Path | None:
        target = safe_relative(self.root, sidecar.target)
        if sidecar.is_kept and target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = _hidden(target)
        try:
            if sidecar.text is not None:
                hidden.write_text(sidecar.text, "utf-8", newline="\n")
            elif sidecar.source is not None and Path(sidecar.source).is_file():
                shutil.copyfile(sidecar.source, hidden)
            else:
                return None
            hidden.chmod(self._file_mode)
            hidden.replace(target)
        finally:
            hidden.unlink(missing_ok=True)
        return target

    def _move(self, source: Path, target: Path, stop: threading.Event) -> None:
        """Rename on one file system; else copy under a hidden name, and rename that. Complete or not there at all."""
        source.chmod(self._file_mode)
        _sync(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            hidden = _hidden(target)
            try:
                _copy(source, hidden, stop)
                hidden.chmod(self._file_mode)
                hidden.replace(target)
            finally:
                hidden.unlink(missing_ok=True)
            source.unlink(missing_ok=True)
        _sync_folder(target.parent)


def media_type_of(name: str) -> str:
    """The media type that a file's ending tells."""
    ending = Path(name).suffix.lower()
    return MEDIA_TYPES.get(ending) or mimetypes.guess_type("a" + ending)[0] or "application/octet-stream"


def _described(path: Path, relative: str) -> LibraryFile:
    return LibraryFile(path=relative, size_bytes=path.stat().st_size, media_type=media_type_of(relative))


def _named(relative: str) -> LibraryFile:
    return LibraryFile(path=relative, size_bytes=0, media_type=media_type_of(relative))


def _hidden(target: Path) -> Path:
    """A name beside `target` that Plex does not read; short, for the longest names."""
    return target.with_name(f".{hash(target.name) & 0xFFFFFFFF:08x}-{os.getpid()}.part")


def _copy(source: Path, target: Path, stop: threading.Event) -> None:
    with source.open("rb") as reading, target.open("wb") as writing:
        while block := reading.read(COPY_BYTES):
            if stop.is_set():
                raise FilingStopped
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())


def _sync(path: Path) -> None:
    """The bytes are on the disk before the name is: a power cut leaves no hollow file in the library."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # not every system opens folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
