"""Which MediaNest this is: the lock on the data folder, and the name under which this process claims work.

The name of a claim tells another process whether the claim's owner can still be alive.
"""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

from medianest.errors import MediaNestError
from medianest.setting_values import SettingsError


class AlreadyRunning(MediaNestError):
    """Another MediaNest holds this data folder."""


class InstanceLock:
    """The operating system's own lock on `<data folder>/.lock`: it ends with the process, however that dies."""

    def __init__(self, data_dir: Path) -> None:
        from filelock import FileLock

        self._lock = FileLock(data_dir / ".lock")
        self._address = data_dir / ".address"

    def acquire(self) -> None:
        """Take the lock, or raise `AlreadyRunning` at once."""
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            where = self.address()
            raise AlreadyRunning(
                f"MediaNest is already running on this data folder{', at ' + where if where else ''}. "
                "Stop it first, or choose another folder with --data-dir."
            ) from error

    def publish(self, address: str) -> None:
        """Keep the address where a second start and `healthcheck` find it."""
        self._address.write_text(address, "utf-8")

    def address(self) -> str:
        """The address of the running instance, or empty."""
        try:
            return self._address.read_text("utf-8").strip()
        except OSError:
            return ""

    def release(self) -> None:
        self._address.unlink(missing_ok=True)
        self._lock.release()


def instance_id(data_dir: Path) -> str:
    """The identity of this data folder, made once."""
    path = data_dir / "instance-id"
    try:
        return uuid.UUID(path.read_text("ascii").strip()).hex
    except (OSError, ValueError):
        made = uuid.uuid4().hex
        path.write_text(made + "\n", "ascii")
        return made


def host_key() -> str:
    """Names the running machine *and* its space of process ids: two containers of one machine do not see each other's.

    The boot comes first: copies of one disk image share their machine id, and would look processes up in the wrong place.
    """
    machine = ""
    for path in ("/proc/sys/kernel/random/boot_id", "/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            machine = Path(path).read_text("ascii").strip()
            break
        except OSError:
            continue
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115
    except OSError:
        space = sys.platform
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{machine or uuid.getnode()}|{space}").hex


def start_ticks(pid: int) -> str:
    """When the process started, in clock ticks since boot (Linux); `0` elsewhere or when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return "0"
    # the second field is the name in brackets and may hold spaces; the start is field 22
    return stat.rpartition(")")[2].split()[19]


def make_data_dir(path: Path) -> None:
    """Make the data folder and try to write there.

    Raises:
        SettingsError: names the folder, the user and what to do.
    """
    probe = path / f".write-probe-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
    except OSError as error:
        who = f" as user {os.getuid()}" if hasattr(os, "getuid") else ""
        raise SettingsError(
            f"The data folder {path} can not be written{who} ({error.strerror}). "
            "Give this user the right to write there, or choose another folder with --data-dir."
        ) from error
