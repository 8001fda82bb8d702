"""Makes yt-dlp's of any version: small ones that are enough to be refused, and copies of the installed one that run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

Tree = Mapping[str, str | bytes]
HEAD = b"#!/usr/bin/env python3\n"  # what makes the zip a program


def program(version: str, tree: Tree | None = None) -> bytes:
    """A program with the least a release has; `tree` adds files or replaces them."""
    files: dict[str, str | bytes] = {
        "__main__.py": "import yt_dlp",
        "yt_dlp/__init__.py": "from . import version\n",
        "yt_dlp/version.py": f"__version__ = {version!r}\n",
        "yt_dlp_ejs/__init__.py": "version = '0.8.0'\n",
    }
    return packed({**files, **(tree or {})})


def packed(files: Tree, *, stored: bool = False) -> bytes:
    out = io.BytesIO()
    out.write(HEAD)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def real_program(version: str, changes: Tree | None = None) -> bytes:
    """The installed yt-dlp, called another version; `changes` replaces or adds files."""
    files: dict[str, str | bytes] = {**_installed(), **(changes or {})}
    old = str(files["yt_dlp/version.py"])
    line = next(line for line in old.splitlines() if line.startswith("__version__"))
    files["yt_dlp/version.py"] = old.replace(line, f"__version__ = {version!r}")
    return packed(files, stored=True)


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    # found, not imported: the server's process never holds it, and neither does that of its tests
    from importlib.util import find_spec

    found: dict[str, str] = {}
    for package in ("yt_dlp", "yt_dlp_ejs"):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".js"):
                found[f"{package}/{path.relative_to(folder).as_posix()}"] = path.read_text("utf-8")
    return found
