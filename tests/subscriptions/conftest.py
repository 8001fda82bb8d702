"""A house in which nothing runs by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medianest.database import Engine
from tests.harness.application import application, cheap_passwords, settings, visit
from tests.subscriptions.house import House

__all__ = ["application", "cheap_passwords", "settings", "visit"]


@pytest.fixture
async def house(database: Engine, tmp_path: Path) -> AsyncIterator[House]:
    """See `house.py`."""
    made = House(tmp_path)
    try:
        yield made
    finally:
        await made.queue.stop()
