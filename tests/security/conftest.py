"""The application in this process for these tests, whose plex.tv and Plex server are the stand-ins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.settings import Settings
from tests.harness.application import KEY, below_a_path, cheap_passwords, visit
from tests.plex import PlexWorld

__all__ = ["application", "below_a_path", "cheap_passwords", "settings", "visit"]


@pytest.fixture
def settings(tmp_path: Path, migrated_database_url: str, plex: PlexWorld) -> Settings:
    """Settings of an application at the root that asks nobody on the internet."""
    library = tmp_path / "library"
    (tmp_path / "data").mkdir()
    return Settings(
        data_dir=tmp_path / "data",
        library_dir=library,
        staging_dir=library / ".medianest",
        database_url=migrated_database_url,
        secret_key=KEY,
        allowed_hosts=("medianest.test",),
        plex_tv_url=plex.url,
        plex_app_url=plex.url,
    )


@pytest.fixture
async def application(database: Engine, settings: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """MediaNest, built but not started; its calls to Plex are closed at the end."""
    made = create_app(settings)
    yield made
    await made.connections.http.close()
    await made.people_pictures.close()
