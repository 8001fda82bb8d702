"""Two views of one folder: ours, and the server's, which may be in another container or on another system. Pure.

Paths are compared by their parts; a Windows server writes backslashes and does not tell large letters from small ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_DRIVE = re.compile(r"^[A-Za-z]:([\\/]|$)")
LONGEST = 1024


def is_windows(path: str) -> bool:
    """Whether this is a path of Windows: with a drive, or of a share such as `\\\\nas\\media`."""
    return bool(_DRIVE.match(path)) or path.startswith("\\\\")


def parts_of(path: str) -> tuple[str, ...]:
    """The parts to compare by; two spellings of one folder have the same."""
    text = unicodedata.normalize("NFC", path)
    if is_windows(path):
        text = text.replace("\\", "/").casefold()
    return tuple(part for part in text.split("/") if part not in ("", "."))


def is_inside(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or below it."""
    mine, outer = parts_of(path), parts_of(folder)
    return is_windows(path) == is_windows(folder) and mine[: len(outer)] == outer


def is_absolute(path: str) -> bool:
    """Whether this can be a folder as a server names it: whole, without steps upwards."""
    if not path or len(path) > LONGEST or any(ord(char) < 32 or 0xD800 <= ord(char) < 0xE000 for char in path):
        return False
    return (path.startswith("/") or is_windows(path)) and ".." not in re.split(r"[\\/]", path)


def join(root: str, relative: str) -> str:
    """`relative`, with `/`, below a folder of the server, written as the server does."""
    separator = "\\" if is_windows(root) else "/"
    parts = [part for part in relative.split("/") if part]
    head = root.rstrip("\\/")
    return separator.join([head, *parts]) if parts else head or root


def last_part(path: str) -> str:
    """The name of the folder, for comparison."""
    parts = parts_of(path)
    return parts[-1].casefold() if parts else ""


def longest_inside(path: str, folders: Iterable[str]) -> str | None:
    """The deepest of `folders` that `path` is in."""
    around = [folder for folder in folders if is_inside(path, folder)]
    return max(around, key=lambda folder: len(parts_of(folder)), default=None)


def show_folder(path: str) -> str:
    """The folder that Plex takes for one show or film: `Ana/Season 2026/x.mp4` → `Ana`, `Videos/F (2026)/F.mp4` → both."""
    parts = path.split("/")[:-1]
    return "/".join(parts[:2] if parts[:1] == ["Videos"] else parts[:1])
