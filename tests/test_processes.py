"""The two environments that children get, and where resources lie in every way MediaNest can run."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from medianest import processes, resources
from medianest.processes import foreign_env, own_child_env, own_executable_command
from medianest.resources import resource_path
from medianest.web.static_files import StaticFiles
from medianest.web.templating import Templates
from medianest.web.urls import Urls
from tests.harness.processes import all_processes, wait_until


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As inside the executable: `sys.frozen`, and the folder it was unpacked to."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    return tmp_path


def test_resources_of_the_checkout_come_first_from_source() -> None:
    checkout = Path(resources.__file__).parent.parent
    assert resource_path("templates") == checkout / "templates"
    assert resource_path("static").is_dir()


def test_resources_of_an_installed_package_lie_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "medianest"
    (package / "_resources" / "static").mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    assert resource_path("static") == package / "_resources" / "static"


def test_resources_of_the_executable_lie_in_an_archive_and_are_served_out_of_it(frozen: Path) -> None:
    with zipfile.ZipFile(frozen / "resources.zip", "w") as archive:
        archive.writestr("static/css/order.txt", "one.css")
        archive.writestr("static/css/one.css", "b{}")
        archive.writestr("static/js/large.js", "x" * 300_000)
        archive.writestr("templates/a/page.html", "{{ static('js/large.js') }} {% include 'a/part.html' %}")
        archive.writestr("templates/a/part.html", "part")
    files = StaticFiles(resource_path("static"), Urls(""))
    assert {name: len(asset.body) for name, asset in files.assets.items()} == {"app.css": 3, "js/large.js": 300_000}
    templates = Templates(resource_path("templates"), Urls(""), files)
    assert templates.environment.get_template("a/page.html").render() == f"/static/{files.hash}/js/large.js part"


def test_the_command_line_of_httpx_and_what_it_brings_is_not_loaded() -> None:
    code = "import sys, medianest.app, medianest.integrations.transport; print({'rich', 'pygments'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr


def test_our_own_child_gets_no_secret_and_finds_the_package() -> None:
    given = {
        "PATH": "/bin", "HOME": "/root", "LANG": "de_DE.UTF-8", "MEDIANEST_SECRET_KEY": "k", "MEDIANEST_DATABASE_URL": "d",
        "PGPASSWORD": "p", "PLEX_TOKEN": "t", "SOME_API_KEY": "a", "GITHUB_TOKEN": "g", "DB_PASSWORD": "x",
        "DATABASE_URL": "u",
    }  # fmt: skip
    kept = own_child_env(given)
    assert {name for name in kept if name in given} == {"PATH", "HOME", "LANG"}
    found = subprocess.run(
        [sys.executable, "-c", "import medianest; print(medianest.__version__)"],
        env=own_child_env(), cwd="/", capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert found.returncode == 0, found.stderr


def test_our_own_child_keeps_what_finds_the_unpacked_bundle(frozen: Path) -> None:
    given = {"_PYI_ARCHIVE_FILE": "/a", "_PYI_APPLICATION_HOME_DIR": "/b", "LD_LIBRARY_PATH": "/b", "PATH": "/bin"}
    assert own_child_env(given).items() >= given.items()
    assert own_executable_command() == [sys.executable]


def test_a_foreign_program_does_not_load_our_libraries(frozen: Path) -> None:
    assert "LD_LIBRARY_PATH" not in foreign_env({"LD_LIBRARY_PATH": "/bundle", "PATH": "/bin"})
    restored = foreign_env({"LD_LIBRARY_PATH": "/bundle", "LD_LIBRARY_PATH_ORIG": "/theirs"})
    assert restored["LD_LIBRARY_PATH"] == "/theirs"
    assert restored["PYINSTALLER_RESET_ENVIRONMENT"] == "1"


def test_from_source_a_foreign_program_keeps_the_library_path() -> None:
    assert foreign_env({"LD_LIBRARY_PATH": "/mine"}) == {"LD_LIBRARY_PATH": "/mine"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's promise is Linux's")
def test_a_child_dies_with_its_parent() -> None:
    child = (
        "import os, time; from medianest.processes import die_with_parent; die_with_parent(os.getppid()); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]]).wait()"
    started = subprocess.Popen(
        [sys.executable, "-c", parent, child], stdout=subprocess.PIPE, text=True, cwd="/", env=own_child_env()
    )
    assert started.stdout is not None
    pid = int(started.stdout.readline())
    started.kill()
    started.wait(10)
    assert started.stdout.read() == ""  # ends when nobody holds the pipe any more
    started.stdout.close()
    wait_until(lambda: pid not in {info.pid for info in all_processes()}, timeout_s=5, what="the child ended")


def test_from_source_the_command_is_this_interpreter() -> None:
    assert own_executable_command() == [sys.executable, "-m", "medianest"]
    assert processes.own_child_env({"PYTHONPATH": "/x"})["PYTHONPATH"].endswith(os.pathsep + "/x")
