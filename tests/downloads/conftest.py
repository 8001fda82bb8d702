"""Fixtures of the queue's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import Engine
from tests.downloads.running_queue import Queue, make_user, scripted_command
from tests.harness.application import application, cheap_passwords, settings, visit

__all__ = ["application", "cheap_passwords", "settings", "visit"]


@pytest.fixture
async def ana(database: Engine) -> User:
    return await make_user("ana")


@pytest.fixture
async def ben(database: Engine) -> User:
    return await make_user("ben")


@pytest.fixture
async def owner(database: Engine) -> User:
    return await make_user("owner", is_admin=True)


@pytest.fixture
async def queue(database: Engine, tmp_path: Path) -> AsyncIterator[Queue]:
    """A running queue whose workers follow a script."""
    made = Queue(tmp_path, command=scripted_command())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def still_queue(database: Engine, tmp_path: Path) -> AsyncIterator[Queue]:
    """A queue in which nothing starts by itself."""
    made = Queue(tmp_path, command=scripted_command())
    try:
        yield made
    finally:
        await made.stop()
