"""Drives a real worker process over its pipes, as the server does."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
ANSWER_TIME_S = 60

Event = dict[str, Any]


class WorkerProcess:
    """A worker in a process group of its own. `events` are all it has said; what it logs is in `log_file`."""

    def __init__(
        self, folder: Path, environment: dict[str, str] | None = None, *, module: tuple[str, ...] = ("medianest", "_worker"),
        **configuration: Any,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.log_file = folder / "worker.log"
        self.events: list[Event] = []
        self._incoming: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._configuration = {
            "allow": "127.0.0.1",
            "ffmpeg": "/usr/bin/ffmpeg",
            "ffprobe": "/usr/bin/ffprobe",
            "cache_dir": str(folder / "cache"),
            "temp_dir": str(folder / "tmp"),
            **configuration,
        }

    def __enter__(self) -> WorkerProcess:
        self.send("configure", **self._configuration)
        self.wait_for("ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.kill_group()

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def send(self, op: str, **fields: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"op": op, **fields}).encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, *names: str, timeout_s: float = ANSWER_TIME_S) -> Event:
        """The next event that is one of `names`, or `failed`; AssertionError when the worker ends or says nothing."""
        ends = time.monotonic() + timeout_s
        while True:
            try:
                event = self._incoming.get(timeout=max(0.01, ends - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"nothing of {names} came in {timeout_s} s\n{self.log[-2000:]}") from None
            if event is None:
                raise AssertionError(f"the worker ended\n{self.log[-2000:]}")
            if event["event"] in (*names, "failed"):
                return event

    def extract(self, url: str, job: str = "job", max_items: int = 1000, **options: Any) -> Event:
        """Phase one; gives `video`, `list` or `failed`."""
        staging = self.folder / "staging" / job
        self.send("extract", url=url, staging=str(staging), options=options, max_items=max_items)
        return self.wait_for("video", "list")

    def fetch(self, url: str, job: str = "job", **options: Any) -> Event:
        """Both phases; gives `done` or `failed`."""
        event = self.extract(url, job, **options)
        if event["event"] != "video":
            return event
        self.send("download")
        return self.wait_for("done")

    def entries(self, url: str, max_items: int = 1000) -> tuple[Event, list[dict[str, Any]]]:
        """A list in full: its `list` event and the entries."""
        first = self.extract(url, max_items=max_items)
        assert first["event"] == "list", first
        found: list[dict[str, Any]] = []
        while (event := self.wait_for("entries", "list_end"))["event"] == "entries":
            found += event["entries"]
        assert event == {"event": "list_end", "items_total": len(found)}
        return first, found

    def staging(self, job: str = "job") -> Path:
        return self.folder / "staging" / job

    def partials(self, job: str = "job") -> int:
        """Bytes in partial files."""
        return sum(path.stat().st_size for path in self.staging(job).glob("*.part"))

    def kill_group(self) -> None:
        """End it and all it started, and let go of the pipes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            self._incoming.put(event)
        self._incoming.put(None)


def children_of(pid: int) -> list[int]:
    """Processes started by `pid`, directly or not, that still run."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                child = int(folder.name)
                found += [child, *children_of(child)]
    return found


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_until(condition: Any, timeout_s: float = 10) -> float:
    """Seconds until `condition()` held; AssertionError when it never did."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < timeout_s, "it never came true"
        time.sleep(0.01)
    return time.monotonic() - start
