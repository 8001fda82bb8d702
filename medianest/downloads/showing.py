"""From rows to what people see: with places in the line, progress and files."""

from __future__ import annotations

from collections.abc import Sequence

from medianest.downloads.board import ProgressBoard
from medianest.downloads.model import ACTIVE_STATES, Download, DownloadState
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.rows import InLibrary, Row, to_download
from medianest.integrations.plex_links import web_link

NOTHING = InLibrary()


class Showing:
    """Reads what a row alone does not say."""

    def __init__(self, lists: DownloadLists, board: ProgressBoard, plex_app_url: str) -> None:
        self._lists = lists
        self._board = board
        self._plex_app_url = plex_app_url

    async def of(self, rows: Sequence[Row], *, has_places: bool) -> tuple[Download, ...]:
        """The downloads of `rows`; without `has_places` nobody's place in the line is looked up."""
        queued = [row["id"] for row in rows if row["state"] == DownloadState.QUEUED] if has_places else []
        places = await self._lists.places(queued)
        filed = await self._lists.filed(row["history_id"] for row in rows if row["state"] == DownloadState.COMPLETED)
        return tuple(
            to_download(
                row,
                progress=self._board.get(row["id"]) if row["state"] in ACTIVE_STATES else None,
                place=places.get(row["id"]),
                files=(found := filed.get(row["history_id"], NOTHING)).files,
                plex_url=self._link(found),
                media=found.media,
            )
            for row in rows
        )

    def _link(self, found: InLibrary) -> str | None:
        """The video's page in Plex, once it is there."""
        if not found.rating_key or not found.machine_id:
            return None
        return web_link(self._plex_app_url, found.machine_id, found.rating_key)
