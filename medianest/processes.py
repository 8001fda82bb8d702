"""How child processes are started: our own executable again, and other people's programs.

Inside the frozen executable the two need opposite environments: our own must find the unpacked folder again, a foreign
program must not load libraries from it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping

from medianest.resources import is_frozen

# the worker reaches the network for strangers: nothing of the database or of any secret goes with it
WITHHELD_PREFIXES = ("MEDIANEST_", "PG", "AWS_", "PLEX_", "SSH_", "GIT_")
WITHHELD_WORDS = ("SECRET", "TOKEN", "PASSWORD", "PASSWD", "CREDENTIAL", "API_KEY", "APIKEY", "DATABASE_URL")


def own_executable_command() -> list[str]:
    """The command that starts this very MediaNest again; a sub-command is appended."""
    return [sys.executable] if is_frozen() else [sys.executable, "-m", "medianest"]


def own_child_env(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for our own executable: everything it needs to find itself, no secret."""
    environ = os.environ if environ is None else environ
    kept = {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(WITHHELD_PREFIXES) and not any(word in name.upper() for word in WITHHELD_WORDS)
    }
    if not is_frozen():
        # the child may run in another folder than the checkout
        package_parent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (package_parent, environ.get("PYTHONPATH", ""))))
    kept["PYTHONUTF8"] = "1"
    return kept


def foreign_env(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment for any other program: the library path as it was before our executable changed it."""
    kept = dict(os.environ if environ is None else environ)
    original = kept.pop("LD_LIBRARY_PATH_ORIG", None)
    if is_frozen():
        kept.pop("LD_LIBRARY_PATH", None)
        if original:
            kept["LD_LIBRARY_PATH"] = original
        kept["PYINSTALLER_RESET_ENVIRONMENT"] = "1"
    return kept


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel to kill this process when its parent dies (Linux; elsewhere nothing happens).

    Args:
        parent: process id the parent is expected to have; when it is gone already this process ends at once.
    """
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
