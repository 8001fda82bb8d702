"""One figure beside its target, and the table of them."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """A measured value; `limit` is what it must stay below, in the same unit; `note` says how it came about."""

    what: str
    value: float
    limit: float
    unit: str
    note: str = ""

    @property
    def is_held(self) -> bool:
        return self.value < self.limit


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def say(text: str) -> None:
    """Progress for the person who waits; the table goes to standard output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def printed(figures: Sequence[Figure]) -> str:
    """The table, one line a figure."""
    width = max(len(figure.what) for figure in figures)
    lines = [f"{'What':<{width}}  {'measured':>12}  {'must be':>12}       note"]
    for figure in figures:
        mark = "ok  " if figure.is_held else "OVER"
        lines.append(
            f"{figure.what:<{width}}  {figure.value:>8.2f} {figure.unit:<4}  < {figure.limit:>6.2f} {figure.unit:<4}"
            f"  {mark}  {figure.note}"
        )
    return "\n".join(lines)
