"""What the scanner makes of the names of files: episodes, and what it passes over."""

from __future__ import annotations

import re
from pathlib import Path

VIDEOS = frozenset((".mkv", ".mp4", ".webm", ".mov", ".avi", ".m4v", ".ts"))
EPISODE = re.compile(r"[sS](\d{1,4})[eE](\d{1,8})")


def is_video(file: Path) -> bool:
    return file.suffix.lower() in VIDEOS and file.is_file()


def episode_number(name: str) -> tuple[int, int] | None:
    """Season and episode of `… s2024e0613 …`."""
    found = EPISODE.search(name)
    return (int(found[1]), int(found[2])) if found else None


def is_ignored(root: Path, inside: Path) -> bool:
    """Hidden folders and files, and folders with a `.plexignore` that says `*`, are passed over."""
    if any(part.startswith(".") for part in inside.parts):
        return True
    folders = [root, *(root / parent for parent in list(inside.parents)[:-1])]
    return any(
        "*" in (folder / ".plexignore").read_text().split() for folder in folders if (folder / ".plexignore").is_file()
    )
