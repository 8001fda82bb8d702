"""Pauses of sites, and of the whole queue (`*`): kept in the database, so that they hold for every instance and restart.

After a pause exactly one download tries, the probe: `probe_id` names it, and only that row may be claimed. When it gets
through, the pause is deleted and everybody goes on; when it meets the same wall, the pause is longer; when it ends in
any other way, the next one tries.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from medianest.database import fetch, is_postgres, transaction
from medianest.downloads.holding import EVERYTHING, SitePause
from medianest.downloads.model import ReasonCode
from medianest.downloads.repository.bulk import Many, change_many
from medianest.downloads.repository.parents import locking

_COLUMNS = "site, reason_code, detail, since, until_at, length_s, probe_id"
STOP_CODES = (ReasonCode.DISK_FULL, ReasonCode.LIBRARY_NOT_WRITABLE)
HELD_CODES = (
    *(ReasonCode.SITE_PAUSED, *STOP_CODES),
    *(ReasonCode.FFMPEG_MISSING, ReasonCode.JAVASCRIPT_MISSING),
)
_CODES = ", ".join(f"'{one}'" for one in HELD_CODES)
_STOPS = ", ".join(f"'{one}'" for one in STOP_CODES)
_BACK = "state = 'queued', reason_code = NULL, reason = NULL, next_attempt_at = NULL"


class PauseRepository:
    """Every change is one statement with its own condition: several processes may try at once."""

    async def current(self) -> tuple[SitePause, ...]:
        """Every pause that has not been lifted, the whole queue's first."""
        rows = await fetch(f"SELECT {_COLUMNS} FROM site_pauses ORDER BY site LIMIT 200")
        return tuple(msgspec.convert(dict(row), SitePause) for row in rows)

    async def of(self, site: str) -> tuple[SitePause, ...]:
        """The pauses that concern `site`: its own, and the whole queue's."""
        rows = await fetch(f"SELECT {_COLUMNS} FROM site_pauses WHERE site IN ({{}}, {{}})", site, EVERYTHING)
        return tuple(msgspec.convert(dict(row), SitePause) for row in rows)

    async def pause(
        self, site: str, code: ReasonCode, detail: str, *, at: datetime, asked_s: float | None, first_s: float, most_s: float,
        doubles: bool,
    ) -> SitePause:  # fmt: skip
        """Pause `site` and give the pause that holds now: one that runs already stays as it is.

        Args:
            asked_s: what the site asked for; without it `first_s`, doubled for each pause that follows on one.
        """
        async with transaction():
            if is_postgres():
                await fetch("SELECT pg_advisory_xact_lock(hashtextextended({}, 6379))", site)
            olds = await fetch(f"SELECT {_COLUMNS} FROM site_pauses WHERE site = {{}}{locking()}", site)
            if olds and olds[0]["until_at"] > at:  # several downloads ran into the same wall
                return msgspec.convert(dict(olds[0]), SitePause)
            last = float(olds[0]["length_s"]) if olds and doubles else 0.0
            length = float(asked_s or min(last * 2 or first_s, most_s))
            rows = await fetch(
                f"INSERT INTO site_pauses ({_COLUMNS}) VALUES ({{}}, {{}}, {{}}, {{}}, {{}}, {{}}, NULL) ON CONFLICT (site) DO UPDATE SET "
                "reason_code = excluded.reason_code, detail = excluded.detail, until_at = excluded.until_at, "
                f"length_s = excluded.length_s, probe_id = NULL RETURNING {_COLUMNS}",
                *(site, code, detail[:300], at, at + timedelta(seconds=length), max(1, round(length))),
            )
        return msgspec.convert(dict(rows[0]), SitePause)

    async def lift(self, site: str, at: datetime, *, probe_id: int | None = None) -> tuple[bool, Many]:
        """End a pause: what waits for it goes back to the line.

        Args:
            probe_id: only when this download is the one that tries.

        Returns:
            Whether there was one, and the rows.
        """
        condition, args = ("", ()) if probe_id is None else (" AND probe_id = {}", (probe_id,))
        rows = await fetch(f"DELETE FROM site_pauses WHERE site = {{}}{condition} RETURNING site", site, *args)
        if not rows:
            return False, Many()
        return True, await self._back_to_line(site, at)

    async def _back_to_line(self, site: str, at: datetime) -> Many:
        which, args = _held_by(site)
        return await change_many(which, args, _BACK, (), at)

    async def put_off(self, pause: SitePause, at: datetime) -> Many:
        """Let what waits for a pause that has grown longer wait until its new end, so that people see when it goes on."""
        which, args = _held_by(pause.site)
        end = pause.until_at
        return await change_many(
            f"{which} AND next_attempt_at < {{}}", (*args, end), "next_attempt_at = {}", (end,), at
        )

    async def hasten(self, site: str, at: datetime) -> bool:
        """Let the probe of a pause start now; False when there is no such pause."""
        rows = await fetch(
            "UPDATE site_pauses SET until_at = {} WHERE site = {} AND until_at > {} RETURNING site", *(at, site, at)
        )
        return bool(rows) or bool(await fetch("SELECT site FROM site_pauses WHERE site = {}", site))

    async def choose_probe(self, pause: SitePause, at: datetime) -> Many:
        """After the pause: name the one download that tries, unless one is trying already. Exact over all processes."""
        args: tuple[str, ...] = (pause.site,)
        which = "q.host = {}"
        if pause.site == EVERYTHING:
            which, args = "NOT EXISTS (SELECT 1 FROM site_pauses s WHERE s.site = q.host)", ()
        async with transaction():
            held = await fetch(
                f"SELECT probe_id FROM site_pauses WHERE site = {{}} AND until_at <= {{}}{locking()}", pause.site, at
            )
            if not held:
                return Many()
            probes = await fetch("SELECT state, priority FROM download_queue WHERE id = {}", held[0]["probe_id"] or 0)
            if probes and probes[0]["state"] in ("downloading", "processing"):
                return Many()
            rows = await fetch(
                "SELECT q.id, q.priority FROM download_queue q WHERE q.kind = 'video' AND ((q.state = 'waiting' AND q.reason_code "
                f"IN ({_CODES})) OR (q.state = 'queued' AND (q.next_attempt_at IS NULL OR q.next_attempt_at <= {{}}))) AND {which} "
                "ORDER BY CASE WHEN q.state = 'waiting' THEN 0 ELSE 1 END, q.priority, q.position, q.id LIMIT 1",
                *(at, *args),
            )
            # one that is in line already keeps its turn, but not before what may run while it has to wait for the night
            is_lined = probes and probes[0]["state"] == "queued"
            if not rows or (is_lined and probes[0]["priority"] <= rows[0]["priority"]):
                return Many()
            await fetch("UPDATE site_pauses SET probe_id = {} WHERE site = {}", rows[0]["id"], pause.site)
            return await change_many("state = 'waiting' AND id = {}", (rows[0]["id"],), _BACK, (), at)

    async def hold(self, pause: SitePause, reason: str, at: datetime) -> Many:
        """Let what came into line for a paused site wait with it, so that people see why."""
        return await change_many(
            "state = 'queued' AND host = {} AND id <> {}",
            (pause.site, pause.probe_id or 0),
            "state = 'waiting', reason_code = 'site_paused', reason = {}, next_attempt_at = {}",
            (reason, pause.until_at),
            at,
        )

    async def has_queued(self, pause: SitePause) -> bool:
        """Whether anything is in line for a paused site, its probe aside."""
        return bool(
            await fetch(
                "SELECT id FROM download_queue WHERE state = 'queued' AND kind = 'video' AND host = {} AND id <> {} LIMIT 1",
                *(pause.site, pause.probe_id or 0),
            )
        )

    async def count_waiting(self, site: str) -> int:
        """How many videos wait for `site`."""
        rows = await fetch(
            f"SELECT count(*) AS n FROM download_queue WHERE state = 'waiting' AND host = {{}} AND reason_code IN ({_CODES})",
            site,
        )
        return int(rows[0]["n"])

    async def forget_idle(self, before: datetime) -> int:
        """Delete pauses that are long over and that nobody waits for; gives their number."""
        rows = await fetch(
            "DELETE FROM site_pauses WHERE until_at < {} AND site <> '*' AND NOT EXISTS (SELECT 1 FROM download_queue q "
            "WHERE q.host = site_pauses.site AND q.state IN ('queued', 'waiting', 'downloading', 'processing')) RETURNING site",
            before,
        )
        return len(rows)


def _held_by(site: str) -> tuple[str, tuple[str, ...]]:
    """The condition on what waits for the pause of `site`, with its values."""
    if site == EVERYTHING:
        return f"state = 'waiting' AND reason_code IN ({_STOPS})", ()
    return f"state = 'waiting' AND reason_code IN ({_CODES}) AND host = {{}}", (site,)
