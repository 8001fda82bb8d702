"""Postgres through a pool of connections, with transactions that give them back."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine

from medianest.database.transactions import Nested, OwnTaskVar, PooledTransaction
from medianest.errors import Unavailable

POOL_SIZE = 10
OLDEST_POSTGRES = 130000  # version 13, as `server_version_num`


class PooledPostgresEngine(PostgresEngine):
    """Piccolo engine over the database at `url` (`postgres://user:password@host:port/name`)."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(config={"dsn": url})
        self.current_transaction: Any = OwnTaskVar("postgres_transaction")

    def get_version_sync(self) -> float:
        return 15.0  # Piccolo would connect here, in the constructor; the real version is read with the pool

    async def prep_database(self) -> None:
        """Nothing: Piccolo would connect here, warn in colours and install extensions that no table uses."""

    async def check_version(self) -> None:
        """Nothing: the version is read with the pool, once."""

    @property
    def opened_pool(self) -> Any:
        if self.pool is None:
            raise Unavailable("The database connection is closed.")
        return self.pool

    async def start_connection_pool(self, **_: Any) -> None:
        """Open the pool; raises `Unavailable` with a sentence when the server can not be reached or is too old."""
        try:
            self.pool = await asyncpg.create_pool(
                self.url, min_size=1, max_size=POOL_SIZE, command_timeout=60, timeout=10
            )
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise Unavailable(
                f"The Postgres database does not answer ({type(error).__name__}). "
                "Check MEDIANEST_DATABASE_URL and that the server runs."
            ) from error
        version = int(await self.opened_pool.fetchval("SHOW server_version_num"))
        if version < OLDEST_POSTGRES:
            raise Unavailable(f"Postgres {version // 10000} is too old. MediaNest needs version 13 or newer.")

    async def close_connection_pool(self) -> None:
        """Close the pool; a connection that somebody still holds is cut after 5 s."""
        pool, self.pool = self.pool, None
        if pool is not None:
            try:
                await asyncio.wait_for(pool.close(), 5)
            except TimeoutError:
                pool.terminate()

    def transaction(self, *_: Any, **__: Any) -> Any:
        """A transaction, or a savepoint when this task already has one open."""
        outer = self.current_transaction.get()
        return Nested(outer) if outer else PooledTransaction(self)
