"""A house whose downloads are filed by scripted workers and looked for in a stand-in for Plex, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from medianest.accounts.model import User
from medianest.accounts.repository import AccountRepository
from medianest.connections.assembly import build_connections
from medianest.database import Engine, fetch
from medianest.plex_library.assembly import PlexLibrary, build_plex_library
from medianest.plex_library.finding import FindingRules
from medianest.settings import Settings
from medianest.vault import Vault
from tests.downloads.running_queue import Queue, make_user, scripted_command
from tests.harness.application import KEY, application, cheap_passwords, settings, visit
from tests.plex import PlexWorld

__all__ = ["application", "cheap_passwords", "settings", "visit"]

QUICK = FindingRules(
    quiet_s=0.05,
    wait_s=0.3,
    longest_s=5.0,
    first_look_s=0.02,
    longest_look_s=0.05,
    collection_quiet_s=0.02,
    lease_s=5.0,
)
THERE = "/data/youtube-tv"


class House:
    """A queue with our library in Plex behind it. The worker of that part runs only between `start` and `stop`."""

    def __init__(self, queue: Queue, plex: PlexWorld, *, rules: FindingRules = QUICK, run: str = "one") -> None:
        self.queue, self.plex = queue, plex
        settings = Settings(
            data_dir=queue.folder / "data",
            library_dir=queue.library,
            staging_dir=queue.staging,
            plex_url=plex.server_url,
            plex_token=plex.owner.token(),
            plex_tv_url=plex.url,
        )
        self.connections = build_connections(settings, Vault(KEY), queue.events, AccountRepository().identity)
        self.parts: PlexLibrary = build_plex_library(
            settings, queue.events, self.connections.service, queue.parts.filed, f"instance/{run}/host/1/0", rules
        )
        self.service, self.worker, self.upkeep = self.parts.service, self.parts.worker, self.parts.upkeep

    async def start(self) -> None:
        await self.worker.start()

    async def stop(self) -> None:
        await self.worker.stop()
        await self.parts.probe.stop()
        await self.connections.close()

    def calm(self) -> None:
        """What the breaker has seen is forgotten, as after its time."""
        self.connections.service._clients.breaker.reset()

    async def until(self, check: Callable[[], Any], seconds: float = 15) -> Any:
        """What `check` gives as soon as it is something; it may be a coroutine function."""
        end = asyncio.get_running_loop().time() + seconds
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            if asyncio.get_running_loop().time() > end:
                rows = await fetch("SELECT * FROM plex_scans"), await fetch("SELECT * FROM plex_collections")
                places = await fetch("SELECT history_id, state, reason FROM plex_places")
                raise AssertionError(f"Nothing after {seconds} s: {rows} {places}")
            await asyncio.sleep(0.02)

    async def until_quiet(self, seconds: float = 15) -> None:
        """Until nothing is due or being done."""

        async def is_quiet() -> bool:
            due = await fetch(
                "SELECT id FROM plex_scans WHERE due_at IS NOT NULL UNION ALL "
                "SELECT id FROM plex_collections WHERE due_at IS NOT NULL"
            )
            return not due

        await self.until(is_quiet, seconds)


@pytest.fixture
async def owner(database: Engine) -> User:
    return await make_user("owner", is_admin=True)


@pytest.fixture
async def queue(database: Engine, tmp_path: Path) -> AsyncIterator[Queue]:
    made = Queue(tmp_path, command=scripted_command())
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest.fixture
async def house(queue: Queue, plex: PlexWorld) -> AsyncIterator[House]:
    """The library of the house is a library of type TV in Plex, under another path."""
    queue.library.mkdir(parents=True, exist_ok=True)
    plex.server.add_library("YouTube", "show", queue.library, path=THERE)
    made = House(queue, plex)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


def near_plex(settings: Settings, plex: PlexWorld) -> Settings:
    return msgspec.structs.replace(
        settings, plex_url=plex.server_url, plex_token=plex.owner.token(), plex_tv_url=plex.url, plex_app_url=plex.url
    )
