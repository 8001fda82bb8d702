"""Moves the library to another folder: copies and verifies, waits until the owner's setting names it, then clears the old one.

Everything may be killed at any moment: a file stands under its name in the new folder only when it was verified, and the
old folder is touched only when MediaNest runs with the new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
from enum import StrEnum
from pathlib import Path

from medianest.errors import Invalid, MediaNestError
from medianest.keeping.model import LibraryWork
from medianest.keeping.work import Report

BLOCK_BYTES = 4 * 1024 * 1024
LEFT_FREE_BYTES = 1024**3  # beyond what is copied
LOOK_S = 30.0
MARK = ".medianest-move"  # in the new folder: where its files come from


class MoveStep(StrEnum):
    COPY = "copy"
    SWITCH = "switch"  # all is there; the owner's setting is still the old one
    CLEAR = "clear"


class CanNotMove(MediaNestError):
    """A file was not the same after copying, or the old folder is not there."""

    default_code = "can_not_move"


class Moving:
    """`root` is the library this process runs with, `staging` its unfinished files, which stay where they are."""

    def __init__(self, root: Path, staging: Path, *, look_s: float = LOOK_S) -> None:
        self._root = root
        self._staging = staging
        self._look_s = look_s

    async def check(self, target: str) -> tuple[Path, int]:
        """The new folder and how much is to be copied.

        Raises:
            Invalid: it is no folder that the library could move into, with a sentence for the field.
        """
        try:
            return await asyncio.to_thread(self._check, target)
        except OSError as error:
            raise _wrong(f"The folder can not be used: {error.strerror or error}.") from error

    async def run(self, work: LibraryWork, _by: int | None, report: Report) -> tuple[str, tuple[str, ...]]:
        """Go on where it stands. Ends once the old folder is cleared.

        Raises:
            CanNotMove, Invalid, OSError: nothing of the old folder is lost.
        """
        target = Path(work.target)
        old = await asyncio.to_thread(_old_folder, target) or self._root
        if await asyncio.to_thread(_is_same, old, target):
            raise CanNotMove("It is not known any more which folder these files come from.")
        if not await asyncio.to_thread(_is_same, self._root, target):
            _target, total = await self.check(work.target)
            await asyncio.to_thread(_begin, self._root, target)
            await self._copy(old, target, report, MoveStep.COPY)
            while True:  # what is downloaded meanwhile comes along
                await report(MoveStep.SWITCH, total, total)
                await asyncio.sleep(self._look_s)
                await self._copy(old, target, report, MoveStep.SWITCH)
        await self._copy(old, target, report, MoveStep.CLEAR)
        await asyncio.to_thread(self._clear, old, target)
        return f"The library lies in {target}; the files in {old} were removed.", ()

    async def _copy(self, old: Path, target: Path, report: Report, step: MoveStep) -> None:
        files = await asyncio.to_thread(lambda: list(_files(old)))
        total, done = sum(size for _path, size in files), 0
        for path, size in files:
            await report(step, done, total)
            await asyncio.to_thread(_copy_verified, path, target / path.relative_to(old))
            done += size
        if step is not MoveStep.CLEAR and files:
            await asyncio.to_thread(_forget_gone, old, target)
        await report(step, done, total)

    def _check(self, target: str) -> tuple[Path, int]:
        folder = Path(target)
        if not target or not folder.is_absolute() or "\x00" in target:
            raise _wrong("Write the whole path of a folder of this machine, for example /mnt/large/youtube.")
        folder, root = folder.resolve(), self._root.resolve()
        if folder == root or root in folder.parents or folder in root.parents:
            raise _wrong("The new folder may neither lie in the library nor around it.")
        if not root.is_dir():
            raise _wrong("The library folder is not there; mount its disk first.")
        if folder.exists() and not folder.is_dir():
            raise _wrong("There is a file of this name.")
        if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
            raise _wrong("The new folder is not empty.")
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            raise _wrong(f"MediaNest may not write into {there}.")
        total = sum(size for path, size in _files(root) if not _is_there(path, folder / path.relative_to(root)))
        free = shutil.disk_usage(there).free
        if free < total + LEFT_FREE_BYTES:
            lacking = (total + LEFT_FREE_BYTES - free) / 1000**3
            raise _wrong(f"There is too little room: {lacking:.1f} GB more are needed.")
        return folder, total

    def _clear(self, old: Path, target: Path) -> None:
        """Remove from the old folder what lies verified in the new one, and nothing else."""
        for path, _size in list(_files(old)):
            if _is_there(path, target / path.relative_to(old)):
                path.unlink(missing_ok=True)
        for folder, _names, _files_of in os.walk(old, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        (target / MARK).unlink(missing_ok=True)


def _begin(root: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    (target / MARK).write_text(str(root.resolve()), "utf-8")


def _old_folder(target: Path) -> Path | None:
    try:
        return Path((target / MARK).read_text("utf-8").strip())
    except OSError:
        return None


def _files(root: Path) -> list[tuple[Path, int]]:
    """Every file and its size; hidden folders (unfinished files are in one), hidden files and links stay."""
    found = []
    for folder, names, files in os.walk(root, followlinks=False):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and not path.is_symlink():
                with contextlib.suppress(FileNotFoundError):  # deleted this moment
                    found.append((path, path.stat().st_size))
    return found


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _forget_gone(old: Path, target: Path) -> None:
    """What was deleted from the library after it was copied goes from the copy too; nobody else files there yet."""
    for path, _size in _files(target):
        if not (old / path.relative_to(target)).exists():
            path.unlink(missing_ok=True)


def _is_there(source: Path, target: Path) -> bool:
    try:
        one, other = source.stat(), target.stat()
    except OSError:
        return False
    return one.st_size == other.st_size and int(one.st_mtime) == int(other.st_mtime)


def _copy_verified(source: Path, target: Path) -> None:
    """Copy under a hidden name, read it again and compare, and only then give it its name."""
    if _is_there(source, target) or not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    hidden = target.with_name(f".{hashlib.sha256(target.name.encode()).hexdigest()[:16]}.moving")
    try:
        written = hashlib.sha256()
        with source.open("rb") as reading, hidden.open("wb") as writing:
            while block := reading.read(BLOCK_BYTES):
                written.update(block)
                writing.write(block)
            writing.flush()
            os.fsync(writing.fileno())
        with hidden.open("rb") as again:
            if hashlib.file_digest(again, "sha256").digest() != written.digest():
                raise CanNotMove(f"{target.name} was not the same after copying. Look at the new disk.")
        shutil.copystat(source, hidden)
        hidden.replace(target)
    finally:
        hidden.unlink(missing_ok=True)


def _wrong(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"target": sentence})
