"""One download worker as the server sees it: a child process with a group of its own that speaks JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

log = logging.getLogger(__name__)

LONGEST_LINE_BYTES = 16 * 1024 * 1024
READY_S = 60.0
TERM_S = 0.5
GONE_S = 0.4
EXIT_S = 0.3


class WorkerDied(Exception):
    """The worker ended or does not answer; its process group is gone or about to be."""


class _Exit(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells when the process itself has ended: `Process.wait()` also waits for pipes that its children may hold."""

    def __init__(self) -> None:
        super().__init__(limit=LONGEST_LINE_BYTES, loop=asyncio.get_running_loop())
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.ended.set()


class Child:
    """A running worker. `jobs` counts what it was asked to do."""

    def __init__(
        self,
        transport: asyncio.SubprocessTransport,
        process: asyncio.subprocess.Process,
        ended: asyncio.Event,
        folder: Path,
    ) -> None:
        self._transport = transport
        self._process = process
        self._ended = ended
        self._folder = folder
        self._killing: asyncio.Task[None] | None = None
        self._readers = [asyncio.create_task(self._log_errors()), asyncio.create_task(self._watch())]
        self.jobs = 0
        self.used_at = time.monotonic()
        self.version = ""  # of yt-dlp, then of its solver for YouTube's puzzles
        self.ejs_version = ""
        self.engine_path = ""
        self.engine_problem = ""  # why it does not run with the version that was chosen
        self.share_bytes_s: int | None = None  # what it was told last; it keeps it from job to job

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        configuration: Awaitable[Mapping[str, Any]],
        folder: Path,
    ) -> Child:
        """Start a worker and wait until it is warm.

        Args:
            configuration: what it is told first; it is awaited while the process starts.
            folder: its own temporary folder, made here and removed with the worker.

        Raises:
            WorkerDied: it could not be started, or ended before it was ready.
        """
        home = folder / "home"
        try:
            home.mkdir(parents=True, mode=0o700)
            own = {
                **{name: str(folder) for name in ("TMPDIR", "TMP", "TEMP")},
                **{name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")},
            }
            loop = asyncio.get_running_loop()
            transport, protocol = await loop.subprocess_exec(
                _Exit,
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**environment, **own},
                cwd=folder,
                **_own_group(),
            )
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise WorkerDied(f"The download process can not be started: {error}") from error
        process = asyncio.subprocess.Process(transport, protocol, loop)
        child = cls(transport, process, protocol.ended, folder)
        try:
            await child.send({"op": "configure", **await configuration, "temp_dir": str(folder)})
            event = await child.receive(READY_S)
            if event.get("event") == "broken":
                raise WorkerDied(str(event.get("detail") or "The download process could not load yt-dlp."))
            if event.get("event") != "ready":
                raise WorkerDied(f"The download process began with {event.get('event')!r}")
            child.version = str(event.get("yt_dlp") or "")
            child.ejs_version = str(event.get("yt_dlp_ejs") or "")
            child.engine_path = str(event.get("path") or "")
            child.engine_problem = str(event.get("problem") or "")
        except BaseException:
            await asyncio.shield(child.kill())
            raise
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and self._killing is None

    async def send(self, message: Mapping[str, Any]) -> None:
        """Write one order; raises `WorkerDied` when nobody reads it."""
        if self._process.stdin is None or self._process.stdin.is_closing():
            raise WorkerDied("The download process does not listen any more.")
        try:
            self._process.stdin.write(msgspec.json.encode(message) + b"\n")
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise WorkerDied("The download process does not listen any more.") from error

    async def receive(self, timeout_s: float) -> dict[str, Any]:
        """The next event; raises `WorkerDied` when the worker ends, says nonsense, or nothing for too long."""
        assert self._process.stdout is not None  # noqa: S101  # it was started with a pipe
        try:
            async with asyncio.timeout(timeout_s):
                line = await self._process.stdout.readline()
            if not line.endswith(b"\n"):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EXIT_S):  # it closes its pipe a moment before its code is known
                        await self._ended.wait()
                raise WorkerDied(f"The download process ended ({self._process.returncode}).")
            event = msgspec.json.decode(line)
        except TimeoutError as error:
            raise WorkerDied(f"The download process said nothing for {timeout_s:.0f} s.") from error
        except ValueError as error:
            raise WorkerDied("The download process said something that can not be read.") from error
        if not isinstance(event, dict):
            raise WorkerDied("The download process said something that can not be read.")
        return event

    def kill(self) -> asyncio.Task[None]:
        """End the whole process group; the task is done when it is gone."""
        if self._killing is None:
            self._killing = asyncio.create_task(self._kill(), name=f"kill worker {self.pid}")
        return self._killing

    async def _kill(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.returncode is None:
            end_group(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TERM_S):
                    await self._ended.wait()
        kill_group(self.pid)
        await self._ended.wait()
        until = time.monotonic() + GONE_S
        while group_is_there(self.pid) and time.monotonic() < until:  # noqa: ASYNC110  # the kernel tells nobody
            await asyncio.sleep(0.01)
        for reader in self._readers:
            if reader is not asyncio.current_task():
                reader.cancel()
        self._transport.close()
        await asyncio.to_thread(shutil.rmtree, self._folder, True)

    async def _watch(self) -> None:
        await self._ended.wait()
        kill_group(self.pid)  # what it had started would live on, an ffmpeg for example
        await asyncio.to_thread(shutil.rmtree, self._folder, True)

    async def _log_errors(self) -> None:
        assert self._process.stderr is not None  # noqa: S101
        while True:
            try:
                line = await self._process.stderr.readline()
            except ValueError:  # a line beyond every measure
                continue
            if not line:
                return
            log.info("worker %d: %s", self.pid, line.decode("utf-8", "replace").rstrip()[:2000])


def _own_group() -> dict[str, Any]:
    if sys.platform == "win32":  # unproven: nobody has run this there yet
        import subprocess

        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def end_group(pid: int, number: int) -> None:
    """Send a signal to the process group that `pid` leads; nothing happens when it is gone."""
    if sys.platform == "win32":  # unproven
        kill_group(pid)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def kill_group(pid: int) -> None:
    """End the process group at once."""
    if sys.platform == "win32":  # unproven
        import subprocess

        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
        return
    end_group(pid, signal.SIGKILL)


def group_is_there(pid: int) -> bool:
    """Whether any process of the group still runs; one that is dead and waits to be buried by somebody does not."""
    if sys.platform == "win32":  # unproven
        return False
    try:
        os.killpg(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    if not sys.platform.startswith("linux"):
        return True
    return any(_runs_in_group(stat, pid) for stat in Path("/proc").glob("[0-9]*/stat"))


def _runs_in_group(stat: Path, group: int) -> bool:
    try:
        fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return len(fields) > 2 and fields[2] == str(group) and fields[0] not in ("Z", "X")
