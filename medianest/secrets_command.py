"""`medianest secrets rotate`: a new secret key while nothing runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from medianest.database.relay import LEADER_LOCK
from medianest.errors import Conflict
from medianest.instance import InstanceLock
from medianest.lifespan import open_database
from medianest.settings import Settings
from medianest.system import secret_keys


async def rotate(settings: Settings) -> str:
    """Change the key; gives a sentence.

    Raises:
        AlreadyRunning, Conflict: MediaNest runs on this data folder or, elsewhere, on this database.
    """
    lock = InstanceLock(settings.data_dir)
    lock.acquire()
    try:
        async with open_database(settings), _alone(settings):
            settings = await settled(settings)
            return await secret_keys.rotate(settings, os.environ)
    finally:
        lock.release()


async def settled(settings: Settings) -> Settings:
    """The settings with the key that counts, when a change of keys was cut off; the database must be open."""
    if not secret_keys.new_key_path(settings).exists():
        return settings
    return await secret_keys.settle(settings)


async def settled_before_start(settings: Settings) -> Settings:
    """`settled` with a database opened for it alone; costs nothing when there is nothing to finish."""
    if not secret_keys.new_key_path(settings).exists():
        return settings
    async with open_database(settings):
        return await settled(settings)


@contextlib.asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    """On Postgres: holds what the leader of running instances holds, so that there is none and none begins to lead."""
    if not settings.is_postgres:
        yield
        return
    import asyncpg

    connection = await asyncpg.connect(settings.database_url, timeout=10)
    try:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK):
            raise Conflict("Another MediaNest runs on this database. Stop every instance first.")
        yield
    finally:
        await connection.close()
