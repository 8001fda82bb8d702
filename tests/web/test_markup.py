"""What stands in the templates, rendered or not, and names that try to be more than text."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.resources import resource_path
from tests.harness.application import Visit, set_up

TEMPLATES = sorted(resource_path("templates").rglob("*.html"))
PAYLOADS = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus=alert(1) x="',
    "</title></textarea><svg onload=alert(1)>",
    "{{7*7}}{% raw %}${7*7}",
    "javascript:alert(1)",
    "\u202eevil\u2066",
    "&lt;b&gt;<!--",
)
# attributes through which htmx would run what stands in them
RUNS = re.compile(r"hx-on|hx-vals=.?js:|hx-headers=.?js:|hx-vars|hx-trigger=[^>]*\[")


class Elements(HTMLParser):
    """Every element with its attributes, as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def dangers(page: str) -> list[tuple[str, dict[str, str]]]:
    """Elements that run or load something which is not ours."""
    return [
        (tag, attributes)
        for tag, attributes in Elements(page).found
        if (tag == "script" and "src" not in attributes)
        or tag in ("style", "iframe", "object", "embed", "base")
        or any(name.startswith("on") or name in ("style", "srcdoc") for name in attributes)
        or any(
            re.match(r"\s*(?:[a-z][a-z0-9+.-]*:|//|\\)", attributes.get(name, ""), re.I)
            for name in ("src", "href", "action", "formaction", "hx-get", "hx-post", "xlink:href")
        )
    ]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(resource_path("templates"))))
def test_a_template_has_nothing_inline(template: Path) -> None:
    text = template.read_text()
    assert re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", text, re.I) is None
    assert RUNS.search(text) is None
    assert re.search(r"\b(?:src|href|action|hx-(?:get|post|put|delete))=\"/", text) is None, "an address without url()"


async def test_a_name_stays_text_on_every_page(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    pages = ("/", "/downloads", "/settings", "/settings/password", "/settings/devices", "/more", "/system", "/nowhere")
    for payload in PAYLOADS:
        # names like these are refused at the door; here one has come in another way
        await fetch("UPDATE users SET username = {}, display_name = {}", payload, payload)
        await fetch("UPDATE user_sessions SET device_name = {}, address = {}", payload, payload)
        for path in pages:
            page = (await client.get(path)).text
            assert dangers(page) == [], (path, payload)
            assert payload not in page or "<" not in payload, (path, payload)
            assert path != "/settings" or html.escape(payload) in page.replace("&#34;", "&quot;").replace(
                "&#39;", "&#x27;"
            )


async def test_what_is_sent_comes_back_as_text(application: Application, visit: Visit) -> None:
    client, stranger = visit(application), visit(application)
    code = await application.accounts.setup_code()
    for payload in PAYLOADS:
        form = {"code": payload, "username": payload, "password": payload}
        await fetch("DELETE FROM rate_limits")
        assert dangers((await client.post("/setup", data=form)).text) == []
        assert dangers((await client.post("/setup", data={**form, "code": code})).text) == []
    await set_up(client, application)
    for payload in PAYLOADS:
        await fetch("DELETE FROM rate_limits")
        sent = {"username": payload, "password": payload, "next": payload}
        for answer in (
            await stranger.post("/sign-in", data=sent),
            await stranger.get("/sign-in", params={"next": payload}),
            await client.get("/downloads", params={"show": payload}),
            await client.get("/" + payload),
            await client.get("/downloads/" + payload, headers={"HX-Request": "true"}),
            await client.get("/settings", params={"saved": payload}),
        ):
            assert dangers(answer.text) == [], (answer.url, payload)
            assert payload not in str(answer.headers), answer.url


def test_dangers_are_seen() -> None:
    for page in (
        "<script>x</script>",
        '<a href="javascript:x">',
        '<a href=" JAVASCRIPT:x">',
        "<img src=//evil.example/x>",
        '<p onclick="x">',
        '<p style="x">',
        "<iframe>",
    ):
        assert dangers(page), page
    assert dangers('<script src="/x.js"></script><a href="/downloads?x=http://y">') == []
