"""Makes `.venv/` from the locks, or does nothing when it is current: `make_environment.py run|dev`.

Standard library only. Packages come from wherever this machine's own pip configuration says; every file is checked
against the hashes in `packaging/locks/`. uv installs (seconds); without it pip does the same more slowly.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
LOCKS = ROOT / "packaging" / "locks"
BUILD_LOCK = LOCKS / "build.txt"
OLDEST_PYTHON = (3, 11)
# pip's names for where packages come from, and uv's
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
}


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def programs() -> Path:
    return ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")


def environment_python() -> str:
    return str(programs() / ("python.exe" if os.name == "nt" else "python"))


def fingerprint(kind: str) -> str:
    """Changes when the environment must be made anew: a lock, the project file, the interpreter or the place."""
    digest = hashlib.sha256(f"{sys.version} {sys.executable} {ROOT}".encode())
    for path in (LOCKS / f"{kind}.txt", BUILD_LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current(kind: str) -> bool:
    """Whether the environment of this kind is there; the one for development holds all of the one for running."""
    for stamped in {kind, "dev"}:
        try:
            if (ENVIRONMENT / f".made-{stamped}").read_text() == fingerprint(stamped):
                return True
        except OSError:
            continue
    return False


def problem() -> str:
    """What this Python lacks, as a sentence with what to do; empty when nothing."""
    if sys.version_info < OLDEST_PYTHON:
        return (
            f"MediaNest needs Python 3.11 or newer; this is {sys.version.split()[0]}. Run: make PYTHON=python3.12 run"
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        return f"This Python has no venv module. On Debian and Ubuntu, run: apt install {package} (or python3-venv)"
    return ""


def call(*command: str, env: dict[str, str] | None = None) -> bool:
    return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode == 0


def uv_environment() -> dict[str, str]:
    """uv reads no pip configuration: hand it what pip would use. What is set for uv itself stays."""
    env = dict(os.environ) | {"VIRTUAL_ENV": str(ENVIRONMENT), "UV_NO_PROGRESS": "1"}
    listed = subprocess.run(
        (environment_python(), "-m", "pip", "config", "list"), capture_output=True, text=True, check=False
    ).stdout.splitlines()
    # later lines win: user over system, the environment last
    for line in sorted(listed, key=lambda line: line.startswith(":env:")):
        name, _, value = line.partition("=")
        variable = UV_NAMES.get(name.rpartition(".")[2])
        if variable and variable not in os.environ:
            env[variable] = " ".join(shlex.split(value)).strip()
            if variable == "UV_INDEX":
                # pip takes the best match of all; the hashes decide what is accepted
                env.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return env


def install(kind: str) -> bool:
    """Bring the environment to exactly what the lock names."""
    lock = LOCKS / f"{kind}.txt"
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    pip = (environment_python(), "-m", "pip", "install", *quiet)
    if call(*pip, "--require-hashes", "-r", str(BUILD_LOCK)):
        uv, env = str(programs() / "uv"), uv_environment()
        own = ("--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
        if call(uv, "pip", "sync", "--quiet", "--require-hashes", str(BUILD_LOCK), str(lock), env=env) and call(
            uv, "pip", "install", *own, env=env
        ):
            return True
        say("uv could not install the packages; pip tries.")
        # uv may have taken pip away
        call(environment_python(), "-m", "ensurepip", "--upgrade", "--default-pip")
    return call(*pip, "--require-hashes", "-r", str(lock)) and call(
        *pip, "--no-deps", *(("--no-build-isolation",) if has_hatchling() else ()), "--editable", "."
    )


def has_hatchling() -> bool:
    return (
        subprocess.run((environment_python(), "-c", "import hatchling"), capture_output=True, check=False).returncode
        == 0
    )


def main(kind: str) -> int:
    if sentence := problem():
        say(sentence)
        return 1
    if is_current(kind):
        return 0
    say(f"Making the environment in .venv ({'what MediaNest needs' if kind == 'run' else 'what development needs'}) …")
    if not Path(environment_python()).exists() or not call(environment_python(), "-m", "pip", "--version"):
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        if not call(sys.executable, "-m", "venv", str(ENVIRONMENT)):
            say("The environment could not be made. Remove the folder .venv and try again.")
            return 1
    if not install(kind):
        say(
            "The packages could not be installed; the lines above say why. "
            "They are fetched once: check the network and this machine's pip configuration, then try again."
        )
        return 1
    (ENVIRONMENT / f".made-{kind}").write_text(fingerprint(kind))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "run"))
