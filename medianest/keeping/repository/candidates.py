"""What lies in the library, as the rules judge it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.keeping.model import Going, Why

PIECE = 500
YOUNGEST = timedelta(days=1)  # younger ones never go
OPEN = "('queued', 'downloading', 'processing', 'waiting', 'paused')"
# neither shielded nor young, and no download of it is on its way; `h` is the record, a value is the time before which it was filed
MAY_GO = (
    "h.filed_at IS NOT NULL AND h.deleted_at IS NULL AND h.filed_at < {} "
    "AND NOT EXISTS (SELECT 1 FROM video_marks k WHERE k.history_id = h.id AND k.shielded_at IS NOT NULL) "
    f"AND NOT EXISTS (SELECT 1 FROM download_queue q WHERE q.history_id = h.id AND q.state IN {OPEN}) "
    "AND NOT EXISTS (SELECT 1 FROM download_queue q WHERE q.identity = h.identity AND q.owner IS NOT NULL)"
)
THERE_QUERY = (
    "SELECT h.id, h.title, h.uploader, h.size_bytes, h.filed_at, h.episode, m.watched_at, "
    "row_number() OVER (PARTITION BY h.show_id ORDER BY h.season DESC, h.episode DESC, h.id DESC) AS place, "
    f"CASE WHEN {MAY_GO} THEN 1 ELSE 0 END AS may_go "
    "FROM download_history h LEFT JOIN video_marks m ON m.history_id = h.id "
    "WHERE h.filed_at IS NOT NULL AND h.deleted_at IS NULL"
)
# every subscription that took a video, with the place of the video among those of it that are there
FOLLOWED_QUERY = (
    "SELECT i.history_id, i.is_ours, s.user_id, s.title, s.keep_rule, s.keep_number, "
    "row_number() OVER (PARTITION BY i.subscription_id ORDER BY i.place DESC, i.id DESC) AS place "
    "FROM subscription_items i JOIN subscriptions s ON s.id = i.subscription_id "
    "JOIN download_history h ON h.id = i.history_id "
    "WHERE h.filed_at IS NOT NULL AND h.deleted_at IS NULL AND s.state <> 'ending'"
)


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """A video in the library. `place` is 1 for the newest of its show; a film is in no show."""

    id: int
    title: str
    uploader: str
    size_bytes: int
    filed_at: datetime
    episode: int | None
    watched_at: datetime | None
    place: int
    may_go: bool

    def goes(self, why: Why, detail: object = "") -> Going:
        """It as something that goes."""
        return Going(
            history_id=self.id,
            title=self.title,
            uploader=self.uploader,
            size_bytes=self.size_bytes,
            filed_at=self.filed_at,
            why=why,
            detail=str(detail),
        )


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A video as one subscription has it; `place` is 1 for its newest."""

    history_id: int
    is_ours: bool  # the subscription brought it
    user_id: int
    title: str
    keep_rule: str
    keep_number: int | None
    place: int


class CandidateRepository:
    """Reads only."""

    async def videos(self, now: datetime) -> list[Video]:
        """Everything in the library, oldest first."""
        rows = await fetch(THERE_QUERY, now - YOUNGEST)
        found = [msgspec.convert({**row, "may_go": bool(row["may_go"])}, Video) for row in rows]
        return sorted(found, key=lambda one: (one.filed_at, one.id))

    async def followed(self) -> list[Followed]:
        """What subscriptions have, but for those that keep nothing to themselves."""
        rows = await fetch(FOLLOWED_QUERY)
        return [msgspec.convert({**row, "is_ours": bool(row["is_ours"])}, Followed) for row in rows]

    async def people_of(self, history_ids: Iterable[int]) -> dict[int, frozenset[int]]:
        """Whose videos these are: who asked first, and who has a download that shows one."""
        found: dict[int, set[int]] = {}
        for piece in pieces(tuple(history_ids)):
            marks = ", ".join(["{}"] * len(piece))
            rows: list[dict[str, Any]] = await fetch(
                f"SELECT id AS history_id, requested_by AS user_id FROM download_history WHERE id IN ({marks}) "
                "AND requested_by IS NOT NULL UNION "
                "SELECT q.history_id, p.user_id FROM download_queue q JOIN download_people p "
                f"ON p.download_id = coalesce(q.parent_id, q.id) WHERE q.history_id IN ({marks})",
                *(*piece, *piece),
            )
            for row in rows:
                found.setdefault(row["history_id"], set()).add(row["user_id"])
        return {one: frozenset(people) for one, people in found.items()}


def pieces(values: Sequence[int]) -> Iterable[Sequence[int]]:
    """So many at a time as one statement takes."""
    for start in range(0, len(values), PIECE):
        yield values[start : start + PIECE]
