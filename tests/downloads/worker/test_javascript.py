"""The JavaScript runtime inside: yt-dlp takes it, it solves, and a script reaches nothing beyond itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medianest.downloads.worker.javascript import put_program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="it is offered on systems with links")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = put_program(tmp_path_factory.mktemp("programs"))
    assert made is not None
    return made


def run(program: Path, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "script.js"
    file.write_text(script)
    return subprocess.run([program, "--script", file], capture_output=True, text=True, timeout=60, cwd="/")


def test_yt_dlp_takes_it_for_a_runtime_that_it_supports(program: Path) -> None:
    code = (
        "import sys; from yt_dlp.utils._jsruntime import QuickJsRuntime; info = QuickJsRuntime(sys.argv[1]).info;"
        "print(info.name, info.supported, info.version_tuple >= (0, 12))"
    )
    shown = subprocess.run([sys.executable, "-c", code, program], capture_output=True, text=True, timeout=60)
    assert shown.stdout.split() == ["quickjs-ng", "True", "True"], shown.stderr


def test_it_runs_scripts_with_promises_and_loads_yt_dlps_solver(program: Path, tmp_path: Path) -> None:
    from yt_dlp_ejs.yt import solver

    shown = run(program, "console.log('now', 1 + 1); Promise.resolve(3).then((n) => console.log(n));", tmp_path)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "now 2\n3\n", "")
    begin = f"{solver.lib()}\nObject.assign(globalThis, lib);\n{solver.core()}\n"
    shown = run(program, begin + "console.log(JSON.stringify([typeof jsc, typeof lib]));", tmp_path)
    assert json.loads(shown.stdout) == ["function", "object"]


def test_a_script_has_no_files_no_network_and_no_programs(program: Path, tmp_path: Path) -> None:
    names = ("std", "os", "require", "process", "Deno", "fetch", "XMLHttpRequest", "WebSocket", "Worker", "bjson")
    shown = run(program, f"console.log({json.dumps(names)}.filter((name) => name in globalThis).length);", tmp_path)
    assert shown.stdout == "0\n"
    shown = run(program, "import('fs').then(() => console.log('in'), () => console.log('refused'));", tmp_path)
    assert shown.stdout == "refused\n"


def test_a_script_that_fails_or_eats_memory_ends_with_its_reason(program: Path, tmp_path: Path) -> None:
    for script, reason in (
        ("throw new Error('no way');", "no way"),
        ("const a = []; for (;;) a.push(new Array(100000).fill(1));", "out of memory"),
        ("(function f() { f(); })();", "call stack"),
    ):
        shown = run(program, script, tmp_path)
        assert shown.returncode == 1
        assert reason in shown.stderr
        assert shown.stdout == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's filter is Linux's")
def test_whoever_breaks_out_of_the_script_finds_the_kernels_wall(tmp_path: Path) -> None:
    code = (
        "import os, socket, sys; from medianest.downloads.worker import sandbox\n"
        "assert sandbox.close_off()\n"
        "tries = (lambda: os.open('/etc/hostname', os.O_RDONLY), socket.socket, os.fork, lambda: os.kill(1, 0),\n"
        "    lambda: os.execv('/bin/true', ['true']), lambda: os.unlink('x'), lambda: os.listdir('/'))\n"
        "refused = 0\n"
        "for one in tries:\n"
        "    try: one()\n"
        "    except PermissionError: refused += 1\n"
        "os.write(1, str(refused).encode()); os._exit(0)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    if "AssertionError" in shown.stderr:
        pytest.skip("this kernel has no filter, or this processor is not known")
    assert (shown.stdout, shown.stderr) == ("7", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of the system")
def test_time_is_limited_too() -> None:
    code = (
        "from medianest.downloads.worker import javascript\n"
        "javascript.TIME_S = 1\n"
        "raise SystemExit(javascript._run_apart('for (;;) {}'))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert shown.returncode != 0
