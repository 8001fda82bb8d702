"""Every query on what is remembered of titles: rows inside, models outside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.media.model import Availability, CastMember, MediaType, Season, Title, TitleKey
from medianest.media.ratings import age_of

VALUES = (
    *("title", "original_title", "year", "overview", "poster_path", "backdrop_path", "genres", "score_tenths"),
    *("certification", "runtime_min", "release_date", "seasons", "cast_members", "imdb_id", "tvdb_id", "media_id"),
    *("is_blocklisted", "availability", "availability_4k", "plex_rating_key", "plex_missing_since", "server_id"),
    *("is_whole", "fetched_at", "seen_at"),
)
COLUMNS = ("media_type", "tmdb_id", *VALUES)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM media_items "
PUT = (
    f"INSERT INTO media_items ({', '.join(COLUMNS)}) VALUES ({', '.join('{}' for _ in COLUMNS)}) "
    f"ON CONFLICT (media_type, tmdb_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in VALUES)}"
)
MOST_KEYS = 400  # in one question
MOST_OPEN = 2000


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """A title with what only the looks into Plex need. `server_id`: whose rating key the title carries."""

    title: Title
    missing_since: datetime | None = None
    server_id: str | None = None


class MediaRepository:
    """Titles by kind and number at TMDB."""

    async def find(self, key: TitleKey) -> Remembered | None:
        found = await self.known((key,))
        return found.get(key)

    async def known(self, keys: Collection[TitleKey]) -> dict[TitleKey, Remembered]:
        """Those of `keys` that are remembered."""
        found: dict[TitleKey, Remembered] = {}
        for media_type in MediaType:
            ids = sorted({key.tmdb_id for key in keys if key.media_type is media_type})
            for start in range(0, len(ids), MOST_KEYS):
                piece = ids[start : start + MOST_KEYS]
                places = ", ".join("{}" for _ in piece)
                rows = await fetch(
                    f"{SELECT}WHERE media_type = {{}} AND tmdb_id IN ({places})", media_type.value, *piece
                )
                found |= {one.title.key: one for one in map(_remembered, rows)}
        return found

    async def open(self) -> tuple[Remembered, ...]:
        """Titles of which something may still come, the last seen first."""
        rows = await fetch(
            f"{SELECT}WHERE availability IN ('none', 'requested', 'processing', 'partial', 'unknown') "
            "ORDER BY seen_at DESC LIMIT {}",
            MOST_OPEN,
        )
        return tuple(map(_remembered, rows))

    async def put(
        self,
        title: Title,
        *,
        at: datetime,
        missing_since: datetime | None = None,
        server_id: str | None = None,
    ) -> None:
        """Remember `title` as it is now, in the place of what was known."""
        values = {
            "media_type": title.media_type.value,
            "tmdb_id": title.tmdb_id,
            "title": title.title,
            "original_title": title.original_title,
            "year": title.year,
            "overview": title.overview,
            "poster_path": title.poster_path,
            "backdrop_path": title.backdrop_path,
            "genres": _json(title.genres),
            "score_tenths": None if title.score is None else round(title.score * 10),
            "certification": title.certification,
            "runtime_min": title.runtime_min,
            "release_date": title.release_date,
            "seasons": _json(title.seasons),
            "cast_members": _json(title.cast),
            "imdb_id": title.imdb_id,
            "tvdb_id": title.tvdb_id,
            "media_id": title.media_id,
            "is_blocklisted": title.is_blocklisted,
            "availability": title.availability.value,
            "availability_4k": title.availability_4k.value,
            "plex_rating_key": title.plex_rating_key,
            "plex_missing_since": missing_since,
            "server_id": server_id,
            "is_whole": title.is_whole,
            "fetched_at": title.fetched_at or at,
            "seen_at": at,
        }
        await fetch(PUT, *(values[name] for name in COLUMNS))

    async def certifications(self, keys: Collection[TitleKey]) -> dict[TitleKey, str | None]:
        """The age ratings of those of `keys` whose details were read."""
        return {key: one.title.certification for key, one in (await self.known(keys)).items() if one.title.is_whole}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _remembered(row: dict[str, Any]) -> Remembered:
    title = Title(
        media_type=MediaType(row["media_type"]),
        tmdb_id=row["tmdb_id"],
        title=row["title"],
        original_title=row["original_title"],
        year=row["year"],
        overview=row["overview"],
        poster_path=row["poster_path"],
        backdrop_path=row["backdrop_path"],
        genres=msgspec.json.decode(row["genres"], type=tuple[str, ...]),
        score=None if row["score_tenths"] is None else row["score_tenths"] / 10,
        certification=row["certification"],
        age=age_of(row["certification"]),
        runtime_min=row["runtime_min"],
        release_date=row["release_date"],
        seasons=msgspec.json.decode(row["seasons"], type=tuple[Season, ...]),
        cast=msgspec.json.decode(row["cast_members"], type=tuple[CastMember, ...]),
        availability=Availability(row["availability"]),
        availability_4k=Availability(row["availability_4k"]),
        plex_rating_key=row["plex_rating_key"],
        imdb_id=row["imdb_id"],
        tvdb_id=row["tvdb_id"],
        media_id=row["media_id"],
        is_blocklisted=bool(row["is_blocklisted"]),
        is_whole=bool(row["is_whole"]),
        fetched_at=row["fetched_at"],
    )
    return Remembered(title=title, missing_since=row["plex_missing_since"], server_id=row["server_id"])
