"""One worker at a download's unfinished files, over all processes that share the staging folder.

The row of a download says whose it is. But when it is paused and resumed at once, the process that had it may still be
ending its worker while another has taken it, and two would write to one part.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

if sys.platform != "win32":
    import fcntl

log = logging.getLogger(__name__)

LONGEST_S = 10.0  # far more than a worker needs to end; who holds it longer hangs, and its claim was taken from it
LOOK_S = 0.05


@contextlib.asynccontextmanager
async def alone_in(folder: Path, longest_s: float = LONGEST_S) -> AsyncIterator[None]:
    """Wait until nobody else is inside, at most `longest_s` seconds, and keep others out. A killed process is out.

    Where the file system has no locks, nobody waits.
    """
    end = asyncio.get_running_loop().time() + longest_s
    while (handle := await asyncio.to_thread(_locked, folder)) is None:
        if asyncio.get_running_loop().time() > end:
            log.warning("Another process does not leave %s; the download goes on all the same", folder)
            break
        await asyncio.sleep(LOOK_S)
    try:
        yield
    finally:
        if handle is not None and handle >= 0:
            os.close(handle)


def _locked(folder: Path) -> int | None:
    """An open handle that holds the lock, None while somebody else does, -1 where there are no locks."""
    if sys.platform == "win32":
        return -1
    handle = -1
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        log.debug("%s can not be locked: %s", folder, error)
        if handle >= 0:
            os.close(handle)
        return -1
    return handle
