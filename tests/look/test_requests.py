"""The owner's test A: somebody finds a film, asks for it, and sees it arrive without doing anything; on a phone as well, and
with script off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server
from tests.look.house import WATCH, WIDTHS
from tests.look.test_access import AXE, SMALL_TARGETS, STOPS
from tests.overseerr import OverseerrWorld

LONG_MS = 20_000
PASSWORD = "Correct-Horse-9-Battery"


@pytest.fixture(scope="module")
def overseerr() -> Iterator[OverseerrWorld]:
    with OverseerrWorld() as world:
        yield world


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, overseerr: OverseerrWorld) -> Iterator[Server]:
    """A MediaNest with an administrator and `kim`, who needs somebody's yes; Overseerr tells it by webhook."""
    server = Server(tmp_path_factory.mktemp("requests"), env=overseerr.settings(), base_path="/medianest")
    try:
        server.start()
        with server.client() as owner:
            made = owner.post("/api/v1/users", json={"username": "kim", "display_name": "Kim"}).raise_for_status()
            first = made.json()["password"]
        with server.client("kim", first) as kim:
            kim.post(
                "/api/v1/me/password", json={"current_password": first, "new_password": PASSWORD}
            ).raise_for_status()
        yield server
    finally:
        server.close()


def opened(browser: Browser, server: Server, name: str, password: str, device: str, *, has_script: bool = True) -> Page:
    """A window of somebody who is signed in."""
    width, height = WIDTHS[device]
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=has_script,
        **({"has_touch": True, "is_mobile": True} if device == "phone" else {}),
    )  # fmt: skip
    if has_script:
        context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(server.base_url + "/sign-in")
    page.fill("#username", name)
    page.fill("#password", password)
    page.click("button.primary")
    page.wait_for_url(server.base_url + "/")
    return page


@pytest.mark.parametrize(
    ("device", "title", "number"), [("desktop", "Harbour Lights", 1399), ("phone", "Buttons and Bears", 862)]
)
def test_found_asked_for_approved_in_another_window_and_there_by_itself(
    browser: Browser, fresh: Server, overseerr: OverseerrWorld, device: str, title: str, number: int
) -> None:
    kim = opened(browser, fresh, "kim", PASSWORD, device)
    kim.goto(fresh.base_url + "/search?q=" + title.replace(" ", "%20"))
    kim.get_by_role("link", name=title).first.click()
    box = kim.locator("#request-panel")
    expect(box).to_contain_text("Goes to whoever looks after requests for approval.", timeout=LONG_MS)
    box.locator("form button.primary").click()
    expect(box.locator("li[aria-current=step]")).to_have_text("Waiting for approval", timeout=LONG_MS)

    owner = opened(browser, fresh, ADMIN_NAME, ADMIN_PASSWORD, "desktop")
    owner.goto(fresh.base_url + "/requests?show=waiting")
    row = owner.locator("tr.asked").filter(has_text=title)
    expect(row).to_contain_text("asked by Kim")
    row.get_by_role("button", name=f"Approve: {title}").click()
    expect(box.locator("li[aria-current=step]")).to_contain_text("Looking for a copy", timeout=LONG_MS)
    expect(row.locator(".badge")).to_have_text("On its way", timeout=LONG_MS)
    kim.evaluate("window.stays = true")

    kind = "tv" if number == 1399 else "movie"
    assert len(overseerr.rows_of(kind, number)) == 1
    overseerr.mark_available(kind, number)
    with fresh.client() as client:
        client.post("/api/v1/system/tasks/sync_requests/run").raise_for_status()
    expect(box).to_contain_text("In the library", timeout=LONG_MS)
    expect(row.locator(".badge")).to_have_text("In the library", timeout=LONG_MS)
    assert kim.evaluate("window.stays"), "the page was loaded again"
    for page in (kim, owner):
        assert page.evaluate("window.seen.violations") == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.context.close()


def test_a_request_that_comes_in_stands_in_the_open_list_and_in_the_menu(browser: Browser, fresh: Server) -> None:
    owner = opened(browser, fresh, ADMIN_NAME, ADMIN_PASSWORD, "desktop")
    owner.goto(fresh.base_url + "/requests?show=waiting")
    with fresh.client("kim", PASSWORD) as kim:
        for number in (603, 604):
            kim.post("/api/v1/requests", json={"media_type": "movie", "tmdb_id": number}).raise_for_status()
    rows = owner.locator("tr.asked")
    expect(rows).to_have_count(2, timeout=LONG_MS)
    expect(owner.locator("#requests-count")).to_have_text("2", timeout=LONG_MS)
    # several at once, by the keyboard: the bar stands there as soon as one is ticked
    expect(owner.locator("#bulk")).to_be_hidden()
    for number in range(2):
        rows.nth(number).locator("input[type=checkbox]").focus()
        owner.keyboard.press("Space")
    expect(owner.locator("#bulk")).to_be_visible()
    owner.locator("#bulk-reason").select_option("There is not enough room at the moment.")
    owner.locator("#bulk button.danger").click()
    expect(owner.locator(".notice.is-ok")).to_contain_text("2 requests decided.")
    with fresh.client("kim", PASSWORD) as kim:
        found = kim.get("/api/v1/requests?status=declined").json()["items"]
        assert {one["reason"] for one in found} == {"There is not enough room at the moment."}
    owner.context.close()


def test_asking_and_taking_back_work_without_script(browser: Browser, fresh: Server) -> None:
    kim = opened(browser, fresh, "kim", PASSWORD, "phone", has_script=False)
    kim.goto(fresh.base_url + "/requests/new?kind=movie&id=704")
    kim.locator("#request-panel button.primary").click()
    expect(kim.locator("h1")).to_contain_text("Fish")
    expect(kim.locator("li[aria-current=step]")).to_have_text("Waiting for approval")
    kim.get_by_role("button", name="Cancel request").click()
    expect(kim.locator(".line .badge")).to_have_text("Cancelled")
    kim.get_by_role("link", name="Ask again").click()
    expect(kim.locator("#request-panel")).to_contain_text("Ask again")
    kim.context.close()


def test_pages_of_requests_are_for_everybody(browser: Browser, fresh: Server) -> None:
    with fresh.client("kim", PASSWORD) as kim:
        made = kim.post("/api/v1/requests", json={"media_type": "tv", "tmdb_id": 4000}).raise_for_status().json()
    pages = {
        "list": "/requests", "waiting": "/requests?show=waiting", "nothing": "/requests?show=there&q=zzz",
        "one": f"/requests/{made['id']}", "asking": "/requests/new?kind=tv&id=1399", "home": "/",
    }  # fmt: skip
    for device in ("desktop", "phone"):
        page = opened(browser, fresh, ADMIN_NAME, ADMIN_PASSWORD, device)
        page.emulate_media(reduced_motion="reduce")
        for name, address in pages.items():
            page.goto(fresh.base_url + address)
            if name == "waiting":
                page.locator(".pick label").first.click()
            page.evaluate("for (const one of document.querySelectorAll('main details')) one.open = true")
            for theme in ("dark", "light"):
                page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
                page.wait_for_timeout(150)
                found = Axe().run(page, context={"exclude": [["#account-notices"]]}, options=AXE).response["violations"]
                assert [(one["id"], [node["html"][:150] for node in one["nodes"][:3]]) for one in found] == [], name
            if name == "home":  # all else of it is tried with the other pages
                continue
            if device == "phone":
                assert page.evaluate(SMALL_TARGETS) == [], name
            page.locator("main").focus()  # the frame around it is tried on every other page
            for _number in range(30):
                page.keyboard.press("Tab")
                stop = page.evaluate(STOPS)
                if stop is None:
                    break
                assert (stop["isInside"], stop["isOutlined"], stop["isCovered"]) == (True, True, False), (
                    name,
                    device,
                    stop,
                )
            page.set_viewport_size({"width": 320, "height": 640})
            assert page.evaluate("document.querySelector('main').scrollWidth") <= 320, name
            page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
            assert page.evaluate("document.querySelector('main').scrollWidth") <= 320, f"{name} with text at 200 %"
            width, height = WIDTHS[device]
            page.set_viewport_size({"width": width, "height": height})
        page.context.close()
