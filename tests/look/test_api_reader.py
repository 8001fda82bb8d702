"""The reader of the API's document works without a foreign host and within its policy."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.look.house import House


def test_the_reader_shows_the_api_from_our_own_files(open_context: Callable[..., BrowserContext], house: House) -> None:
    page = open_context().new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(house.server.base_url + "/api/docs")
    expect(page.get_by_text("/api/v1/auth/login")).to_be_visible(timeout=20_000)
    assert [url for url in asked if not url.startswith((house.server.root_url, "data:"))] == []
    assert complaints == []
