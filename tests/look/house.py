"""A MediaNest with every kind of row, and what the tests of this folder do with its pages."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server
from tests.site import Site

BROWSER_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-dev-shm-usage",
]  # fmt: skip
QUEUED = 50
WIDTHS = {"phone": (390, 844), "desktop": (1280, 860)}

# kept by the page itself: what a reader of the console would miss
WATCH = """
window.seen = {shift: 0, violations: []};
document.addEventListener("securitypolicyviolation", (event) => {
  window.seen.violations.push(event.violatedDirective + " " + event.blockedURI);
});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.seen.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


def chromium_path() -> str | None:
    """The browser of the system; None leaves the choice to Playwright, which may have its own."""
    named = os.environ.get("CHROMIUM_PATH", "")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def wait_for_state(client: httpx.Client, number: int, states: tuple[str, ...], timeout_s: float = 40) -> dict[str, Any]:
    """The download once it is in one of `states`."""
    end = time.monotonic() + timeout_s
    while True:
        found: dict[str, Any] = client.get(f"/api/v1/downloads/{number}").raise_for_status().json()
        if found["state"] in states:
            return found
        assert time.monotonic() < end, f"still {found['state']} ({found['reason']})"
        time.sleep(0.1)


def add(client: httpx.Client, url: str) -> int:
    """Add a link by the API; its id."""
    return int(client.post("/api/v1/downloads", json={"url": url}).raise_for_status().json()["id"])


class House:
    """The server with every kind of row: ids of one finished, one failed, one running download and one list."""

    def __init__(self, server: Server, site: Site) -> None:
        self.server, self.site = server, site
        with server.client() as client:
            self.finished = add(client, site.url("/page/opengraph/harbour?title=Harbour+lights&length=2&picture=1"))
            self.failed = add(client, site.url("/status/404"))
            self.list = add(client, site.url("/feed/enclosures/evening.xml?items=3"))
            for number in (self.finished, self.failed, self.list):
                wait_for_state(client, number, ("completed", "failed"))
            self.running = add(client, site.url("/clip/slow.mp4?length=4&size=90000000&throttle=120000"))
            wait_for_state(client, self.running, ("downloading",))
            self.filed = int(client.get("/api/v1/history").raise_for_status().json()["items"][0]["id"])
            settings = client.get("/api/v1/queue-settings").raise_for_status().json()
            client.put("/api/v1/queue-settings", json={**settings, "is_paused": True}).raise_for_status()
            link = {"url": site.url("/feed/pages/followed.xml?items=4"), "take_old": "last", "old_number": 1}
            self.followed = int(client.post("/api/v1/subscriptions", json=link).raise_for_status().json()["id"])
            made = client.post("/api/v1/users", json={"username": "kim", "display_name": "Kimberley Featherstonehaugh"})
            self.person = int(made.raise_for_status().json()["person"]["id"])
            for number in range(QUEUED):
                add(client, site.url(f"/page/html5/a-video-of-the-queue-with-a-title-{number}"))
        self.pages = {
            "home": "/",
            "downloads": "/downloads",
            "waiting": "/downloads?show=waiting",
            "finished": "/downloads?show=finished",
            "failed": "/downloads?show=failed",
            "detail": f"/downloads/{self.running}",
            "failed detail": f"/downloads/{self.failed}",
            "list": f"/downloads/{self.list}",
            "settings": "/settings",
            "password": "/settings/password",
            "devices": "/settings/devices",
            "two-step": "/settings/two-step",
            "two-step set-up": "/settings/two-step/set-up",
            "api keys": "/settings/keys",
            "audit": "/system/audit",
            "queue settings": "/downloads/settings",
            "history": "/downloads/history",
            "video of the history": f"/downloads/history/{self.filed}",
            "keeping": "/downloads/keeping",
            "library folder": "/downloads/folder",
            "engine": "/system/engine",
            "cookies": "/downloads/cookies",
            "system": "/system",
            "overseerr": "/system/overseerr",
            "people": "/people",
            "new person": "/people/new",
            "person": f"/people/{self.person}",
            "deletion": f"/people/{self.person}/delete",
            "default rights": "/people/rights",
            "own deletion": "/settings/delete",
            "subscriptions": "/subscriptions",
            "subscription": f"/subscriptions/{self.followed}",
            "unfollowing": f"/subscriptions/{self.followed}/delete",
            "patterns": "/help/patterns",
            "more": "/more",
            "search": "/search",
            "results": "/search?q=lighthouse",
            "library": "/library",
            "missing": "/nothing-here",
            "sign-in": "/sign-in",
        }


def sign_in(page: Page, server: Server) -> None:
    """Through the form."""
    page.goto(server.base_url + "/sign-in")
    page.fill("#username", ADMIN_NAME)
    page.fill("#password", ADMIN_PASSWORD)
    page.click("button.primary")
    page.wait_for_url(server.base_url + "/")


def show(page: Page, house: House, name: str, theme: str = "dark") -> None:
    """Open a page by its name and put it into `theme`, without waiting for transitions."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(house.server.base_url + house.pages[name], wait_until="load")
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
    page.wait_for_timeout(150)
