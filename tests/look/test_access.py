"""Every page for everybody: axe, keyboard, touch, narrow screens, no script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.look.house import House, show

PAGES = (
    "home", "downloads", "waiting", "finished", "failed", "detail", "failed detail", "list", "settings", "password", "devices",
    "two-step", "two-step set-up",
    "people", "new person", "person", "deletion", "default rights", "own deletion",
    "subscriptions", "subscription", "unfollowing", "queue settings", "cookies", "history", "video of the history", "keeping",
    "library folder", "engine", "system", "overseerr", "audit", "api keys", "search", "results", "library", "patterns", "more",
    "missing", "sign-in",
)  # fmt: skip
AXE = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}
Contexts = Callable[..., BrowserContext]

STOPS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const middle = (start, length, end) => Math.min(Math.max(start + length / 2, 1), end - 2);
  const below = document.elementFromPoint(middle(box.x, box.width, innerWidth), middle(box.y, box.height, innerHeight));
  return {
    name: element.outerHTML.slice(0, 120),
    isOutlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isInside: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
    isCovered: !(below && (element.contains(below) || below.contains(element))),
  };
}"""

SMALL_TARGETS = """() => {
  const found = [];
  for (const element of document.querySelectorAll("a[href], button, input, select, textarea, summary")) {
    const label = element.closest("label");
    let box = element.getBoundingClientRect();
    if (label && ["checkbox", "radio"].includes(element.type)) box = label.getBoundingClientRect();
    if (!box.width || !box.height || element.closest(".skip, [hidden]")) continue;
    if (getComputedStyle(element).display === "inline" && element.closest("p, dd, li, td")) continue;  // within a sentence
    if (box.height < 43.5 || box.width < 43.5) {
      if (element.matches(".row .name")) continue;  // the line counts whole
      found.push(element.outerHTML.slice(0, 100) + " " + Math.round(box.width) + "x" + Math.round(box.height));
    }
  }
  return found;
}"""

TWICE = """() => {
  const ids = Array.from(document.querySelectorAll("[id]"), (element) => element.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}"""


def context_for(name: str, open_context: Contexts, device: str, **options: Any) -> Page:
    return open_context(device, is_signed_in=name != "sign-in", **options).new_page()


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_in_either_theme(house: House, open_context: Contexts, name: str, device: str) -> None:
    page = context_for(name, open_context, device)
    for theme in ("dark", "light"):
        show(page, house, name, theme)
        found = Axe().run(page, options=AXE).response["violations"]
        assert [(one["id"], [node["html"][:150] for node in one["nodes"][:3]]) for one in found] == [], theme


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_narrow_phone(house: House, open_context: Contexts, name: str) -> None:
    page = context_for(name, open_context, "narrow")
    show(page, house, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, "with text at 200 %"


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_every_tab_stop_is_seen(house: House, open_context: Contexts, name: str, device: str) -> None:
    page = context_for(name, open_context, device)
    show(page, house, name)
    for number in range(40):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOPS)
        if stop is None:  # past the last one: the browser's own controls
            assert number > 3
            break
        assert stop["isInside"], stop
        assert stop["isOutlined"], stop
        assert not stop["isCovered"], stop


@pytest.mark.parametrize("name", PAGES)
def test_what_is_touched_is_large_enough(house: House, open_context: Contexts, name: str) -> None:
    page = context_for(name, open_context, "phone")
    show(page, house, name)
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(TWICE) == [], "two elements have the same id"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_its_content_without_script(house: House, open_context: Contexts, name: str) -> None:
    page = context_for(name, open_context, "desktop", java_script_enabled=False)
    page.goto(house.server.base_url + house.pages[name])
    assert page.locator("main h1").count() == 1
    assert page.locator("main h1").is_visible()
    if name in ("downloads", "waiting"):
        assert page.locator("#download-list > li").first.is_visible()


def test_the_theme_comes_from_the_server(house: House, open_context: Contexts) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto(house.server.base_url + "/settings")
    page.check('input[name="theme"][value="light"]')
    page.click("text=Save changes")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.get_by_text("Saved.").is_visible()
    page.check('input[name="theme"][value="dark"]')
    page.click("text=Save changes")
    assert page.locator("html").get_attribute("data-theme") == "dark"
