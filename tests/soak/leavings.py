"""What a server holds when it has nothing to do, and what lies about: compared before and after, nothing may be more."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.harness.processes import command_of, wait_until
from tests.harness.server import Server
from tests.soak.crowd import rows_of
from tests.soak.watching import children_of, open_files, threads_of, workers_of

KEEPS_UNFINISHED = ("failed", "cancelled", "paused", "waiting")  # "Try again" goes on from what is there
QUIET_S = 40.0  # a spare worker more than one ends after 10 s


class Leavings(NamedTuple):
    """`files` counts what the server holds open, by path or kind; a warm worker is there."""

    files: Counter[str]
    threads: int
    children: int


def wait_until_quiet(server: Server) -> None:
    """Wait until one spare worker is all that is left, or none."""
    wait_until(lambda: len(children_of(server.pid)) <= 1, timeout_s=QUIET_S, what="the spare workers end")
    time.sleep(1.5)  # connections that were closed at this end are closed there too


def of_a_quiet_server(server: Server) -> Leavings:
    """What it holds with one warm worker; what is open in one of several looks only is on its way to be closed."""
    assert len(workers_of(server)) == 1, "a warm worker is there"
    files = open_files(server.pid)
    for _look in range(8):
        time.sleep(1)
        files &= open_files(server.pid)
    return Leavings(
        files=files,
        threads=threads_of(server.pid),
        children=len(children_of(server.pid)),
    )


def what_is_left(server: Server, temp: Path) -> Iterator[str]:
    """A sentence for everything in folders that nobody needs any more; the server is quiet."""
    states = {row.id: row.state for row in rows_of(server)}
    jobs = server.library_dir / ".medianest" / "jobs"
    for folder in jobs.iterdir() if jobs.is_dir() else ():
        if (state := states.get(int(folder.name), "removed")) not in KEEPS_UNFINISHED:
            yield f"The staging folder of download {folder.name}, which is {state}, is still there."
    for one in temp.iterdir():
        yield f"{one.name} is left in the temporary folder."
    folders = [one for run in (server.data_dir / "temp").iterdir() for one in run.iterdir()]
    if len(folders) > 1:
        yield f"{len(folders)} temporary folders of workers are there for one worker: {[one.name for one in folders]}"
    for pid in server.leftovers():
        if pid not in (server.pid, *workers_of(server)):
            with suppress(OSError):
                yield f"Process {pid} is left: {command_of(pid)}"
