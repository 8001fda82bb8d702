"""What is taken of a link, the owner's defaults for it, pictures of lists and shows, and what is inside a filed video."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    "ALTER TABLE download_queue ADD COLUMN wishes TEXT NOT NULL DEFAULT ''",
    # of a list: its address within its site, and its pictures, which its show takes over
    "ALTER TABLE download_queue ADD COLUMN list_key TEXT",
    "ALTER TABLE download_queue ADD COLUMN poster TEXT",
    "ALTER TABLE download_queue ADD COLUMN fanart TEXT",
    "ALTER TABLE library_shows ADD COLUMN has_own_poster {bool} NOT NULL DEFAULT false",
    "ALTER TABLE download_history ADD COLUMN container TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE download_history ADD COLUMN video_codec TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE download_history ADD COLUMN audio_codec TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE download_history ADD COLUMN width INTEGER",
    "ALTER TABLE download_history ADD COLUMN height INTEGER",
    "ALTER TABLE download_history ADD COLUMN fps DOUBLE PRECISION",
    "ALTER TABLE download_history ADD COLUMN bit_depth INTEGER",
    "ALTER TABLE download_history ADD COLUMN bitrate_bits_s BIGINT",
    "ALTER TABLE download_history ADD COLUMN subtitles TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE download_history ADD COLUMN is_lower {bool} NOT NULL DEFAULT false",
    "ALTER TABLE queue_settings ADD COLUMN automatic_subtitles {bool} NOT NULL DEFAULT false",
    "ALTER TABLE queue_settings ADD COLUMN subtitle_place TEXT NOT NULL DEFAULT 'beside'",
    "ALTER TABLE queue_settings ADD COLUMN chapters {bool} NOT NULL DEFAULT true",
    "ALTER TABLE queue_settings ADD COLUMN sponsorblock TEXT NOT NULL DEFAULT 'off'",
    "ALTER TABLE queue_settings ADD COLUMN picture_place TEXT NOT NULL DEFAULT 'beside'",
    "ALTER TABLE queue_settings ADD COLUMN audio_format TEXT NOT NULL DEFAULT 'best'",
    "ALTER TABLE queue_settings ADD COLUMN video_layout TEXT NOT NULL DEFAULT 'show'",
    "ALTER TABLE queue_settings ADD COLUMN list_layout TEXT NOT NULL DEFAULT 'show'",
    "ALTER TABLE queue_settings ADD COLUMN live TEXT NOT NULL DEFAULT 'refuse'",
    "ALTER TABLE queue_settings ADD COLUMN record_hours INTEGER NOT NULL DEFAULT 6",
    "ALTER TABLE queue_settings ADD COLUMN record_bytes BIGINT NOT NULL DEFAULT 53687091200",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
