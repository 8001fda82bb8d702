"""Fixtures of every test; what they do is in `tests/harness/`.

Async tests and fixtures need no mark (anyio's plugin, in its automatic mode). Each gets 60 s: a wait that would never
end fails with the place it waits at instead of stopping the run.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.clips import clip_folder, clip_site
from tests.harness.databases import (
    database,
    database_kind,
    database_url,
    emptied_postgres,
    migrated_database_url,
    migrated_postgres,
    migrated_sqlite,
    postgres,
)
from tests.harness.plex import plex
from tests.harness.server import server, start_server

__all__ = [
    "clip_folder",
    "clip_site",
    "database",
    "database_kind",
    "database_url",
    "emptied_postgres",
    "migrated_database_url",
    "migrated_postgres",
    "migrated_sqlite",
    "plex",
    "postgres",
    "server",
    "start_server",
]

TEST_TIMEOUT_S = 60


@pytest.fixture
def anyio_backend() -> str:
    """The loop that MediaNest runs on."""
    return "asyncio"


def within_time(test: Callable[..., Any], seconds: float) -> Callable[..., Any]:
    """`test`, an async function, cancelled after `seconds`."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> Any:
        async with asyncio.timeout(seconds):
            return await test(*args, **kwargs)

    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put every async test under the time limit, or that of its `@pytest.mark.timeout_s(…)`."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            marker = item.get_closest_marker("timeout_s")
            seconds = float(marker.args[0]) if marker else TEST_TIMEOUT_S
            item.obj = within_time(item.obj, seconds)
