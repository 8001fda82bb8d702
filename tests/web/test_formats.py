"""How numbers and times are written, and how forms and addresses are read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from medianest.accounts.model import Device, Preferences
from medianest.errors import Invalid
from medianest.walls.client_address import client_address
from medianest.web.compression import accepted_encoding
from medianest.web.formats import Formats, duration, size
from medianest.web.forms import read_form, read_json
from medianest.web.templating import gettext, ngettext

FORMATS = Formats(gettext, ngettext)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""), (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (740_000_000, "740 MB"), (8_400_000_000, "8.4 GB"),
        (999_600, "1 MB"), (9_960_000, "10 MB"), (5e15, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes(value: float | None, text: str) -> None:
    assert size(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0:00"), (59.6, "1:00"), (1450, "24:10"), (3723, "1:02:03"), (90_000, "25:00:00")],
)
def test_durations(value: float | None, text: str) -> None:
    assert duration(value) == text


def test_how_long_ago_and_how_long_still() -> None:
    now = datetime.now(UTC)
    for ago, text in (
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=2, minutes=1), "2 h ago"),
        (timedelta(days=1, hours=1), "1 day ago"),
        (timedelta(days=3, hours=1), "3 days ago"),
    ):
        assert FORMATS.ago(now - ago) == text
    for seconds, text in ((None, ""), (10, "under 1 min left"), (60, "about 1 min left"), (7200, "about 2 h left")):
        assert FORMATS.eta(seconds) == text
    assert FORMATS.speed(6_200_000) == "6.2 MB/s"
    assert FORMATS.speed(None) == ""
    assert FORMATS.number(12345) == "12,345"


def test_times_follow_the_time_zone_and_an_unknown_one_is_utc() -> None:
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert FORMATS.datetime(at) == "1 Jul 2026, 22:30"
    assert Formats(gettext, ngettext, "en", "Europe/Berlin").datetime(at) == "2 Jul 2026, 00:30"
    assert Formats(gettext, ngettext, "en", "Mars/Base").datetime(at) == "1 Jul 2026, 22:30"
    assert "2026" in FORMATS.date(date(2026, 7, 1))
    assert FORMATS.date(None) == FORMATS.datetime(None) == FORMATS.ago(None) == ""


class Form(msgspec.Struct):
    name: str
    count: int = 3
    is_on: bool = True


def test_a_form_is_read_with_its_check_boxes_and_defaults() -> None:
    assert read_form({"name": " a ", "count": ""}, Form) == Form("a", 3, False)
    assert read_form({"name": "a", "count": "7", "is_on": "on", "more": "x"}, Form) == Form("a", 7, True)
    with pytest.raises(Invalid) as refused:
        read_form({"count": "many"}, Form, words={"count": "How many? A number."})
    assert refused.value.fields == {"name": "This is needed.", "count": "How many? A number."}
    with pytest.raises(Invalid):
        read_form({"theme": "pink"}, Preferences)


def test_an_optional_json_body_is_read() -> None:
    class Body(msgspec.Struct):
        word: str = "none"

    assert read_json(b" ", Body).word == "none"
    assert read_json(b'{"word": "x"}', Body).word == "x"
    for wrong in (b"{", b'{"word": 1}', b"[]"):
        with pytest.raises(Invalid):
            read_json(wrong, Body)


@pytest.mark.parametrize(
    ("client", "text"),
    [
        (("192.0.2.1", 5), "192.0.2.1"), (("::ffff:192.0.2.1", 5), "192.0.2.1"), (("2001:db8::1", 5), "2001:db8::1"),
        (None, ""), (("socket", 0), "socket"),
    ],
)  # fmt: skip
def test_addresses_are_written_one_way(client: tuple[str, int] | None, text: str) -> None:
    assert client_address({"client": client}) == text


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", ""),
        ("gzip, deflate, br", "br"),
        ("GZIP;q=0.5", "gzip"),
        ("br; q=0, gzip", "gzip"),
        ("identity", ""),
        ("brr", ""),
    ],
)
def test_the_encoding_is_one_that_the_browser_takes(header: str, encoding: str) -> None:
    assert accepted_encoding(header) == encoding


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18 Safari/605", "Safari on Mac"),
        ("curl/8.5.0", "App"),
        ("", "Browser"),
    ],
)
def test_a_device_is_named_after_its_browser(agent: str, name: str) -> None:
    assert Device(user_agent=agent).name == name
