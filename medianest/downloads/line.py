"""The line of waiting downloads: priorities and places, and what the owner's settings may be."""

from __future__ import annotations

from datetime import datetime

from medianest.accounts.model import User
from medianest.downloads.allowance import require_first, require_priority
from medianest.downloads.model import Priority, QueueSettings
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.rows import Row
from medianest.downloads.repository.states import DownloadStates
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
            NotAllowed: it would go before what others asked for, and they may not put downloads first.
            Conflict: it is not in line, so it has no place.
        """
        wanted = Priority(row["priority"]) if priority is None else priority_of(priority)
        if wanted != row["priority"]:
            require_priority(by, wanted)
            await self._states.move(row["id"], priority=wanted, position=None, at=at)
        if place is not None:
            await self._place(row["id"], place, wanted, by, at)

    async def _place(self, download_id: int, place: int, priority: Priority, by: User, at: datetime) -> None:
        if place < 1:
            raise Invalid("Places in the line begin with 1.", fields={"position": "Use 1 or more."})
        line = await self._lists.line(priority)
        ids = [one for one, _position, _person in line]
        if download_id not in ids:
            raise Conflict("It is not in line, so it has no place there.")
        others = [(one, position) for one, position, _person in line if one != download_id]
        if not others:
            return
        index = max(0, min(place - 1 - await self._lists.count_before(priority), len(others)))
        overtaken = line[index : ids.index(download_id)]  # nothing when it moves down
        if any(person != by.id for _one, _position, person in overtaken):
            require_first(by)
        low = others[index - 1][1] if index else None
        high = others[index][1] if index < len(others) else None
        if low is not None and high is not None and high - low < 2:  # no number is free between them
            rest = [one for one, _position in others]
            await self._states.respace([*rest[:index], download_id, *rest[index:]])
            return
        if low is None:
            low = (high or 0) - 2 * STEP
        target = low + STEP if high is None else (low + high) // 2
        await self._states.move(download_id, priority=None, position=target, at=at)


def wrong_fields(settings: QueueSettings) -> dict[str, str]:
    """A sentence for each setting that does not fit."""
    languages = [part.strip() for part in settings.subtitle_languages.split(",") if part.strip()]
    rate = settings.rate_limit_bytes_s
    rules = {
        "concurrent_downloads": (1 <= settings.concurrent_downloads <= 10, "From 1 to 10."),
        "max_list_items": (1 <= settings.max_list_items <= 10_000, "From 1 to 10000."),
        "max_height": (144 <= settings.max_height <= 4320, "From 144 to 4320."),
        "rate_limit_bytes_s": (
            rate is None or 10_000 <= rate <= 10**11,
            "At least 0.01 MB a second, or empty for no limit.",
        ),
        "subtitle_languages": (
            len(languages) <= 10 and all(_is_language(part) for part in languages),
            "Languages with commas between them, such as en,de.",
        ),
        "free_space_floor_bytes": (0 <= settings.free_space_floor_bytes <= 10**15, "From 0 to 1000000 GB."),
    }
    return {name: sentence for name, (is_right, sentence) in rules.items() if not is_right}


def _is_language(text: str) -> bool:
    return len(text) <= 12 and text.isascii() and text.replace("-", "").isalnum()
