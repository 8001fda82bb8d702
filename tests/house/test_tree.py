"""The rules that keep the tree readable and the repository free of places it does not belong to."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.harness.server import CHECKOUT

LONGEST_FILE = 350  # lines of a source file; what grows beyond becomes a folder
SOURCES = {".py", ".js", ".css", ".html", ".spec"}
# written in two parts, so that this file does not hold what it looks for
PLACES = tuple(
    first + second
    for first, second in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("deb", ".debian.org"),
        ("/root", "/"),
        ("/work", "/"),
        ("/opt/", "pypi"),
        ("/home/", "runner"),
    )
)


def tracked_files() -> list[Path]:
    """Every file that git knows; all files but the usual leavings where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [CHECKOUT / name for name in listed.stdout.split("\0") if name and (CHECKOUT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def test_packaging_is_a_folder_and_never_a_package() -> None:
    # it would take the place of the library of that name
    assert not (CHECKOUT / "packaging" / "__init__.py").exists()
    found = subprocess.run(
        [sys.executable, "-c", "import packaging; print(packaging.__file__)"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
    )
    assert "site-packages" in found.stdout


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {place}"
        for path in tracked_files()
        for place in PLACES
        if place in text_of(path)
    ]
    assert found == []


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for path in (CHECKOUT / "packaging" / "locks").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text, path.name
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*==\S+", text, re.M)
        assert len(pins) > 5
        assert text.count("--hash=sha256:") >= len(pins)


def test_what_runs_is_pinned_the_same_in_both_locks() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9._-]+==\S+)", (CHECKOUT / "packaging" / "locks" / name).read_text(), re.M))

    assert pins("run.txt") <= pins("dev.txt")


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    long = [
        f"{path.relative_to(CHECKOUT)}: {lines}"
        for path in tracked_files()
        if path.suffix in SOURCES
        and "vendor" not in path.parts
        and (lines := len(text_of(path).splitlines())) > LONGEST_FILE
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    empty_words = {"utils", "helpers", "manager", "misc", "common"}
    assert [path for path in tracked_files() if path.suffix == ".py" and path.stem in empty_words] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path.relative_to(CHECKOUT)
        for path in tracked_files()
        if path.suffix == ".py"
        and (text := text_of(path).strip())
        and not text.lstrip("# \n").startswith(('"""', 'r"""'))
    ]
    assert silent == []


def test_every_slice_is_part_of_the_import_contract() -> None:
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    slices = {path.parent.name for path in (CHECKOUT / "medianest").glob("*/service.py")}
    assert {f"medianest.{name}" for name in slices} <= set(contracts[0]["containers"])


def test_the_server_process_never_imports_the_download_engine() -> None:
    code = (
        "import sys, medianest.app, medianest.server, medianest.lifespan, medianest.scheduler;"
        "from medianest.settings import load_settings; import tempfile;"
        "medianest.app.create_app(load_settings({'data_dir': tempfile.mkdtemp()}, {}));"
        "print([name for name in sys.modules if name.split('.')[0] in ('yt_dlp', 'yt_dlp_ejs')])"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "[]", found.stderr


def test_readme_opens_with_how_to_run_and_how_to_test() -> None:
    readme = (CHECKOUT / "README.md").read_text()
    assert readme.index("make run") < 1500
    assert readme.index("make test") < 1500
    for word in ("MEDIANEST_DATA_DIR", "MEDIANEST_ALLOW_PRIVATE_DOWNLOADS", "healthcheck", "make freeze"):
        assert word in readme


def test_readme_names_every_setting() -> None:
    from medianest.settings import NAMES, PREFIX

    readme = (CHECKOUT / "README.md").read_text()
    assert [PREFIX + name.upper() for name in NAMES if PREFIX + name.upper() not in readme] == []


def test_the_licence_is_the_full_text() -> None:
    assert len((CHECKOUT / "LICENSE").read_text().splitlines()) > 600
