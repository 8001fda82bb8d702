"""Runs a program that ends when its starter ends, as another user if asked: `leash.py [--user NAME] PROGRAM …`.

A test run that is killed leaves no server behind. Standard library only: it becomes the program by exec, so the
process id, the standard streams and the process group stay what the starter gave.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys


def become(user: str) -> None:
    """Give up this process's rights for those of `user`."""
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ["HOME"] = entry.pw_dir


def main(arguments: list[str]) -> None:
    if arguments[0] == "--user":
        become(arguments[1])
        arguments = arguments[2:]
    if sys.platform.startswith("linux"):
        # after the change of user, which would clear it
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG
    os.execvp(arguments[0], arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
