"""The line put in order by hand: with the mouse, with a finger, and by the menu of the keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.look.house import House, show


def names(page: Page) -> list[str]:
    """The first rows of the line, by the end of their titles."""
    return [
        text.rpartition("-")[2] for text in page.locator("#download-list > li[data-place] .name").all_inner_texts()[:6]
    ]


def middle(page: Page, place: int, part: str) -> tuple[float, float]:
    row = page.locator("#download-list > li[data-place]").nth(place)
    box = (row.locator(part) if part else row).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, device: str, source: tuple[float, float], target: tuple[float, float]) -> None:
    """From one point to another in a few steps."""
    steps = [
        (source[0] + (target[0] - source[0]) * n / 6, source[1] + (target[1] - source[1]) * n / 6) for n in range(7)
    ]
    if device == "desktop":
        page.mouse.move(*source)
        page.mouse.down()
        for step in steps:
            page.mouse.move(*step)
        page.mouse.up()
        return
    session = page.context.new_cdp_session(page)
    for kind, points in [("touchStart", steps[:1]), *(("touchMove", [step]) for step in steps[1:]), ("touchEnd", [])]:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_a_row_is_dragged_to_another_place(
    open_context: Callable[..., BrowserContext], house: House, device: str
) -> None:
    page = open_context(device, has_touch=device == "phone").new_page()
    show(page, house, "waiting")
    page.locator("#download-list > li[data-place]").nth(1).scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#download-list > li[data-place]').scrollIntoView({block: 'center'})")
    before = names(page)
    drag(page, device, middle(page, 1, "a[data-line-menu]"), middle(page, 0, ""))
    expect(page.locator("#download-list > li[data-place] .name").first).to_contain_text("-" + before[1])
    assert names(page)[:3] == [before[1], before[0], before[2]]
    expect(page.locator("#status")).to_contain_text("In line, 1st")
    assert not page.evaluate("document.getElementById('line-menu').matches(':popover-open')")
    assert not page.locator(".is-dragged, .drop-before, .drop-after").count()


def test_the_keyboard_moves_a_row_too_and_its_new_place_is_said(
    open_context: Callable[..., BrowserContext], house: House
) -> None:
    page = open_context("desktop").new_page()
    show(page, house, "waiting")
    before = names(page)
    page.locator("#download-list > li[data-place]").nth(2).locator("a[data-line-menu]").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # to the top, the first of the menu
    expect(page.locator("#status")).to_contain_text("In line, 1st")
    expect(page.locator("#download-list > li[data-place] .name").first).to_contain_text("-" + before[2])
