"""Killed at every moment of an update: what ran before still runs, nothing half-made is taken, the next update goes through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from medianest.accounts.model import User
from medianest.app import Application
from medianest.engine.model import Outcome
from medianest.engine_folder import CURRENT, GATE, EngineFolder, is_safe, is_version, numbers
from tests.engine.conftest import INSIDE, NEWER, NEWEST, folder_of, update
from tests.harness.processes import wait_until, with_environment
from tests.harness.server import CHECKOUT, MARK, clean_environment
from tests.release import Releases, program, real_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
EARLY = ("fetching", "unpacking", "compiling", "trying")
LATE = (f"rename:{NEWER}", f"rename:{CURRENT}")


def run_killed(house: Application, moment: str) -> None:
    settings = msgspec.json.encode(house.settings, enc_hook=str).decode()
    ended = subprocess.run(
        [sys.executable, "-m", "tests.engine.killed_update", settings, moment],
        cwd=CHECKOUT,
        capture_output=True,
        timeout=90,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.timeout_s(240)
async def test_killed_at_every_step_it_leaves_what_ran_before_and_no_half_version(
    house: Application, pages: Releases, owner: User
) -> None:
    folder = folder_of(house)
    pages.publish(NEWER, program(NEWER))
    for moment in EARLY:
        run_killed(house, moment)
        assert (folder.named(), folder.versions()) == ("", []), moment
    pages.publish(NEWER, real_program(NEWER))
    for moment in LATE:
        run_killed(house, moment)
        assert folder.named() == "", moment
        assert folder.versions() in ([], [NEWER]), moment
        current = await house.engine_parts.service.current()
        assert (current.version, current.problem) == (INSIDE, "")
    # a version that was whole already but not chosen is made anew; what was left over is gone
    await house.engine_parts.service.start()
    assert [path.name for path in folder.root.iterdir()] == [NEWER]
    ended = await update(house, owner)
    assert (ended.outcome, ended.version) == (Outcome.CHANGED, NEWER), ended.text
    assert sorted(path.name for path in folder.root.iterdir()) == [NEWER, CURRENT]


def made(folder: EngineFolder, version: str) -> None:
    new = folder.begin()
    (new / "yt_dlp").mkdir()
    (new / "yt_dlp" / "__init__.py").touch()
    folder.finish(new, version, {"version": version})


def test_the_pointer_names_a_whole_safe_and_newer_version_or_counts_for_nothing(tmp_path: Path) -> None:
    folder = EngineFolder(tmp_path / "engines")
    assert (folder.named(), folder.usable(INSIDE), folder.versions()) == ("", "", [])
    made(folder, NEWER)
    made(folder, NEWEST)
    folder.point_to(NEWEST)
    assert (folder.usable(INSIDE), folder.versions()) == (NEWEST, [NEWEST, NEWER])
    for text in ("", "\n", "../../etc", "2027.02.01/../2027.01.15", "2027.99", "\xff", "x" * 5000, "2027.09.09"):
        (folder.root / CURRENT).write_text(text, encoding="latin-1")
        assert folder.usable(INSIDE) == "", text
    folder.point_to(NEWER)
    assert folder.usable("2027.01.15.120000") == ""  # a newer MediaNest brought a newer one
    (folder.path(NEWER) / "yt_dlp" / "__init__.py").unlink()
    assert folder.usable(INSIDE) == ""
    made(folder, "2026.07.03")
    folder.point_to("2026.07.03")
    assert folder.usable("2026.01.01") == ""
    assert "2026.07.03" not in folder.versions()


def test_versions_are_compared_by_their_numbers_and_the_one_inside_is_safe() -> None:
    assert is_safe(INSIDE)
    assert is_safe(GATE)
    assert is_safe("2026.7.4")
    assert not is_safe("2026.07.03.235959")
    assert not is_safe("")
    assert numbers("2027.01.15") < numbers("2027.01.15.232839") < numbers("2027.01.16") < numbers("2027.10.01")
    assert not any(
        is_version(text) for text in ("2027.01", "v2027.01.15", "2027.01.15-rc1", "2027.01.15\n", "2027.०1.15")
    )


# a server that compiles; its compiler is slow to start, as on a busy machine
COMPILES = """
import asyncio, sys
from pathlib import Path
from medianest.engine.proving import compile_all
from medianest.processes import own_child_env
late = "import sys, time; time.sleep(1); from medianest.downloads.worker.compiling import main; sys.exit(main(sys.argv[2:]))"
asyncio.run(compile_all([sys.executable, "-c", late], own_child_env(), Path(sys.argv[1])))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")
def test_the_compiler_ends_with_its_server_even_when_that_dies_before_its_first_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.py")  # reading it never ends
    mark = {MARK: str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-c", COMPILES, str(tmp_path)], cwd=CHECKOUT, env=clean_environment(mark)
    )

    def left() -> list[int]:
        return with_environment(MARK, str(tmp_path))

    try:
        wait_until(lambda: len(left()) == 2, timeout_s=30, what="the compiler")
        server.kill()
        server.wait(10)
        wait_until(lambda: not left(), timeout_s=10, what="its end")
    finally:
        for pid in left():
            os.kill(pid, signal.SIGKILL)
