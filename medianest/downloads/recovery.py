"""Whether the process behind a claim is still alive, told by the name under which it claimed.

A name is `<instance>/<run>/<host>/<pid>/<start>`. The data folder of an instance is locked by one process, so another run
of the same instance is over; on the same host the process can be looked up; of any other host only its lease tells.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """The process behind a claim. `start` is its start in clock ticks since boot, `0` where the system does not tell."""

    instance: str
    run: str
    host: str
    pid: int
    start: str

    @classmethod
    def of_this_process(cls, instance: str, host: str, start_ticks: Callable[[int], str]) -> Owner:
        """This process, in this run."""
        pid = os.getpid()
        return cls(instance=instance, run=uuid.uuid4().hex, host=host, pid=pid, start=start_ticks(pid))

    @classmethod
    def parse(cls, text: str) -> Owner | None:
        """The owner of a row; None when it is not written like that."""
        parts = text.split("/")
        if len(parts) != 5 or not parts[3].isdigit():
            return None
        return cls(instance=parts[0], run=parts[1], host=parts[2], pid=int(parts[3]), start=parts[4])

    def __str__(self) -> str:
        return f"{self.instance}/{self.run}/{self.host}/{self.pid}/{self.start}"

    def knows_dead(self, text: str) -> bool:
        """Whether the owner `text` is certainly gone, as far as this process can tell."""
        other = Owner.parse(text)
        if other is None or other.run == self.run:
            return False
        if other.instance == self.instance:
            return True
        if other.host != self.host or other.start == "0":
            return False
        return not is_running(other.pid, other.start)


def is_running(pid: int, start: str) -> bool:
    """Whether the process that started at `start` still runs; one that only waits to be buried does not (Linux)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return False
    return len(fields) > 19 and fields[19] == start and fields[0] not in ("Z", "X")
