"""Tries one version of yt-dlp in a real worker beside the queue: does it load, and what does it make of a link."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from medianest.downloads.child import Child, WorkerDied
from medianest.engine.model import TrialReport

LOOK_S = 120.0
CHECK_S = 120.0


class Trials:
    """Starts workers that are told which yt-dlp to load, one for each trial.

    Args:
        command: starts a worker.
        environment: its environment, without secrets.
        configuration: the first line of every worker, less its temporary folder and the version.
        folder: for the temporary folders.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Callable[[], Mapping[str, str]],
        configuration: Callable[[], Awaitable[Mapping[str, Any]]],
        folder: Path,
    ) -> None:
        self._command = command
        self._environment = environment
        self._configuration = configuration
        self._folder = folder

    async def run(
        self, engine: Path | None, url: str, *, allow: str | None = None, imports_all: bool = False
    ) -> TrialReport:
        """Load the yt-dlp in the folder `engine` (None: the one inside) and have it look at `url`.

        Args:
            allow: private addresses that it may reach, when not those of downloads.
            imports_all: every module of it is imported before.
        """
        folder = self._folder / f"trial-{uuid.uuid4().hex}"
        try:
            child = await Child.start(self._command, self._environment(), self._told(engine, allow), folder)
        except WorkerDied as error:
            return TrialReport(failure="worker_crashed", detail=str(error))
        try:
            return await self._look(child, url, folder, imports_all=imports_all)
        finally:
            await asyncio.shield(child.kill())
            await asyncio.to_thread(shutil.rmtree, folder, True)

    async def _told(self, engine: Path | None, allow: str | None) -> Mapping[str, Any]:
        told = {**await self._configuration(), "engine": "" if engine is None else str(engine)}
        return told if allow is None else {**told, "allow": allow}

    async def _look(self, child: Child, url: str, folder: Path, *, imports_all: bool) -> TrialReport:
        report = TrialReport(version=child.version, ejs_version=child.ejs_version, path=child.engine_path)
        try:
            if imports_all:
                await child.send({"op": "check"})
                event = await child.receive(CHECK_S)
                if event.get("event") != "checked":
                    return _failed(report, event)
            await child.send({"op": "extract", "url": url, "staging": str(folder / "staging"), "max_items": 5})
            event = await child.receive(LOOK_S)
        except WorkerDied as error:
            return msgspec.structs.replace(report, failure="worker_crashed", detail=str(error))
        if event.get("event") not in ("video", "list"):
            return _failed(report, event)
        info = event.get("info")
        title = info.get("title") if isinstance(info, dict) else None
        return msgspec.structs.replace(report, title=str(title or "")[:500])


def _failed(report: TrialReport, event: Mapping[str, Any]) -> TrialReport:
    failure, detail = str(event.get("class") or "engine_error"), str(event.get("detail") or "")
    return msgspec.structs.replace(report, failure=failure, detail=detail[:500])
