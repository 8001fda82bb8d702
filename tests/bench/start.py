"""What a start costs, what an idle server holds, how large the executable is, how long a fresh clone takes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.bench.table import Figure, median, say
from tests.harness.processes import end_group, family_cpu_s, family_pss_bytes, free_port
from tests.harness.server import CHECKOUT, Server

ROUNDS = 5
IDLE_S = 8
ONE_FILE = CHECKOUT / "dist" / "medianest"
ONE_FOLDER = CHECKOUT / "dist" / "medianest-dir" / "medianest"


def reference_cpu_s() -> float:
    """CPU seconds of `python -c 'import litestar'`."""
    process = subprocess.Popen([sys.executable, "-c", "import litestar"], cwd="/")
    _pid, _status, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


@contextmanager
def as_executable(path: Path | None) -> Iterator[None]:
    """What `Server` starts inside: the source, or this executable."""
    before = os.environ.pop("MEDIANEST_BIN", None)
    if path is not None:
        os.environ["MEDIANEST_BIN"] = str(path)
    try:
        yield
    finally:
        os.environ.pop("MEDIANEST_BIN", None)
        if before is not None:
            os.environ["MEDIANEST_BIN"] = before


def start_ratio(path: Path | None, folder: Path) -> tuple[float, float, float]:
    """Median CPU seconds to the first `/healthz`, its ratio to the reference, and median wall seconds."""
    ratios, cpus, walls = [], [], []
    with as_executable(path):
        server = Server(folder).start()  # the first start makes the database
        server.stop()
        try:
            for _round in range(ROUNDS):
                reference = reference_cpu_s()
                began = time.monotonic()
                server.start()
                walls.append(time.monotonic() - began)
                cpus.append(family_cpu_s(server.pid))
                ratios.append(cpus[-1] / reference)
                server.stop()
        finally:
            server.close()
    return median(cpus), median(ratios), median(walls)


def idle_pss_mb(path: Path | None, folder: Path) -> float:
    """Proportional set size of a server that has shown a few pages and has no worker, in MB."""
    with as_executable(path):
        server = Server(folder).start()
        try:
            with server.client() as client:
                for page in ("/", "/downloads", "/system", "/api/v1/downloads") * 3:
                    client.get(page)
            time.sleep(IDLE_S)
            return family_pss_bytes(server.pid) / 1e6
        finally:
            server.close()


def clone_to_page_s() -> float:
    """Seconds from `make run` in a fresh clone to the first page; packages come out of the caches."""
    folder = Path(tempfile.mkdtemp(prefix="medianest-clone-"))
    port = free_port()
    try:
        subprocess.run(["git", "clone", "-q", str(CHECKOUT), str(folder / "clone")], check=True, timeout=120)
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        env |= {"MEDIANEST_DATA_DIR": str(folder / "data"), "MEDIANEST_PORT": str(port)}
        began = time.monotonic()
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                ["make", "run"], cwd=folder / "clone", env=env, stdout=log, stderr=log, start_new_session=True
            )
        try:
            while running.poll() is None and time.monotonic() - began < 300:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/setup", trust_env=False, timeout=5).status_code == 200:
                        return time.monotonic() - began
                except httpx.TransportError:
                    time.sleep(0.1)
            raise RuntimeError(f"make run showed no page: {(folder / 'log').read_text()}")
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(20)
            end_group(running.pid)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path) -> Iterator[Figure]:
    """Every figure of this page; those of the executables only where `make freeze` has been run."""
    say("a fresh clone …")
    yield Figure("make run in a fresh clone to the first page", clone_to_page_s(), 60, "s")
    say("starts …")
    cpu, ratio, wall = start_ratio(None, folder / "source")
    yield Figure("start to /healthz, source", ratio, 2.5, "x", f"{cpu:.2f} s CPU, {wall:.2f} s")
    if ONE_FOLDER.exists() and ONE_FILE.exists():
        cpu, ratio, wall = start_ratio(ONE_FOLDER, folder / "one-folder")
        yield Figure("start to /healthz, one folder", ratio, 2.5, "x", f"{cpu:.2f} s CPU, {wall:.2f} s")
        cpu, ratio, wall = start_ratio(ONE_FILE, folder / "one-file")
        yield Figure("start to /healthz, one file", ratio, 3.5, "x", f"{cpu:.2f} s CPU, {wall:.2f} s")
        yield Figure("size of the one file", ONE_FILE.stat().st_size / 1e6, 40, "MB")
        yield Figure("idle memory, one folder", idle_pss_mb(ONE_FOLDER, folder / "idle-folder"), 90, "MB")
        yield Figure("idle memory, one file", idle_pss_mb(ONE_FILE, folder / "idle-file"), 90, "MB", "both processes")
    yield Figure("idle memory, source", idle_pss_mb(None, folder / "idle"), 90, "MB", "PSS, no worker running")
