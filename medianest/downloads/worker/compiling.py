"""Compiles a new yt-dlp, in a process of its own: this interpreter's byte code, not another Python's.

Without it every worker would take a second longer to start: a frozen program never keeps byte code. It is made
"unchecked", so that it is taken whatever the times of the files say.
"""

from __future__ import annotations

import os
import py_compile
import sys
from pathlib import Path

from medianest.downloads.worker import confinement

MEMORY_BYTES = 2 * 1024**3
FAILED = 1


def main(arguments: list[str]) -> int:
    """Compile all of the folder; gives the exit code. The first file that is no Python is named on standard error."""
    confinement.die_with_parent(os.getppid())
    confinement.end_with_input()  # the server may have died before the line above
    confinement.refuse_new_privileges()
    confinement.limit_resources(MEMORY_BYTES)
    confinement.step_back()
    folder = Path(arguments[0])
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        try:
            py_compile.compile(str(path), dfile=str(name), doraise=True, invalidation_mode=mode)
        except py_compile.PyCompileError as error:
            reason = error.exc_value
            line = f", line {reason.lineno}" if isinstance(reason, SyntaxError) else ""
            sys.stderr.write(f"{name}{line}: {reason.msg if isinstance(reason, SyntaxError) else reason}\n")
            return FAILED
        except (OSError, ValueError, RecursionError, MemoryError) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return FAILED
    return 0
