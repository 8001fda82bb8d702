"""The dispatcher's side of the queue: claims with a lease, what a running download learns, and how it ends.

Every statement that ends or changes a running download says whose it must be: a late word of a process that lost its
claim changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.downloads.model import DownloadKind, DownloadState, Priority, Quality, ReasonCode
from medianest.downloads.repository.parents import lock_rows, locking, refresh_parent
from medianest.downloads.repository.picking import pick_args, pick_query
from medianest.downloads.repository.rows import Changed, ParentChanged, to_changed

CLAIM_LOCK = 6378_0003
RUNNING = "state IN ('downloading', 'processing')"
_CLAIM_COLUMNS = (
    "id, parent_id, item_index, requested_by, url, url_key, title, uploader, quality, audio_only, as_film, attempts, "
    "history_id, picture, priority, position, host, engine_tries, engine_version, wishes"
)


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A download that is this process's to do. `attempts` counts this one."""

    id: int
    parent_id: int | None
    item_index: int | None
    requested_by: int
    url: str
    url_key: str
    title: str
    uploader: str
    quality: Quality
    audio_only: bool
    as_film: bool
    attempts: int
    history_id: int | None
    picture: str | None
    priority: int
    position: int
    host: str = ""
    engine_tries: int = 0
    engine_version: str = ""  # the yt-dlp that could not read it before
    wishes: str = ""  # as `wishes.from_text` reads it

    @property
    def top_id(self) -> int:
        return self.parent_id or self.id


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A row after its download ended in some way, and the list around it."""

    changed: Changed
    parent: ParentChanged | None = None


class ListOf(msgspec.Struct, frozen=True, kw_only=True):
    """The list that a video came in. `key` is its site and id, `poster` and `fanart` are names in the picture store."""

    kind: DownloadKind
    title: str
    uploader: str
    key: str = ""
    poster: str | None = None
    fanart: str | None = None

    @property
    def id(self) -> str:
        """Its id at its site; empty where the site has none."""
        site, _, name = self.key.partition(":")
        return "" if site == "url" else name


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What the site told about a video, for its row."""

    identity: str
    site: str
    video_id: str
    title: str
    uploader: str
    duration_s: int | None
    total_bytes: int | None


class ClaimRepository:
    """Claims of one process. `owner` names it, see `recovery.py`."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    async def claim(
        self, *, limit: int, most: int, at: datetime, lease_until: datetime, per_person: int | None = None,
        lowest: int = Priority.LOW, breath_s: Callable[[str], float] = lambda _site: 0.0,
        but: Collection[int] = (),
    ) -> list[Claim]:  # fmt: skip
        """Take the next downloads in line: at most `most`, and never more than `limit` running over all processes.

        Args:
            per_person: how many one person may have running over all processes.
            lowest: the lowest priority that may run now.
            breath_s: seconds until the site may be asked for its next video; 0 for sites that need no rest.
            but: ids that must wait in line; while one of them is the next, so does everything behind it.
        """
        picked = pick_args(at, lowest=lowest, per_person=per_person)
        pick = pick_query()
        if not await fetch(pick, *picked):
            return []  # nothing to write, so nobody's turn at the writer is taken
        claims: list[Claim] = []
        others = f"id NOT IN ({', '.join(['{}'] * len(but))}) AND " if but else ""
        async with transaction():
            if is_postgres():
                await fetch("SELECT pg_advisory_xact_lock({}::bigint)", CLAIM_LOCK)
            running = await fetch(f"SELECT count(*) AS n FROM download_queue WHERE {RUNNING} AND kind = 'video'")
            for number in range(min(most, limit - running[0]["n"])):
                # the state is asked again: somebody may have paused the row while this waited for it
                rows = await fetch(
                    "UPDATE download_queue SET state = 'downloading', owner = {}, lease_until = {}, attempts = attempts + 1, "
                    "started_at = coalesce(started_at, {}), finished_at = NULL, reason_code = NULL, reason = NULL, "
                    "identity = NULL, next_attempt_at = NULL, changed_at = {} "
                    f"WHERE state = 'queued' AND {others}id IN ({pick}) RETURNING {_CLAIM_COLUMNS}",
                    *(self.owner, lease_until, at, at, *but, *picked),
                )
                if not rows:
                    break
                claims.append(msgspec.convert(dict(rows[0]), Claim, strict=False))
                await self._served(claims[-1], at + timedelta(microseconds=number), breath_s(claims[-1].host))
        return claims

    async def _served(self, claim: Claim, at: datetime, breath_s: float) -> None:
        """Whose turn it was; and a big site is left in peace for a breath."""
        await fetch(
            "INSERT INTO person_turns (user_id, served_at) VALUES ({}, {}) ON CONFLICT (user_id) DO UPDATE SET "
            "served_at = excluded.served_at",
            *(claim.requested_by, at),
        )
        if breath_s > 0:
            await fetch(
                "INSERT INTO site_turns (site, next_at) VALUES ({}, {}) ON CONFLICT (site) DO UPDATE SET "
                "next_at = excluded.next_at",
                *(claim.host, at + timedelta(seconds=breath_s)),
            )

    async def running(self) -> int:
        """How many videos are being fetched or finished, over all processes."""
        rows = await fetch(f"SELECT count(*) AS n FROM download_queue WHERE {RUNNING} AND kind = 'video'")
        return int(rows[0]["n"])

    async def renew(self, lease_until: datetime) -> set[int]:
        """Keep every claim; gives the ids that are still ours."""
        rows = await fetch(
            "UPDATE download_queue SET lease_until = {} WHERE id IN (SELECT id FROM download_queue WHERE owner = {} "
            f"ORDER BY id{locking()}) RETURNING id",
            *(lease_until, self.owner),
        )
        return {row["id"] for row in rows}

    async def mine(self) -> set[int]:
        """Ids that are ours now."""
        return {row["id"] for row in await fetch("SELECT id FROM download_queue WHERE owner = {}", self.owner)}

    async def owners(self) -> list[str]:
        """Everybody who holds a claim."""
        rows = await fetch("SELECT DISTINCT owner FROM download_queue WHERE owner IS NOT NULL")
        return [row["owner"] for row in rows]

    async def take_back(self, owner: str, at: datetime, *, ids: set[int] | None = None) -> list[Ended]:
        """Put a dead owner's downloads (or some of them) back in line; the try does not count."""
        rows = await fetch("SELECT id, parent_id FROM download_queue WHERE owner = {} ORDER BY id", owner)
        return await self._back(
            [row for row in rows if ids is None or row["id"] in ids], "owner = {}", owner, at, counts=False
        )

    async def take_expired(self, at: datetime) -> list[Ended]:
        """Put back what an owner did not renew in time."""
        rows = await fetch(
            "SELECT id, parent_id FROM download_queue WHERE owner IS NOT NULL AND owner <> {} AND lease_until < {} ORDER BY id",
            *(self.owner, at),
        )
        return await self._back(rows, "lease_until < {}", at, at, counts=True)

    async def _back(
        self, rows: list[dict[str, Any]], condition: str, value: Any, at: datetime, *, counts: bool
    ) -> list[Ended]:
        ended: list[Ended] = []
        for row in rows:
            async with transaction():
                await lock_rows(row["parent_id"])
                changed = await fetch(
                    "UPDATE download_queue SET state = 'queued', owner = NULL, lease_until = NULL, next_attempt_at = NULL, "
                    f"attempts = attempts - {0 if counts else 1}, changed_at = {{}} WHERE id = {{}} AND {condition} "
                    "RETURNING id, parent_id, state, reason_code",
                    *(at, row["id"], value),
                )
                if changed:
                    parent = await refresh_parent(row["parent_id"], at)
                    ended.append(Ended(changed=to_changed(changed[0]), parent=parent))
        return ended

    async def due(self, at: datetime) -> list[dict[str, Any]]:
        """Waiting rows whose time has come, but for those that wait for the probe of a pause."""
        return await fetch(DUE_QUERY, at)

    async def wake(self, row: dict[str, Any], at: datetime) -> Ended | None:
        """Back to the line with a waiting row."""
        async with transaction():
            await lock_rows(row["parent_id"])
            changed = await fetch(
                "UPDATE download_queue SET state = 'queued', reason_code = NULL, reason = NULL, next_attempt_at = NULL, "
                "changed_at = {} WHERE id = {} AND state = 'waiting' RETURNING id, parent_id, state, reason_code",
                *(at, row["id"]),
            )
            parent = await refresh_parent(row["parent_id"], at) if changed else None
        return Ended(changed=to_changed(changed[0]), parent=parent) if changed else None

    async def learn(self, claim: Claim, facts: Learned, at: datetime) -> tuple[int, str] | bool:
        """Keep what the site told, and see whether the video is taken.

        Returns:
            `(history id, files as JSON)` when the library has it; True when it is this claim's to download; False when
            another running download has the same video. The caller asks `still_mine` when it must know of a lost claim.
        """
        async with transaction():
            if is_postgres():
                await fetch("SELECT pg_advisory_xact_lock(hashtextextended({}, 6378))", facts.identity)
            await lock_rows(claim.id)
            await self._store(claim, facts, at)
            there = await fetch(
                "SELECT id, files FROM download_history WHERE identity = {} AND filed_at IS NOT NULL AND deleted_at IS NULL",
                facts.identity,
            )
            if there:
                return there[0]["id"], there[0]["files"]
            twins = await fetch(
                f"SELECT id FROM download_queue WHERE identity = {{}} AND id <> {{}} AND owner IS NOT NULL AND {RUNNING} LIMIT 1",
                *(facts.identity, claim.id),
            )
            return not twins

    async def _store(self, claim: Claim, facts: Learned, at: datetime) -> None:
        await fetch(
            "UPDATE download_queue SET identity = {}, site = {}, video_id = {}, title = {}, uploader = {}, duration_s = {}, "
            "total_bytes = {}, changed_at = {} WHERE id = {} AND owner = {}",
            *(facts.identity, facts.site, facts.video_id, facts.title, facts.uploader, facts.duration_s),
            *(facts.total_bytes, at, claim.id, self.owner),
        )

    async def set_processing(self, claim: Claim, at: datetime) -> bool:
        """The fetching is over, ffmpeg works; False when the claim is lost."""
        rows = await fetch(
            "UPDATE download_queue SET state = 'processing', changed_at = {} WHERE id = {} AND owner = {} RETURNING id",
            *(at, claim.id, self.owner),
        )
        return bool(rows)

    async def end(
        self, claim: Claim, state: DownloadState, *, at: datetime, code: ReasonCode | None = None, reason: str | None = None,
        next_attempt_at: datetime | None = None, counts: bool = True, engine_tries: int = 0, engine_version: str = "",
        history_id: int | None = None, downloaded_bytes: int | None = None, total_bytes: int | None = None, line: str | None = None,
    ) -> Ended | None:  # fmt: skip
        """Give the claim up in a new state; None when it was lost before, and then nothing has changed."""
        is_over = state in (DownloadState.COMPLETED, DownloadState.FAILED)
        cast = "::bigint" if is_postgres() else ""
        async with transaction():
            await lock_rows(claim.parent_id)
            rows = await fetch(
                "UPDATE download_queue SET state = {}, reason_code = {}, reason = {}, next_attempt_at = {}, owner = NULL, "
                f"lease_until = NULL, attempts = attempts - {0 if counts else 1}, finished_at = {{}}, changed_at = {{}}, "
                f"engine_tries = {{}}, engine_version = {{}}, history_id = coalesce({{}}{cast}, history_id), "
                f"downloaded_bytes = coalesce({{}}{cast}, downloaded_bytes), "
                f"total_bytes = coalesce({{}}{cast}, total_bytes) "
                "WHERE id = {} AND owner = {} RETURNING id, parent_id, state, reason_code",
                *(
                    state,
                    code,
                    reason,
                    next_attempt_at,
                    at if is_over else None,
                    at,
                    engine_tries,
                    engine_version,
                    history_id,
                ),
                *(downloaded_bytes, total_bytes, claim.id, self.owner),
            )
            if not rows:
                return None
            if line:
                await add_log(claim.id, line, at)
            return Ended(changed=to_changed(rows[0]), parent=await refresh_parent(claim.parent_id, at))

    async def list_of(self, claim: Claim) -> ListOf | None:
        """The list that the download came in; None for a single video."""
        if claim.parent_id is None:
            return None
        rows = await fetch(
            "SELECT kind, title, uploader, coalesce(list_key, '') AS key, poster, fanart FROM download_queue WHERE id = {}",
            claim.parent_id,
        )
        return msgspec.convert(dict(rows[0]), ListOf) if rows else None

    async def tell(self, claim: Claim, code: ReasonCode, reason: str, at: datetime) -> bool:
        """Say of a running download how it is; False when the claim is lost."""
        rows = await fetch(
            "UPDATE download_queue SET reason_code = {}, reason = {}, changed_at = {} WHERE id = {} AND owner = {} RETURNING id",
            *(code, reason, at, claim.id, self.owner),
        )
        return bool(rows)

    async def wish(self, claim: Claim, wishes: str) -> None:
        """Other wishes than were made, for what comes next of a claimed download."""
        await fetch(
            "UPDATE download_queue SET wishes = {} WHERE id = {} AND owner = {}", *(wishes, claim.id, self.owner)
        )

    async def set_facts(self, claim: Claim, *, picture: str | None, duration_s: int | None) -> None:
        """What only the finished file told; None keeps what is known."""
        if picture is not None:
            await fetch("UPDATE download_queue SET picture = {} WHERE id = {}", picture, claim.id)
        if duration_s is not None:
            await fetch(
                "UPDATE download_queue SET duration_s = {} WHERE id = {} AND duration_s IS NULL", duration_s, claim.id
            )


DUE_QUERY = (
    "SELECT q.id, q.parent_id FROM download_queue q WHERE q.state = 'waiting' AND q.next_attempt_at <= {} AND NOT EXISTS "
    "(SELECT 1 FROM site_pauses z WHERE z.site IN (q.host, '*') AND (z.site = '*' OR q.reason_code IN "
    "('site_paused', 'ffmpeg_missing', 'javascript_missing'))) ORDER BY q.id LIMIT 200"
)


async def add_log(download_id: int, line: str, at: datetime) -> None:
    """Keep one line of what happened, for the detail page."""
    await fetch("INSERT INTO download_log (download_id, at, line) VALUES ({}, {}, {})", download_id, at, line[:1000])
