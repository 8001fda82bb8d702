"""Where newer yt-dlps lie: `<data folder>/engines/yt-dlp/`, one folder for each version and the file `current` beside them.

`current` names the version that downloads run with; empty or absent means the one that came with MediaNest. Read by the
server and, before it imports yt-dlp, by every download worker: standard library only. What writes here blocks.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

GATE = "2026.07.04"  # the newest known fix of a weakness: nothing below it runs
CURRENT = "current"
FACTS = "engine.json"  # written last into a version's folder: one without it was never finished
UNFINISHED = ".new-"
_VERSION = re.compile(r"[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,6})?")


def is_version(text: str) -> bool:
    """Whether `text` is a yt-dlp version such as 2026.11.20 or, of a nightly build, 2026.11.20.232839."""
    return _VERSION.fullmatch(text) is not None


def numbers(version: str) -> tuple[int, ...]:
    """For comparing; of a text that is no version, lower than every version."""
    return tuple(int(part) for part in version.split(".")) if is_version(version) else ()


def is_safe(version: str) -> bool:
    """Whether it is not below the newest known fix of a weakness."""
    return numbers(version) >= numbers(GATE)


def engines_folder(data_dir: Path) -> Path:
    """The folder of all versions of yt-dlp below a data folder."""
    return data_dir / "engines" / "yt-dlp"


class EngineFolder:
    """The versions in `root`. A name in it that is no version is nobody's business but for unfinished ones."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def named(self) -> str:
        """What `current` says; empty: the version inside MediaNest."""
        try:
            text = (self.root / CURRENT).read_text("ascii")[:100].strip()
        except (OSError, UnicodeDecodeError):
            return ""
        return text if is_version(text) else ""

    def path(self, version: str) -> Path:
        return self.root / version

    def facts(self, version: str) -> dict[str, Any] | None:
        """What was written down when it was put here; None for a version that is not here, or not whole."""
        if not is_version(version):
            return None
        try:
            found = json.loads((self.path(version) / FACTS).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        is_whole = (self.path(version) / "yt_dlp" / "__init__.py").is_file()
        return found if isinstance(found, dict) and is_whole else None

    def versions(self) -> list[str]:
        """Whole and safe versions, the newest first."""
        try:
            names = [path.name for path in self.root.iterdir()]
        except OSError:
            return []
        found = [name for name in names if is_version(name) and is_safe(name) and self.facts(name) is not None]
        return sorted(found, key=numbers, reverse=True)

    def usable(self, inside: str) -> str:
        """The version that `current` names, if a worker may load it: whole, safe and newer than the one inside; or empty."""
        version = self.named()
        is_newer = numbers(version) > numbers(inside)
        return version if version and is_newer and is_safe(version) and self.facts(version) is not None else ""

    # writing; these block

    def begin(self) -> Path:
        """A new folder for a version that is being made; what was left unfinished before is removed."""
        self.clean()
        folder = self.root / f"{UNFINISHED}{uuid.uuid4().hex}"
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def clean(self) -> None:
        """Remove what an update that was cut off left behind."""
        with suppress(OSError):
            for path in self.root.iterdir():
                if path.name.startswith(UNFINISHED):
                    shutil.rmtree(path, ignore_errors=True)
                    with suppress(OSError):
                        path.unlink(missing_ok=True)

    def finish(self, folder: Path, version: str, facts: dict[str, Any]) -> None:
        """Give a made folder its name. A folder of that version that nobody uses is replaced."""
        _write(folder / FACTS, json.dumps(facts, indent=1))
        target = self.path(version)
        if target.exists():
            target.rename(self.root / f"{UNFINISHED}{uuid.uuid4().hex}")
        folder.rename(target)
        _sync(self.root)

    def point_to(self, version: str) -> None:
        """Make `version` the one that workers load from now on; empty: the one inside."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self.root / f"{UNFINISHED}{CURRENT}"
        _write(partial, f"{version}\n")
        os.replace(partial, self.root / CURRENT)  # noqa: PTH105  # said as it is meant: in one step
        _sync(self.root)

    def keep_only(self, kept: set[str]) -> None:
        """Remove every other version; never the current one."""
        kept = {*kept, self.named()}
        with suppress(OSError):
            for path in self.root.iterdir():
                if is_version(path.name) and path.name not in kept:
                    shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
