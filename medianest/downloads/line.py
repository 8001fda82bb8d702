"""The line of waiting downloads: priorities and places, and what the owner's settings may be.

Within one priority people take turns (see `repository/picking.py`), so a move puts a download before or behind others of
the same person; nobody's turn is taken by it.
"""

from __future__ import annotations

from datetime import datetime

from medianest.accounts.model import User
from medianest.downloads.allowance import require_priority
from medianest.downloads.model import Priority, QueueSettings
from medianest.downloads.night import zone_named
from medianest.downloads.repository.lists import DownloadLists, Entry
from medianest.downloads.repository.rows import Row
from medianest.downloads.repository.states import DownloadStates
from medianest.downloads.wishes_form import wrong_taken
from medianest.errors import Conflict, Invalid

PRIORITIES = {one.name.lower(): one for one in Priority}
STEP = 1_000_000  # between neighbours; positions of new rows are microseconds, so there is room


def priority_of(name: str) -> Priority:
    """The priority of that name; raises `Invalid`."""
    if name not in PRIORITIES:
        raise Invalid("The priority can be high, normal or low.", fields={"priority": "Use high, normal or low."})
    return PRIORITIES[name]


class Line:
    """Moves downloads about in the line."""

    def __init__(self, lists: DownloadLists, states: DownloadStates) -> None:
        self._lists = lists
        self._states = states

    async def change(self, row: Row, by: User, *, priority: str | None, place: int | None, at: datetime) -> None:
        """Another priority, within which the download keeps its age, or another place (1 is next), or both.

        Raises:
            Invalid: no such priority, or no such place.
            NotAllowed: they may not put downloads first.
            Conflict: it is not in line, so it has no place.
        """
        wanted = Priority(row["priority"]) if priority is None else priority_of(priority)
        if wanted != row["priority"]:
            require_priority(by, wanted)
            await self._states.move(row["id"], priority=wanted, position=None, at=at)
        if place is not None:
            await self._place(row, place, wanted, at)

    async def step(self, row: Row, by: int, at: datetime) -> None:
        """So many places up (-1) or down (1) among what the same person has in line; raises as `change`."""
        own = await self._own(row, Priority(row["priority"]))
        index = next(number for number, one in enumerate(own) if one.id == row["id"])
        await self._put(row["id"], own, index + by, at)

    async def _place(self, row: Row, place: int, priority: Priority, at: datetime) -> None:
        if place < 1:
            raise Invalid("Places in the line begin with 1.", fields={"position": "Use 1 or more."})
        own = await self._own(row, priority)
        mine = next(one for one in own if one.id == row["id"])
        before = place if place > mine.place else place - 1
        index = sum(1 for one in own if one.id != mine.id and one.place <= before)
        await self._put(row["id"], own, index, at)

    async def _own(self, row: Row, priority: Priority) -> list[Entry]:
        own = await self._lists.entries(row["requested_by"], priority)
        if row["id"] not in [one.id for one in own]:
            raise Conflict("It is not in line, so it has no place there.")
        return own

    async def _put(self, download_id: int, own: list[Entry], index: int, at: datetime) -> None:
        """Give it a position between its new neighbours."""
        others = [one for one in own if one.id != download_id]
        index = max(0, min(index, len(others)))
        low = others[index - 1].position if index else None
        high = others[index].position if index < len(others) else None
        if low is None and high is None:
            return
        if low is not None and high is not None and high - low < 2:  # no number is free between them
            rest = [one.id for one in others]
            await self._states.respace([*rest[:index], download_id, *rest[index:]])
            return
        if low is None:
            low = (high or 0) - 2 * STEP
        target = low + STEP if high is None else (low + high) // 2
        await self._states.move(download_id, priority=None, position=target, at=at)


def wrong_fields(settings: QueueSettings) -> dict[str, str]:
    """A sentence for each setting that does not fit."""
    rate = settings.rate_limit_bytes_s
    rules = {
        "concurrent_downloads": (1 <= settings.concurrent_downloads <= 10, "From 1 to 10."),
        "max_list_items": (1 <= settings.max_list_items <= 10_000, "From 1 to 10000."),
        "max_height": (144 <= settings.max_height <= 4320, "From 144 to 4320."),
        "rate_limit_bytes_s": (_is_rate(rate), "At least 0.01 MB a second, or empty for no limit."),
        "total_rate_bytes_s": (
            _is_rate(settings.total_rate_bytes_s),
            "At least 0.01 MB a second, or empty for no limit.",
        ),
        "per_person_downloads": (
            settings.per_person_downloads is None or 1 <= settings.per_person_downloads <= 10,
            "From 1 to 10, or empty for no limit.",
        ),
        "night_from": (0 <= settings.night_from <= 23, "An hour from 0 to 23."),
        "night_until": (0 <= settings.night_until <= 23, "An hour from 0 to 23."),
        "time_zone": (
            not settings.time_zone or zone_named(settings.time_zone) is not None,
            "There is no such time zone. Use a name such as Europe/Vienna, or leave it empty.",
        ),
        **wrong_taken(settings),
        "free_space_floor_bytes": (0 <= settings.free_space_floor_bytes <= 10**15, "From 0 to 1000000 GB."),
    }
    return {name: sentence for name, (is_right, sentence) in rules.items() if not is_right}


def _is_rate(bytes_s: int | None) -> bool:
    return bytes_s is None or 10_000 <= bytes_s <= 10**11
