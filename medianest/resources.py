"""Where templates and static files lie: in the frozen bundle, in the checkout, or inside the installed package."""

from __future__ import annotations

import sys
import zipfile
from importlib.resources.abc import Traversable
from pathlib import Path

BUNDLED = "resources.zip"  # one file to unpack at every start of the executable, not two hundred


def is_frozen() -> bool:
    """Whether this is the executable that PyInstaller made."""
    return bool(getattr(sys, "frozen", False))


def resource_path(name: str) -> Traversable:
    """Folder `templates` or `static`, whichever way MediaNest runs; in the executable it lies in an archive."""
    bundle = getattr(sys, "_MEIPASS", None)
    if is_frozen() and bundle:
        return zipfile.Path(str(Path(bundle, BUNDLED)), f"{name}/")
    package = Path(__file__).resolve().parent
    # the checkout before the package: an editable install leaves a stale copy in the package
    if (package.parent / "pyproject.toml").is_file() and (package.parent / name).is_dir():
        return package.parent / name
    return package / "_resources" / name
