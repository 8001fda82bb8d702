"""The JavaScript runtime inside: QuickJS-ng behind the command line of its program `qjs`, as far as yt-dlp uses it.

It is the last resort where no deno and no node is found. A script from a site runs in a process of its own that has no
files, no network and no other programs, and ends at its limits of memory and time: QuickJS itself is given none of
these, and the kernel refuses them in case a script breaks out of it.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medianest.downloads.worker import sandbox
from medianest.processes import own_executable_command
from medianest.resources import is_frozen

PROGRAM = "qjs"  # yt-dlp's name for it, and what our executable answers to
RUNTIME = "quickjs"  # yt-dlp's name for the kind
MEMORY_BYTES = 512 * 1024**2
PROCESS_BYTES = 2 * 1024**3  # addresses, the interpreter's own among them
STACK_BYTES = 4 * 1024**2
TIME_S = 60
LARGEST_SCRIPT_BYTES = 32 * 1024**2

# all that a script may do to the outside: leave lines of text
_PRELUDE = """
globalThis.__lines = [];
globalThis.console = {};
for (const name of ["log", "info", "warn", "error", "debug"])
  console[name] = (...parts) => { __lines.push(parts.map(String).join(" ")); };
globalThis.print = console.log;
"""
_LINES = "__lines.map((line) => line + '\\n').join('')"


def release() -> str:
    """The version of QuickJS-ng inside, such as `0.17.0`; empty when it is not there."""
    try:
        return ".".join(version("quickjs-ng").split(".")[:3])
    except PackageNotFoundError:
        return ""


def put_program(folder: Path) -> Path | None:
    """Make `qjs` in `folder`, a program that is this very MediaNest; None where that can not be done."""
    if os.name != "posix" or not release():
        return None
    path = folder / PROGRAM
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if is_frozen():
            path.symlink_to(sys.executable)
        else:
            words = shlex.join((*own_executable_command(), "_qjs"))
            place = shlex.quote(str(Path(__file__).resolve().parents[3]))  # of the package, when it is not installed
            path.write_text(f'#!/bin/sh\nPYTHONPATH={place} exec {words} "$@"\n')
            path.chmod(stat.S_IRWXU)
    except OSError:
        return None
    return path


def main(arguments: list[str]) -> int:
    """`--script FILE` runs a script and prints what it logged; anything else says which version this is. Gives the exit code."""
    if len(arguments) != 2 or arguments[0] != "--script":
        sys.stdout.write(f"QuickJS-ng version {release()}\n")
        return 1
    try:
        with Path(arguments[1]).open(encoding="utf-8") as file:
            script = file.read(LARGEST_SCRIPT_BYTES + 1)
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"The script can not be read: {error}\n")
        return 1
    if len(script) > LARGEST_SCRIPT_BYTES:
        sys.stderr.write("The script is too large.\n")
        return 1
    return _run_apart(script)


def _run_apart(script: str) -> int:
    """Run the script behind the walls; this process does nothing else any more."""
    import quickjs

    if hasattr(signal, "alarm"):
        signal.alarm(2 * TIME_S)  # ends this process, whatever it does
    sandbox.limit(memory_bytes=PROCESS_BYTES, time_s=TIME_S)
    sandbox.close_off()
    context = quickjs.Context()
    context.set_memory_limit(MEMORY_BYTES)
    context.set_max_stack_size(STACK_BYTES)
    context.set_time_limit(TIME_S)
    try:
        context.eval(_PRELUDE)
        context.eval(script)
        while context.execute_pending_job():
            pass
        lines = context.eval(_LINES)
    except Exception as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(lines if isinstance(lines, str) else "")
    return 0
