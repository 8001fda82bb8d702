"""From rows to what people see: with places in the line, progress and files."""

from __future__ import annotations

from collections.abc import Sequence

from medianest.downloads.board import ProgressBoard
from medianest.downloads.model import ACTIVE_STATES, Download, DownloadState
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.rows import Row, to_download


class Showing:
    """Reads what a row alone does not say."""

    def __init__(self, lists: DownloadLists, board: ProgressBoard) -> None:
        self._lists = lists
        self._board = board

    async def of(self, rows: Sequence[Row], *, has_places: bool) -> tuple[Download, ...]:
        """The downloads of `rows`; without `has_places` nobody's place in the line is looked up."""
        queued = [row["id"] for row in rows if row["state"] == DownloadState.QUEUED] if has_places else []
        places = await self._lists.places(queued)
        files = await self._lists.files(row["history_id"] for row in rows if row["state"] == DownloadState.COMPLETED)
        return tuple(
            to_download(
                row,
                progress=self._board.get(row["id"]) if row["state"] in ACTIVE_STATES else None,
                place=places.get(row["id"]),
                files=files.get(row["history_id"], ()),
            )
            for row in rows
        )
