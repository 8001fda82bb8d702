"""Pictures that people uploaded: in the database, so that every instance and every backup has them."""

from __future__ import annotations

from medianest.database.operations import Operations


async def up(op: Operations) -> None:
    await op.run(
        """CREATE TABLE people_pictures (
        name TEXT PRIMARY KEY NOT NULL, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        content {blob} NOT NULL)"""
    )
    await op.run("CREATE INDEX people_pictures_user ON people_pictures (user_id)")
