"""A look at processes through /proc: who belongs to a group, what they cost, what they hold (Linux)."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
TICKS_S = os.sysconf("SC_CLK_TCK")


class ProcessInfo(NamedTuple):
    """One line of `/proc/<pid>/stat`; CPU counts the children that have been waited for."""

    pid: int
    parent: int
    group: int
    session: int
    state: str
    cpu_s: float


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def process_info(pid: int) -> ProcessInfo | None:
    """What the kernel says about `pid`, None when it is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # the name in brackets may hold anything; the fields begin behind the last bracket
    fields = text.rpartition(")")[2].split()
    return ProcessInfo(
        pid, int(fields[1]), int(fields[2]), int(fields[3]), fields[0], sum(map(int, fields[11:15])) / TICKS_S
    )


def all_processes() -> list[ProcessInfo]:
    """Every living process; those that only wait to be reaped are left out."""
    found = (process_info(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return [info for info in found if info is not None and info.state != "Z"]


def family_of(pid: int) -> list[ProcessInfo]:
    """`pid` and everything it started, across process groups, as long as the chain of parents holds."""
    everyone = all_processes()
    members = {pid}
    while True:
        more = {info.pid for info in everyone if info.parent in members} - members
        if not more:
            return [info for info in everyone if info.pid in members]
        members |= more


def command_of(pid: int) -> str:
    """Command line of `pid`, its arguments parted by blanks; empty when it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def environment_of(pid: int) -> dict[str, str]:
    """Environment that `pid` was started with."""
    text = (PROC / str(pid) / "environ").read_bytes().decode("utf-8", "replace")
    return dict(part.split("=", 1) for part in text.split("\0") if "=" in part)


def with_environment(name: str, value: str) -> list[int]:
    """Process ids whose environment has `name=value`; finds what lost its parents."""
    found = []
    for info in all_processes():
        with suppress(OSError):
            if environment_of(info.pid).get(name) == value:
                found.append(info.pid)
    return found


def pss_bytes(pid: int) -> int:
    """Proportional set size of one process."""
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def family_pss_bytes(pid: int) -> int:
    """Proportional set size of a process and everything it started."""
    total = 0
    for info in family_of(pid):
        with suppress(OSError):
            total += pss_bytes(info.pid)
    return total


def family_cpu_s(pid: int) -> float:
    """CPU seconds of a process and everything it started and has waited for or that still runs."""
    return sum(info.cpu_s for info in family_of(pid))


def wait_until(condition: Callable[[], object], *, timeout_s: float, what: str, every_s: float = 0.05) -> None:
    """Ask `condition` again and again until it is true.

    Raises:
        TimeoutError: it never was; `what` says what was waited for.
    """
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout_s:g} s for this: {what}")
        time.sleep(every_s)


def end_group(group: int) -> None:
    """Kill every process of a group; nothing happens when it is empty."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
