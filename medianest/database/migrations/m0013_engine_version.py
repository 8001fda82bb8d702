"""Which yt-dlp could not read a download: its second try is one with another version, whichever process makes it."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = ("ALTER TABLE download_queue ADD COLUMN engine_version TEXT NOT NULL DEFAULT ''",)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
