"""What is not taken: each with its own sentence, and with everything as it was."""

from __future__ import annotations

import io
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.app import Application
from medianest.engine.model import Outcome
from medianest.engine.refusals import Refused
from medianest.engine.releases import held_back, identifier
from tests.engine.conftest import INSIDE, NEWER, assert_untouched, folder_of, update
from tests.release import Releases, program
from tests.release.programs import HEAD
from tests.release.server import OLD_SYSTEMS, SPEC, STABLE, SUMS

pytestmark = [pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True), pytest.mark.timeout_s(120)]


def archive(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    out = io.BytesIO(HEAD)
    out.seek(0, io.SEEK_END)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as file:
        for name, content in (
            ("yt_dlp/__init__.py", b"from . import version\n"),
            ("yt_dlp/version.py", f"__version__ = '{NEWER}'\n".encode()),
            *entries,
        ):
            file.writestr(name, content)
    return out.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return entry


async def test_what_the_pages_hold_is_judged_before_anything_of_it_is_unpacked(
    house: Application, pages: Releases, owner: User
) -> None:
    good = program(NEWER)
    pages.publish(NEWER, good)
    pages.releases[STABLE, NEWER].files["yt-dlp"] = good[:-1] + bytes([good[-1] ^ 1])
    assert_untouched(house, await update(house, owner), "sum_differs")
    for sums, code in (
        ("", "sum_missing"),
        (f"{'a' * 64}  yt-dlp.exe\n", "sum_missing"),
        (f"{'a' * 64}  yt-dlp\n{'b' * 64}  yt-dlp\n", "sum_missing"),
        (f"{'a' * 64}  yt-dlp\n", "sum_differs"),
        ("<!DOCTYPE html>", "sum_missing"),
    ):
        pages.publish(NEWER, good, sums=sums)
        assert_untouched(house, await update(house, owner), code)
    del pages.publish(NEWER, good).files[SUMS]
    assert_untouched(house, await update(house, owner), "sums_missing")
    pages.publish(NEWER, b"<!DOCTYPE html> something went wrong")
    assert_untouched(house, await update(house, owner), "not_a_release")


async def test_pages_that_do_not_answer_well_are_a_failure_and_no_refusal(
    house: Application, pages: Releases, owner: User
) -> None:
    pages.publish(NEWER, program(NEWER))
    pages.cut["yt-dlp"] = 200  # the line breaks in the middle
    broken = await update(house, owner)
    assert (broken.outcome, broken.code) == (Outcome.FAILED, "broken_off")
    pages.cut.clear()
    for name in ("latest", "yt-dlp", SUMS, SPEC):
        pages.broken = {name: 503}
        failed = await update(house, owner)
        assert (failed.outcome, failed.code) == (Outcome.FAILED, "status_503"), name
    pages.broken = {}
    pages.newest[STABLE] = "../../../etc"
    assert (await update(house, owner)).code == "no_release"
    pages.newest.clear()
    assert (await update(house, owner)).outcome is Outcome.FAILED
    # the files come from nowhere but the host of the pages
    pages.publish(NEWER, program(NEWER))
    pages.files_at = "http://127.0.0.2:9"
    elsewhere = await update(house, owner)
    assert (elsewhere.outcome, elsewhere.code) == (Outcome.FAILED, "address_refused")
    assert folder_of(house).named() == ""


async def test_older_versions_and_those_with_a_known_weakness_are_not_taken(
    house: Application, pages: Releases, owner: User
) -> None:
    for old in (INSIDE, "2026.10.01", "2026.07.03", "2024.01.01"):
        pages.publish(old, program(old))
        ended = await update(house, owner)
        assert ended.outcome is Outcome.CURRENT, ended.text
        assert INSIDE in ended.text
    # by file nobody asks which is the newest, so the file itself is judged
    for old, code in (("2026.10.01", "older"), ("2026.07.03", "version_unsafe"), ("2019.09.28", "version_unsafe")):
        release = pages.publish(old, program(old))
        files = release.files
        await house.engine_parts.updates.begin_file(files["yt-dlp"], files[SUMS].decode(), by=owner)
        await house.engine_parts.updates.wait()
        assert_untouched(house, (await house.engine_parts.board.report()).history[0], code)
    # a release that is another version inside than by its name
    pages.publish(NEWER, program("2026.10.27"))
    assert_untouched(house, await update(house, owner), "version_differs")
    pages.publish(NEWER, program(NEWER, {"yt_dlp/version.py": "__version__ = secret()\n"}))
    assert_untouched(house, await update(house, owner), "version_missing")


async def test_an_archive_that_wants_out_of_its_folder_is_not_unpacked(
    house: Application, pages: Releases, owner: User, tmp_path: Path
) -> None:
    before = sorted(path for path in tmp_path.rglob("*") if "medianest" not in path.name)
    for entry, content in (
        ("../../escaped.py", b""),
        ("yt_dlp/../../../escaped.py", b""),
        ("/tmp/escaped.py", b""),
        ("C:/escaped.py", b""),
        ("yt_dlp\\..\\..\\escaped.py", b""),
        (link("yt_dlp/escape"), b"/etc"),
        ("yt_dlp/extractor/" + "x" * 300 + ".py", b""),
        ("yt_dlp/\x1b[31m.py", b""),
        ("yt_dlp/VERSION.py", b"__version__ = '2027.09.09'"),
        ("yt_dlp/bomb.py", b"\0" * (25 * 1024**2)),
    ):
        pages.publish(NEWER, archive((entry, content)))
        assert_untouched(house, await update(house, owner), "archive_strange")
    assert list(tmp_path.rglob("escaped*")) == []
    assert set(before) <= set(tmp_path.rglob("*"))


async def test_what_is_no_python_or_does_not_load_or_crashes_is_not_taken(
    house: Application, pages: Releases, owner: User
) -> None:
    for tree, code, word in (
        ({"yt_dlp/extractor/odd.py": "def f(:\n"}, "compile_failed", "yt_dlp/extractor/odd.py, line 1"),
        ({"yt_dlp/odd.py": b"\xff\xfe\x00"}, "compile_failed", "yt_dlp/odd.py"),
        ({"yt_dlp/__init__.py": "import a_new_dependency\n"}, "load_failed", "a_new_dependency"),
        ({"yt_dlp/__init__.py": "import os\nos.kill(os.getpid(), 11)\n"}, "load_failed", "-11"),
        ({"yt_dlp/__init__.py": "import os\nos._exit(0)\n"}, "load_failed", "ended"),
    ):
        pages.publish(NEWER, program(NEWER, tree))
        ended = await update(house, owner)
        assert_untouched(house, ended, code)
        assert word in ended.text
    report = await house.engine_parts.board.report()
    assert (report.current.version, report.update) == (INSIDE, None)
    child = await house.downloads.pool.acquire()
    assert (child.version, child.engine_problem) == (INSIDE, "")
    house.downloads.pool.release(child)


async def test_a_system_that_is_too_old_is_held_back_as_the_release_says(
    house: Application, pages: Releases, owner: User
) -> None:
    assert held_back(OLD_SYSTEMS, STABLE, identifier()) == ""
    assert held_back(OLD_SYSTEMS, STABLE, "zip Python 3.9.2 (CPython x86_64 64bit) - Linux") == "2025.10.14"
    assert held_back("lock 2026.11.01 zip Python 3\\.\n", STABLE, identifier()) == "2026.11.01"
    nightly = "lockV2 yt-dlp/yt-dlp-nightly-builds 2026.11.01 zip .+\nlock 2020.01.01 .+\n"
    assert held_back(nightly, STABLE, identifier()) == ""
    for evil in ("(a+)+$", ".+.+.+.+x", "(", "x" * 300):
        with pytest.raises(Refused):
            held_back(f"lock 2020.01.01 {evil}\n", STABLE, identifier())
    pages.publish("2026.11.01", program("2026.11.01", {"yt_dlp/odd.py": "def f(:\n"}))
    pages.publish(NEWER, program(NEWER), spec="lock 2026.11.01 zip Python 3\\.\n")
    held = await update(house, owner)
    assert held.code == "compile_failed"  # it went for the older one
    assert f"/{STABLE}/releases/download/{NEWER}/yt-dlp" not in pages.asked
    pages.publish(NEWER, program(NEWER), spec="lock 2025.10.14 zip Python 3\\.\n")
    assert_untouched(house, await update(house, owner), "system_too_old")


async def test_a_full_disk_is_said_and_leaves_nothing(house: Application, pages: Releases, owner: User) -> None:
    root = folder_of(house).root
    root.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", root], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small file system can only be mounted as root")
    try:
        pages.publish(NEWER, program(NEWER, {"yt_dlp/large.py": b"x = 1\n" * 100_000}))
        assert_untouched(house, await update(house, owner), "disk_full")
        # room for the files, none for their byte code
        functions = "\n".join(f"def f{number}(a, b): return a.b + b.c" for number in range(3000))
        pages.publish(NEWER, program(NEWER, {"yt_dlp/large.py": functions}))
        assert_untouched(house, await update(house, owner), "disk_full")
    finally:
        subprocess.run(["umount", root], check=True)
