"""Age ratings of films and series, and what a child profile sees of them.

Only what says an age counts: no rating, or one of a country that is not known here, is hidden from children.
"""

from __future__ import annotations

import re

from medianest.accounts.model import RatingLimit, User

US = {
    "g": 0, "tv-y": 0, "tv-g": 0, "tv-y7": 7, "tv-y7-fv": 7, "pg": 8, "tv-pg": 8, "pg-13": 13, "tv-14": 14, "r": 17, "tv-ma": 17,
    "nc-17": 18, "x": 18,
}  # fmt: skip
GB = {"u": 0, "uc": 0, "pg": 8, "12": 12, "12a": 12, "15": 15, "18": 18, "r18": 18}
DE = {"0": 0, "6": 6, "12": 12, "16": 16, "18": 18}
# Plex writes `de/12` for all countries but the United States
COUNTRIES = {"us": US, "gb": GB, "uk": GB, "de": DE}
AGE = re.compile(r"(?:fsk[ -]?|ab )?(\d{1,2})(?:\+|a| years?)?")
OLDEST = 21


def age_of(certification: str | None) -> int | None:
    """The least age that `PG-13`, `de/12`, `FSK 12`, `gb/12A` or `TV-MA` stand for; None for what says none."""
    text = (certification or "").strip().lower()
    country, has_country, rating = text.partition("/")
    if has_country and country in COUNTRIES:
        return COUNTRIES[country].get(rating, _age(rating))
    if has_country:
        return _age(rating)  # the words of other countries mean other things, their numbers do not
    for words in (US, GB):
        if text in words:
            return words[text]
    return _age(text)


def _age(text: str) -> int | None:
    found = AGE.fullmatch(text)
    age = int(found[1]) if found else None
    return age if age is not None and age <= OLDEST else None


def limit_of(user: User | None) -> int | None:
    """The oldest age rating somebody sees; None where nothing limits them."""
    if user is None or not user.is_child:
        return None
    return int((user.rating_limit or RatingLimit.ALL).value)


def is_within(certification: str | None, limit: int | None) -> bool:
    """Whether something so rated is shown at all."""
    if limit is None:
        return True
    age = age_of(certification)
    return age is not None and age <= limit
