"""Queries on the cookies of sites, and on what waits for a sign-in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.database import fetch
from medianest.downloads.cookies.jar import Jar
from medianest.downloads.cookies.model import SiteCookies
from medianest.downloads.repository.bulk import Many, change_many

PARKED = "state = 'waiting' AND reason_code IN ('needs_sign_in', 'geo_blocked')"


class CookieRepository:
    async def all(self) -> tuple[SiteCookies, ...]:
        """Every site that has cookies, by name."""
        rows = await fetch(
            "SELECT c.site, c.number, c.uploaded_at, u.display_name AS uploaded_by, c.expires_at, c.stale_since, (SELECT count(*) "
            f"FROM download_queue WHERE host = c.site AND {PARKED}) AS waiting FROM site_cookies c "
            "LEFT JOIN users u ON u.id = c.uploaded_by ORDER BY c.site"
        )
        return tuple(msgspec.convert(dict(row), SiteCookies) for row in rows)

    async def waiting_sites(self) -> list[tuple[str, int]]:
        """Sites without cookies for whose sign-in videos wait, and how many."""
        rows = await fetch(
            f"SELECT host AS site, count(*) AS n FROM download_queue WHERE host <> '' AND {PARKED} "
            "AND host NOT IN (SELECT site FROM site_cookies) GROUP BY host ORDER BY n DESC LIMIT 20"
        )
        return [(row["site"], int(row["n"])) for row in rows]

    async def sealed(self, site: str) -> str | None:
        """The sealed file of a site."""
        rows = await fetch("SELECT cookies FROM site_cookies WHERE site = {}", site)
        return str(rows[0]["cookies"]) if rows else None

    async def put(self, jar: Jar, sealed: str, *, by: int, at: datetime) -> None:
        """Keep a site's cookies in place of those it had."""
        await fetch(
            "INSERT INTO site_cookies (site, cookies, number, expires_at, uploaded_by, uploaded_at, stale_since) "
            "VALUES ({}, {}, {}, {}, {}, {}, NULL) ON CONFLICT (site) DO UPDATE SET cookies = excluded.cookies, "
            "number = excluded.number, expires_at = excluded.expires_at, uploaded_by = excluded.uploaded_by, "
            "uploaded_at = excluded.uploaded_at, stale_since = NULL",
            *(jar.site, sealed, jar.number, jar.expires_at, by, at),
        )

    async def remove(self, site: str) -> bool:
        """Forget a site's cookies; False when it has none."""
        return bool(await fetch("DELETE FROM site_cookies WHERE site = {} RETURNING site", site))

    async def set_stale(self, site: str, at: datetime) -> bool:
        """The site refused them; False when that was known."""
        rows = await fetch(
            "UPDATE site_cookies SET stale_since = {} WHERE site = {} AND stale_since IS NULL RETURNING site",
            *(at, site),
        )
        return bool(rows)

    async def stale(self) -> tuple[str, ...]:
        """Sites whose cookies were refused."""
        rows = await fetch("SELECT site FROM site_cookies WHERE stale_since IS NOT NULL ORDER BY site LIMIT 20")
        return tuple(row["site"] for row in rows)

    async def resume(self, site: str, at: datetime) -> Many:
        """Back to the line with what waits for a sign-in at `site`."""
        settings = "state = 'queued', reason_code = NULL, reason = NULL, next_attempt_at = NULL"
        return await change_many(f"host = {{}} AND {PARKED}", (site,), settings, (), at)
