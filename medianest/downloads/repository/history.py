"""The library's records: shows with their folders, and the numbers that videos got once and for ever."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec

from medianest.database import UniqueViolation, fetch, is_postgres, transaction
from medianest.downloads.model import LibraryFile, MediaFacts
from medianest.downloads.names import folder_key
from medianest.downloads.repository.rows import MEDIA_COLUMNS, files_json, to_files
from medianest.errors import Unavailable

TRIES = 60
LAST_SHORT = 99  # of a day; those beyond get seven digits
FILM_ROOT = "Videos"
MUSIC_ROOT = "Music"


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the library: a channel, a playlist, a film or an album."""

    id: int
    title: str
    folder: str
    has_own_poster: bool = False


class Numbering(msgspec.Struct, frozen=True, kw_only=True):
    """How a video gets its numbers: by the day, by its place in a list (or the next free one), or, as a film, none."""

    by_day: bool = False
    season: int | None = None
    place: int | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One video of the library: its numbers and where its files are, or will be until `is_filed`."""

    id: int
    identity: str
    show_id: int | None
    season: int | None
    episode: int | None
    files: tuple[LibraryFile, ...]
    is_filed: bool
    is_deleted: bool


class Filed(msgspec.Struct, frozen=True, kw_only=True):
    """What a record says about a video."""

    identity: str
    title: str
    uploader: str
    url: str
    site: str
    video_id: str
    size_bytes: int
    duration_s: int | None
    published_on: date
    requested_by: int
    media: MediaFacts = MediaFacts()


def first_of_day(day: date) -> int:
    """`MMDD01` as a number."""
    return (day.month * 100 + day.day) * 100 + 1


def first_long_of_day(day: date) -> int:
    """The first seven-digit number of a day, beyond all `MMDDNN`: 1 DDD NNNN … 4 6, by the day of the year."""
    return 1_000_000 + day.timetuple().tm_yday * 10_000


class HistoryRepository:
    """Records and shows. `owner` is whose claims may reserve."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    async def show(self, key: str, title: str, folder: str, at: datetime) -> tuple[Show, bool]:
        """The show of `key`, made when there is none; its folder is `folder`, or with ` (2)` where that is taken."""
        for number in range(1, TRIES):
            rows = await fetch("SELECT id, title, folder, has_own_poster FROM library_shows WHERE key = {}", key)
            if rows:
                return msgspec.convert(dict(rows[0]), Show, strict=False), False
            name = folder if number == 1 else f"{folder} ({number})"
            if folder_key(name) in (folder_key(FILM_ROOT), folder_key(MUSIC_ROOT)):
                continue
            try:
                async with transaction():
                    made = await fetch(
                        "INSERT INTO library_shows (key, title, folder, folder_key, created_at) "
                        "VALUES ({}, {}, {}, {}, {}) RETURNING id, title, folder, has_own_poster",
                        *(key, title, name, folder_key(name), at),
                    )
                return msgspec.convert(dict(made[0]), Show, strict=False), True
            except UniqueViolation:  # the folder is another show's, or another process has just made this one
                continue
        raise Unavailable(f"No folder could be found for “{title}” in the library.")

    async def get(self, history_id: int) -> Record | None:
        rows = await fetch(f"SELECT {_COLUMNS} FROM download_history WHERE id = {{}}", history_id)
        return _record(rows[0]) if rows else None

    async def reserve(
        self, claim_id: int, facts: Filed, show: Show, *, numbering: Numbering, at: datetime,
        plan: Callable[[int | None, int | None], tuple[LibraryFile, ...]],
    ) -> Record:  # fmt: skip
        """Give the video its numbers and write down where its files will be, before the first one is moved.

        A video that had numbers keeps them. `plan` names the files of a season and an episode.

        Raises:
            ClaimLost: the download was cancelled, paused or removed meanwhile.
        """
        for _try in range(TRIES):
            try:
                async with transaction():
                    return await self._reserve(claim_id, facts, show, numbering=numbering, at=at, plan=plan)
            except UniqueViolation:
                await asyncio.sleep(random.uniform(0.005, 0.03))  # noqa: S311  # another process took the number
        raise Unavailable("No number could be reserved for this video; the library's records are too busy.")

    async def _reserve(
        self, claim_id: int, facts: Filed, show: Show, *, numbering: Numbering, at: datetime,
        plan: Callable[[int | None, int | None], tuple[LibraryFile, ...]],
    ) -> Record:  # fmt: skip
        lock = " FOR UPDATE" if is_postgres() else ""
        rows = await fetch(f"SELECT {_COLUMNS} FROM download_history WHERE identity = {{}}{lock}", facts.identity)
        old = _record(rows[0]) if rows else None
        season: int | None = None
        episode: int | None = None
        if old and old.show_id == show.id:
            season, episode = old.season, old.episode
        elif numbering.by_day:
            season = facts.published_on.year
            episode = await self._next_episode(show.id, season, facts.published_on)
        elif numbering.season is not None:
            season = numbering.season
            episode = await self._place(show.id, season, numbering.place)
        files = plan(season, episode)
        # who asked may have been deleted meanwhile: the row tells whose it is now
        asked = await fetch(f"SELECT requested_by FROM download_queue WHERE id = {{}}{lock}", claim_id)
        if not asked:
            raise ClaimLost
        media = facts.media
        values = (
            *(media.container, media.video_codec, media.audio_codec, media.width, media.height, media.fps),
            *(media.bit_depth, media.bitrate_bits_s, ",".join(media.subtitles), media.is_lower),
            *(show.id, season, episode, facts.title, facts.uploader, facts.url, facts.site, facts.video_id),
            *(files_json(files), facts.size_bytes, facts.duration_s, facts.published_on, asked[0]["requested_by"]),
        )
        if old:
            rows = await fetch(
                f"UPDATE download_history SET {' = {}, '.join(MEDIA_COLUMNS)} = {{}}, "
                "show_id = {}, season = {}, episode = {}, title = {}, uploader = {}, url = {}, "
                "site = {}, video_id = {}, files = {}, size_bytes = {}, duration_s = {}, published_on = {}, requested_by = {}, "
                f"filed_at = NULL, deleted_at = NULL WHERE id = {{}} RETURNING {_COLUMNS}",
                *values,
                old.id,
            )
        else:
            rows = await fetch(
                f"INSERT INTO download_history ({', '.join(MEDIA_COLUMNS)}, "
                "show_id, season, episode, title, uploader, url, site, video_id, files, "
                "size_bytes, duration_s, published_on, requested_by, identity, created_at) "
                f"VALUES ({', '.join(['{}'] * (15 + len(MEDIA_COLUMNS)))}) RETURNING {_COLUMNS}",
                *values,
                *(facts.identity, at),
            )
        held = await fetch(
            "UPDATE download_queue SET history_id = {}, state = 'processing', changed_at = {} WHERE id = {} AND owner = {} RETURNING id",
            *(rows[0]["id"], at, claim_id, self.owner),
        )
        if not held:
            raise ClaimLost
        return _record(rows[0])

    async def _next_episode(self, show_id: int, season: int, day: date) -> int:
        short = first_of_day(day)
        used = await self._last(show_id, season, short, short + LAST_SHORT - 1)
        if used is None:
            return short
        if used < short + LAST_SHORT - 1:
            return used + 1
        long = first_long_of_day(day)
        used = await self._last(show_id, season, long, long + 9_999)
        return long if used is None else used + 1

    async def _place(self, show_id: int, season: int, wanted: int | None) -> int:
        """The wanted number where it is free, else the one after the last."""
        if wanted is not None and wanted > 0 and await self._last(show_id, season, wanted, wanted) is None:
            return wanted
        return (await self._last(show_id, season, 1, 10**6) or 0) + 1

    async def usual_height(self, show_id: int, identity: str) -> int | None:
        """Lines (short side) of the tallest of the show's newest twenty videos, another one than `identity`."""
        rows = await fetch(
            "SELECT width, height FROM download_history WHERE show_id = {} AND identity <> {} AND height IS NOT NULL "
            "ORDER BY season DESC, episode DESC LIMIT 20",
            *(show_id, identity),
        )
        return max((min(row["width"] or row["height"], row["height"]) for row in rows), default=None)

    async def has_own_poster(self, show_id: int) -> None:
        """The show's poster is the picture of the channel from now on."""
        await fetch("UPDATE library_shows SET has_own_poster = true WHERE id = {}", show_id)

    async def _last(self, show_id: int, season: int, low: int, high: int) -> int | None:
        rows = await fetch(
            "SELECT episode FROM download_history WHERE show_id = {} AND season = {} AND episode BETWEEN {} AND {} "
            "ORDER BY episode DESC LIMIT 1",
            *(show_id, season, low, high),
        )
        return rows[0]["episode"] if rows else None

    async def mark_filed(self, history_id: int, files: tuple[LibraryFile, ...], at: datetime) -> None:
        """The files lie where the plan said; `files` has their real sizes."""
        await fetch(
            "UPDATE download_history SET files = {}, size_bytes = {}, filed_at = {} WHERE id = {}",
            *(files_json(files), sum(file.size_bytes for file in files), at, history_id),
        )

    async def mark_missing(self, history_id: int) -> None:
        """The media is gone from the library though nobody removed it here: it may be fetched again, under its numbers."""
        await fetch("UPDATE download_history SET filed_at = NULL WHERE id = {}", history_id)

    async def is_used(self, history_id: int) -> bool:
        """Whether a row of the queue shows it."""
        return bool(await fetch("SELECT id FROM download_queue WHERE history_id = {} LIMIT 1", history_id))


class ClaimLost(Exception):
    """Somebody cancelled, paused or removed the download meanwhile."""


_COLUMNS = "id, identity, show_id, season, episode, files, filed_at, deleted_at"


def _record(row: dict[str, Any]) -> Record:
    return Record(
        id=row["id"],
        identity=row["identity"],
        show_id=row["show_id"],
        season=row["season"],
        episode=row["episode"],
        files=to_files(row["files"]),
        is_filed=row["filed_at"] is not None,
        is_deleted=row["deleted_at"] is not None,
    )
