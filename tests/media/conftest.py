"""MediaNest in this process, connected to stand-ins for Plex and Overseerr. See `house.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from medianest.app import create_app
from medianest.database import Engine
from medianest.settings import Settings
from tests.harness.application import Visit, cheap_passwords, settings, visit
from tests.harness.overseerr import overseerr
from tests.media.house import House, PictureSite
from tests.overseerr import OverseerrWorld
from tests.plex import PlexWorld

__all__ = ["cheap_passwords", "overseerr", "settings", "visit"]


@pytest.fixture
def database_kind() -> str:
    """One engine: what differs between them is tried in `test_repository.py`."""
    return "sqlite"


@pytest.fixture
def pictures() -> Iterator[PictureSite]:
    """Where the film database keeps its pictures."""
    site = PictureSite()
    yield site
    site.close()


@pytest.fixture
async def house(
    database: Engine, settings: Settings, cheap_passwords: None, plex: PlexWorld, overseerr: OverseerrWorld,
    pictures: PictureSite, visit: Visit,
) -> AsyncIterator[House]:  # fmt: skip
    """Everything is connected and well."""
    connected = msgspec.structs.replace(
        settings,
        plex_url=plex.server_url,
        plex_token=plex.owner.token(),
        plex_tv_url=plex.url,
        plex_app_url="https://app.plex.example",
        overseerr_url=overseerr.url,
        overseerr_api_key=overseerr.api_key,
        tmdb_images_url=pictures.url,
    )
    made = House(create_app(connected), plex, overseerr, pictures, visit)
    await made.fill()
    yield made
    await made.close()
