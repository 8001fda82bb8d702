"""What the queue and the library know of videos that a list shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from medianest.database import fetch
from medianest.downloads.feeds.model import Shelved, Standing
from medianest.downloads.model import DownloadState, ReasonCode

T = TypeVar("T")
PIECE = 500
STANDING_QUERY = (
    "SELECT q.id, q.state, q.reason_code, q.history_id, h.deleted_at FROM download_queue q "
    "LEFT JOIN download_history h ON h.id = q.history_id WHERE q.id IN ({marks})"
)
SHELVED_QUERY = "SELECT id, identity, filed_at, deleted_at FROM download_history WHERE identity IN ({marks})"


class FeedRepository:
    """Reads only."""

    async def standing(self, download_ids: Iterable[int]) -> dict[int, Standing]:
        """How these downloads stand; those that are gone are left out."""
        found: dict[int, Standing] = {}
        for piece in _pieces(tuple(download_ids)):
            for row in await fetch(STANDING_QUERY.replace("{marks}", _marks(piece)), *piece):
                found[row["id"]] = Standing(
                    state=DownloadState(row["state"]),
                    reason_code=ReasonCode(row["reason_code"]) if row["reason_code"] else None,
                    history_id=row["history_id"],
                    is_deleted=row["deleted_at"] is not None,
                )
        return found

    async def shelved(self, identities: Iterable[str]) -> dict[str, Shelved]:
        """Which of these videos the library has or had."""
        found: dict[str, Shelved] = {}
        for piece in _pieces(tuple(identities)):
            for row in await fetch(SHELVED_QUERY.replace("{marks}", _marks(piece)), *piece):
                is_deleted = row["deleted_at"] is not None
                found[row["identity"]] = Shelved(
                    history_id=row["id"],
                    is_there=row["filed_at"] is not None and not is_deleted,
                    is_deleted=is_deleted,
                )
        return found


def _pieces(values: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(values), PIECE):
        yield values[start : start + PIECE]


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["{}"] * len(values))
