"""Queries on people's pictures."""

from __future__ import annotations

from typing import NamedTuple

from medianest.database import fetch, transaction


class Pictured(NamedTuple):
    """What is known of somebody's picture: the name of its file, and its address at Plex."""

    picture: str | None
    thumb: str | None


class PictureRepository:
    """Rows inside, models outside."""

    async def of(self, user_id: int) -> Pictured | None:
        rows = await fetch(
            "SELECT u.picture, a.thumb FROM users u LEFT JOIN plex_accounts a ON a.user_id = u.id WHERE u.id = {}",
            user_id,
        )
        return Pictured(rows[0]["picture"], rows[0]["thumb"]) if rows else None

    async def put(self, user_id: int, picture: str | None, content: bytes | None = None) -> None:
        """Another picture, with what was uploaded, or none."""
        async with transaction():
            await fetch("UPDATE users SET picture = {} WHERE id = {}", picture, user_id)
            await fetch("DELETE FROM people_pictures WHERE user_id = {}", user_id)
            if content is not None:
                await fetch(
                    "INSERT INTO people_pictures (name, user_id, content) VALUES ({}, {}, {})",
                    picture,
                    user_id,
                    content,
                )

    async def content(self, name: str) -> bytes | None:
        """What was uploaded under this name."""
        rows = await fetch("SELECT content FROM people_pictures WHERE name = {}", name)
        return bytes(rows[0]["content"]) if rows else None

    async def names(self) -> frozenset[str]:
        """Every file that is somebody's picture."""
        rows = await fetch("SELECT picture FROM users WHERE picture IS NOT NULL")
        return frozenset(row["picture"] for row in rows)
