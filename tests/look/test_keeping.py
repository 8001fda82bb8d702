"""What was downloaded and how long it stays, in a real browser, on a phone and on a desk."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.harness.downloads import add, wait_for
from tests.harness.server import Server
from tests.look.test_plex_connection import is_well_made
from tests.site import Site

TITLES = ("Harbour lights", "Mountain hut", "Old tram")
Open = Callable[..., Page]


@pytest.fixture
def shelf(start_server: Callable[..., Server], site: Site) -> Server:
    """MediaNest with three videos in its library."""
    server = start_server()
    with server.client() as client:
        links = [site.url(f"/page/opengraph/{number}?title={quote(title)}") for number, title in enumerate(TITLES)]
        for one in [add(client, link) for link in links]:
            assert wait_for(client, one["id"], ("completed", "failed"))["state"] == "completed"
    return server


@pytest.fixture
def open_page(open_page_of: Open, shelf: Server) -> Open:
    """Gives pages on which the administrator is signed in: `open_page("phone", java_script_enabled=False)`."""
    return partial(open_page_of, shelf)


def media_of(server: Server) -> list[str]:
    """Names of the videos that lie in the library."""
    return sorted(path.name for path in server.library_dir.rglob("*.mp4"))


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_video_is_found_in_the_history_kept_and_deleted(open_page: Open, shelf: Server, device: str) -> None:
    page = open_page(device)
    page.goto(shelf.base_url + "/downloads")
    page.click("text=Everything that was downloaded")
    expect(page.locator(".row.history")).to_have_count(3)
    page.click("summary:has-text('Search and filter')")
    page.fill("#words", "harbour")
    page.click("button:has-text('Show')")
    row = page.locator(".row.history")
    expect(row).to_have_count(1)
    is_well_made(page)
    row.get_by_role("button", name="Keep for ever: Harbour lights").click()
    expect(row.locator(".badge")).to_contain_text("Kept")
    page.goto(shelf.base_url + "/downloads/history?state=shielded")
    page.click("text=Harbour lights")
    is_well_made(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep it").click()
    assert len(media_of(shelf)) == 3
    page.get_by_role("button", name="Delete").click()
    page.locator("#confirm-yes").click()
    page.wait_for_selector(".badge:has-text('Deleted')")
    page.wait_for_selector("h2:has-text('Lay in the library')")
    assert {name.split("[")[1] for name in media_of(shelf)} == {"1].mp4", "2].mp4"}


def let_days_pass(server: Server, days: int) -> None:
    """What lies in the library was filed so many days earlier."""
    with sqlite3.connect(server.data_dir / "medianest.sqlite", timeout=20) as database:
        for number, filed in database.execute("SELECT id, filed_at FROM download_history").fetchall():
            earlier = (datetime.fromisoformat(filed) - timedelta(days=days)).isoformat(" ")
            database.execute("UPDATE download_history SET filed_at = ? WHERE id = ?", (earlier, number))
    database.close()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_rules_are_tried_before_they_are_kept(open_page: Open, shelf: Server, device: str) -> None:
    let_days_pass(shelf, 10)
    page = open_page(device)
    page.goto(shelf.base_url + "/downloads/keeping")
    page.fill("#newest_per_show", "1")
    page.click("text=Try it: what would go?")
    page.wait_for_selector("text=These rules would delete these 2 videos")
    is_well_made(page)
    assert page.locator("#newest_per_show").input_value() == "1"  # and still stands in the form
    page.goto(shelf.base_url + "/downloads/keeping")
    assert page.locator("#newest_per_show").input_value() == ""  # nothing was saved
    page.fill("#newest_per_show", "1")
    page.click("text=Save changes")
    page.wait_for_selector("text=Saved")
    page.goto(shelf.base_url + "/system")
    page.get_by_role("button", name="Run now: Announce and delete videos").click()
    page.goto(shelf.base_url + "/downloads/keeping")
    for _ in range(20):
        if page.locator("#planned-heading + p:has-text('2 videos')").count():
            break
        page.wait_for_timeout(250)
        page.reload()
    page.wait_for_selector("text=one person told")
    is_well_made(page)
    page.goto(shelf.base_url + "/downloads")
    assert len(media_of(shelf)) == 3  # announced only


def test_what_lies_in_the_folder_is_taken_in(open_page: Open, shelf: Server) -> None:
    found = next(shelf.library_dir.rglob("*Old tram*.mp4"))
    other = shelf.library_dir / "Ana Film" / "Season 2024"
    other.mkdir(parents=True)
    shutil.copy(found, other / "Ana Film - s2024e050101 - Ferry [dQw4w9WgXcQ].mp4")
    page = open_page("phone")
    page.goto(shelf.base_url + "/downloads/keeping")
    page.click("a:has-text('Library folder')")
    page.click("text=Try it: what would be taken in?")
    page.wait_for_selector("#work .badge:has-text('Done')")
    page.click("#work summary")
    page.wait_for_selector("#work li:has-text('Ferry')")
    is_well_made(page)
    page.click("text=Take them in")
    page.wait_for_selector("h2:has-text('Taking in what lies in the folder') .badge:has-text('Done')")
    page.goto(shelf.base_url + "/downloads/history")
    page.wait_for_selector("text=Ferry")
    page.goto(shelf.base_url + "/downloads/folder")
    page.set_input_files(
        "#archive", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"youtube abcdefghijk\nwhat?\n"}
    )
    page.click("button:has-text('Import')")
    page.wait_for_selector("text=One video was noted as had.")
    page.fill("#target", "not a whole path")
    page.click("text=Begin to copy")
    page.wait_for_selector("#target[aria-invalid=true]")
    is_well_made(page)


def test_without_script_the_history_is_searched_and_a_video_deleted(open_page: Open, shelf: Server) -> None:
    page = open_page("phone", java_script_enabled=False)
    page.goto(shelf.base_url + "/downloads/history")
    page.click("summary:has-text('Search and filter')")
    page.fill("#words", "tram")
    page.click("button:has-text('Show')")
    page.click("text=Old tram")
    page.get_by_role("button", name="Delete").click()
    page.wait_for_selector(".badge:has-text('Deleted')")
    assert len(media_of(shelf)) == 2
