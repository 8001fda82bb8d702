"""The rules of following as pure functions: which values fit, which videos are taken, when it is looked again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

import msgspec

from medianest.downloads.feeds.model import FeedEntry
from medianest.downloads.model import Priority
from medianest.errors import Invalid
from medianest.subscriptions.model import Filters, Keep, KeepRule, LeftOut, Outcome
from medianest.subscriptions.patterns import Pattern

SHORTEST_INTERVAL_MIN, LONGEST_INTERVAL_MIN = 15, 60 * 24 * 30
LONGEST_WORDS = 300
MOST_WORDS = 20
LONGEST_DURATION_S = 7 * 24 * 3600
MOST_KEPT, MOST_DAYS = 10_000, 3650
CONFIRM_ABOVE = 25  # so many old ones are taken without asking
MOST_OLD = 1000
PATTERN_TIME_S = 3.0  # for all titles of a list
TOO_SLOW = "The pattern takes too long for a list of this size. Make it simpler."
FAILING_AFTER = 3  # failures in a row that are told on the card
JITTER = 0.1  # share of the interval that chance adds or takes

# the classes of the worker's protocol
OUTCOMES = {
    "site_paused": Outcome.SITE_PAUSED,
    "needs_sign_in": Outcome.NEEDS_SIGN_IN,
    "transient": Outcome.UNREACHABLE,
    "worker_crashed": Outcome.UNREACHABLE,
    "gone": Outcome.GONE,
}
PASSING = (Outcome.UNREACHABLE,)
FIRST_RETRY_S = 300.0


class CheckRules(msgspec.Struct, frozen=True, kw_only=True):
    """Times and numbers of checking; tests have shorter ones."""

    parallel: int = 2
    poll_s: float = 15.0
    lease_s: float = 120.0
    stop_after: int = 5  # known ones in a row
    known_sent: int = 400  # keys of the newest known ones that a look is told
    most_in_line: int = 20  # older videos of one subscription that wait in the queue at once
    refill_s: float = 300.0
    first_retry_s: float = FIRST_RETRY_S


def check_values(
    *, interval_minutes: int, priority: str, filters: Filters, keep: KeepRule, old_number: int = 1, title: str = "x"
) -> None:
    """Raises `Invalid` with a sentence for each value that does not fit."""
    errors: dict[str, str] = {}
    if not SHORTEST_INTERVAL_MIN <= interval_minutes <= LONGEST_INTERVAL_MIN:
        errors["interval_minutes"] = "Between 15 minutes and 30 days."
    if priority not in (one.name.lower() for one in Priority):
        errors["priority"] = "It is high, normal or low."
    if not 1 <= old_number <= MOST_OLD:
        errors["old_number"] = f"Between 1 and {MOST_OLD}."
    if not title.strip() or len(title) > LONGEST_WORDS or not title.isprintable():
        errors["title"] = "A name of 1 to 300 characters."
    most = MOST_DAYS if keep.rule is Keep.DAYS else MOST_KEPT
    if keep.rule is not Keep.ALL and not (keep.number is not None and 1 <= keep.number <= most):
        errors["keep_number"] = f"Between 1 and {most}."
    errors |= _wrong_filters(filters)
    if errors:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=errors)


def _wrong_filters(filters: Filters) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name in ("words", "without"):
        text = getattr(filters, name)
        if len(text) > LONGEST_WORDS or len(_words(text)) > MOST_WORDS:
            errors[name] = f"At most {MOST_WORDS} words, {LONGEST_WORDS} characters in all."
    for name in ("words", "without", "pattern"):
        if not getattr(filters, name).isprintable():
            errors[name] = "It has a sign that can not be typed."
    if filters.pattern and "pattern" not in errors:
        try:
            Pattern(filters.pattern)
        except Invalid as error:
            errors["pattern"] = error.message
    for name in ("min_duration_s", "max_duration_s"):
        value = getattr(filters, name)
        if value is not None and not 0 <= value <= LONGEST_DURATION_S:
            errors[name] = "Between 0 and 7 days."
    low, high = filters.min_duration_s, filters.max_duration_s
    if not errors and low is not None and high is not None and low > high:
        errors["max_duration_s"] = "The longest is shorter than the shortest."
    return errors


class Sieve:
    """Filters, read once for a whole list. Asking raises `Invalid` when the pattern has taken too much time."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._words, self._without = _words(filters.words), _words(filters.without)
        self._pattern = Pattern(filters.pattern) if filters.pattern else None
        self._spent_s = 0.0

    def why_not(self, entry: FeedEntry, *, is_old: bool) -> LeftOut | None:
        """Why a video is left out; None when it is taken. `is_old`: it was there before it is followed."""
        filters, title = self._filters, entry.title.casefold()
        if entry.is_for_members and not filters.members:
            return LeftOut.MEMBERS
        if entry.is_short and not filters.shorts:
            return LeftOut.SHORTS
        if entry.is_live and not filters.live:
            return LeftOut.LIVE
        if (self._words and not _any_in(self._words, title)) or _any_in(self._without, title):
            return LeftOut.WORDS
        if self._pattern and not self._has_pattern(self._pattern, entry.title):
            return LeftOut.PATTERN
        if entry.duration_s is not None:
            if filters.min_duration_s is not None and entry.duration_s < filters.min_duration_s:
                return LeftOut.TOO_SHORT
            if filters.max_duration_s is not None and entry.duration_s > filters.max_duration_s:
                return LeftOut.TOO_LONG
        if filters.since is not None:
            if entry.published_on is None:
                return LeftOut.NO_DATE if is_old else None
            if entry.published_on < filters.since:
                return LeftOut.BEFORE
        return None

    def _has_pattern(self, pattern: Pattern, title: str) -> bool:
        if self._spent_s > PATTERN_TIME_S:
            raise Invalid(TOO_SLOW, fields={"pattern": TOO_SLOW})
        began = time.monotonic()
        try:
            return pattern.is_in(title)
        finally:
            self._spent_s += time.monotonic() - began


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One entry and what becomes of it."""

    entry: FeedEntry
    left_out: LeftOut | None = None


def judge_old(entries: Iterable[FeedEntry], filters: Filters, most: int | None) -> tuple[Judged, ...]:
    """What of a list is taken when somebody begins to follow it: its first `most` that pass, None for all.

    Entries that are not out yet are left away: they are found again when they are.
    """
    sieve, taken, judged = Sieve(filters), 0, []
    for entry in unique(entries):
        why = sieve.why_not(entry, is_old=True)
        if why is None:
            if most is not None and taken >= most:
                why = LeftOut.OLD
            taken += 1
        judged.append(Judged(entry=entry, left_out=why))
    return tuple(judged)


def judge_fresh(entries: Iterable[FeedEntry], filters: Filters) -> tuple[Judged, ...]:
    """What is taken of entries that nobody knew."""
    sieve = Sieve(filters)
    return tuple(Judged(entry=one, left_out=sieve.why_not(one, is_old=False)) for one in unique(entries))


def unique(entries: Iterable[FeedEntry]) -> tuple[FeedEntry, ...]:
    """Entries that are out, each once. A feed that gives one id to several is not believed: those go by their links."""
    found = [one for one in entries if not one.is_not_out]
    keys: dict[str, set[str]] = {}
    for one in found:
        keys.setdefault(one.key, set()).add(one.identity)
    plain = (one if len(keys[one.key]) == 1 else msgspec.structs.replace(one, key=one.identity) for one in found)
    return tuple({one.key: one for one in reversed(tuple(plain))}.values())[::-1]


def next_wait_s(interval_s: float) -> float:
    """Seconds to the next check: the interval, a little more or less, so that not all come at once."""
    return interval_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret


def retry_wait_s(outcome: Outcome, failures: int, interval_s: float, first_s: float) -> float:
    """Seconds until it is tried again after `failures` in a row: sooner where the cause may pass."""
    if outcome in PASSING:
        return min(next_wait_s(interval_s), first_s * 3.0 ** min(failures - 1, 6))
    return next_wait_s(interval_s)


def is_mix(url: str) -> bool:
    """Whether a link is a mix of YouTube: made anew at every look, and without an end."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    name = query.get("list", [""])[0]
    is_made_anew = name.startswith(("RD", "UL")) and not name.startswith("RDCLAK")  # those are put together by somebody
    return "youtu" in (parts.hostname or "") and ("start_radio" in query or is_made_anew)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := " ".join(part.casefold().split())))


def _any_in(words: Iterable[str], title: str) -> bool:
    return any(word in title for word in words)
