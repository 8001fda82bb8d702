"""A wheel in an environment of its own, started from `/`, serves a page and its assets: nothing of the checkout is used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.harness.processes import free_port
from tests.harness.server import CHECKOUT, clean_environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that hatchling builds from a copy of the checkout."""
    pytest.importorskip("hatchling", reason="hatchling comes with the environment that `make dev` makes")
    source = tmp_path_factory.mktemp("source")
    for name in ("medianest", "templates", "static"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(source / "out")],
        cwd=source, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    (path,) = (source / "out").glob("*.whl")
    return path


def test_a_wheel_alone_serves_a_page_and_its_assets(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    packages = next(environment.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # the libraries of the test run; a .pth does not carry on what their own .pth files say, so not the checkout
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python, port = str(environment / "bin" / "python"), free_port()
    env = clean_environment({"MEDIANEST_DATA_DIR": str(tmp_path / "data"), "MEDIANEST_PORT": str(port)})
    env.pop("PYTHONPATH", None)
    where = subprocess.run(
        [python, "-c", "import medianest; print(medianest.__file__)"], cwd="/", env=env, capture_output=True, text=True
    )
    assert where.stdout.startswith(str(environment)), where.stderr
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(
            [python, "-m", "medianest", "serve", "--no-browser"], cwd="/", env=env, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        page = first_page(f"http://127.0.0.1:{port}/sign-in", running, tmp_path / "log")
        assert page.status_code in (200, 303)
        page = httpx.get(f"http://127.0.0.1:{port}/setup", trust_env=False)
        (style, *_) = re.findall(r'href="([^"]*/static/[^"]+\.css)', page.text)
        assert httpx.get(f"http://127.0.0.1:{port}{style}", trust_env=False).status_code == 200
    finally:
        running.terminate()
        assert running.wait(20) == 0


def first_page(address: str, running: subprocess.Popen[bytes], log: Path) -> httpx.Response:
    end = time.monotonic() + 30
    while time.monotonic() < end and running.poll() is None:
        try:
            return httpx.get(address, trust_env=False, timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"no page from the wheel: {log.read_text()}")


def test_the_wheel_holds_templates_and_static_files_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "medianest/_resources/templates/base.html" in names
    assert any(name.startswith("medianest/_resources/static/css/") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "packaging/"))]
    assert os.path.commonpath([name for name in names if "dist-info" not in name]) == "medianest"
