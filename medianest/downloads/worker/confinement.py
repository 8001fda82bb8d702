"""What the worker process may not do, and how it dies with its parent.

Everything here is asked of the system; where a system has no such wall (macOS, Windows), the server's killing of the
process group and the end of the input still hold.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 1024
# Folders and switches through which a user's own configuration, plug-ins or proxies could reach yt-dlp and its children.
_UNWANTED = (
    "XDG_CONFIG_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "NODE_OPTIONS",
    "NODE_PATH",
    "DENO_DIR",
    "FFREPORT",
    "AV_LOG_FORCE_COLOR",
    "SSLKEYLOGFILE",
    "no_proxy",
    "NO_PROXY",
)


def _load_prctl() -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        prctl: Callable[..., int] = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return None
    return prctl


_prctl = _load_prctl()


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when the process `parent`, which started it, ends."""
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the line above
        os._exit(1)


def end_with_input() -> None:
    """End this process when its input ends: the server holds the other end, so it is told of a death however early that came."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        os._exit(1)

    threading.Thread(target=wait, name="input", daemon=True).start()


def step_back() -> None:
    """Leave the processor to the server when both want it: pages stay quick while downloads run."""
    if hasattr(os, "nice"):
        os.nice(5)


def refuse_new_privileges() -> None:
    """No program started from here gains rights by a set-user-id bit."""
    if _prctl is not None:
        _prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def tie_children_to_this_process(own_program: str | None = None) -> None:
    """Have every child process die with this one, even when this one is killed with -9: ffmpeg would write on.

    `own_program` is our own executable under another name: it finds itself again by the environment that yt-dlp takes away.
    """
    if _prctl is None:
        return
    original = subprocess.Popen.__init__
    worker = os.getpid()

    def start(self: subprocess.Popen[Any], *args: Any, **kwargs: Any) -> None:
        if kwargs.get("preexec_fn") is None:
            kwargs["preexec_fn"] = lambda: die_with_parent(worker)
        command = args[0] if args else kwargs.get("args")
        if own_program is not None and isinstance(command, list) and command[:1] == [own_program]:
            kwargs["env"] = dict(os.environ)
        original(self, *args, **kwargs)

    subprocess.Popen.__init__ = start  # type: ignore[method-assign]


def limit_resources(memory_bytes: int | None = None, file_size_bytes: int | None = None) -> None:
    """No core files, few open files, and the sizes (bytes) that the server gave, as far as the system has them."""
    try:
        import resource
    except ImportError:
        return
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: _OPEN_FILES}
    if file_size_bytes:
        limits[resource.RLIMIT_FSIZE] = file_size_bytes
    if memory_bytes:
        limits[resource.RLIMIT_AS] = memory_bytes
    for kind, wanted in limits.items():
        _, most = resource.getrlimit(kind)
        lowest = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (lowest, lowest))


def clean_environment(temp_dir: str) -> None:
    """Drop what would bring a user's configuration in, and give this process and its children their own temp folder."""
    for name in _UNWANTED:
        os.environ.pop(name, None)
    Path(temp_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ.update(TMPDIR=temp_dir, TEMP=temp_dir, TMP=temp_dir, YTDLP_NO_PLUGINS="1", NODE_USE_ENV_PROXY="1")
    if os.name == "posix":
        os.environ["HOME"] = temp_dir
    tempfile.tempdir = temp_dir
