"""MediaNest in this process, connected to a stand-in for Overseerr, with people of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from medianest.app import create_app
from medianest.database import Engine
from medianest.settings import Settings
from tests.harness.application import Visit, application, cheap_passwords, settings, visit
from tests.harness.overseerr import overseerr, seerr
from tests.overseerr import OverseerrWorld
from tests.requests.house import House

__all__ = ["application", "cheap_passwords", "house", "overseerr", "seerr", "settings", "visit"]


@pytest.fixture
async def house(
    database: Engine, settings: Settings, cheap_passwords: None, overseerr: OverseerrWorld, visit: Visit
) -> AsyncIterator[House]:
    """See `house.py`."""
    connected = msgspec.structs.replace(settings, overseerr_url=overseerr.url, overseerr_api_key=overseerr.api_key)
    made = House(create_app(connected), overseerr, visit)
    await made.fill()
    yield made
    await made.close()
