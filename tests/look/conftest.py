"""A running MediaNest with a full queue, a browser, and a person who is signed in: made once for all tests of this folder.

The browser ends with the folder's last test: Playwright's loop would otherwise stand in the way of the async tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.harness.server import Server
from tests.look.house import BROWSER_ARGUMENTS, WATCH, WIDTHS, House, chromium_path, sign_in
from tests.site import Site


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """A site with videos."""
    with Site() as made:
        yield made


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[House]:
    """MediaNest with a full queue."""
    server = Server(tmp_path_factory.mktemp("look"))
    try:
        yield House(server.start(), site)
    finally:
        server.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=chromium_path(), args=BROWSER_ARGUMENTS)
        yield made
        made.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, house: House) -> Any:
    """The cookies of a person who is signed in."""
    context = browser.new_context()
    sign_in(context.new_page(), house.server)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_context(browser: Browser, signed_in: Any) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts: `open_context("phone")`, with `is_signed_in=False` or anything Playwright takes."""
    made: list[BrowserContext] = []

    def make(device: str = "desktop", *, is_signed_in: bool = True, **options: Any) -> BrowserContext:
        width, height = WIDTHS.get(device, (320, 640))
        options.setdefault("viewport", {"width": width, "height": height})
        if device != "desktop":
            options |= {"has_touch": True, "is_mobile": True}
        context = browser.new_context(storage_state=signed_in if is_signed_in else None, **options)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture
def open_page_of(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Gives pages on which the administrator of a server is signed in: `open_page_of(server, "phone")`, with Playwright's options."""
    made: list[BrowserContext] = []

    def new(server: Server, device: str = "desktop", **options: Any) -> Page:
        width, height = WIDTHS[device]
        if device == "phone":
            options |= {"has_touch": True, "is_mobile": True}
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        context.add_init_script(WATCH)
        made.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        sign_in(page, server)
        return page

    yield new
    for context in made:
        context.close()
