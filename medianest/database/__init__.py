"""The database, whichever it is: SQLite by default, Postgres when configured.

`connect()` binds every Piccolo table to one engine. Queries go through Piccolo, or through `fetch()` where its query
builder does not serve. `transaction()` is a real one on both.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from piccolo.querystring import QueryString
from piccolo.table import TABLE_REGISTRY

from medianest.errors import MediaNestError, Unavailable

__all__ = [
    "UniqueViolation",
    "bind",
    "engine",
    "engine_from_url",
    "fetch",
    "is_postgres",
    "mapped_errors",
    "transaction",
]


class UniqueViolation(MediaNestError):
    """A row with the same unique value exists. Callers turn it into their own sentence."""

    status = 409
    default_code = "conflict"


class Engine(Protocol):
    """What both engines have in common for us."""

    engine_type: str

    async def start_connection_pool(self) -> None: ...
    async def close_connection_pool(self) -> None: ...
    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any: ...
    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any: ...
    def transaction(self) -> Any: ...


_engine: Engine | None = None


def engine_from_url(url: str) -> Engine:
    """The engine for `sqlite:///path` or `postgres://…`. asyncpg is imported only when Postgres is asked for."""
    if url.startswith("sqlite:///"):
        from medianest.database.filesystems import is_network_file_system
        from medianest.database.sqlite import WriterReadersEngine

        path = Path(url.removeprefix("sqlite:///"))
        return WriterReadersEngine(path, journal="DELETE" if is_network_file_system(path.parent) else "WAL")
    from medianest.database.postgres import PooledPostgresEngine

    return PooledPostgresEngine(url)


def bind(new: Engine) -> None:
    """Make `new` the engine of every table that has been imported so far."""
    global _engine
    _engine = new
    for table in TABLE_REGISTRY:
        table._meta._db = new  # type: ignore[assignment]


def engine() -> Engine:
    """The bound engine."""
    if _engine is None:
        raise Unavailable("The database is not open yet.")
    return _engine


def is_postgres() -> bool:
    """Whether the bound engine is Postgres."""
    return engine().engine_type == "postgres"


def transaction() -> AbstractAsyncContextManager[Any]:
    """A transaction of the running task; inside another one, a savepoint.

    Never await the network, a worker or `asyncio.gather` inside: SQLite has one writer.
    """
    return engine().transaction()  # type: ignore[no-any-return]


@asynccontextmanager
async def mapped_errors() -> AsyncIterator[None]:
    """Turn the drivers' unique violations into `UniqueViolation`."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if "UNIQUE" in str(error):
            raise UniqueViolation("This exists already.") from error
        raise
    except Exception as error:
        if type(error).__name__ == "UniqueViolationError":
            raise UniqueViolation("This exists already.") from error
        raise


async def fetch(sql: str, *args: Any) -> list[dict[str, Any]]:
    """Run `sql` with `{}` placeholders and give its rows as dictionaries.

    Raises:
        UniqueViolation: a unique index refused the row.
    """
    async with mapped_errors():
        rows = await engine().run_querystring(QueryString(sql, *args))
    return [dict(row) for row in rows or ()]
