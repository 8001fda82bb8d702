"""The application in this process for these tests, with the stand-in for Plex around it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.settings import Settings
from tests.harness.application import application, below_a_path, cheap_passwords, settings, visit
from tests.plex import PlexWorld

__all__ = ["application", "below_a_path", "cheap_passwords", "settings", "visit"]


@pytest.fixture
def near_plex(settings: Settings, plex: PlexWorld) -> Settings:
    """Settings that lead to the stand-in; no server is named."""
    return msgspec.structs.replace(settings, plex_tv_url=plex.url, plex_app_url=plex.url)


@pytest.fixture
async def house(database: Engine, near_plex: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """MediaNest near Plex, not connected yet."""
    made = create_app(near_plex)
    yield made
    await made.connections.http.close()


@pytest.fixture
async def other_house(database: Engine, near_plex: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """A second instance over the same database; or the same one after a restart."""
    made = create_app(near_plex)
    yield made
    await made.connections.http.close()
