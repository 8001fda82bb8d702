"""The journeys of a family: paste a link, watch it come, in several tabs, with the link to the server lost in between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.harness.server import Server
from tests.look.house import WATCH, add, sign_in, wait_for_state
from tests.site import Site

LONG_MS = 20_000

# every sentence that screen readers were told
LISTEN = """
window.told = [];
document.addEventListener("DOMContentLoaded", () => {
  const region = document.getElementById("status");
  if (region) new MutationObserver(() => { if (region.textContent) window.told.push(region.textContent); })
    .observe(region, {childList: true, characterData: true, subtree: true});
});
"""


@pytest.fixture(scope="module", params=["", "/medianest"], ids=["at the root", "below a path"])
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A MediaNest of its own, with an empty queue."""
    server = Server(tmp_path_factory.mktemp("live"), base_path=request.param)
    try:
        yield server.start()
    finally:
        server.close()


@pytest.fixture
def context(browser: Browser, fresh: Server) -> Iterator[BrowserContext]:
    made = browser.new_context()
    made.add_init_script(WATCH + LISTEN)
    page = made.new_page()
    sign_in(page, fresh)
    page.close()
    yield made
    made.close()


def paste(page: Page, text: str) -> None:
    """Put the text in as the clipboard does."""
    page.locator("#add-url").focus()
    page.keyboard.insert_text(text)


def test_a_pasted_link_shows_what_it_is_and_ends_up_in_the_library(
    fresh: Server, site: Site, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(fresh.base_url + "/")
    button = page.locator("#add-go").bounding_box()
    paste(page, site.url("/page/opengraph/oven?title=Building+a+stone+oven&length=2&picture=1"))
    expect(page.locator("#preview strong")).to_have_text("Building a stone oven", timeout=LONG_MS)
    assert page.locator("#add-go").bounding_box() == button, "the preview moved the button"
    page.keyboard.press("Enter")
    row = page.locator("#download-list > li").filter(has_text="Building a stone oven")
    expect(row).to_have_count(1, timeout=LONG_MS)
    expect(page.locator("#add-url")).to_have_value("")
    expect(page.locator("#add-url")).to_be_focused()
    expect(page.locator("#preview")).to_be_empty()
    expect(row.locator(".badge")).to_have_text("Done", timeout=LONG_MS)
    assert any("stone oven" in text for text in page.evaluate("window.told"))
    assert page.evaluate("window.seen.violations") == []
    assert list(fresh.library_dir.rglob("*stone oven*.mp4"))


def test_the_same_link_does_not_stand_there_twice(fresh: Server, site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(fresh.base_url + "/downloads")
    link = site.url("/page/opengraph/twice?title=Only+once&length=2")
    for _number in range(2):
        paste(page, link)
        page.keyboard.press("Enter")
        expect(page.locator("#add-url")).to_have_value("", timeout=LONG_MS)
        expect(page.locator("#download-list .badge").first).to_have_text("Done", timeout=LONG_MS)
    assert page.locator("#download-list > li").filter(has_text="Only once").count() == 1


def test_a_link_that_leads_nowhere_is_told_at_the_field(fresh: Server, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(fresh.base_url + "/downloads")
    paste(page, "file:///etc/passwd")
    page.keyboard.press("Enter")
    expect(page.locator("#add-field .error, #flash .notice").first).to_be_visible(timeout=LONG_MS)
    assert page.evaluate("document.activeElement !== document.body")


def test_progress_moves_in_place_in_every_tab_and_is_told_in_quarters(
    fresh: Server, site: Site, context: BrowserContext
) -> None:
    tabs = [context.new_page(), context.new_page()]
    for tab in tabs:
        tab.goto(fresh.base_url + "/downloads")
    with fresh.client() as client:
        number = add(client, site.url("/clip/moving.mp4?length=3&size=3000000&throttle=700000"))
        for tab in tabs:
            bar = tab.locator(f"#download-{number} progress")
            expect(bar).to_be_visible(timeout=LONG_MS)
            tab.wait_for_function(
                "(id) => document.querySelector(`#download-${id} progress`)?.value > 10", arg=number, timeout=LONG_MS
            )
            expect(tab.locator(f"#download-{number} [data-figure=speed]")).to_contain_text("/s")
        wait_for_state(client, number, ("completed",))
    for tab in tabs:
        expect(tab.locator(f"#download-{number} .badge")).to_have_text("Done", timeout=LONG_MS)
        told = [text for text in tab.evaluate("window.told") if "percent" in text]
        assert len(told) <= 5, told


def test_buttons_of_a_row_keep_the_focus_and_change_the_row(fresh: Server, site: Site, context: BrowserContext) -> None:
    with fresh.client() as client:
        number = add(client, site.url("/clip/stopped.mp4?length=3&size=30000000&throttle=100000"))
        wait_for_state(client, number, ("downloading",))
    page = context.new_page()
    page.goto(fresh.base_url + "/downloads")
    row = page.locator(f"#download-{number}")
    row.locator(".i-pause").focus()
    page.keyboard.press("Enter")
    expect(row.locator(".badge")).to_have_text("Paused", timeout=LONG_MS)
    assert page.evaluate("document.activeElement !== document.body")
    row.get_by_text("Go on").click()
    expect(row.locator("progress")).to_be_visible(timeout=LONG_MS)
    row.locator(".i-cross").click()
    expect(row.locator(".badge")).to_have_text("Cancelled", timeout=LONG_MS)
    row.locator(".i-trash").focus()
    page.keyboard.press("Enter")
    expect(row).to_have_count(0, timeout=LONG_MS)
    assert page.evaluate("document.activeElement !== document.body")


def test_the_same_works_without_script(fresh: Server, site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, fresh)
    page.goto(fresh.base_url + "/downloads")
    page.fill("#add-url", site.url("/clip/plain.mp4?length=3&size=30000000&throttle=100000"))
    # the driver hides what stands in <noscript>; the button's address is what counts
    assert 'formaction="' + fresh.base_path + '/downloads/preview"' in page.content()
    page.click("#add-go")
    row = page.locator("#download-list > li").first
    expect(row).to_be_visible()
    row.locator(".i-cross").click()
    expect(page.locator("#download-list > li").first.locator(".badge")).to_have_text("Cancelled")
    page.locator("#download-list > li").first.locator(".i-trash").click()
    expect(page.locator("h1")).to_be_visible()
    page.goto(fresh.base_url + "/more")
    page.get_by_role("button", name="Sign out").last.click()
    expect(page.locator("h1")).to_have_text("Sign in")
    context.close()


def test_a_lost_link_is_told_and_the_list_is_right_after_it(fresh: Server, site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(fresh.base_url + "/downloads")
    page.wait_for_timeout(500)
    fresh.stop()
    expect(page.locator("#offline")).to_contain_text("Live updates are off. Trying again", timeout=LONG_MS)
    fresh.start()
    with fresh.client() as client:
        number = add(client, site.url("/clip/after.mp4?length=2"))
    expect(page.locator("#offline")).to_be_hidden(timeout=LONG_MS)
    expect(page.locator(f"#download-{number} .badge")).to_have_text("Done", timeout=LONG_MS)


def test_the_phone_s_sheet_opens_from_below_and_gives_the_focus_back(browser: Browser, fresh: Server) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    sign_in(page, fresh)
    page.get_by_role("link", name="More").click()
    sheet = page.locator("dialog[open]")
    expect(sheet.get_by_text("Devices")).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "More"
    context.close()
