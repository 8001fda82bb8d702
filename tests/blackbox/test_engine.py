"""The engine from outside: a newer yt-dlp is taken while it runs, the way back, and the JavaScript runtime inside."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.harness.clips import ClipSite
from tests.harness.downloads import add, wait_for
from tests.harness.server import Server, medianest_command
from tests.release import Releases, real_program

StartServer = Callable[..., Server]
ENGINE = "/api/v1/system/engine"
NEWER = "2027.01.15"


def after_update(client: httpx.Client, timeout_s: float = 90) -> dict[str, Any]:
    """What the engine says when the running update has ended."""
    end = time.monotonic() + timeout_s
    while True:
        report: dict[str, Any] = client.get(ENGINE).json()
        if report["update"] is None:
            return report
        assert time.monotonic() < end, report
        time.sleep(0.2)


def test_a_newer_yt_dlp_is_taken_without_a_new_executable_and_given_back(
    start_server: StartServer, clip_site: ClipSite
) -> None:
    with Releases() as pages:
        server = start_server(env={"MEDIANEST_ENGINE_URL": pages.url})
        pages.publish(NEWER, real_program(NEWER))
        with server.client() as client:
            inside = client.get(ENGINE).json()["current"]["version"]
            assert client.post(f"{ENGINE}/update").status_code == 202
            report = after_update(client)
            assert report["history"][0]["outcome"] == "changed", report["history"][0]
            assert (report["current"]["version"], report["previous"]) == (NEWER, inside)
            done = wait_for(client, add(client, f"{clip_site.url}/small.mp4")["id"], ("completed", "failed"))
            assert done["state"] == "completed", done
            # with it, and not beside it
            current = client.get(ENGINE).json()["current"]
            assert (current["version"], current["problem"]) == (NEWER, "")
            assert f"yt-dlp {NEWER}" in server.log()
            # byte code by the interpreter that runs it, or every worker would start slowly
            made = list((server.data_dir / "engines" / "yt-dlp" / NEWER / "yt_dlp" / "__pycache__").glob("*.pyc"))
            assert len(made) > 10
            assert client.post(f"{ENGINE}/rollback").json()["current"]["version"] == inside
        server.restart()
        with server.client() as client:
            assert client.get(ENGINE).json()["current"]["version"] == inside


def test_the_program_answers_to_the_name_qjs_and_runs_scripts(tmp_path: Path) -> None:
    script = tmp_path / "script.js"
    script.write_text("console.log([1, 2, 3].map((n) => n * 2).join(), typeof fetch);")
    if executable := os.environ.get("MEDIANEST_BIN"):
        program = tmp_path / "qjs"
        program.symlink_to(Path(executable).absolute())
        command = [str(program)]
    else:
        command = [*medianest_command(), "_qjs"]
    version = subprocess.run([*command, "--help"], capture_output=True, text=True, timeout=60)
    assert version.stdout.startswith("QuickJS-ng version 0.")
    shown = subprocess.run([*command, "--script", str(script)], capture_output=True, text=True, timeout=60)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "2,4,6 undefined\n", "")
