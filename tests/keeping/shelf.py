"""Videos in a library and in its history, as downloads would have filed them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from medianest.database import fetch

NOW = datetime.now(UTC)


class Shelf:
    """Files and records below one library folder."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self._shows: dict[str, int] = {}
        self._number = 0

    async def show(self, title: str) -> int:
        if title not in self._shows:
            rows = await fetch(
                "INSERT INTO library_shows (key, title, folder, folder_key, created_at, has_own_poster) "
                "VALUES ({}, {}, {}, {}, {}, {}) RETURNING id",
                *(f"tube:{title.lower()}", title, title, title.lower(), NOW, False),
            )
            self._shows[title] = rows[0]["id"]
        return self._shows[title]

    async def put(
        self, title: str, *, show: str = "Kitchen", days_old: float = 30, by: int | None = None, size: int = 1000,
        site: str = "tube", film: bool = False, video_id: str = "",
    ) -> int:  # fmt: skip
        """File a video; its record's id."""
        self._number += 1
        number, video_id = self._number, video_id or f"v{self._number:04d}"
        folder = f"Videos/{title} (2026)" if film else f"{show}/Season 2026"
        stem = f"{folder}/{title} (2026)" if film else f"{folder}/{show} - s2026e{number:06d} - {title} [{video_id}]"
        files = []
        for ending, content in ((".mp4", b"m" * size), (".nfo", b"<nfo/>"), (".jpg", b"jpg"), (".en.srt", b"1")):
            path = self.library / (stem + ending)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            files.append({"path": stem + ending, "size_bytes": len(content), "media_type": "video/mp4"})
        if not film:
            (self.library / show / "tvshow.nfo").write_text("<tvshow/>")
        filed = NOW - timedelta(days=days_old)
        rows = await fetch(
            "INSERT INTO download_history (identity, show_id, season, episode, title, uploader, url, site, video_id, files, "
            "size_bytes, duration_s, published_on, requested_by, created_at, filed_at) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, 60, {}, {}, {}, {}) RETURNING id",
            f"{site}:{video_id}",
            None if film else await self.show(show),
            *(None if film else 2026, None if film else number, title, show, f"https://{site}.test/{video_id}", site, video_id),
            *(json.dumps(files), size, date(2026, 1, 2), by, filed, filed),
        )  # fmt: skip
        return int(rows[0]["id"])

    async def queue_row(self, history_id: int, user_id: int, *people: int, state: str = "completed") -> int:
        """A download that shows the video, shared by these people."""
        self._number += 1
        rows = await fetch(
            "INSERT INTO download_queue (requested_by, url, url_key, kind, title, uploader, quality, audio_only, as_film, state, "
            "priority, position, attempts, history_id, created_at, changed_at) VALUES ({}, 'https://tube.test/x', {}, 'video', 't', "
            "'', 'default', {}, {}, {}, 1, 1, 0, {}, {}, {}) RETURNING id",
            *(user_id, f"key{self._number}", False, False, state, history_id, NOW, NOW),
        )
        for person in (user_id, *people):
            await fetch(
                "INSERT INTO download_people (user_id, download_id, joined_at) VALUES ({}, {}, {})",
                *(person, rows[0]["id"], NOW),
            )
        return int(rows[0]["id"])

    def files(self) -> list[str]:
        """Everything in the library, staging aside."""
        return sorted(
            str(path.relative_to(self.library))
            for path in self.library.rglob("*")
            if path.is_file() and ".medianest" not in path.parts
        )


async def past_due() -> None:
    """A week later, as far as announcements know."""
    await fetch("UPDATE planned_deletions SET due_at = {} WHERE ended_at IS NULL", NOW - timedelta(minutes=1))


async def titles(condition: str) -> set[str]:
    return {row["title"] for row in await fetch(f"SELECT title FROM download_history WHERE {condition}")}
