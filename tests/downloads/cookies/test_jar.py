"""What of a cookies file is kept, and what is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medianest.downloads.cookies.jar import LARGEST_BYTES, read_jar, read_site
from medianest.downloads.sites import belongs_to, site_of
from medianest.errors import Invalid

NOW = datetime(2026, 3, 15, tzinfo=UTC)
LATER = int(NOW.timestamp()) + 86400
HEAD = "# Netscape HTTP Cookie File\n\n"


def line(domain: str, name: str = "sid", value: str = "geheim", *, expiry: int = LATER, start: str = "") -> str:
    return f"{start}{domain}\tTRUE\t/\tTRUE\t{expiry}\t{name}\t{value}\n"


def test_only_cookies_of_the_named_site_and_its_parents_are_kept() -> None:
    text = (
        HEAD
        + line(".youtube.com")
        + line("www.youtube.com", "b", start="#HttpOnly_")
        + line(".google.com", "other", "secret-of-google")
        + line(".tube.com", "c")
        + line(".youtube.com", "old", expiry=1000)
        + line(".youtube.com", "session", expiry=0)
    )
    jar = read_jar(text.replace("\n", "\r\n"), "youtube.com", NOW)
    assert (jar.number, jar.left_out) == (3, 3)
    assert "google" not in jar.text
    assert jar.text.startswith("# Netscape HTTP Cookie File\n")
    assert "#HttpOnly_www.youtube.com" in jar.text
    assert jar.expires_at == datetime.fromtimestamp(LATER, UTC)


def test_a_site_below_another_takes_its_parents_cookies_but_never_those_of_a_whole_ending() -> None:
    assert belongs_to(".example.co.uk", "videos.example.co.uk")
    assert not belongs_to(".co.uk", "videos.example.co.uk")
    assert not belongs_to(".com", "example.com")
    assert not belongs_to("evil-example.com", "example.com")
    assert belongs_to("127.0.0.1", "127.0.0.1")
    assert not belongs_to("0.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("said", "site"),
    [
        ("youtube.com", "youtube.com"), (" HTTPS://www.YouTube.com/watch?v=1 ", "youtube.com"), ("youtu.be", "youtube.com"),
        ("m.videos.example", "videos.example"), (".site.example.", "site.example"), ("127.0.0.1:8080", "127.0.0.1"),
    ],
)  # fmt: skip
def test_a_site_can_be_named_in_many_ways(said: str, site: str) -> None:
    assert read_site(said) == site


@pytest.mark.parametrize(
    "said", ["", "youtube", "co.uk", "a b.com", "../etc", "-x.com", "com", "a..b", "x" * 300 + ".com"]
)
def test_what_is_no_site_is_refused(said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_site(said)
    assert "site" in refused.value.fields


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no cookies file"),
        ("hello", "no cookies file"),
        ('[{"domain": ".youtube.com"}]', "JSON"),
        ("<html>", "no cookies file"),
        (HEAD + ".youtube.com\tTRUE\t/\tTRUE\tx\tsid\tv\n", "no cookies file"),
        (HEAD + ".youtube.com\tTRUE\t/\tTRUE\t0\tsid\tv\x00\n", "no cookies file"),
        (HEAD + ".youtube.com\tTRUE\t/\tTRUE\t0\tsid\n", "no cookies file"),
        (HEAD + line(".google.com"), "None of the 1 cookies"),
        (HEAD + line(".youtube.com", expiry=1000), "have ended"),
        (HEAD + line(".youtube.com", value="x" * LARGEST_BYTES), "larger than 256 kB"),
        (HEAD + line(".youtube.com") * 501, "more than 500"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        read_jar(text, "youtube.com", NOW)
    assert "geheim" not in str(refused.value)


def test_the_names_of_one_site_are_one_site() -> None:
    for link in (
        "https://youtu.be/x",
        "https://music.youtube.com/x",
        "https://m.youtube.com/x",
        "http://www.youtube.com./x",
    ):
        assert site_of(link) == "youtube.com"
    assert site_of("https://notyoutube.com/") == "notyoutube.com"
    assert site_of("https://www.videos.example:8443/x") == "videos.example"
    assert site_of("http://[::1") == ""
