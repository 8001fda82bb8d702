"""What is not well with this installation, in words the owner can act on."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from medianest.database.filesystems import file_system_of, is_network_file_system, own_folders
from medianest.programs import Program, inside_javascript
from medianest.settings import Settings
from medianest.system.model import Disk, HealthProblem, Severity

LOW_SPACE_BYTES = 2 * 1024**3
OWN_FLOOR_BYTES = 1024**3  # as in the download queue


def is_writable(folder: Path) -> bool:
    """Whether a file can be made in `folder`, which is made when absent. Blocking."""
    probe = folder / f".medianest-probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None


def folder_problems(settings: Settings) -> list[HealthProblem]:
    """Folders that can not be written, lie on the wrong disk or are nearly full. Blocking."""
    problems = []
    names = (
        ("data", settings.data_dir, "Downloads and sign-ins can not be stored"),
        ("library", settings.library_dir, "Nothing can be filed for Plex"),
        ("staging", settings.staging_dir, "Downloads can not start"),
    )
    for name, folder, effect in names:
        if not is_writable(folder):
            problems.append(
                HealthProblem(
                    code=f"{name}_not_writable",
                    severity=Severity.ERROR,
                    text=f"The {name} folder {folder} can not be written. {effect}.",
                    advice="Give the user that runs MediaNest the right to write there, or mount the disk again.",
                )
            )
        elif shutil.disk_usage(folder).free < LOW_SPACE_BYTES:
            problems.append(
                HealthProblem(
                    code=f"{name}_disk_low",
                    severity=Severity.WARNING,
                    text=f"The disk of the {name} folder is nearly full.",
                    advice=f"Make room on the disk that holds {folder}.",
                )
            )
    if _device(settings.library_dir) != _device(settings.staging_dir):
        problems.append(
            HealthProblem(
                code="staging_elsewhere",
                severity=Severity.WARNING,
                text="Unfinished files lie on another disk than the library, so that each video is copied at the end.",
                advice="Leave MEDIANEST_STAGING_DIR empty, or choose a folder on the library's disk.",
            )
        )
    return problems


def _own(settings: Settings) -> tuple[Path, ...]:
    return own_folders(settings.data_dir, settings.database_url)


def disks(settings: Settings) -> tuple[Disk, ...]:
    """The disks that are written to, each once. Blocking."""
    folders = [("library", settings.library_dir), ("unfinished files", settings.staging_dir)]
    folders += zip(("data", "database"), _own(settings), strict=False)
    if len(_own(settings)) == 1 and not settings.is_postgres:
        folders.append(("database", settings.data_dir))
    found: dict[int, tuple[list[str], Path]] = {}
    for name, folder in folders:
        there = next((one for one in (folder, *folder.parents) if one.exists()), None)
        device = _device(there) if there else None
        if there is not None and device is not None:
            found.setdefault(device, ([], there))[0].append(name)
    measured = []
    for names, path in found.values():
        usage = shutil.disk_usage(path)
        measured.append(Disk(names=tuple(names), path=str(path), free_bytes=usage.free, total_bytes=usage.total))
    return tuple(measured)


def own_disk_problems(settings: Settings) -> list[HealthProblem]:
    """The database's disk is so full that downloads wait. Blocking."""
    for folder in _own(settings):
        if folder.exists() and shutil.disk_usage(folder).free < OWN_FLOOR_BYTES:
            return [
                HealthProblem(
                    code="database_disk_low",
                    severity=Severity.ERROR,
                    text="The disk of MediaNest's own data is nearly full, so downloads wait.",
                    advice=f"Make room on the disk that holds {folder}; downloads go on by themselves.",
                )
            ]
    return []


def database_problems(settings: Settings) -> list[HealthProblem]:
    """A database file on a network share. Blocking."""
    if settings.is_postgres:
        return []
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    if not is_network_file_system(folder):
        return []
    return [
        HealthProblem(
            code="database_on_network_share",
            severity=Severity.ERROR,
            text=f"The database lies on a network share ({file_system_of(folder)}), where SQLite can be damaged.",
            advice="Move the data folder to a local disk, or use Postgres.",
        )
    ]


def program_problems(programs: dict[str, Program]) -> list[HealthProblem]:
    """ffmpeg or a JavaScript runtime is missing."""
    problems = []
    if not (programs["ffmpeg"].is_usable and programs["ffprobe"].is_usable):
        problems.append(
            HealthProblem(
                code="ffmpeg_missing",
                severity=Severity.WARNING,
                text="ffmpeg was not found. Plain files still download; most videos of big sites can not be put together.",
                advice="Install ffmpeg (on Debian: apt install ffmpeg), or put ffmpeg and ffprobe into the data folder's bin.",
            )
        )
    if not any(programs[name].is_usable for name in ("deno", "node")):
        is_inside = bool(inside_javascript())
        problems.append(
            HealthProblem(
                code="javascript_inside" if is_inside else "javascript_missing",
                severity=Severity.NOTICE,
                text="YouTube's puzzles are solved by the small JavaScript runtime inside MediaNest, which is slow."
                if is_inside
                else "No JavaScript runtime was found. YouTube may offer fewer formats or none without one.",
                advice="Install deno 2.3 or newer (or node 22), or put the deno program into the data folder's bin.",
            )
        )
    return problems


def user_problems() -> list[HealthProblem]:
    """MediaNest runs with more rights than it needs."""
    if not hasattr(os, "getuid") or os.getuid() != 0:
        return []
    return [
        HealthProblem(
            code="running_as_root",
            severity=Severity.NOTICE,
            text="MediaNest runs as root, which it does not need.",
            advice="Start it as a user of its own that may write the data and the library folder.",
        )
    ]


async def problems(
    settings: Settings, programs: dict[str, Program], more: Iterable[HealthProblem] = ()
) -> tuple[HealthProblem, ...]:
    """Everything found, and what others found (`more`), the worst first."""
    order = list(Severity)
    found = [
        *await asyncio.to_thread(folder_problems, settings),
        *await asyncio.to_thread(database_problems, settings),
        *await asyncio.to_thread(own_disk_problems, settings),
        *program_problems(programs),
        *user_problems(),
        *more,
    ]
    return tuple(sorted(found, key=lambda problem: order.index(problem.severity)))
