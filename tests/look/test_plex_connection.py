"""Connecting the Plex server in a real browser: through Plex's own page, by a code without script, and what the pages show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.harness.server import Server
from tests.look.test_access import AXE, SMALL_TARGETS
from tests.plex import PlexWorld

Open = Callable[..., Page]


@pytest.fixture
def near_plex(start_server: Callable[..., Server], plex: PlexWorld) -> Server:
    """MediaNest near Plex, not connected."""
    return start_server(env={"MEDIANEST_PLEX_TV_URL": plex.url, "MEDIANEST_PLEX_APP_URL": plex.url})


@pytest.fixture
def open_page(open_page_of: Open, near_plex: Server) -> Open:
    """Gives pages on which the administrator is signed in: `open_page("phone", java_script_enabled=False)`."""
    return partial(open_page_of, near_plex)


def is_well_made(page: Page) -> None:
    """No accessibility fault, no small target, nothing that has to be scrolled sideways, no policy broken."""
    page.emulate_media(reduced_motion="reduce")
    for theme in ("dark", "light"):
        # from the top: what is half below the bar while somebody scrolls is no small target
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; scrollTo(0, 0) }", theme)
        page.wait_for_timeout(200)
        found = Axe().run(page, options=AXE).response["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    if (page.viewport_size or {})["width"] < 600:
        assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("window.seen.violations") == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_owner_connects_through_plex_and_tests_the_connection(
    open_page: Open, near_plex: Server, plex: PlexWorld, device: str
) -> None:
    page = open_page(device)
    page.goto(near_plex.base_url + "/system/plex")
    is_well_made(page)
    page.get_by_role("button", name="Connect Plex").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/system/plex/servers")
    is_well_made(page)
    assert page.get_by_role("radio").first.is_checked()  # there is only one
    page.get_by_role("button", name="Connect this server").click()
    page.wait_for_url("**/system/plex?note=connected")
    assert page.get_by_role("heading", name=plex.server_name).is_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_text("It works.").wait_for()
    is_well_made(page)
    page.get_by_role("button", name="Disconnect", exact=True).click()
    page.locator("#confirm-yes").click()
    page.wait_for_url("**/system/plex?note=disconnected")


def test_a_denied_sign_in_comes_back_and_may_be_begun_again(
    open_page: Open, near_plex: Server, plex: PlexWorld
) -> None:
    page = open_page()
    page.goto(near_plex.base_url + "/system/plex")
    page.get_by_role("button", name="Connect Plex").click()
    page.get_by_role("button", name="Deny").click()
    page.wait_for_url("**/system/plex/waiting")
    is_well_made(page)
    page.get_by_role("button", name="New code").click()
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url("**/system/plex/servers")


def test_the_waiting_page_goes_on_by_itself_once_the_code_was_typed_elsewhere(
    open_page: Open, near_plex: Server, plex: PlexWorld
) -> None:
    page = open_page("phone")
    page.goto(near_plex.base_url + "/system/plex")
    page.get_by_role("button", name="Use a code on another device").click()
    page.wait_for_url("**/system/plex/waiting")
    is_well_made(page)
    plex.allow(page.locator(".pin-code").inner_text(), plex.owner)
    page.wait_for_url("**/system/plex/servers")


def test_without_script_the_code_way_works_to_its_end(open_page: Open, near_plex: Server, plex: PlexWorld) -> None:
    page = open_page("phone", java_script_enabled=False)
    page.goto(near_plex.base_url + "/system/plex")
    page.get_by_role("button", name="Use a code on another device").click()
    page.wait_for_url("**/system/plex/waiting")
    plex.allow(page.locator(".pin-code").inner_text(), plex.owner)
    page.wait_for_url("**/system/plex/servers")
    page.get_by_role("button", name="Connect this server").click()
    page.wait_for_url("**/system/plex?note=connected")
    page.get_by_role("button", name="Test", exact=True).click()
    page.get_by_text("It works.").wait_for()
