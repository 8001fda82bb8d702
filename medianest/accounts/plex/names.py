"""Makes a user name of MediaNest out of what somebody is called at Plex."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from medianest.accounts.rules import LONGEST_DISPLAY_NAME
from medianest.integrations.plex_tv import PlexPerson

NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\<>\"'`&;%:]")
LONGEST = 56  # leaves room for a number


def user_names(person: PlexPerson) -> Iterator[str]:
    """Names to try, the best first: Plex's own, then with a number. Plex names may hold what ours may not."""
    plain = _plain(person.username) or _plain(person.title) or "plex"
    if len(plain) < 2:
        plain = f"{plain}-{person.id}"
    yield plain
    for number in range(2, 10):
        yield f"{plain}-{number}"
    yield f"{plain[:40]}-{person.id}"


def display_name(person: PlexPerson) -> str:
    """What others see."""
    named = unicodedata.normalize("NFC", person.title or person.username)
    plain = "".join(sign for sign in named if sign.isprintable()).strip()[:LONGEST_DISPLAY_NAME].strip()
    return plain or f"Plex {person.id}"


def _plain(name: str) -> str:
    kept = NOT_IN_NAMES.sub("", unicodedata.normalize("NFC", name))
    # an address is nobody's business: people see each other's names
    kept = kept.partition("@")[0] if "@" in kept[1:] else kept
    return "".join(sign for sign in kept if sign.isprintable()).strip()[:LONGEST].strip()
