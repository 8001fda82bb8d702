"""What a page weighs, and that it comes quietly: no shift, no error, no foreign host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext

from tests.look.house import House

PAGES = (
    "home", "downloads", "waiting", "finished", "detail", "list", "settings", "password", "devices", "queue settings", "system",
    "patterns", "more", "missing", "results", "library",
)  # fmt: skip


def load(context: BrowserContext, address: str) -> tuple[Any, list[dict[str, Any]], list[str]]:
    """The page after a cold load, its transfers (url, type, bytes over the wire) and what the console said."""
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    transfers: dict[str, dict[str, Any]] = {}
    session.on(
        "Network.responseReceived",
        lambda event: transfers.setdefault(event["requestId"], {}).update(
            url=event["response"]["url"], kind=event["type"], bytes=0
        ),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: transfers.setdefault(event["requestId"], {}).update(bytes=event["encodedDataLength"]),
    )
    page.goto(address, wait_until="load")
    page.wait_for_timeout(700)
    return page, [one for one in transfers.values() if "url" in one], complaints


@pytest.mark.parametrize("device", ["desktop", "phone"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_keeps_to_its_weight(
    house: House, open_context: Callable[..., BrowserContext], name: str, device: str
) -> None:
    context = open_context(device)
    page, transfers, complaints = load(context, house.server.base_url + house.pages[name])
    if name == "missing":
        complaints = [text for text in complaints if "404" not in text]
    assert complaints == []
    assert page.evaluate("window.seen.violations") == []
    assert page.evaluate("window.seen.shift") <= 0.02
    assert page.evaluate("document.getElementsByTagName('*').length") <= 700

    host = urlsplit(house.server.base_url).netloc
    assert {urlsplit(one["url"]).netloc for one in transfers} == {host}
    pictures = [one for one in transfers if "/pictures/" in one["url"]]
    own = [one for one in transfers if one not in pictures]
    # rows of running downloads may fetch themselves once when the live link opens: not part of the load
    load_only = [one for one in own if one["kind"] not in ("Fetch", "XHR")]
    assert len(load_only) <= 12, [one["url"] for one in load_only]
    document = sum(one["bytes"] for one in own if one["kind"] == "Document")
    sheets = sum(one["bytes"] for one in own if one["kind"] == "Stylesheet")
    scripts = sum(one["bytes"] for one in own if urlsplit(one["url"]).path.endswith(".js"))
    assert document <= 15_000
    assert sheets <= 25_000
    assert scripts <= 35_000
    assert sum(one["bytes"] for one in load_only) <= 120_000


def test_the_page_of_fifty_rows_holds_fifty_rows(house: House, open_context: Callable[..., BrowserContext]) -> None:
    page = open_context().new_page()
    page.goto(house.server.base_url + "/downloads?show=waiting")
    assert page.locator("#download-list > li").count() == 50
