"""How soon a page can be read on a slow phone: 390 × 844, 1.6 Mbit/s with 560 ms delay, CPU slowed four times, cold cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.look.house import House

BITS_S = 1_600_000
TRIES = 3  # the best counts: the machine that runs the tests has other work

OBSERVE = """
window.paint = {lcp: 0, blocked: 0};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.paint.lcp = entry.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.paint.blocked += Math.max(0, entry.duration - 50);
}).observe({type: "longtask", buffered: true});
"""
READ = """() => ({...window.paint, fcp: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 1e9})"""


def measure(context: BrowserContext, address: str, *, is_second_visit: bool = False) -> dict[str, float]:
    """First and largest contentful paint and blocking time in ms."""
    page = context.new_page()
    page.add_init_script(OBSERVE)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if is_second_visit:
        page.goto(address, wait_until="load")
    else:
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    speed = {"offline": False, "latency": 560, "downloadThroughput": BITS_S / 8, "uploadThroughput": BITS_S / 16}
    session.send("Network.emulateNetworkConditions", speed)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(address, wait_until="load")
    page.wait_for_timeout(600)
    figures: dict[str, float] = page.evaluate(READ)
    page.close()
    return figures


@pytest.mark.parametrize(
    ("is_second_visit", "limits"),
    [(False, {"fcp": 2000, "lcp": 2800, "blocked": 100}), (True, {"fcp": 1200, "lcp": 1500, "blocked": 100})],
    ids=["cold", "second visit"],
)
@pytest.mark.parametrize("name", ["home", "downloads", "system"])
def test_a_page_can_be_read_soon_on_a_slow_phone(
    house: House,
    open_context: Callable[..., BrowserContext],
    name: str,
    is_second_visit: bool,
    limits: dict[str, float],
) -> None:
    found: list[dict[str, Any]] = []
    for _try in range(TRIES):
        context = open_context("phone")
        found.append(measure(context, house.server.base_url + house.pages[name], is_second_visit=is_second_visit))
        if all(found[-1][key] <= most for key, most in limits.items()):
            break
    best = {key: min(one[key] for one in found) for key in limits}
    print(name, "second" if is_second_visit else "cold", {key: round(value) for key, value in best.items()})
    assert all(best[key] <= most for key, most in limits.items()), best
