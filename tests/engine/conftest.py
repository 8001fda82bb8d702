"""A whole application beside loopback release pages; its workers and its compiler are real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from medianest.accounts.model import User
from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.engine.model import Outcome, UpdateRecord
from medianest.engine_folder import FACTS, EngineFolder, engines_folder
from medianest.settings import AllowList, Settings
from tests.downloads.running_queue import make_user
from tests.harness.application import application, cheap_passwords, settings, visit
from tests.release import Releases

__all__ = ["application", "cheap_passwords", "settings", "visit"]

INSIDE = version("yt-dlp")
NEWER, NEWEST = "2027.01.15", "2027.02.01"


@pytest.fixture
def pages() -> Iterator[Releases]:
    with Releases() as made:
        yield made


@pytest.fixture
async def house(
    database: Engine, settings: Settings, cheap_passwords: None, pages: Releases
) -> AsyncIterator[Application]:
    """MediaNest whose updates come from the stand-in; nothing of it is started."""
    allowed = AllowList(networks=("127.0.0.1/32",))
    made = create_app(msgspec.structs.replace(settings, engine_url=pages.url, allow_private_downloads=allowed))
    yield made
    await made.engine_parts.watch.stop()
    await made.engine_parts.updates.stop()
    await made.downloads.pool.stop()


@pytest.fixture
async def owner(database: Engine) -> User:
    return await make_user("Ada", is_admin=True)


def folder_of(house: Application) -> EngineFolder:
    return EngineFolder(engines_folder(house.settings.data_dir))


async def update(house: Application, owner: User) -> UpdateRecord:
    """Press the button and wait; how it ended."""
    await house.engine_parts.updates.begin_update(by=owner)
    return await ended(house)


async def ended(house: Application) -> UpdateRecord:
    await house.engine_parts.updates.wait()
    return (await house.engine_parts.board.report()).history[0]


def pretend(house: Application, engine_version: str, *, channel: str = "stable") -> Path:
    """Put up the files of a version that nobody loads, whole by its looks, and choose it."""
    folder = folder_of(house)
    made = folder.begin()
    (made / "yt_dlp").mkdir()
    (made / "yt_dlp" / "__init__.py").write_text("raise ImportError('only pretended')")
    facts = {"version": engine_version, "channel": channel, "installed_at": datetime.now(UTC).isoformat()}
    folder.finish(made, engine_version, facts)
    folder.point_to(engine_version)
    assert (folder.path(engine_version) / FACTS).is_file()
    return folder.path(engine_version)


def assert_untouched(house: Application, record: UpdateRecord, code: str) -> None:
    """Nothing was taken, the sentence says why, and nothing half-made is left."""
    assert (record.outcome, record.code) == (Outcome.REFUSED, code), record.text
    assert record.text.endswith(".")
    folder = folder_of(house)
    assert folder.named() == ""
    assert not folder.root.is_dir() or list(folder.root.iterdir()) == []
