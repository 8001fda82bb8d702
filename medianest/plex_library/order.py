"""Bringing a list into an order with few moves. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


def moves(current: Sequence[str], wanted: Sequence[str]) -> list[tuple[str, str | None]]:
    """Which to move, each behind which other (None: to the front), so that `current` becomes `wanted`.

    Both hold the same. The longest run that is in order already stays where it is; everything else moves once.
    """
    place = {key: number for number, key in enumerate(wanted)}
    stays = _longest_rising([place[key] for key in current])
    return [(key, wanted[number - 1] if number else None) for number, key in enumerate(wanted) if number not in stays]


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The numbers of one longest rising part."""
    ends: list[int] = []  # the smallest last number of a rising part of each length
    before: dict[int, int | None] = {}
    for number in numbers:
        at = bisect_left(ends, number)
        before[number] = ends[at - 1] if at else None
        ends[at : at + 1] = [number]
    found: set[int] = set()
    last = ends[-1] if ends else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
