"""Patterns find what Python's own would, and never hang."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medianest.errors import Invalid
from medianest.subscriptions.patterns import Pattern
from medianest.subscriptions.rules import is_mix

PIECES = st.sampled_from(
    ["a", "b", ".", "*", "+", "?", "|", "(", ")", "[ab]", "[^a]", "^", "$", r"\d", r"\W", r"\b", "{1,2}", "{2}"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join), st.text("ab1 ", max_size=8))
def test_a_pattern_finds_what_pythons_own_finds(text: str, title: str) -> None:
    if re.search(r"[*+?}][*+]", text):  # those are possessive there, and repeated here
        return
    try:
        own = re.compile(text, re.IGNORECASE)
    except re.error:
        own = None
    try:
        pattern = Pattern(text)
    except Invalid:
        return
    if own is not None:
        assert pattern.is_in(title) is bool(own.search(title))


@pytest.mark.parametrize(
    "text", ["(a+)+(a+)+(a*)*b", "(a|a|a|.)*(a|.?)*(.*.*.*.*)*x$", "(.?){40}(.?){40}z", "(a|b)*a(a|b){50}c"]
)
def test_a_pattern_that_hangs_elsewhere_is_done_at_once(text: str) -> None:
    began = time.process_time()
    assert not Pattern(text).is_in("a" * 5000)
    assert time.process_time() - began < 2


REFUSED = (
    *("(", ")", "[a", "*a", "a{", "a{3,1}", "a{99}", r"\1", "(?=a)", "\\", "(" * 30 + ")" * 30, "a" * 201),
    *("(a{9}){9}{9}{9}", "(){50}{50}{50}{50}{50}"),
)


@pytest.mark.parametrize("text", REFUSED)
def test_what_can_not_be_read_or_repeats_too_much_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Invalid, match="This pattern can not be used"):
        Pattern(text)


def test_upper_and_lower_case_are_alike() -> None:
    assert Pattern(r"\bEPISODE \d+").is_in("The episode 12")
    assert Pattern("straße").is_in("STRASSE")
    assert not Pattern(r"^\D+$").is_in("Episode 12")


def test_a_mix_is_known_by_its_link() -> None:
    assert is_mix("https://www.youtube.com/watch?v=a&list=RDa")
    assert is_mix("https://youtube.com/watch?v=a&start_radio=1")
    assert not is_mix("https://www.youtube.com/playlist?list=PLa")
    assert not is_mix("https://music.youtube.com/playlist?list=RDCLAK5uy_x")  # somebody put that one together
    assert not is_mix("https://example.org/?list=RDa")
