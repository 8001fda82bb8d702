"""A fresh database for every test, on either engine: an empty address, or an opened and migrated engine."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import medianest
from medianest.database import Engine, bind, engine_from_url
from medianest.database.migration import migrate
from tests.harness.postgres import PostgresCluster, in_own_loop

ENGINES = ("sqlite", "postgres")


def import_all_tables() -> None:
    """Import every slice's tables: only those that are imported get bound to an engine."""
    for module in pkgutil.iter_modules(medianest.__path__):
        if module.ispkg and (Path(medianest.__path__[0]) / module.name / "tables.py").exists():
            importlib.import_module(f"medianest.{module.name}.tables")


async def open_database(url: str) -> Engine:
    """Open `url` and bind every table to it."""
    import_all_tables()
    engine = engine_from_url(url)
    await engine.start_connection_pool()
    bind(engine)
    return engine


def migrate_url(url: str) -> None:
    """Bring the database at `url` up to date and close it again."""

    async def run() -> None:
        engine = await open_database(url)
        try:
            await migrate(engine)
        finally:
            await engine.close_connection_pool()

    in_own_loop(run)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """The Postgres server of this test run, started when the first test asks for it."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresCluster) -> str:
    """Name of a migrated database that is only ever copied."""
    name = postgres.create_database()
    migrate_url(postgres.url(name))
    return name


@pytest.fixture(scope="session")
def emptied_postgres(postgres: PostgresCluster, migrated_postgres: str) -> str:
    """Name of a migrated database that tests share one after the other: emptying it costs a fiftieth of a copy."""
    return postgres.create_database(migrated_postgres)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that is only ever copied."""
    path = tmp_path_factory.mktemp("migrated") / "template.sqlite"
    migrate_url(f"sqlite:///{path}")
    return path


@pytest.fixture(params=ENGINES)
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgres`: a test that uses this, or what stands on it, runs once on each."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database; nothing is opened or migrated."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'medianest.sqlite'}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = cluster.create_database()
    yield cluster.url(name)
    cluster.drop_database(name)


@pytest.fixture
def migrated_database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a migrated database without rows; nothing is opened."""
    if database_kind == "sqlite":
        path = tmp_path / "medianest.sqlite"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    cluster: PostgresCluster = request.getfixturevalue("postgres")
    name = request.getfixturevalue("emptied_postgres")
    cluster.empty_database(name, request.getfixturevalue("migrated_postgres"))
    yield cluster.url(name)


@pytest.fixture
async def database(migrated_database_url: str) -> AsyncIterator[Engine]:
    """An opened engine over a migrated database without rows, bound to every table; closed afterwards."""
    engine = await open_database(migrated_database_url)
    try:
        yield engine
    finally:
        await engine.close_connection_pool()
