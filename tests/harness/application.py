"""The whole application in this process, called as a browser or a program would, over a fresh database."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from medianest.accounts import passwords
from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.settings import Settings

ADMIN = "Ada"
PASSWORD = "correct-Horse-7-battery"
OTHER_PASSWORD = "another-Horse-8-staple"
KEY = b"0123456789abcdef0123456789abcdef-for-tests"

Visit = Callable[..., httpx.AsyncClient]


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """bcrypt at its lowest cost: what is tested is when it runs, not how long."""
    monkeypatch.setattr(passwords, "COST", 4)


@pytest.fixture
def settings(tmp_path: Path, migrated_database_url: str) -> Settings:
    """Settings of an application at the root."""
    library = tmp_path / "library"
    (tmp_path / "data").mkdir()
    return Settings(
        data_dir=tmp_path / "data",
        library_dir=library,
        staging_dir=library / ".medianest",
        database_url=migrated_database_url,
        secret_key=KEY,
        allowed_hosts=("medianest.test",),
    )


@pytest.fixture
def application(database: Engine, settings: Settings, cheap_passwords: None) -> Application:
    """MediaNest, built but not started: requests are served, nothing runs beside them."""
    return create_app(settings)


@pytest.fixture
def below_a_path(database: Engine, settings: Settings, cheap_passwords: None) -> Application:
    """The same below `/medianest`."""
    return create_app(msgspec.structs.replace(settings, base_path="/medianest"))


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    """Gives clients for an application: each is a device with its own cookies; follows no redirect."""
    async with AsyncExitStack() as clients:
        made: list[httpx.AsyncClient] = []

        def new(application: Application, *, address: str = "192.0.2.10", **options: Any) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False, client=(address, 50000))
            made.append(httpx.AsyncClient(transport=transport, base_url="http://medianest.test", **options))
            return made[-1]

        yield new
        for client in made:
            clients.push_async_callback(client.aclose)


async def set_up(client: httpx.AsyncClient, application: Application) -> None:
    """Make the first administrator through the API; `client` is signed in by cookie."""
    code = await application.accounts.setup_code()
    base = application.settings.base_path
    answer = await client.post(f"{base}/api/v1/setup", json={"code": code, "username": ADMIN, "password": PASSWORD})
    assert answer.status_code == 201, answer.text


async def sign_in(
    client: httpx.AsyncClient, username: str = ADMIN, password: str = PASSWORD, **more: Any
) -> httpx.Response:
    """Sign in through the API; the answer."""
    return await client.post("/api/v1/auth/login", json={"username": username, "password": password, **more})


def csrf_of(page: str) -> str:
    """The token in a page's `hx-headers`."""
    found = re.search(r'"X-CSRF-Token": "([0-9a-f]+)"', page)
    assert found, page[:500]
    return found[1]


def cookie_named(client: httpx.AsyncClient, end: str) -> str:
    """Value of the cookie whose name ends so, empty when there is none."""
    return next((value for name, value in client.cookies.items() if name.endswith(end)), "")
