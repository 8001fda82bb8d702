"""Whatever stands in `next`: where it leads is a path of ours, as a browser would resolve it."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medianest.app import Application
from medianest.web.urls import Urls
from tests.harness.application import ADMIN, PASSWORD, Visit, set_up

PIECES = (
    "/", "//", "\\", "\t", "\n", "\x00", " ", ".", "..", "/../", "%2e%2e", "%2E", "%5c", "%2f", "%09", "@", ":", "http:", "https://",
    "javascript:", "evil.example", "medianest", "/medianest", "?", "#", "a", "\u00a0", "\u2028", "\uff0f", "\u3002", "\ufe0f", ";",
)  # fmt: skip
WANTED = st.one_of(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.text(max_size=40))


def as_a_browser_reads(text: str) -> str:
    """WHATWG's way: tabs and line ends vanish, spaces around too, a backslash is a slash, %2e is a dot."""
    text = "".join(char for char in text if char not in "\t\r\n").strip("".join(map(chr, range(33))))
    path, mark, rest = text.partition("?")
    return path.replace("\\", "/").replace("%2e", ".").replace("%2E", ".") + mark + rest


@pytest.mark.parametrize("base", ["", "/medianest"])
@given(wanted=WANTED)
@example(wanted="/\t/evil.example")
@example(wanted="/%2e%2e//evil.example")
@example(wanted="/medianest/..//evil.example")
@example(wanted="/medianest/%2E%2e/x")
def test_a_wanted_path_stays_with_us_whatever_it_is(base: str, wanted: str) -> None:
    target = Urls(base).safe_next(wanted)
    assert target == base + "/" or target == wanted
    assert target.isprintable()
    led = urlsplit(urljoin(f"http://ours.example{base}/sign-in", as_a_browser_reads(target)))
    assert (led.scheme, led.netloc) == ("http", "ours.example")
    assert led.path == base or led.path.startswith(base + "/")


@pytest.mark.parametrize("base", ["", "/medianest"])
@given(wanted=WANTED)
def test_a_default_that_is_ours_takes_the_place_of_everything_else(base: str, wanted: str) -> None:
    urls = Urls(base)
    assert urls.safe_next(wanted, "/downloads") in (wanted, base + "/downloads")


async def test_a_wanted_path_in_any_script_makes_a_header(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for wanted in ("/日本", "/é?q=ü", "/\U0001f4a9", "/a\u00a0b"):
        form = {"username": ADMIN, "password": PASSWORD, "next": wanted}
        answer = await visit(application).post("/sign-in", data=form)
        assert answer.status_code == 303, wanted
        assert answer.headers["location"].isascii()
