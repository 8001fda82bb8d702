"""Taking into the history what was not downloaded here: files that lie in the folder, and another tool's list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from medianest.database import UniqueViolation, fetch, transaction
from medianest.downloads.names import folder_key
from medianest.keeping.reading import FoundVideo

PIECE = 200


class AdoptedRepository:
    async def known_paths(self) -> set[str]:
        """Media of everything that lies in the library as far as the history knows, relative to it."""
        rows = await fetch("SELECT files FROM download_history WHERE filed_at IS NOT NULL AND deleted_at IS NULL")
        found = (msgspec.json.decode(row["files"]) if isinstance(row["files"], str) else row["files"] for row in rows)
        return {files[0]["path"] for files in found if files}

    async def identities(self, wanted: Sequence[str]) -> set[str]:
        """Those of `wanted` that lie in the library already."""
        found: set[str] = set()
        for start in range(0, len(wanted), PIECE):
            piece = wanted[start : start + PIECE]
            rows = await fetch(
                f"SELECT identity FROM download_history WHERE identity IN ({', '.join(['{}'] * len(piece))}) "
                "AND filed_at IS NOT NULL AND deleted_at IS NULL",
                *piece,
            )
            found |= {row["identity"] for row in rows}
        return found

    async def adopt(self, video: FoundVideo, by: int | None, at: datetime) -> bool:
        """Take a video into the history as it lies there; False when it is known by another file."""
        show_id = await self._show(video, at)
        numbers = (video.season, video.episode)
        try:
            return await self._put(video, show_id, numbers, by, at)
        except UniqueViolation:  # another video has its number: it is known without one
            return await self._put(video, show_id, (None, None), by, at)

    async def _put(
        self, video: FoundVideo, show_id: int, numbers: tuple[int | None, int | None], by: int | None, at: datetime
    ) -> bool:
        files = msgspec.json.encode(video.files).decode()
        url = f"https://www.youtube.com/watch?v={video.video_id}" if video.site == "youtube" else ""
        async with transaction():
            rows = await fetch(
                "INSERT INTO download_history (identity, show_id, season, episode, title, uploader, url, site, video_id, files, "
                "size_bytes, duration_s, published_on, requested_by, created_at, filed_at) "
                f"VALUES ({', '.join(['{}'] * 16)}) ON CONFLICT (identity) DO UPDATE SET files = excluded.files, "
                "size_bytes = excluded.size_bytes, filed_at = excluded.filed_at, deleted_at = NULL "
                "WHERE download_history.filed_at IS NULL OR download_history.deleted_at IS NOT NULL RETURNING id",
                *(video.identity, show_id, *numbers, video.title, video.show, url, video.site, video.video_id, files),
                *(video.files[0].size_bytes, video.duration_s, video.aired, by, at, at),
            )
            if rows:
                await _mark(rows[0]["id"], "adopted")
        return bool(rows)

    async def _show(self, video: FoundVideo, at: datetime) -> int:
        key = video.show_key or f"folder:{folder_key(video.folder)}"
        for _try in range(3):
            rows = await fetch(
                "SELECT id FROM library_shows WHERE folder_key = {} OR key = {} ORDER BY CASE WHEN folder_key = {} THEN 0 ELSE 1 END",
                *(folder_key(video.folder), key, folder_key(video.folder)),
            )
            if rows:
                return int(rows[0]["id"])
            try:
                made = await fetch(
                    "INSERT INTO library_shows (key, title, folder, folder_key, created_at) VALUES ({}, {}, {}, {}, {}) RETURNING id",
                    *(key, video.show, video.folder, folder_key(video.folder), at),
                )
                return int(made[0]["id"])
            except UniqueViolation:
                continue
        raise UniqueViolation("No show could be made for this folder.")

    async def had(self, videos: Sequence[tuple[str, str]], by: int, at: datetime) -> int:
        """Note that somebody had these (site and id) before: lists and subscriptions do not fetch them. How many are new."""
        added = 0
        for start in range(0, len(videos), PIECE):
            async with transaction():
                for site, video_id in videos[start : start + PIECE]:
                    url = f"https://www.youtube.com/watch?v={video_id}" if site == "youtube" else ""
                    rows = await fetch(
                        "INSERT INTO download_history (identity, title, uploader, url, site, video_id, files, size_bytes, "
                        "requested_by, created_at, deleted_at) VALUES ({}, {}, '', {}, {}, {}, '[]', 0, {}, {}, {}) "
                        "ON CONFLICT (identity) DO NOTHING RETURNING id",
                        *(f"{site}:{video_id}", video_id, url, site, video_id, by, at, at),
                    )
                    if rows:
                        await _mark(rows[0]["id"], "archive")
                        added += 1
        return added


async def _mark(history_id: int, origin: str) -> None:
    await fetch(
        "INSERT INTO video_marks (history_id, origin) VALUES ({}, {}) "
        "ON CONFLICT (history_id) DO UPDATE SET origin = excluded.origin",
        *(history_id, origin),
    )
