"""What lies in the library, for whoever looks after it in Plex: videos, the lists they came in, their number there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.downloads.model import DownloadKind, DownloadState
from medianest.downloads.repository.rows import Changed, to_changed, to_files

PIECE = 500
# a playlist that is a season of its own show, or an album, needs no collection
_COLLECTED = "p.kind = 'playlist' AND NOT p.audio_only AND p.wishes NOT LIKE '%\"layout\":\"season\"%'"


class FiledVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video of the library; `path` is its media, relative to the library. A deleted one lies there no more."""

    id: int
    title: str
    path: str
    is_there: bool


class ListFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A list that was downloaded; `picture` is a name in the picture store."""

    id: int
    kind: DownloadKind
    title: str
    uploader: str
    url: str
    picture: str | None
    has_ended: bool


class FiledRepository:
    """Queries on the records of videos and on lists."""

    async def video(self, history_id: int) -> FiledVideo | None:
        rows = await fetch(f"SELECT {_COLUMNS} FROM download_history WHERE id = {{}}", history_id)
        return _video(rows[0]) if rows else None

    async def changed_since(self, at: datetime, after_id: int, limit: int) -> tuple[FiledVideo, ...]:
        """What was filed or deleted since then, by id."""
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM download_history WHERE (filed_at >= {{}} OR deleted_at >= {{}}) AND id > {{}} "
            "ORDER BY id LIMIT {}",
            *(at, at, after_id, limit),
        )
        return tuple(_video(row) for row in rows)

    async def remember(self, history_id: int, rating_key: str | None, server_id: str | None) -> None:
        """Under which number a server has it."""
        await fetch(
            "UPDATE download_history SET plex_rating_key = {}, server_id = {} WHERE id = {}",
            *(rating_key, server_id, history_id),
        )

    async def lists_with(self, history_ids: Sequence[int]) -> tuple[int, ...]:
        """Playlists that have one of these videos."""
        found: set[int] = set()
        for start in range(0, len(history_ids), PIECE):
            piece = history_ids[start : start + PIECE]
            marks = ", ".join(["{}"] * len(piece))
            rows = await fetch(
                "SELECT DISTINCT p.id AS id FROM download_queue q JOIN download_queue p ON p.id = q.parent_id "
                f"WHERE q.history_id IN ({marks}) AND {_COLLECTED}",
                *piece,
            )
            found |= {row["id"] for row in rows}
        return tuple(sorted(found))

    async def playlists_since(self, at: datetime) -> tuple[int, ...]:
        """Playlists with a finished video that changed since then."""
        rows = await fetch(
            f"SELECT p.id AS id FROM download_queue p WHERE p.parent_id IS NULL AND {_COLLECTED} AND p.items_done > 0 "
            "AND p.changed_at >= {} ORDER BY p.id",
            at,
        )
        return tuple(row["id"] for row in rows)

    async def list_of(self, download_id: int) -> ListFacts | None:
        rows = await fetch(
            "SELECT id, kind, title, uploader, url, picture, state FROM download_queue WHERE id = {}", download_id
        )
        if not rows:
            return None
        row = rows[0]
        return ListFacts(
            id=row["id"],
            kind=DownloadKind(row["kind"]),
            title=row["title"],
            uploader=row["uploader"],
            url=row["url"],
            picture=row["picture"],
            has_ended=row["state"] in (DownloadState.COMPLETED, DownloadState.FAILED, DownloadState.CANCELLED),
        )

    async def videos_of(self, download_id: int) -> tuple[int, ...]:
        """Records of a list's videos that lie in the library, in the list's order; each once."""
        rows = await fetch(
            "SELECT q.history_id AS id FROM download_queue q JOIN download_history h ON h.id = q.history_id "
            "WHERE q.parent_id = {} AND q.state = 'completed' AND h.filed_at IS NOT NULL AND h.deleted_at IS NULL "
            "ORDER BY q.item_index, q.id",
            download_id,
        )
        return tuple(dict.fromkeys(row["id"] for row in rows))

    async def picture_of_first(self, download_id: int) -> str | None:
        """The picture of the first video of a list that has one."""
        rows = await fetch(
            "SELECT picture FROM download_queue WHERE parent_id = {} AND picture IS NOT NULL ORDER BY item_index LIMIT 1",
            download_id,
        )
        return rows[0]["picture"] if rows else None

    async def rows_showing(self, history_id: int) -> tuple[Changed, ...]:
        """The downloads that show this video."""
        rows = await fetch(
            "SELECT id, parent_id, state, reason_code FROM download_queue WHERE history_id = {} LIMIT 50", history_id
        )
        return tuple(to_changed(row) for row in rows)

    async def row(self, download_id: int) -> Changed | None:
        rows = await fetch("SELECT id, parent_id, state, reason_code FROM download_queue WHERE id = {}", download_id)
        return to_changed(rows[0]) if rows else None


_COLUMNS = "id, title, files, filed_at, deleted_at"


def _video(row: dict[str, Any]) -> FiledVideo:
    files = to_files(row["files"])
    is_there = row["filed_at"] is not None and row["deleted_at"] is None and bool(files)
    return FiledVideo(id=row["id"], title=row["title"], path=files[0].path if files else "", is_there=is_there)
