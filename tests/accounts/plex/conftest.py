"""The application in this process, connected to the stand-in for Plex."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.connections import pins
from medianest.database import Engine, fetch
from medianest.settings import Settings
from tests.harness.application import (
    Visit,
    application,
    below_a_path,
    cheap_passwords,
    set_up,
    settings,
    visit,
)
from tests.plex import Account, PlexWorld

__all__ = ["application", "below_a_path", "cheap_passwords", "settings", "visit"]

Build = Callable[..., Application]


@pytest.fixture(autouse=True)
def _no_waiting(plex: PlexWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two looks one after another: how long is waited between them is tried in tests/connections."""
    from datetime import timedelta

    plex.read_gap_s = 0.0
    monkeypatch.setattr(pins, "READ_EVERY", timedelta(0))


@pytest.fixture
async def build(database: Engine, settings: Settings, plex: PlexWorld, cheap_passwords: None) -> AsyncIterator[Build]:
    """Makes MediaNests over the same database, connected to the server: a second one is an instance, or a restart."""
    made: list[Application] = []

    def new(*, is_connected: bool = True, **changes: object) -> Application:
        connected = {"plex_url": plex.server_url, "plex_token": plex.owner.token()} if is_connected else {}
        near = {"plex_tv_url": plex.url, "plex_app_url": plex.url}
        made.append(create_app(msgspec.structs.replace(settings, **near, **connected, **changes)))
        return made[-1]

    yield new
    for one in made:
        await one.connections.http.close()
        await one.people_pictures.close()


@pytest.fixture
async def house(build: Build, visit: Visit) -> Application:
    """A MediaNest that is connected and has its administrator."""
    made = build()
    await set_up(visit(made), made)
    return made


class Door:
    """One browser in front of the sign-in page."""

    def __init__(self, client: httpx.AsyncClient, base: str = "") -> None:
        self.client, self.base = client, base

    async def begin(self, path: str = "/sign-in/plex", **form: str) -> httpx.Response:
        return await self.client.post(self.base + path, data=form)

    async def waiting(self, *, by_script: bool = False) -> httpx.Response:
        headers = {"HX-Request": "true"} if by_script else {}
        return await self.client.get(self.base + "/sign-in/plex", headers=headers)

    def code(self, answer: httpx.Response) -> str:
        """The PIN's code in the address of Plex's page."""
        return httpx.QueryParams(answer.headers["location"].partition("#?")[2])["code"]

    def way_back(self, answer: httpx.Response) -> str:
        """Where Plex leads back to, without the host."""
        forward = httpx.URL(httpx.QueryParams(answer.headers["location"].partition("#?")[2])["forwardUrl"])
        return forward.raw_path.decode()

    async def me(self) -> dict[str, object]:
        answer = await self.client.get(self.base + "/api/v1/me")
        return answer.json()["user"] if answer.status_code == 200 else {}


@pytest.fixture
def door(visit: Visit) -> Callable[..., Door]:
    """A new browser in front of an application."""

    def new(application: Application, **options: object) -> Door:
        return Door(visit(application, **options), application.settings.base_path)

    return new


Enter = Callable[[Application, Account], Awaitable[Door]]


@pytest.fixture
def enter(door: Callable[..., Door], plex: PlexWorld) -> Enter:
    """Somebody signs in with Plex all the way."""

    async def come_in(application: Application, account: Account) -> Door:
        browser = door(application)
        begun = await browser.begin()
        plex.allow(browser.code(begun), account)
        answer = await browser.client.get(browser.way_back(begun))
        assert answer.status_code == 303, answer.text
        return browser

    return come_in


async def row_of(account: Account) -> dict[str, object]:
    """What is stored about a Plex account and its person; empty when nothing is."""
    rows = await fetch(
        "SELECT a.*, u.display_name, u.email AS mail, u.role, u.state, u.state_code, u.picture FROM plex_accounts a "
        "JOIN users u ON u.id = a.user_id WHERE a.plex_id = {}",
        account.id,
    )
    return rows[0] if rows else {}


async def age(account: Account, **columns: float) -> None:
    """Put times of an account back by so many seconds."""
    from datetime import UTC, datetime, timedelta

    for column, seconds in columns.items():
        at = datetime.now(UTC) - timedelta(seconds=seconds)
        await fetch(f"UPDATE plex_accounts SET {column} = {{}} WHERE plex_id = {{}}", at, account.id)
