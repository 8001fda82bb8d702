"""SQLite with one writing and some reading connections, opened once.

Piccolo's own engine opens a connection and a thread for every query; this one costs a fraction of it and never meets
"database is locked" inside the process.
"""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import aiosqlite
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.querystring import QueryString

from medianest.database.transactions import Nested, OwnTaskVar, WriterTransaction

# FULL: a "yes" that was given survives a power cut.
PRAGMAS = ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000", "temp_store=MEMORY", "cache_size=-1000")
READERS = 4
# Each takes some 40 kB, and lists of numbers make ever new ones: Python's 128 would be 25 MB in five connections
KEPT_STATEMENTS = 40


class WriterReadersEngine(SQLiteEngine):
    """Piccolo engine over `path`.

    Args:
        path: the database file; made when absent.
        journal: `WAL`, or `DELETE` where the file lies on a network share (WAL needs shared memory).
    """

    def __init__(self, path: Path, *, journal: str = "WAL") -> None:
        super().__init__(path=str(path), timeout=10)
        self.current_transaction: Any = OwnTaskVar("sqlite_transaction")
        self.journal = journal
        self.writer: Any = None
        self.write_lock = asyncio.Lock()
        self.readers: asyncio.Queue[Any] = asyncio.Queue()

    async def _open(self, *pragmas: str) -> aiosqlite.Connection:
        connection = await aiosqlite.connect(**self.connection_kwargs, cached_statements=KEPT_STATEMENTS)
        connection.row_factory = sqlite3.Row
        for pragma in (f"journal_mode={self.journal}", *PRAGMAS, *pragmas):
            await connection.execute_fetchall(f"PRAGMA {pragma}")
        return connection

    async def start_connection_pool(self, **_: Any) -> None:
        """Open the connections; call once before the first query."""
        self.writer, self.write_lock, self.readers = await self._open(), asyncio.Lock(), asyncio.Queue()
        for _number in range(READERS):
            self.readers.put_nowait(await self._open("query_only=ON"))

    async def close_connection_pool(self) -> None:
        """Close everything; waits for the queries that run."""
        if self.writer is None:
            return
        for _number in range(READERS):
            await (await self.readers.get()).close()
        async with self.write_lock:
            await self.writer.execute_fetchall("PRAGMA optimize")
            await self.writer.close()
            self.writer = None

    async def run(self, sql: str, args: Any = ()) -> list[dict[str, Any]]:
        """Run one statement where it belongs: in the open transaction, on a reader, or alone on the writer."""
        if transaction := self.current_transaction.get():
            return [dict(row) for row in await transaction.connection.execute_fetchall(sql, args)]
        if sql.lstrip()[:7].upper().startswith(("SELECT", "EXPLAIN")):
            reader = await self.readers.get()
            try:
                return [dict(row) for row in await reader.execute_fetchall(sql, args)]
            finally:
                self.readers.put_nowait(reader)
        async with self.write_lock:
            return [dict(row) for row in await self.writer.execute_fetchall(sql, args)]

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> Any:
        return await self.run(*querystring.compile_string(engine_type="sqlite"))

    async def run_ddl(self, ddl: str, in_pool: bool = False) -> Any:
        return await self.run(ddl)

    def transform_response_to_dicts(self, results: Any) -> list[dict[str, Any]]:
        return results  # type: ignore[no-any-return]  # run() made them already

    def transaction(self, *_: Any, **__: Any) -> Any:
        """An IMMEDIATE transaction, or a savepoint when this task already has one open."""
        outer = self.current_transaction.get()
        return Nested(outer) if outer else WriterTransaction(self)
