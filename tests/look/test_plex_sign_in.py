"""Signing in with Plex in a real browser: on the phone and on the desktop, with script, and by code without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server
from tests.look.house import WATCH, WIDTHS
from tests.look.test_access import AXE, SMALL_TARGETS
from tests.plex import PlexWorld

Contexts = Callable[..., BrowserContext]
HERE = "/sign-in/plex"


@pytest.fixture(scope="module")
def world() -> Iterator[PlexWorld]:
    """One Plex for the servers of this module."""
    with PlexWorld() as made:
        yield made


@pytest.fixture(scope="module", params=["", "/medianest"], ids=["at /", "below a path"])
def door(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, world: PlexWorld
) -> Iterator[Server]:
    """A MediaNest that is connected to Plex."""
    server = Server(tmp_path_factory.mktemp("plex"), env=world.settings(), base_path=request.param)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def browse(browser: Browser) -> Iterator[Contexts]:
    """Makes browsers that nobody is signed in with."""
    made: list[BrowserContext] = []

    def new(device: str = "desktop", **options: Any) -> BrowserContext:
        width, height = WIDTHS.get(device, (320, 640))
        options.setdefault("viewport", {"width": width, "height": height})
        if device != "desktop":
            options |= {"has_touch": True, "is_mobile": True}
        context = browser.new_context(**options)
        if options.get("java_script_enabled", True):
            context.add_init_script(WATCH)
        made.append(context)
        return context

    yield new
    for context in made:
        context.close()


def to_plex(page: Page, server: Server, world: PlexWorld) -> None:
    page.goto(server.base_url + "/sign-in")
    page.get_by_role("button", name="Continue with Plex").click()
    page.wait_for_url(world.url + "/auth**")


def answer(page: Page, account: str, button: str = "Allow") -> None:
    page.check(f"input[value={account}]")
    page.get_by_role("button", name=button).click()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_one_tap_at_plex_and_one_is_in(door: Server, world: PlexWorld, browse: Contexts, device: str) -> None:
    page = browse(device).new_page()
    page.goto(door.base_url + "/downloads")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in to Attic"
    assert not page.get_by_label("Password").is_visible()
    page.get_by_role("button", name="Continue with Plex").click()
    page.wait_for_url(world.url + "/auth**")
    answer(page, "friend")
    page.wait_for_url(door.base_url + "/downloads")
    picture = page.locator(".account img")
    page.wait_for_function("document.querySelector('.account img').naturalWidth > 0")
    assert picture.get_attribute("src", timeout=1000).startswith(door.base_path + "/people/")  # type: ignore[union-attr]
    assert page.evaluate("window.seen.violations") == []
    page.goto(door.base_url + "/settings")
    assert "Frida" in page.locator("main").inner_text()


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_code_page_counts_down_and_goes_on_by_itself(
    door: Server, world: PlexWorld, browse: Contexts, device: str
) -> None:
    page = browse(device).new_page()
    page.goto(door.base_url + "/sign-in")
    page.get_by_role("button", name="Use another device").click()
    page.wait_for_url(door.base_url + HERE)
    code = page.locator("#plex-code").inner_text()
    left = page.locator("[data-countdown]")
    page.wait_for_function("document.querySelector('[data-countdown]').textContent.includes('14:5')")
    before = left.inner_text()
    page.wait_for_function("(text) => document.querySelector('[data-countdown]').textContent !== text", arg=before)
    page.wait_for_timeout(2500)  # it has asked at least once
    assert page.locator("#plex-state").inner_text() == "Waiting for Plex…"
    other = browse("phone").new_page()
    other.goto(world.url + "/link")
    other.fill("input[name=code]", code)
    other.check("input[value=friend_one_library]")
    other.get_by_role("button", name="Link").click()
    page.wait_for_url(door.base_url + "/", timeout=15000)
    assert "Finn" in page.get_by_role("heading", level=1).inner_text()
    assert page.evaluate("window.seen.violations") == []


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_the_code_way_works_without_script(door: Server, world: PlexWorld, browse: Contexts, device: str) -> None:
    page = browse(device, java_script_enabled=False).new_page()
    page.goto(door.base_url + "/sign-in")
    page.get_by_role("button", name="Use another device").click()
    page.wait_for_url(door.base_url + HERE)
    assert "15 more minutes" in page.locator("[data-countdown]").inner_text()
    first = page.locator("#plex-code").inner_text()
    page.get_by_role("button", name="New code").click()
    page.wait_for_url(door.base_url + HERE)
    code = page.locator("#plex-code").inner_text()
    assert code != first
    world.allow(code, world.friend)
    page.wait_for_url(door.base_url + "/", timeout=20000)  # the page loads itself again
    assert "Frida" in page.get_by_role("heading", level=1).inner_text()


def test_denied_or_closed_the_page_still_goes_on(door: Server, world: PlexWorld, browse: Contexts) -> None:
    page = browse().new_page()
    to_plex(page, door, world)
    answer(page, "friend", "Deny")
    page.wait_for_url(door.base_url + HERE + "/return**")
    page.get_by_role("link", name="Open Plex").click()
    page.wait_for_url(world.url + "/auth**")
    answer(page, "friend")
    page.wait_for_url(door.base_url + "/")


def test_cancel_and_start_again_lead_on(door: Server, world: PlexWorld, browse: Contexts) -> None:
    page = browse().new_page()
    to_plex(page, door, world)
    page.goto(door.base_url + HERE)
    page.get_by_role("button", name="Start again").click()  # the policy of this page lets its form lead to Plex
    page.wait_for_url(world.url + "/auth**")
    page.goto(door.base_url + HERE)
    page.get_by_role("button", name="Cancel").click()
    page.wait_for_url(door.base_url + "/sign-in")


def test_a_stranger_reads_why_and_may_try_again(door: Server, world: PlexWorld, browse: Contexts) -> None:
    page = browse("phone").new_page()
    to_plex(page, door, world)
    answer(page, "stranger")
    page.wait_for_url(door.base_url + HERE + "/return**")
    assert "stan" in page.locator("main").inner_text()
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(world.url + "/auth**")


def test_a_wrong_password_leaves_its_field_open(door: Server, browse: Contexts) -> None:
    page = browse().new_page()
    page.goto(door.base_url + "/sign-in")
    page.get_by_text("Use a password").click()
    page.fill("#username", ADMIN_NAME)
    page.fill("#password", "wrong")
    page.locator("details button").click()
    assert page.get_by_role("alert").is_visible()
    assert page.locator("#password").is_visible()
    page.fill("#password", ADMIN_PASSWORD)
    page.locator("details button").click()
    page.wait_for_url(door.base_url + "/")


@pytest.mark.parametrize("device", ["desktop", "phone", "narrow"])
def test_everybody_can_use_these_pages(door: Server, world: PlexWorld, browse: Contexts, device: str) -> None:
    page = browse(device).new_page()
    page.emulate_media(reduced_motion="reduce")

    def judge(name: str) -> None:
        for theme in ("dark", "light"):
            page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
            page.wait_for_timeout(150)
            found = Axe().run(page, options=AXE).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], (name, theme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        if device != "desktop":
            assert page.evaluate(SMALL_TARGETS) == [], name

    page.goto(door.base_url + "/sign-in")
    judge("sign-in")
    page.get_by_text("Use a password").click()
    judge("password")
    page.get_by_role("button", name="Use another device").click()
    page.wait_for_url(door.base_url + HERE)
    judge("code")
    to_plex(page, door, world)
    page.goto(door.base_url + HERE)
    judge("waiting")
    world.expire(next(code for pin in reversed(world.pins.values()) if (code := pin.code)))
    page.reload()
    judge("expired")
    to_plex(page, door, world)
    answer(page, "pending")
    page.wait_for_url(door.base_url + HERE + "/return**")
    judge("refused")
    page.goto(door.base_url + HERE + "/return?state=x")
    judge("foreign")
