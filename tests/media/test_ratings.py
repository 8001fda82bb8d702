"""Age ratings, and what a child profile sees of them."""

from __future__ import annotations

import pytest

from medianest.media.ratings import age_of, is_within


@pytest.mark.parametrize(
    ("certification", "age"),
    [
        ("G", 0), ("PG", 8), ("PG-13", 13), ("R", 17), ("NC-17", 18), ("TV-Y7", 7), ("TV-MA", 17), ("us/PG-13", 13),
        ("de/12", 12), ("FSK 16", 16), ("gb/12A", 12), ("gb/U", 0), ("U", 0), ("15", 15), ("12+", 12), ("fr/16", 16),
        ("", None), (None, None), ("NR", None), ("Unrated", None), ("de/not yet", None), ("ca/PG", None), ("99", None),
        ("<script>", None),
    ],
)  # fmt: skip
def test_a_certification_says_an_age_or_nothing(certification: str | None, age: int | None) -> None:
    assert age_of(certification) == age


def test_what_nobody_has_rated_is_hidden_from_children_and_from_nobody_else() -> None:
    assert not is_within(None, 16)
    assert not is_within("NR", 16)
    assert is_within(None, None)
    assert is_within("de/12", 12)
    assert not is_within("PG-13", 12)
