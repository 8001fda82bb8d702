"""Brings the schema to what this build needs: numbered steps, under a lock, all of them or none.

Piccolo's own migrations do not serve: several of their operations fail on SQLite, and they list a folder for files,
which a frozen executable does not have.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from medianest.database import Engine, fetch, transaction
from medianest.database.backup import back_up_sqlite
from medianest.database.migrations import MIGRATIONS
from medianest.database.operations import Operations
from medianest.errors import MediaNestError, Unavailable

log = logging.getLogger(__name__)

ADVISORY_LOCK = 6378_0001  # any constant that nothing else in this database uses
LOCK_TIMEOUT_S = 120


class SchemaTooNew(MediaNestError):
    """The database was written by a newer MediaNest than this one."""


def name_of(step: ModuleType) -> str:
    """`m0001_initial` for the module of that name."""
    return step.__name__.rpartition(".")[2]


async def migrate(
    engine: Engine, *, backups: Path | None = None, steps: Sequence[ModuleType] = MIGRATIONS
) -> tuple[str, ...]:
    """Apply the steps the database lacks; several processes may call this at once, one of them does the work.

    Args:
        backups: folder for the copy that is made and verified before an existing SQLite database is changed.

    Returns:
        Names of the steps applied, none when the schema was current.

    Raises:
        SchemaTooNew: the database holds a step this build does not know.
        Unavailable: a step failed, or the lock did not come free; nothing has changed.
    """
    op = Operations(engine)
    before = await _applied_or_none(engine)
    _refuse_newer(before or (), steps)
    missing = [step for step in steps if name_of(step) not in (before or ())]
    if not missing:
        return ()
    if before and not op.is_postgres and backups is not None:
        await asyncio.to_thread(back_up_sqlite, Path(engine.path), backups, f"before-{name_of(missing[0])}")  # type: ignore[attr-defined]
    if not op.is_postgres:
        # outside the transaction: inside it the pragma does nothing, and rebuilding a parent table would delete its children
        await engine.run_ddl("PRAGMA foreign_keys=OFF")
    try:
        return await _apply(op, steps)
    finally:
        if not op.is_postgres:
            await engine.run_ddl("PRAGMA foreign_keys=ON")


async def _apply(op: Operations, steps: Sequence[ModuleType]) -> tuple[str, ...]:
    done: list[str] = []
    step_name = "the lock"
    try:
        async with transaction():
            if op.is_postgres:
                await op.engine.run_ddl(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
                await op.engine.run_ddl(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
            await op.run(
                "CREATE TABLE IF NOT EXISTS schema_version (name TEXT PRIMARY KEY NOT NULL, applied_at {ts} NOT NULL)"
            )
            applied = await _applied()
            _refuse_newer(applied, steps)
            for step in steps:
                step_name = name_of(step)
                if step_name in applied:
                    continue
                await step.up(op)
                await fetch(
                    "INSERT INTO schema_version (name, applied_at) VALUES ({}, {})", step_name, datetime.now(UTC)
                )
                done.append(step_name)
            if not op.is_postgres and await op.engine.run_ddl("PRAGMA foreign_key_check"):
                raise Unavailable("rows would lose what they refer to")
    except SchemaTooNew:
        raise
    except Exception as error:
        log.exception("Migration %s failed", step_name)
        raise Unavailable(
            f"The database could not be brought up to date: {step_name} failed ({error}). Nothing was changed; "
            "the backup from before lies in the data folder. Please report this with the log."
        ) from error
    if done:
        log.info("Database brought up to date: %s", ", ".join(done))
    return tuple(done)


async def current(engine: Engine) -> bool:
    """Whether the schema is the one this build needs."""
    return set(await _applied_or_none(engine) or ()) == {name_of(step) for step in MIGRATIONS}


async def _applied() -> tuple[str, ...]:
    return tuple(row["name"] for row in await fetch("SELECT name FROM schema_version ORDER BY name"))


async def _applied_or_none(engine: Engine) -> tuple[str, ...] | None:
    if engine.engine_type == "postgres":
        there = await fetch("SELECT to_regclass('schema_version') IS NOT NULL AS there")
    else:
        there = await fetch("SELECT count(*) AS there FROM sqlite_master WHERE name = 'schema_version'")
    return await _applied() if there[0]["there"] else None


def _refuse_newer(applied: Sequence[str], steps: Sequence[ModuleType]) -> None:
    unknown = sorted(set(applied) - {name_of(step) for step in steps})
    if unknown:
        raise SchemaTooNew(
            f"This database was last used by a newer MediaNest (it has {unknown[-1]}). "
            "Start that version, or restore the backup that was made before the update."
        )
