"""What is known of films and series, so that pages show something while a service is down."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE media_items (
        id {pk}, media_type TEXT NOT NULL, tmdb_id BIGINT NOT NULL, title TEXT NOT NULL, original_title TEXT NOT NULL,
        year INTEGER, overview TEXT NOT NULL, poster_path TEXT, backdrop_path TEXT, genres TEXT NOT NULL,
        score_tenths INTEGER, certification TEXT, runtime_min INTEGER, release_date TEXT, seasons TEXT NOT NULL,
        cast_members TEXT NOT NULL, imdb_id TEXT, tvdb_id BIGINT, media_id BIGINT, is_blocklisted {bool} NOT NULL,
        availability TEXT NOT NULL, availability_4k TEXT NOT NULL, plex_rating_key TEXT, plex_missing_since {ts},
        server_id TEXT, is_whole {bool} NOT NULL, fetched_at {ts} NOT NULL, seen_at {ts} NOT NULL)""",
    "CREATE UNIQUE INDEX media_items_title ON media_items (media_type, tmdb_id)",
    "CREATE INDEX media_items_seen ON media_items (seen_at)",
    "CREATE INDEX media_items_open ON media_items (availability, seen_at)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
