"""Puts a new yt-dlp beside the others and chooses it: every step may fail or be cut off, and what ran before still runs."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from medianest.engine import proving
from medianest.engine.model import Step
from medianest.engine.refusals import Refused
from medianest.engine.unpacking import is_disk_full, unpack, version_in
from medianest.engine_folder import EngineFolder, numbers

DISK_FULL = "The disk of the data folder is full. Make room, then try again; the yt-dlp that was there still runs."
Say = Callable[[Step, str], Awaitable[None]]


class Installer:
    """Makes versions in one folder of engines.

    Args:
        command: starts our own executable.
        environment: for it, without secrets.
        renew: has the queue's workers load the chosen version from their next start on.
    """

    def __init__(
        self,
        folder: EngineFolder,
        trials: proving.Trials,
        command: Sequence[str],
        environment: Callable[[], Mapping[str, str]],
        renew: Callable[[], None],
    ) -> None:
        self._folder = folder
        self._trials = trials
        self._command = command
        self._environment = environment
        self._renew = renew

    async def install(self, program: bytes, *, expected: str, active: str, facts: Mapping[str, str], say: Say) -> str:
        """Unpack, compile, try and choose a release whose sum is right; gives its version.

        Args:
            expected: the version it must be; empty: any newer one.
            active: the version that is to be left.
            facts: what is written down with it.

        Raises:
            Refused: it is not taken; nothing has changed.
        """
        try:
            made = await asyncio.to_thread(self._folder.begin)
            try:
                return await self._make(made, program, expected, active, facts, say)
            finally:
                await asyncio.to_thread(shutil.rmtree, made, True)
        except OSError as error:
            if is_disk_full(error):
                raise Refused("disk_full", DISK_FULL) from error
            raise Refused(
                "not_writable",
                f"The folder {self._folder.root} can not be written ({error.strerror}). Give MediaNest the right to, "
                "then try again.",
            ) from error

    async def _make(
        self, made: Path, program: bytes, expected: str, active: str, facts: Mapping[str, str], say: Say
    ) -> str:
        await say(Step.UNPACKING, expected)
        await asyncio.to_thread(unpack, program, made)
        version = await asyncio.to_thread(version_in, made)
        if expected and numbers(version) != numbers(expected):
            raise Refused(
                "version_differs", f"The release is called {expected} but holds yt-dlp {version}, so it was not taken."
            )
        check_newer(version, active)
        await say(Step.COMPILING, version)
        await proving.compile_all(self._command, self._environment(), made)
        await say(Step.TRYING, version)
        report = await proving.try_out(self._trials, made, version)
        await say(Step.CHOOSING, version)
        kept = {**facts, "version": version, "yt_dlp_ejs": report.ejs_version, "installed_at": _now()}
        await asyncio.shield(asyncio.to_thread(self._choose, made, version, kept))
        self._renew()
        return version

    def _choose(self, made: Path, version: str, facts: dict[str, str]) -> None:
        """Blocking: on the disk for good before anything points at it; the last two stay."""
        sync_all(made)
        left = self._folder.named()
        self._folder.finish(made, version, facts)
        self._folder.point_to(version)
        self._folder.keep_only({version, left})
        self._folder.clean()

    async def point_to(self, version: str) -> None:
        """Choose a version that is there already; empty: the one inside."""
        await asyncio.to_thread(self._folder.point_to, version)
        self._renew()


def check_newer(version: str, active: str) -> None:
    """Raise `Refused` for what is not newer than `active`."""
    if numbers(version) == numbers(active):
        raise Refused("already_there", f"yt-dlp {version} is what runs already.")
    if numbers(version) < numbers(active):
        raise Refused(
            "older",
            f"yt-dlp {version} is older than {active}, which runs. Going back is done by the button, to a version that "
            "ran here before.",
        )


def sync_all(folder: Path) -> None:
    """Have everything below `folder` on the disk, so that a power cut leaves no empty file behind a name. Blocking."""
    if sys.platform.startswith("linux"):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if ctypes.CDLL(None).syncfs(descriptor) == 0:  # one call for 2000 files
                return
        except (OSError, AttributeError):
            pass
        finally:
            os.close(descriptor)
    for path in folder.rglob("*"):
        if path.is_file():
            with contextlib.suppress(OSError), path.open("rb+") as file:
                os.fsync(file.fileno())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
