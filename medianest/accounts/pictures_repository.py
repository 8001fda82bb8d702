"""Queries on people's pictures."""

from __future__ import annotations

from typing import NamedTuple

from medianest.database import fetch


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

    async def put(self, user_id: int, picture: str | None) -> None:
        await fetch("UPDATE users SET picture = {} WHERE id = {}", picture, user_id)

    async def names(self) -> frozenset[str]:
        """Every file that is somebody's picture."""
        rows = await fetch("SELECT picture FROM users WHERE picture IS NOT NULL")
        return frozenset(row["picture"] for row in rows)
