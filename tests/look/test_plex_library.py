"""The library on the page Plex and the way from a download to Plex, in a real browser, on a phone and on a desk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server
from tests.look.house import WATCH, WIDTHS, add, wait_for_state
from tests.look.test_plex_connection import is_well_made
from tests.plex import PlexWorld
from tests.site import Site

PICTURES = os.environ.get("TEST_PICTURES", "")  # a folder to look at them by hand


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


@pytest.fixture
def connected(start_server: Callable[..., Server], plex: PlexWorld) -> Server:
    """MediaNest with a Plex server whose TV library is ours under another path."""
    server = start_server(env={**plex.settings(), "MEDIANEST_PLEX_SCAN_DELAY_S": "0.5"})
    plex.server.add_library("YouTube", "show", server.library_dir, path="/volume1/media/youtube")
    return server


def opened(browser: Browser, server: Server, device: str, **options: object) -> Page:
    width, height = WIDTHS[device]
    if device == "phone":
        options |= {"has_touch": True, "is_mobile": True}
    context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.goto(server.base_url + "/sign-in")
    page.click("summary")  # Plex comes first here
    page.fill("#username", ADMIN_NAME)
    page.fill("#password", ADMIN_PASSWORD)
    page.click("button:has-text('Sign in'):visible >> nth=-1")
    page.wait_for_url(server.base_url + "/")
    return page


def keep(page: Page, name: str) -> None:
    if PICTURES:
        page.wait_for_timeout(300)
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_list_leads_to_plex_by_itself_and_the_library_is_tested_in_place(
    browser: Browser, connected: Server, plex: PlexWorld, site: Site, device: str
) -> None:
    plex.server.scan_s = 2.0
    page = opened(browser, connected, device)
    with connected.client() as client:
        number = add(client, site.url("/feed/enclosures/evening.xml?items=3"))
        wait_for_state(client, number, ("completed",))
        item = client.get(f"/api/v1/downloads/{number}/items").json()["items"][0]
        page.goto(f"{connected.base_url}/downloads/{number}")
        page.wait_for_selector("#detail :text('3 of 3 videos')")  # the open page says so by itself
        page.wait_for_selector("#detail :text('Collection in Plex')")
        assert "details?key=" in (page.get_attribute("#detail a.primary", "href") or "")
        is_well_made(page)
        keep(page, f"list-{device}")
        page.goto(f"{connected.base_url}/downloads/{item['id']}")
        page.wait_for_selector("text=Watch in Plex")
        is_well_made(page)
        keep(page, f"video-{device}")
        page.goto(f"{connected.base_url}/downloads")
        keep(page, f"rows-{device}")
    page.goto(f"{connected.base_url}/system/plex")
    page.wait_for_selector("#library dd:has-text('/volume1/media/youtube')")
    page.click("text=Test with a video")
    page.wait_for_selector("text=The test runs")
    page.wait_for_selector("text=Plex found the test video")
    page.click("text=Change folder or library")
    is_well_made(page)
    keep(page, f"library-{device}")
    page.fill("#server_root", "nonsense")
    page.click("#library button:has-text('Save')")
    page.wait_for_selector("text=Write the whole path")
    keep(page, f"refused-{device}")
    page.fill("#server_root", "/nowhere")
    page.click("#library button:has-text('Save')")
    page.wait_for_selector("text=No library fits yet")
    page.click("text=Test with a video")
    page.wait_for_selector("text=No library of the Plex server has the folder /nowhere >> nth=1")
    is_well_made(page)
    keep(page, f"trouble-{device}")
    page.context.close()


def test_without_script_the_library_has_a_page_of_its_own(browser: Browser, connected: Server) -> None:
    page = opened(browser, connected, "phone", java_script_enabled=False)
    page.goto(f"{connected.base_url}/system/plex")
    page.click("a:has-text('Library in Plex')")
    page.click("text=Test with a video")
    page.wait_for_selector("text=Plex found the test video", timeout=30_000)  # the page loads itself anew meanwhile
    page.click("text=Change folder or library")
    page.fill("#server_root", "/volume1/media/youtube")
    page.click("#library button:has-text('Save')")
    page.wait_for_selector("text=Saved.")
    keep(page, "no-script")
    page.context.close()
