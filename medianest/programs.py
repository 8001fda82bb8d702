"""Other people's programs that MediaNest uses when they are there: ffmpeg, ffprobe and a JavaScript runtime.

They are looked for on the PATH, then in `<data folder>/bin`, where the owner may drop a static build.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from medianest.processes import foreign_env

KEPT_S = 300.0
VERSION_PATTERN = re.compile(r"\d+(?:\.\d+)+|\bn\d+\.\d+|\bN-\d+")

# name → (arguments that print the version, oldest version yt-dlp takes)
PROGRAMS: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "ffmpeg": (("-version",), (4,)),
    "ffprobe": (("-version",), (4,)),
    "deno": (("--version",), (2, 3, 0)),
    "node": (("--version",), (22, 0, 0)),
}
JAVASCRIPT = ("deno", "node")


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """One program as found; `path` is None when it is absent, `is_usable` false when it is absent or too old."""

    name: str
    path: str | None
    version: str
    is_usable: bool


class Programs:
    """Knows which programs there are; what was found is asked again after five minutes."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "bin"
        self._found: dict[str, Program] = {}
        self._at = -KEPT_S
        self._lock = asyncio.Lock()

    async def all(self) -> dict[str, Program]:
        """Every program of the table above by name."""
        async with self._lock:
            if time.monotonic() - self._at > KEPT_S:
                found = await asyncio.gather(*(self._find(name) for name in PROGRAMS))
                self._found = {program.name: program for program in found}
                self._at = time.monotonic()
        return self._found

    async def path(self, name: str) -> str | None:
        """Path of a program that can be used, or None."""
        program = (await self.all())[name]
        return program.path if program.is_usable else None

    def forget(self) -> None:
        """Look again at the next question: something may have been installed."""
        self._at = -KEPT_S

    @property
    def folder(self) -> Path:
        """Where the owner may drop programs."""
        return self._folder

    async def javascript(self) -> dict[str, str]:
        """Paths of the JavaScript runtimes that yt-dlp may use, the preferred one first."""
        found = await self.all()
        return {name: found[name].path or "" for name in JAVASCRIPT if found[name].is_usable}

    async def _find(self, name: str) -> Program:
        suffix = ".exe" if sys.platform == "win32" else ""
        own = self._folder / (name + suffix)
        path = shutil.which(name) or (str(own) if own.is_file() and os.access(own, os.X_OK) else None)
        if path is None:
            return Program(name=name, path=None, version="", is_usable=False)
        arguments, oldest = PROGRAMS[name]
        found = await _version(path, arguments)
        numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
        # builds from a repository ("N-1234") have no version to compare: they are newer than any release asked for
        return Program(
            name=name, path=path, version=found, is_usable=bool(found) and (found[:1] == "N" or numbers >= oldest)
        )


def inside_javascript() -> str:
    """Version of the JavaScript runtime inside MediaNest, the last resort; empty where there is none."""
    try:
        return ".".join(version("quickjs-ng").split(".")[:3]) if os.name == "posix" else ""
    except PackageNotFoundError:
        return ""


async def _version(path: str, arguments: tuple[str, ...]) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=foreign_env(),
        )
    except OSError:
        return ""
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()
        return ""
    except asyncio.CancelledError:  # the start of a worker was cut off: nobody else would bury it
        process.kill()
        await asyncio.shield(process.communicate())  # it may be cut off a second time
        raise
    match = VERSION_PATTERN.search(out.decode("utf-8", "replace"))
    return match.group() if match else ""
