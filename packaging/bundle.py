"""What goes into the executable and what stays out; the spec file reads it."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

# a newer yt-dlp beside the executable may import any of the standard library: only what no server can use stays out
STDLIB_LEFT_OUT = frozenset(
    (
        "tkinter",
        "_tkinter",
        "idlelib",
        "turtle",
        "turtledemo",
        "test",
        "lib2to3",
        "ensurepip",
        "venv",
        "distutils",
        "pydoc_data",
        "antigravity",
        "this",
        # a terminal's, and what brings libraries of its own for a yellow-pages server
        "curses",
        "_curses",
        "_curses_panel",
        "readline",
        "rlcompleter",
        "nis",
        "ossaudiodev",
        "spwd",
    )
)
# what our packages would pull in for their own command lines, examples and code generation
LEFT_OUT = (
    "faker", "polyfactory", "black", "blackd", "blib2to3", "pytokens", "rich", "rich_click", "pygments", "markdown_it",
    "mdurl", "email_validator", "dns", "setuptools", "pkg_resources", "_distutils_hack", "litestar.cli", "httpx._main",
    "uvloop", "targ", "mypy", "mypyc", "pytest", "_pytest", "hypothesis", "playwright", "babel.messages",
    "Cython", "IPython", "numpy", "PIL",
    # Litestar and Piccolo take it when it is there; MediaNest's models are msgspec's
    "pydantic", "pydantic_core", "PyInstaller", "yt_dlp.__pyinstaller",
    "werkzeug",  # websockets would route with it
    "tzdata",  # lies in the archive of resources
)  # fmt: skip
# their versions are shown, or read by the packages themselves
METADATA = ("yt-dlp", "yt-dlp-ejs", "quickjs-ng", "litestar", "piccolo", "apscheduler", "uvicorn")
# what people choose for dates and numbers (`DATE_LOCALES` of accounts/model.py), and what these build on
LANGUAGES = (
    "root", "en", "en_001", "en_GB", "en_US", "cs", "da", "de", "es", "fr", "it", "nl", "no", "nb", "pl", "pt", "sv",
)  # fmt: skip


def stdlib_modules() -> list[str]:
    """Every module of the standard library but those named above and the tests of its packages."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = []
    for name in sorted(sys.stdlib_module_names - STDLIB_LEFT_OUT):
        try:
            if find_spec(name) is None:
                continue
        except (ImportError, ValueError):  # other systems' modules
            continue
        found.append(name)
        for path in sorted((folder / name).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            if not {"test", "tests", "idle_test", "site-packages", "__pycache__"} & set(parts) and all(
                part.isidentifier() for part in parts
            ):
                found.append(".".join(parts).removesuffix(".__init__"))
    return sorted(set(found))


def modules_of_a_start() -> frozenset[str]:
    """What a start of the server imports, near enough: these are stored as they are, the rest is compressed.

    Inflating them would cost a tenth of the start; storing all of yt-dlp so would cost ten megabytes.
    """
    imports = "import sys, medianest.lifespan, medianest.server, uvicorn.protocols.websockets.websockets_sansio_impl"
    done = subprocess.run(
        [sys.executable, "-c", f"{imports}, medianest.app, apscheduler.schedulers.asyncio; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return frozenset(done.stdout.split())


def store_as_they_are(modules: frozenset[str]) -> None:
    """Have PyInstaller compress every module but these; it has one setting for all."""
    from PyInstaller.archive.writers import ZlibArchiveWriter
    from PyInstaller.building import api

    class Writer(ZlibArchiveWriter):  # type: ignore[misc]
        @classmethod
        def _write_entry(cls, file: BinaryIO, entry: tuple[str, str, str], code: dict[str, Any]) -> Any:
            is_ours = entry[0].partition(".")[0] == "medianest"
            cls._COMPRESSION_LEVEL = 0 if is_ours or entry[0] in modules else 9
            return super()._write_entry(file, entry, code)

    api.ZlibArchiveWriter = Writer


def compiled_parts_of(*packages: str) -> list[str]:
    """Top-level modules with a hash for a name that mypyc makes for a package; they change with every version."""
    found = []
    for package in packages:
        try:
            files = distribution(package).files or ()
        except PackageNotFoundError:
            continue
        found += [Path(file).name.split(".")[0] for file in files if "__mypyc." in str(file)]
    return found


def is_wanted(target: str) -> bool:
    """Whether a file stays, since each costs time at every start of the one-file executable.

    Of Babel's 1000 locales the ones there are texts for; of what describes a package what is read while running; of the
    ciphers none with a public key.
    """
    path = Path(target)
    if path.parts[:2] == ("babel", "locale-data"):
        return path.stem in LANGUAGES
    if path.parts[0].endswith(".dist-info"):
        return path.name in ("METADATA", "entry_points.txt")
    return "__pycache__" not in path.parts and path.parts[:2] != ("Cryptodome", "PublicKey")


def pack_resources(root: Path, target: Path) -> None:
    """Everything that is read as a file and needs to be none: templates, static files, time zones, licences.

    Stored as it is: the executable compresses the archive as a whole.
    """
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, source in sorted(_resources(root)):
            archive.writestr(zipfile.ZipInfo(name), source.read_bytes())


def _resources(root: Path) -> Iterator[tuple[str, Path]]:
    zones = Path(str(distribution("tzdata").locate_file("tzdata")))
    for folder in (root / "templates", root / "static", zones):
        for path in folder.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(folder.parent).as_posix(), path
    lock = (root / "packaging" / "locks" / "run.txt").read_text("utf-8")
    for package in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE):
        yield from _licences_of(package)


def _licences_of(package: str) -> Iterator[tuple[str, Path]]:
    try:
        files = distribution(package).files or ()
    except PackageNotFoundError:  # another system's
        return
    for file in files:
        if ".dist-info" in file.parts[0] and re.match("licen[cs]e|copying|notice|authors", file.name, re.IGNORECASE):
            yield f"licences/{package}/{file.name}", Path(str(file.locate()))
