"""The history: always along its ids, so that a page costs the same among a hundred thousand videos."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.integrations.plex_links import web_link
from medianest.keeping.model import (
    GoingSummary,
    HistoryDetail,
    HistoryFilter,
    HistoryVideo,
    Origin,
    VideoKind,
    VideoState,
    Why,
)

LAST = 2**62
_COLUMNS = (
    "h.id, h.title, h.uploader, h.url, h.site, h.video_id, h.season, h.episode, h.size_bytes, h.duration_s, h.published_on, "
    "h.created_at, h.filed_at, h.deleted_at, h.requested_by, h.identity, h.plex_rating_key, h.server_id"
)
_FROM = "FROM download_history h"
# what belongs to the videos of one page
BESIDE_QUERY = (
    "SELECT h.id, m.origin, m.shielded_at, m.watched_at, p.due_at, p.reason, p.detail, u.username FROM download_history h "
    "LEFT JOIN video_marks m ON m.history_id = h.id LEFT JOIN planned_deletions p ON p.history_id = h.id AND p.ended_at IS NULL "
    "LEFT JOIN users u ON u.id = h.requested_by WHERE h.id IN ({marks})"
)
_THERE = "h.filed_at IS NOT NULL AND h.deleted_at IS NULL"
_MARKED = "EXISTS (SELECT 1 FROM video_marks k WHERE k.history_id = h.id AND k.{})"
_HAD_MARK = _MARKED.format("origin = 'archive'")
_PLANNED = "EXISTS (SELECT 1 FROM planned_deletions g WHERE g.history_id = h.id AND g.ended_at IS NULL)"
STATES = {
    VideoState.THERE: _THERE,
    VideoState.GOING: f"{_THERE} AND {_PLANNED}",
    VideoState.SHIELDED: f"{_THERE} AND {_MARKED.format('shielded_at IS NOT NULL')}",
    VideoState.DELETED: f"h.deleted_at IS NOT NULL AND NOT {_HAD_MARK}",
    VideoState.HAD: f"h.deleted_at IS NOT NULL AND {_HAD_MARK}",
    VideoState.UNFINISHED: "h.filed_at IS NULL AND h.deleted_at IS NULL",
}
_AUDIO = "h.identity LIKE '%:audio'"
KINDS = {
    VideoKind.AUDIO: _AUDIO,
    VideoKind.FILM: f"h.episode IS NULL AND NOT {_AUDIO}",
    VideoKind.EPISODE: f"h.episode IS NOT NULL AND NOT {_AUDIO}",
}
# asked for by a person, or shown by a download they have; two values. With EXISTS Postgres would read every download first
_THEIRS = (
    "(h.requested_by = {} OR (SELECT 1 FROM download_queue q JOIN download_people o "
    "ON o.download_id = coalesce(q.parent_id, q.id) WHERE q.history_id = h.id AND o.user_id = {} LIMIT 1) IS NOT NULL)"
)
SITES_QUERY = (
    "WITH RECURSIVE found (site) AS (SELECT min(site) FROM download_history UNION ALL "
    "SELECT (SELECT min(l.site) FROM download_history l WHERE l.site > found.site) FROM found WHERE found.site IS NOT NULL) "
    "SELECT site FROM found WHERE site IS NOT NULL LIMIT 500"
)

Where = tuple[str, tuple[Any, ...]]


def where_of(wanted: HistoryFilter, person: int | None, asked_by: int | None = None) -> Where:
    """The condition for a filter, with its values.

    Args:
        person: whose videos only; None: everybody's.
        asked_by: id of the person that the filter names.
    """
    parts: list[str] = []
    values: list[Any] = []
    if person is not None:
        parts.append(_THEIRS)
        values += [person, person]
    if wanted.words:
        for word in wanted.words.replace("\x00", "").lower().split()[:8]:
            parts.append("(lower(h.title) LIKE {} ESCAPE '!' OR lower(h.uploader) LIKE {} ESCAPE '!')")
            values += [f"%{_literal(word)}%"] * 2
    if wanted.state is not None:
        parts.append(STATES[wanted.state])
    if wanted.kind is not None:
        parts.append(KINDS[wanted.kind])
    if wanted.site:
        parts.append("h.site = {}")
        values.append(wanted.site.replace("\x00", ""))
    if wanted.person:
        parts.append("h.requested_by = {}")
        values.append(asked_by if asked_by is not None else -1)
    if wanted.since is not None:
        parts.append("h.filed_at >= {}")
        values.append(wanted.since)
    if wanted.until is not None:
        parts.append("h.filed_at < {}")
        values.append(wanted.until)
    return " AND ".join(parts) or "1 = 1", tuple(values)


def page_query(where: Where, *, before: int | None = None, after: int | None = None) -> Where:
    """The statement of a page; it ends with a place for the limit."""
    condition, values = where
    if after is not None:
        return f"SELECT {_COLUMNS} {_FROM} WHERE {condition} AND h.id > {{}} ORDER BY h.id LIMIT {{}}", (*values, after)
    values = (*values, before if before is not None else LAST)
    return f"SELECT {_COLUMNS} {_FROM} WHERE {condition} AND h.id < {{}} ORDER BY h.id DESC LIMIT {{}}", values


class HistoryListRepository:
    """`plex_app_url` begins the links to Plex."""

    def __init__(self, plex_app_url: str) -> None:
        self._plex_app_url = plex_app_url

    async def page(
        self, where: Where, limit: int, *, before: int | None = None, after: int | None = None
    ) -> list[HistoryVideo]:
        """Up to `limit`, newest first: those before an id, or the ones that follow right after an id."""
        sql, values = page_query(where, before=before, after=after)
        found = await self._videos(await fetch(sql, *values, limit))
        return found[::-1] if after is not None else found

    async def one(self, history_id: int, person: int | None) -> HistoryDetail | None:
        """One video with its files and what Plex knows; None when there is none or it is not theirs."""
        condition, values = where_of(HistoryFilter(), person)
        rows = await fetch(f"SELECT {_COLUMNS}, h.files {_FROM} WHERE {condition} AND h.id = {{}}", *values, history_id)
        if not rows:
            return None
        files = rows[0]["files"]
        places = await fetch(
            "SELECT state, reason, item_type, section, rating_key, found_at, checked_at FROM plex_places WHERE history_id = {}",
            history_id,
        )
        video = msgspec.structs.asdict((await self._videos(rows))[0])
        return msgspec.convert(
            {
                **video,
                "files": msgspec.json.decode(files) if isinstance(files, str) else files,
                "plex": dict(places[0]) if places else None,
            },
            HistoryDetail,
        )

    async def is_shared(self, history_id: int, but: int) -> bool:
        """Whether somebody else has it too."""
        rows = await fetch(
            "SELECT 1 AS one FROM download_history WHERE id = {} AND requested_by <> {} UNION ALL "
            "SELECT 1 FROM download_queue q JOIN download_people p ON p.download_id = coalesce(q.parent_id, q.id) "
            "WHERE q.history_id = {} AND p.user_id <> {} LIMIT 1",
            *(history_id, but, history_id, but),
        )
        return bool(rows)

    async def sites(self, person: int | None) -> tuple[str, ...]:
        """Sites that anything came from, by their names; of what one person asked for."""
        if person is None:
            return tuple(row["site"] for row in await fetch(SITES_QUERY))
        rows = await fetch("SELECT DISTINCT site FROM download_history WHERE requested_by = {} LIMIT 500", person)
        return tuple(sorted(row["site"] for row in rows))

    async def person_named(self, name: str) -> int | None:
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).strip().casefold())
        rows = await fetch("SELECT id FROM users WHERE username_key = {}", key.replace("\x00", ""))
        return rows[0]["id"] if rows else None

    async def going(self, person: int | None) -> GoingSummary:
        """How much of somebody's goes soon."""
        condition, values = where_of(HistoryFilter(), person)
        rows = await fetch(
            "SELECT count(*) AS n, coalesce(sum(h.size_bytes), 0) AS size_bytes, min(g.due_at) AS first_at "
            "FROM planned_deletions g JOIN download_history h ON h.id = g.history_id "
            f"WHERE g.ended_at IS NULL AND {_THERE} AND {condition}",
            *values,
        )
        first = rows[0]["first_at"]
        return msgspec.convert(
            {"count": int(rows[0]["n"]), "size_bytes": int(rows[0]["size_bytes"]), "first_at": first}, GoingSummary
        )

    async def _videos(self, rows: list[dict[str, Any]]) -> list[HistoryVideo]:
        ids = [row["id"] for row in rows]
        if not ids:
            return []
        beside = await fetch(BESIDE_QUERY.replace("{marks}", ", ".join(["{}"] * len(ids))), *ids)
        more = {row["id"]: row for row in beside}
        return [self._video({**row, **more[row["id"]]}) for row in rows if row["id"] in more]

    def _video(self, row: dict[str, Any]) -> HistoryVideo:
        origin = Origin(row["origin"]) if row["origin"] else None
        is_audio = row["identity"].endswith(":audio")
        has_link = row["plex_rating_key"] and row["server_id"] and row["deleted_at"] is None
        return HistoryVideo(
            id=row["id"],
            title=row["title"],
            uploader=row["uploader"],
            url=row["url"],
            site=row["site"],
            video_id=row["video_id"],
            kind=VideoKind.AUDIO if is_audio else VideoKind.FILM if row["episode"] is None else VideoKind.EPISODE,
            state=_state(row, origin),
            origin=origin,
            size_bytes=row["size_bytes"],
            duration_s=row["duration_s"],
            published_on=row["published_on"],
            created_at=row["created_at"],
            filed_at=row["filed_at"],
            deleted_at=row["deleted_at"],
            requested_by=row["requested_by"],
            requested_by_name=row["username"] or "",
            is_shielded=row["shielded_at"] is not None,
            watched_at=row["watched_at"],
            goes_at=row["due_at"],
            why=Why(row["reason"]) if row["reason"] else None,
            why_detail=row["detail"] or "",
            plex_url=web_link(self._plex_app_url, row["server_id"], row["plex_rating_key"]) if has_link else None,
        )


def _state(row: dict[str, Any], origin: Origin | None) -> VideoState:
    if row["deleted_at"] is not None:
        return VideoState.HAD if origin is Origin.ARCHIVE else VideoState.DELETED
    if row["filed_at"] is None:
        return VideoState.UNFINISHED
    if row["due_at"] is not None:
        return VideoState.GOING
    return VideoState.SHIELDED if row["shielded_at"] is not None else VideoState.THERE


def _literal(text: str) -> str:
    for sign in ("!", "%", "_"):
        text = text.replace(sign, "!" + sign)
    return text
