"""The check of the library in Plex: a plain list of what to change there."""

from __future__ import annotations

import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import Engine
from medianest.integrations.plex_server import Section
from medianest.plex_library.check import about_library, last_check, version_of
from medianest.plex_library.model import LibraryChoice
from medianest.settings import Settings
from tests.harness.application import Visit
from tests.plex import PlexWorld
from tests.security.cast import headers_of


@pytest.mark.parametrize(
    ("type", "scanner", "agent", "reads_nfo", "wrong"),
    [
        ("show", "Plex TV Series", "tv.plex.agents.nfo.series", True, set()),
        ("show", "Plex TV Series", "tv.plex.agents.series", True, {"agent"}),
        ("show", "Plex Series Scanner", "tv.plex.agents.none", False, {"scanner"}),
        ("show", "Plex TV Series", "tv.plex.agents.none", True, set()),
        ("movie", "Plex Video Files Scanner", "com.plexapp.agents.none", True, {"type", "scanner"}),
    ],
)
def test_what_is_wrong_is_named_with_what_to_choose(
    type: str, scanner: str, agent: str, reads_nfo: bool, wrong: set[str]
) -> None:
    target = LibraryChoice(key="3", title="YouTube", type=type, locations=("/data/youtube",))
    section = Section(
        key="3",
        type=type,
        title="YouTube",
        agent=agent,
        language="en",
        uuid="u",
        locations=target.locations,
        scanner=scanner,
    )
    found = about_library(target, [section], reads_nfo=reads_nfo)
    assert {one.name for one in found if one.is_ok is False} == wrong
    assert all(one.advice for one in found if one.is_ok is not True)


def test_versions_are_compared_as_numbers() -> None:
    assert version_of("1.43.1.10611-1e34174b1") == (1, 43, 1) < version_of("1.100.0") == (1, 100, 0)
    assert version_of("") == (0, 0, 0)


async def test_the_page_shows_the_check_and_the_health_list_what_is_wrong(
    database: Engine, settings: Settings, cheap_passwords: None, visit: Visit, plex: PlexWorld
) -> None:
    there = msgspec.structs.replace(
        settings, plex_url=plex.server_url, plex_token=plex.owner.token(), plex_tv_url=plex.url
    )
    application = create_app(there)
    try:
        await check_it(application, visit)
    finally:
        await application.connections.close()


async def check_it(application: Application, visit: Visit) -> None:
    checks = application.plex_library.checks
    admin = visit(application, headers=await headers_of(application, "admin"))
    assert await last_check() is None
    assert "Check now" in (await admin.get("/system/plex/library")).text
    answer = await admin.post("/system/plex/library/check", headers={"HX-Request": "true"})
    assert answer.status_code == 200, answer.text
    made = await last_check()
    assert made is not None
    assert {"reachable", "version", "mapping", "probe"} <= {one.name for one in made.items}
    assert "To change" in answer.text
    assert [one.code for one in await checks.problems()] == ["plex_library_settings"]
    assert "to be changed" in await checks.run_by_night()
    assert (await admin.post("/system/plex/library/check")).headers["location"].endswith("#check")
