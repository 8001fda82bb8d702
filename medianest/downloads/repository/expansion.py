"""A link that turns out to be a list: its row becomes the parent of one row an item."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch, transaction
from medianest.downloads.model import DownloadKind, DownloadState, ReasonCode, cost_of
from medianest.downloads.repository.claims import Claim, Ended, add_log
from medianest.downloads.repository.parents import lock_rows, refresh_parent
from medianest.downloads.repository.rows import to_changed
from medianest.downloads.sites import site_of

CHUNK = 250  # rows of one INSERT: 15 values each, far below the drivers' limit


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One video of a list, before it was opened."""

    url: str
    url_key: str
    identity: str
    title: str
    uploader: str
    duration_s: int | None


class ListFaces(msgspec.Struct, frozen=True, kw_only=True):
    """A list's site and id, and its pictures by their names in the picture store."""

    key: str
    picture: str | None = None
    poster: str | None = None
    fanart: str | None = None


class ExpansionRepository:
    """Writes a list's items; all of them or none, so that a crash leaves a link to be opened again."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    async def expand(
        self, claim: Claim, items: Sequence[Item], *, kind: DownloadKind, title: str, uploader: str, capped: str | None,
        empty: str, at: datetime, faces: ListFaces, admit: Callable[[int, int], Awaitable[None]],
    ) -> Ended | None:  # fmt: skip
        """Turn the claim into a list with `items`; None when the claim was lost.

        Args:
            capped: the sentence for a list that goes on beyond `items`, None for a whole one.
            empty: the sentence for a list without items.
            admit: called with the person and what the list counts; what it raises leaves everything as it was.
        """
        cost = cost_of(len(items))
        async with transaction():
            code = ReasonCode.LIST_CAPPED if capped else None if items else ReasonCode.EMPTY_LIST
            rows = await fetch(
                "UPDATE download_queue SET kind = {}, title = {}, uploader = {}, owner = NULL, lease_until = NULL, "
                "reason_code = {}, reason = {}, items_total = {}, items_done = 0, items_failed = 0, changed_at = {}, "
                # a list that had to wait counts from now on
                "charged_at = CASE WHEN quota_cost = {} THEN charged_at ELSE {} END, quota_cost = {}, "
                "wishes = {}, list_key = {}, picture = {}, poster = {}, fanart = {} "
                "WHERE id = {} AND owner = {} RETURNING id, parent_id, state, reason_code, requested_by",
                *(
                    kind,
                    title,
                    uploader,
                    code,
                    capped or (None if items else empty),
                    len(items),
                    at,
                    *(cost, at, cost),
                ),
                *(
                    claim.wishes,
                    faces.key,
                    faces.picture or claim.picture,
                    faces.poster,
                    faces.fanart,
                    claim.id,
                    self.owner,
                ),
            )
            if not rows:
                return None
            await lock_rows(claim.id)
            # who asked may have been deleted meanwhile: the row tells whose it is now
            claim = msgspec.structs.replace(claim, requested_by=rows[0]["requested_by"])
            await admit(claim.requested_by, cost)
            there = await self._already_there([item.identity for item in items])
            for start in range(0, len(items), CHUNK):
                await self._insert(claim, items[start : start + CHUNK], start, there, at)
            await add_log(
                claim.id, f"A list with {len(items)} videos, {len(there)} of them in the library already.", at
            )
            if not items:
                ended = await fetch(
                    "UPDATE download_queue SET state = 'completed', finished_at = {} WHERE id = {} "
                    "RETURNING id, parent_id, state, reason_code",
                    *(at, claim.id),
                )
                return Ended(changed=to_changed(ended[0]))
            parent = await refresh_parent(claim.id, at)
            return Ended(changed=parent.changed if parent else to_changed(rows[0]), parent=parent)

    async def _already_there(self, identities: Sequence[str]) -> dict[str, int]:
        there: dict[str, int] = {}
        for start in range(0, len(identities), 500):
            piece = identities[start : start + 500]
            marks = ", ".join(["{}"] * len(piece))
            rows = await fetch(
                f"SELECT id, identity FROM download_history WHERE identity IN ({marks}) "
                "AND (filed_at IS NOT NULL AND deleted_at IS NULL OR id IN (SELECT history_id FROM video_marks WHERE "
                "history_id = download_history.id AND origin = 'archive'))",  # somebody had it before MediaNest
                *piece,
            )
            there |= {row["identity"]: row["id"] for row in rows}
        return there

    async def _insert(
        self, claim: Claim, items: Sequence[Item], before: int, there: dict[str, int], at: datetime
    ) -> None:
        values: list[Any] = []
        for number, item in enumerate(items, before + 1):
            history_id = there.get(item.identity)
            values += [claim.id, number, claim.requested_by, item.url, item.url_key, item.title, item.uploader]
            values += [item.duration_s, claim.quality, claim.audio_only, claim.as_film]
            values += (
                [DownloadState.COMPLETED, ReasonCode.ALREADY_THERE] if history_id else [DownloadState.QUEUED, None]
            )
            values += [
                claim.priority,
                claim.position,
                history_id,
                at,
                at if history_id else None,
                at,
                site_of(item.url),
                claim.wishes,
            ]
        row = "({}, {}, {}, {}, {}, 'video', {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, 0, {}, {}, {}, {}, {}, {})"
        await fetch(
            "INSERT INTO download_queue (parent_id, item_index, requested_by, url, url_key, kind, title, uploader, duration_s, "
            "quality, audio_only, as_film, state, reason_code, priority, position, attempts, history_id, created_at, "
            f"finished_at, changed_at, host, wishes) VALUES {', '.join([row] * len(items))}",
            *values,
        )
