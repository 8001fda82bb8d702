"""What goes into the executable and what stays out; the spec file reads it."""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

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
    """Whether a data file stays: of Babel's 1000 locales the ones there are texts for."""
    parts = Path(target).parts
    if parts[:2] == ("babel", "locale-data"):
        return Path(target).stem in LANGUAGES
    return "__pycache__" not in parts
