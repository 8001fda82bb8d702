"""The library on the page Plex: what is found, what is set, the test with a video; with and without script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import Engine, fetch
from medianest.plex_library.model import Probe, ProbeState
from medianest.plex_library.probe_video import probe_video
from medianest.settings import Settings
from tests.harness.application import Visit, csrf_of, set_up
from tests.plex import PlexWorld
from tests.plex_library.conftest import near_plex

PAGE = "/system/plex/library"
HTMX = {"HX-Request": "true"}


@pytest.fixture
async def house(
    database: Engine, settings: Settings, cheap_passwords: None, plex: PlexWorld
) -> AsyncIterator[Application]:
    settings.library_dir.mkdir()
    made = create_app(near_plex(settings, plex))
    made.plex_library.probe.patience_s = 0.5
    yield made
    await made.plex_library.probe.stop()
    await made.connections.close()


@pytest.fixture
async def admin(house: Application, visit: Visit) -> httpx.AsyncClient:
    client = visit(house)
    await set_up(client, house)
    client.headers["X-CSRF-Token"] = csrf_of((await client.get("/")).text)
    return client


async def result_of(house: Application, admin: httpx.AsyncClient) -> str:
    """What the page says after a test."""
    running = await admin.post(f"{PAGE}/test", headers=HTMX)
    assert "The test runs" in running.text
    await house.plex_library.probe.finished()
    return (await admin.get(f"{PAGE}/test", headers=HTMX)).text


async def test_the_test_files_a_video_finds_it_and_takes_it_away(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld
) -> None:
    library = house.settings.library_dir
    plex.server.add_library("YouTube", "show", library, path="/srv/tube")
    page = await admin.get(PAGE)
    assert "/srv/tube" in page.text
    assert "found by itself" in page.text
    assert 'hx-get="/system/plex/library"' in (await admin.get("/system/plex")).text
    text = await result_of(house, admin)
    assert "It works" in text
    assert "YouTube" in text
    assert not list(library.glob("MediaNest*"))
    assert plex.server.scanned == ["/srv/tube/MediaNest probe"] * 2
    plex.server.catch_up()
    assert not plex.server.of_library("4")
    assert probe_video()[4:8] == b"ftyp"
    # without script: a page that leads back to itself
    answer = await admin.post(f"{PAGE}/test")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PAGE}#probe")
    assert 'http-equiv="refresh"' in (await admin.get(PAGE)).text
    await house.plex_library.probe.finished()
    assert "It works" in (await admin.get(PAGE)).text


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_the_test_says_in_plain_words_what_is_wrong(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld, tmp_path: Path
) -> None:
    assert "library of films" in await result_of(house, admin)  # From the web, whose agent is for other videos
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    plex.server.add_library("YouTube", "show", elsewhere, path="/srv/tube")
    text = await result_of(house, admin)
    assert "two folders" in text
    assert "/srv/tube" in text
    await admin.post(PAGE, data={"server_root": "/nowhere"})
    text = await result_of(house, admin)
    assert "No library of the Plex server has the folder /nowhere" in text
    assert "/srv/tube" in text
    plex.turn_off()
    text = await result_of(house, admin)
    assert "Nothing answers" in text
    assert not list(house.settings.library_dir.glob("MediaNest*"))


async def test_a_test_that_ended_with_its_process_is_cleaned_up_at_the_next_start(
    house: Application, admin: httpx.AsyncClient
) -> None:
    left = house.settings.library_dir / "MediaNest probe"
    left.mkdir()
    instance = house.plex_library.probe._instance
    text = msgspec.json.encode(Probe(state=ProbeState.RUNNING, at=datetime.now(UTC), instance=instance)).decode()
    await fetch(
        "INSERT INTO system_settings (key, value, updated_at) VALUES ('plex_library_probe', {}, {})",
        text,
        datetime.now(UTC),
    )
    assert "The test runs" in (await admin.get(f"{PAGE}/test")).text
    await house.plex_library.probe.clean()
    assert not left.exists()
    assert "Run it again" in (await admin.get(f"{PAGE}/test")).text


async def test_folder_and_library_are_set_checked_and_recorded(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld
) -> None:
    plex.server.add_library("YouTube", "show", path="/srv/tube")
    refused = await admin.post(PAGE, data={"server_root": "../up"})
    assert refused.status_code == 400
    assert "whole path" in refused.text
    assert "../up" in refused.text
    saved = await admin.post(PAGE, data={"server_root": "/srv/tube", "section": "4"})
    assert saved.headers["location"] == f"{PAGE}?note=saved"
    page = await admin.post(PAGE, data={"server_root": "/srv/tube/<b>", "section": "4"}, headers=HTMX)
    assert "Saved." in page.text
    assert "/srv/tube/&lt;b&gt;" in page.text
    assert 'value="4" selected' in page.text
    (line, *_) = await fetch(
        "SELECT action, after FROM audit_logs WHERE action = 'plex.library_changed' ORDER BY id DESC"
    )
    assert "/srv/tube" in line["after"]
    again = await admin.post(f"{PAGE}/look-again")
    assert again.headers["location"] == f"{PAGE}?note=looking"
    # Plex is off: the page still stands, with the reason
    plex.turn_off()
    page = await admin.get(PAGE)
    assert page.status_code == 200
    assert "can not be asked now" in page.text
    assert "/srv/tube/&lt;b&gt;" in page.text
