"""Finds the programs that tests or freezing need and installs what is missing: `ensure_tools.py [test] [freeze]`.

Standard library only. As root on Debian and Ubuntu it installs through apt; otherwise it says in one sentence what is
missing and the command that brings it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def has_any(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


def has_postgres() -> bool:
    return bool(shutil.which("postgres") or list(Path("/usr/lib/postgresql").glob("*/bin/postgres")))


def has_fonts() -> bool:
    return any(Path("/usr/share/fonts").rglob("*.ttf"))


def has_shared_python() -> bool:
    """PyInstaller puts the interpreter's shared library into the executable; Debian ships it apart."""
    if not sys.platform.startswith("linux"):
        return True
    name = sysconfig.get_config_var("INSTSONAME") or ""
    if not name.startswith("libpython") or ".so" not in name:
        name = f"libpython{sys.version_info[0]}.{sys.version_info[1]}.so.1.0"
    folders = (sysconfig.get_config_var("LIBDIR"), "/usr/lib", "/usr/local/lib", "/usr/lib64")
    multiarch = sysconfig.get_config_var("MULTIARCH") or ""
    return any((Path(folder) / part / name).exists() for folder in folders if folder for part in ("", multiarch))


def missing(purposes: list[str]) -> dict[str, str]:
    """Debian package → what it is needed for, of all that is not here."""
    found: dict[str, str] = {}
    if "test" in purposes:
        if not has_any(*CHROMIUM):
            found["chromium"] = "Chromium"
        if not has_fonts():
            found["fonts-dejavu-core"] = "a font"
        if not (has_any("ffmpeg") and has_any("ffprobe")):
            found["ffmpeg"] = "ffmpeg"
        if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
            found["nginx-light"] = "nginx"
        if not has_any("openssl"):
            found["openssl"] = "openssl"
        if not has_postgres():
            found["postgresql"] = "Postgres"
    if "freeze" in purposes and sys.platform.startswith("linux"):
        if not (has_any("objdump") and has_any("strip")):
            found["binutils"] = "binutils (objdump and strip)"
        if not has_shared_python():
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            found[f"libpython{version}"] = f"the shared library of Python {version}"
    return found


def main(purposes: list[str]) -> int:
    absent = missing(purposes)
    if not absent:
        return 0
    packages = sorted(absent)
    names = ", ".join(absent[package] for package in packages)
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    can_install = sys.platform.startswith("linux") and os.geteuid() == 0 and shutil.which("apt-get")
    if not can_install:
        sys.stderr.write(f"Missing: {names}. On Debian and Ubuntu, run as root: {command}\n")
        return 1
    sys.stderr.write(f"Installing {names} …\n")
    env = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(("apt-get", "update", "-qq"), env=env, check=False)
    subprocess.run(("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages), env=env, check=False)
    if left := missing(purposes):
        sys.stderr.write(f"Still missing: {', '.join(left.values())}. Install it, then try again.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["test", "freeze"]))
