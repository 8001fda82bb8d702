"""Transactions that belong to one task, nest as savepoints and always give their connection back.

Piccolo's own ones join an outer block silently, are inherited by child tasks and leak their connection when a commit
fails; these take their place on both engines.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from medianest.database.postgres import PooledPostgresEngine
    from medianest.database.sqlite import WriterReadersEngine


class Running(Protocol):
    """What a nested block needs of the transaction around it."""

    connection: Any

    async def run(self, statement: str) -> None: ...

    def next_savepoint(self) -> str: ...


class OwnTaskVar:
    """Holds the running transaction for the task that opened it; tasks started inside do not inherit it."""

    def __init__(self, name: str) -> None:
        self._var: ContextVar[tuple[asyncio.Task[Any] | None, Running] | None] = ContextVar(name, default=None)

    def get(self) -> Running | None:
        held = self._var.get()
        return held[1] if held and held[0] is asyncio.current_task() else None

    def set(self, transaction: Running) -> Token[tuple[asyncio.Task[Any] | None, Running] | None]:
        return self._var.set((asyncio.current_task(), transaction))

    def reset(self, token: Token[tuple[asyncio.Task[Any] | None, Running] | None]) -> None:
        self._var.reset(token)


class Nested:
    """An inner transaction: a savepoint, so that what fails inside leaves nothing behind."""

    def __init__(self, outer: Running) -> None:
        self.outer = outer

    async def __aenter__(self) -> Running:
        self.name = self.outer.next_savepoint()
        await self.outer.run(f"SAVEPOINT {self.name}")
        return self.outer

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            await self.outer.run(f"ROLLBACK TO SAVEPOINT {self.name}")
        await self.outer.run(f"RELEASE SAVEPOINT {self.name}")


class _Counted:
    def __init__(self) -> None:
        self._savepoints = 0

    def next_savepoint(self) -> str:
        self._savepoints += 1
        return f"s{self._savepoints}"


class WriterTransaction(_Counted):
    """The one write transaction of SQLite: IMMEDIATE, so that it never has to upgrade a lock half way."""

    def __init__(self, engine: WriterReadersEngine) -> None:
        super().__init__()
        self.engine = engine
        self._is_committed = False

    async def run(self, statement: str) -> None:
        await self.connection.execute_fetchall(statement)

    async def __aenter__(self) -> WriterTransaction:
        await self.engine.write_lock.acquire()
        try:
            self.connection = self.engine.writer
            await self.run("BEGIN IMMEDIATE")
        except BaseException:  # a cancel as well: the lock must come free
            await self._close()
            raise
        self._token = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.run("COMMIT")
                self._is_committed = True
        finally:
            self.engine.current_transaction.reset(self._token)
            await self._close()

    async def _close(self) -> None:
        try:
            # asked for even when nothing seems open: a BEGIN whose wait was cancelled still runs in the connection's
            # thread, and this is queued behind it
            with suppress(sqlite3.OperationalError):  # nothing was open
                if not self._is_committed:
                    await self.run("ROLLBACK")
        finally:
            self.engine.write_lock.release()


class PooledTransaction(_Counted):
    """A transaction on one connection of the Postgres pool."""

    def __init__(self, engine: PooledPostgresEngine) -> None:
        super().__init__()
        self.engine = engine

    async def run(self, statement: str) -> None:
        await self.connection.execute(statement)

    async def __aenter__(self) -> PooledTransaction:
        pool = self.engine.opened_pool
        self.connection = await pool.acquire()
        try:
            self._transaction = self.connection.transaction()
            await self._transaction.start()
        except BaseException:
            await pool.release(self.connection)
            raise
        self._token = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self._transaction.commit()
            else:
                await self._transaction.rollback()
        finally:
            self.engine.current_transaction.reset(self._token)
            await self.engine.opened_pool.release(self.connection)
