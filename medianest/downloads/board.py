"""How far the running downloads are, in memory: progress is told often and written never."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from medianest.downloads.model import (
    ACTIVE_STATES,
    DownloadProgressed,
    DownloadRemoved,
    DownloadStateChanged,
    Progress,
)
from medianest.events import EventBus


class _Entry(msgspec.Struct, frozen=True):
    progress: Progress
    people: tuple[int, ...]
    parent_id: int | None


class ProgressBoard:
    """The newest figures of every download that runs, in this process or another: it listens to the events."""

    def __init__(self, events: EventBus) -> None:
        self._entries: dict[int, _Entry] = {}
        events.subscribe(DownloadProgressed, self._on_progressed)
        events.subscribe(DownloadStateChanged, self._on_state_changed)
        events.subscribe(DownloadRemoved, self._on_removed)

    def get(self, download_id: int) -> Progress | None:
        """Figures of a running download, None when it does not run or has said nothing yet."""
        entry = self._entries.get(download_id)
        return entry.progress if entry else None

    def speed_bytes_s(self, person: int | None) -> float:
        """Sum of the speeds of all downloads that `person` sees (None: of all)."""
        return sum(
            entry.progress.speed_bytes_s or 0.0
            for entry in self._entries.values()
            if person is None or person in entry.people
        )

    def keep_only(self, ids: Iterable[int]) -> None:
        """Forget what does not run any more: for a gap in which events were missed."""
        kept = set(ids)
        self._entries = {one: entry for one, entry in self._entries.items() if one in kept}

    async def _on_progressed(self, event: DownloadProgressed) -> None:
        if event.progress.items_total is None:  # a list's figures are in its row
            self._entries[event.download_id] = _Entry(event.progress, event.people, event.parent_id)

    async def _on_state_changed(self, event: DownloadStateChanged) -> None:
        if event.state not in ACTIVE_STATES:
            self._entries.pop(event.download_id, None)

    async def _on_removed(self, event: DownloadRemoved) -> None:
        self._entries.pop(event.download_id, None)
        for one in [one for one, entry in self._entries.items() if entry.parent_id == event.download_id]:
            del self._entries[one]
