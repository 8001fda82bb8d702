"""What the owner asks the house: is all well, what runs here, and does it serve."""

from __future__ import annotations

import asyncio
import logging
import platform
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from medianest import __version__
from medianest.database import engine, fetch
from medianest.database.migration import current
from medianest.errors import MediaNestError
from medianest.programs import PROGRAMS, Program, Programs
from medianest.settings import Settings
from medianest.system import health
from medianest.system.model import (
    CacheFigures,
    FoundProgram,
    HealthProblem,
    Readiness,
    Severity,
    ShownSetting,
    SystemReport,
    Version,
)
from medianest.system.repository import ScheduledRunRepository

log = logging.getLogger(__name__)

READINESS_KEPT_S = 5.0
LOG_FILES_KEPT = timedelta(days=30)
RUNS_KEPT = timedelta(days=30)
AUDIT_KEPT = timedelta(days=365)

SEE_LOG = "The other lines here and the log say more."
CHECK_FAILED = "Something of this list could not be looked at."

ADVICE = {
    "ffmpeg": "Puts picture and sound together. Install ffmpeg 4 or newer.",
    "ffprobe": "Comes with ffmpeg and reads what a file holds.",
    "deno": "Solves YouTube's puzzles. Install deno 2.3 or newer.",
    "node": "The second choice after deno. Install node 22 or newer.",
}


def package_version(name: str) -> str:
    """Version of an installed package, without importing it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


class SystemService:
    """Health, versions and upkeep of this installation."""

    def __init__(self, settings: Settings, programs: Programs, runs: ScheduledRunRepository) -> None:
        self._settings = settings
        self._programs = programs
        self._runs = runs
        self._readiness = Readiness(False)
        self._readiness_at = -READINESS_KEPT_S
        self._engine_version: Callable[[], Awaitable[str]] | None = None
        self._caches: list[Callable[[], Iterable[CacheFigures]]] = []
        self._checks: list[Callable[[], Awaitable[Iterable[HealthProblem]]]] = []

    def asks_also(self, check: Callable[[], Awaitable[Iterable[HealthProblem]]]) -> None:
        """Make `check` part of the health list: another slice's own problems."""
        self._checks.append(check)

    def runs_engine(self, version_of: Callable[[], Awaitable[str]]) -> None:
        """Show the version of yt-dlp that downloads run with, which may be newer than the one inside."""
        self._engine_version = version_of

    def shows_caches(self, figures: Callable[[], Iterable[CacheFigures]]) -> None:
        """Show on the System page how often answers of services were in memory."""
        self._caches.append(figures)

    async def readiness(self) -> Readiness:
        """The database answers, its schema is current and the data folder can be written; asked at most every 5 s."""
        if time.monotonic() - self._readiness_at > READINESS_KEPT_S:
            self._readiness, self._readiness_at = await self._check_readiness(), time.monotonic()
            if not self._readiness.is_ready:
                log.error("Not ready: %s", self._readiness.reason)
        return self._readiness

    async def _check_readiness(self) -> Readiness:
        try:
            async with asyncio.timeout(3):
                if not await current(engine()):
                    return Readiness(False, "the schema is not the one this build needs")
        except (MediaNestError, OSError, TimeoutError, sqlite3.Error) as error:
            return Readiness(False, f"the database does not answer ({type(error).__name__})")
        except Exception as error:  # asyncpg is imported only where Postgres is used
            return Readiness(False, f"the database does not answer ({type(error).__name__})")
        if not await asyncio.to_thread(health.is_writable, self._settings.data_dir):
            return Readiness(False, "the data folder can not be written")
        return Readiness(True)

    async def problems(self) -> tuple[HealthProblem, ...]:
        """What is not well, the worst first."""
        return await self._problems(await self._programs.all())

    async def _problems(self, programs: dict[str, Program]) -> tuple[HealthProblem, ...]:
        more: list[HealthProblem] = []
        for check in self._checks:
            try:
                more += await check()
            except MediaNestError as error:  # a stored secret that can not be read is a problem by itself
                more.append(HealthProblem(code=error.code, severity=Severity.ERROR, text=error.message, advice=SEE_LOG))
            except Exception:  # one check that fails must not hide what the others found
                log.exception("A part of the health list could not be asked")
                more.append(
                    HealthProblem(code="check_failed", severity=Severity.ERROR, text=CHECK_FAILED, advice=SEE_LOG)
                )
        return await health.problems(self._settings, programs, more)

    async def report(self) -> SystemReport:
        """Everything on the System page but the tasks."""
        programs = await self._programs.all()
        return SystemReport(
            versions=await self._versions(),
            found=tuple(_found(programs[name]) for name in PROGRAMS),
            health=await self._problems(programs),
            settings=tuple(ShownSetting(name=n, value=v, source=s) for n, v, s in self._settings.shown()),
            disks=await asyncio.to_thread(health.disks, self._settings),
            caches=tuple(one for figures in self._caches for one in figures()),
        )

    async def _versions(self) -> tuple[Version, ...]:
        if self._settings.is_postgres:
            database = "Postgres " + str((await fetch("SHOW server_version"))[0]["server_version"])
        else:
            database = f"SQLite {sqlite3.sqlite_version}"
        engine_version = await self._engine_version() if self._engine_version else package_version("yt-dlp")
        return tuple(
            Version(name=name, value=value)
            for name, value in (
                ("MediaNest", __version__),
                ("yt-dlp", engine_version),
                ("yt-dlp-ejs", package_version("yt-dlp-ejs")),
                ("Python", platform.python_version()),
                ("Database", database),
                ("System", f"{platform.system()} {platform.release()} ({platform.machine()})"),
            )
        )

    async def clean_logs(self) -> str:
        """Delete log files that nothing has written to for 30 days."""
        removed = await asyncio.to_thread(_remove_old_files, self._settings.data_dir / "logs", LOG_FILES_KEPT)
        return f"Removed {removed} log files."

    async def clean_records(self) -> str:
        """Delete run records older than 30 days and audit records older than 365 days."""
        now = datetime.now(UTC)
        runs = await self._runs.clean(before=now - RUNS_KEPT)
        audit = await self._runs.clean_audit(before=now - AUDIT_KEPT)
        await fetch("DELETE FROM rate_limits WHERE window_start < {}", int(time.time()) - 24 * 3600)
        return f"Removed {runs} run records and {audit} audit records."


def _found(program: Program) -> FoundProgram:
    return FoundProgram(
        name=program.name,
        path=program.path or "",
        version=program.version,
        is_found=program.is_usable,
        advice="" if program.is_usable else ADVICE[program.name],
    )


def _remove_old_files(folder: Path, age: timedelta) -> int:
    removed = 0
    for path in folder.glob("medianest.log*"):
        if time.time() - path.stat().st_mtime > age.total_seconds():
            path.unlink(missing_ok=True)
            removed += 1
    return removed
