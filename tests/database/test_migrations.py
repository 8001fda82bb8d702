"""The schema's history: what it makes, what it refuses, and that half of it never stays behind."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from piccolo.table import TABLE_REGISTRY

from medianest.database import Engine, fetch
from medianest.database.migration import SchemaTooNew, current, migrate
from medianest.database.migrations import MIGRATIONS
from medianest.database.operations import Operations
from medianest.errors import Unavailable
from tests.harness.databases import open_database
from tests.harness.server import clean_environment, medianest_command, run_medianest

OWN_TABLES = {"schema_version"}  # the runner's own, no Piccolo table


def step(name: str, *statements: str, fails: bool = False) -> ModuleType:
    """A migration made up for a test."""
    module = ModuleType(name)

    async def up(op: Operations) -> None:
        for statement in statements:
            await op.run(statement)
        if fails:
            raise RuntimeError("the step broke")

    module.up = up  # type: ignore[attr-defined]
    return module


async def columns_in_database(engine: Engine) -> dict[str, dict[str, bool]]:
    """Table → column → whether it may be NULL."""
    found: dict[str, dict[str, bool]] = {}
    if engine.engine_type == "postgres":
        rows = await fetch(
            "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public'"
        )
        for row in rows:
            found.setdefault(row["table_name"], {})[row["column_name"]] = row["is_nullable"] == "YES"
        return found
    for row in await fetch("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        info = await engine.run_ddl(f"PRAGMA table_info({row['name']})")
        found[row["name"]] = {column["name"]: not column["notnull"] for column in info}
    return found


async def test_the_migrations_make_what_the_tables_say(database: Engine) -> None:
    declared: dict[str, Any] = {
        str(table._meta.tablename): {
            column._meta.db_column_name: bool(column._meta.null) for column in table._meta.columns
        }
        for table in TABLE_REGISTRY
    }
    found = await columns_in_database(database)
    assert set(found) - OWN_TABLES == set(declared)
    for name, columns in declared.items():
        assert found[name] == columns, f"table {name}"


async def test_a_migrated_database_is_current_and_migrating_again_does_nothing(database: Engine) -> None:
    assert await current(database)
    assert await migrate(database) == ()


async def test_a_step_that_fails_leaves_nothing_behind(database_url: str) -> None:
    engine = await open_database(database_url)
    try:
        steps = (*MIGRATIONS, step("m9001_good", "CREATE TABLE half (id {pk})"), step("m9002_bad", fails=True))
        with pytest.raises(Unavailable, match="m9002_bad"):
            await migrate(engine, steps=steps)
        assert await columns_in_database(engine) == {}
        # and the way is free for a build that is mended
        assert await migrate(engine) == tuple(module.__name__.rpartition(".")[2] for module in MIGRATIONS)
    finally:
        await engine.close_connection_pool()


async def test_a_schema_of_a_newer_build_is_refused(database: Engine) -> None:
    await migrate(database, steps=(*MIGRATIONS, step("m9001_future", "CREATE TABLE future (id {pk})")))
    with pytest.raises(SchemaTooNew, match="newer MediaNest"):
        await migrate(database)
    assert not await current(database)


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_verified_backup_is_made_before_an_existing_database_changes(database: Engine, tmp_path: Path) -> None:
    await fetch("INSERT INTO rate_limits (key, window_start, hits) VALUES ('old', 1, 2)")
    folder = tmp_path / "backups"
    await migrate(database, backups=folder, steps=(*MIGRATIONS, step("m9001_drop", "DROP TABLE rate_limits")))
    (copy,) = folder.iterdir()
    assert copy.name.startswith("before-m9001_drop-")
    assert copy.stat().st_mode & 0o077 == 0
    connection = sqlite3.connect(copy)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT key, hits FROM rate_limits").fetchall() == [("old", 2)]
    finally:
        connection.close()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_without_a_backup_nothing_is_changed(database: Engine, tmp_path: Path) -> None:
    blocked = tmp_path / "backups"
    blocked.write_text("a file where the folder should be")
    with pytest.raises((Unavailable, FileExistsError)):
        await migrate(database, backups=blocked, steps=(*MIGRATIONS, step("m9001_drop", "DROP TABLE rate_limits")))
    assert await fetch("SELECT * FROM rate_limits") == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_five_backups_are_kept(database: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    steps = list(MIGRATIONS)
    for number in range(7):
        steps.append(step(f"m90{number:02}_next", f"CREATE TABLE next_{number} (id {{pk}})"))
        await migrate(database, backups=folder, steps=steps)
    assert len(list(folder.iterdir())) == 5
    assert any("m9006" in path.name for path in folder.iterdir())


def test_four_processes_starting_together_migrate_once(database_url: str, tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [*medianest_command(), "db", "migrate"], cwd="/", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=clean_environment(
                {"MEDIANEST_DATABASE_URL": database_url, "MEDIANEST_DATA_DIR": str(tmp_path / str(number))}
            ),
        )
        for number in range(4)
    ]  # fmt: skip
    outcomes = [(process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, code in outcomes] == [0, 0, 0, 0], outcomes
    said = sorted(output.splitlines()[-1].split()[0] for (output, _), _ in outcomes)
    assert said == ["Applied", "The", "The", "The"]


def test_a_newer_schema_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    env = {"MEDIANEST_DATA_DIR": str(tmp_path)}
    assert run_medianest("db", "migrate", env=env).returncode == 0
    with sqlite3.connect(tmp_path / "medianest.sqlite") as connection:
        connection.execute("INSERT INTO schema_version VALUES ('m9999_future', '2030-01-01 00:00:00')")
    connection.close()
    refused = run_medianest("serve", "--port", "0", "--no-browser", env=env)
    assert refused.returncode == 1
    assert "newer MediaNest" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_the_database_of_a_new_data_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert run_medianest("db", "migrate", env={"MEDIANEST_DATA_DIR": str(folder)}).returncode == 0
    assert folder.stat().st_mode & 0o077 == 0
