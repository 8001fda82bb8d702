"""Looking at a server and its workers from outside, again and again: memory, open files, what is left of them."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.harness.processes import PROC, command_of, pss_bytes
from tests.harness.server import Server

MB = 1_000_000


class Sample(NamedTuple):
    """One look: how many items had ended, and what the server took; `own_bytes` is the part that is no file's page."""

    done: int
    pss_bytes: int
    own_bytes: int


class Worker:
    """One worker process over its life."""

    def __init__(self, done: int) -> None:
        self.born_at = done  # items that had ended
        self.most_pss_bytes = 0
        self.most_files = 0


class Watch:
    """Looks at the server whenever it is told to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.samples: list[Sample] = []
        self.workers: dict[int, Worker] = {}

    def look(self, done: int) -> None:
        """Note how it stands now that `done` items have ended."""
        pid = self.server.pid
        self.samples.append(Sample(done, pss_bytes(pid), own_bytes(pid)))
        for one in workers_of(self.server):
            worker = self.workers.setdefault(one, Worker(done))
            with suppress(OSError):  # it ended meanwhile
                worker.most_pss_bytes = max(worker.most_pss_bytes, pss_bytes(one))
                worker.most_files = max(worker.most_files, sum(open_files(one).values()))

    def forget(self) -> None:
        """Begin anew: what was before is the warm-up."""
        self.samples.clear()
        self.workers.clear()


def slope(points: list[tuple[float, float]]) -> float:
    """How steep the straight line is that lies closest to the points, by least squares."""
    count = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    across = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / across if across else 0.0


def own_bytes(pid: int) -> int:
    """What a process has for itself. The share of a library's pages depends on how many others use them right now."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    return pss_bytes(pid)  # before Linux 5.9


def workers_of(server: Server) -> list[int]:
    """Process ids of the download workers."""
    return [one for one in children_of(server.pid) if "_worker" in command_of(one).split()]


def children_of(pid: int) -> list[int]:
    """Its children, also those that nobody has buried yet."""
    found = []
    for thread in (PROC / str(pid) / "task").iterdir():
        with suppress(OSError):
            found += [int(one) for one in (thread / "children").read_text().split()]
    return found


def threads_of(pid: int) -> int:
    return len(list((PROC / str(pid) / "task").iterdir()))


def open_files(pid: int) -> Counter[str]:
    """What a process holds open, counted: files by their paths, all else by its kind such as `socket` or `pipe`."""
    found: Counter[str] = Counter()
    for entry in (PROC / str(pid) / "fd").iterdir():
        with suppress(OSError):
            target = os.readlink(entry)
            found[target if target.startswith("/") else target.partition(":[")[0]] += 1
    return found


def files_below(folder: Path) -> list[str]:
    """Every file and folder below `folder`, relative to it."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*")) if folder.is_dir() else []
