"""MediaNest beside the stand-in for Overseerr, and somebody signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.settings import Settings
from tests.harness.application import Visit, cheap_passwords, csrf_of, set_up, settings, visit
from tests.overseerr import OverseerrWorld
from tests.plex import PlexWorld

__all__ = ["cheap_passwords", "settings", "visit"]

PAGE = "/system/overseerr"
API = "/api/v1/integrations/overseerr"

SignIn = Callable[[Application], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def house(database: Engine, settings: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """MediaNest, not connected yet."""
    made = create_app(settings)
    yield made
    await made.connections.close()


@pytest.fixture
async def other_house(database: Engine, settings: Settings, cheap_passwords: None) -> AsyncIterator[Application]:
    """A second instance over the same database; or the same one after a restart."""
    made = create_app(settings)
    yield made
    await made.connections.close()


@pytest.fixture
async def fixed_house(
    database: Engine, settings: Settings, cheap_passwords: None, overseerr: OverseerrWorld, plex: PlexWorld
) -> AsyncIterator[Application]:
    """MediaNest whose settings name Overseerr and Plex."""
    made = create_app(
        msgspec.structs.replace(
            settings,
            overseerr_url=overseerr.url,
            overseerr_api_key=overseerr.api_key,
            plex_url=plex.server_url,
            plex_token=plex.owner.token(),
            plex_tv_url=plex.url,
            plex_app_url=plex.url,
            sources={
                "overseerr_url": "MEDIANEST_OVERSEERR_URL",
                "overseerr_api_key": "MEDIANEST_OVERSEERR_API_KEY_FILE",
            },
        )
    )
    yield made
    await made.connections.close()


@pytest.fixture
def admin(visit: Visit) -> SignIn:
    """Signs the first administrator in, with the header of forms."""

    async def sign_in(application: Application) -> httpx.AsyncClient:
        client = visit(application, headers={"accept": "text/html"})
        await set_up(client, application)
        client.headers["x-csrf-token"] = csrf_of((await client.get("/")).text)
        return client

    return sign_in
