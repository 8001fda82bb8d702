"""Where templates and static files lie: in the frozen bundle, in the checkout, or inside the installed package."""

from __future__ import annotations

import sys
from pathlib import Path


def is_frozen() -> bool:
    """Whether this is the executable that PyInstaller made."""
    return bool(getattr(sys, "frozen", False))


def resource_path(name: str) -> Path:
    """Folder `templates` or `static`, whichever way MediaNest runs."""
    bundle = getattr(sys, "_MEIPASS", None)
    if is_frozen() and bundle:
        return Path(bundle) / name
    package = Path(__file__).resolve().parent
    # the checkout before the package: an editable install leaves a stale copy in the package
    if (package.parent / "pyproject.toml").is_file() and (package.parent / name).is_dir():
        return package.parent / name
    return package / "_resources" / name
