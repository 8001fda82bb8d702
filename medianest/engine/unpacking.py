"""Takes yt-dlp out of the program that its releases hold: two packages, nothing else, whatever the archive says.

All of it blocks. An archive is a stranger's: names may want to leave the folder, entries may be links, sizes may lie.
"""

from __future__ import annotations

import errno
import io
import re
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from medianest.engine.refusals import Refused
from medianest.engine_folder import GATE, is_safe, is_version

PACKAGES = ("yt_dlp", "yt_dlp_ejs")
SUFFIXES = frozenset(
    (".py", ".js", ".json", ".txt")
)  # no byte code and no libraries: they are made here, or not at all
MOST_FILES = 8000
LARGEST_FILE_BYTES = 24 * 1024**2
LARGEST_TOTAL_BYTES = 160 * 1024**2
LONGEST_NAME = 200
PIECE_BYTES = 256 * 1024

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")
_VERSION_LINE = re.compile(r"^__version__\s*=\s*['\"]([0-9.]{8,20})['\"]", re.M)
NO_PROGRAM = "This file is no release of yt-dlp: take the one that is called yt-dlp, without any ending."
STRANGE = "The archive holds {what}, which no release of yt-dlp has, so nothing of it was taken."


def unpack(program: bytes, folder: Path) -> None:
    """Put the packages of a release's program into `folder`, which is empty.

    Raises:
        Refused: it is no such program, or holds what none has.
        OSError: it can not be written.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(program)) as archive:
            entries = _checked(archive.infolist())
            left = LARGEST_TOTAL_BYTES
            for entry, path in entries:
                left -= _take_out(archive, entry, folder / path, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Refused("not_a_release", NO_PROGRAM) from error
    if not (folder / "yt_dlp" / "__init__.py").is_file():
        raise Refused("not_a_release", NO_PROGRAM)


def version_in(folder: Path) -> str:
    """The version of the unpacked yt-dlp.

    Raises:
        Refused: it has none, or one with a known weakness.
    """
    try:
        text = (folder / "yt_dlp" / "version.py").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    found = _VERSION_LINE.search(text)
    version = found[1] if found else ""
    if not is_version(version):
        raise Refused("version_missing", "This yt-dlp does not say which version it is, so it was not taken.")
    check_safe(version)
    return version


def check_safe(version: str) -> None:
    """Raise `Refused` for a version below the newest known fix."""
    if not is_safe(version):
        raise Refused(
            "version_unsafe",
            f"yt-dlp {version} has a known weakness that {GATE} mended. Nothing older than that is taken.",
        )


def _checked(entries: list[zipfile.ZipInfo]) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files to take with their places; the whole archive is looked at before anything is written."""
    if len(entries) > MOST_FILES:
        raise _strange(f"{len(entries)} files")
    taken: dict[str, tuple[zipfile.ZipInfo, PurePosixPath]] = {}
    for entry in entries:
        name = entry.filename
        path = PurePosixPath(name)
        if name != entry.orig_filename or "\\" in name or ":" in name or path.is_absolute() or ".." in path.parts:
            raise _strange("a name that leads out of its folder")
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _strange("a link or a device")
        if entry.flag_bits & 0x1:
            raise _strange("a locked file")
        if entry.is_dir() or path.parts[:1] not in [(package,) for package in PACKAGES]:
            continue
        if len(name) > LONGEST_NAME or not all(_PART.fullmatch(part) for part in path.parts):
            raise _strange("a strange name")
        if path.suffix not in SUFFIXES or "__pycache__" in path.parts:
            continue
        if entry.file_size > LARGEST_FILE_BYTES:
            raise _strange("a huge file")
        if str(path).lower() in taken:
            raise _strange("one name twice")
        taken[str(path).lower()] = (entry, path)
    return list(taken.values())


def _take_out(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """Write one file; gives its bytes. What an entry says about its size is not believed."""
    most = min(LARGEST_FILE_BYTES, left)
    target.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(entry) as source, target.open("xb") as file:
        while piece := source.read(PIECE_BYTES):
            size += len(piece)
            if size > most:
                raise _strange("more than a release of yt-dlp can hold")
            file.write(piece)
    return size


def _strange(what: str) -> Refused:
    return Refused("archive_strange", STRANGE.format(what=what))


def is_disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
