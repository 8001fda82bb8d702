"""Queries about the engine's settings, its updates and how sites went."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.database import fetch, transaction
from medianest.engine.model import EngineSettings, Outcome, UpdateRecord, Way

KEY = "engine"
SHOWN = 12
LONGEST_TEXT = 500
MOST_FAILURES = 20


class SiteFailure(msgspec.Struct, frozen=True, array_like=True):
    """One address that failed, with the kind of failure and the time in seconds since 1970."""

    url: str
    kind: str
    at: float


class SiteRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How a site went: when it last worked, and what failed since then with `version`, each address once."""

    site: str
    version: str
    worked_at: datetime | None = None
    failures: tuple[SiteFailure, ...] = ()


class EngineRepository:
    """Rows of one instance.

    Args:
        instance: name of the data folder: every one has engines of its own.
    """

    def __init__(self, instance: str) -> None:
        self._instance = instance

    async def settings(self) -> EngineSettings:
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
        return msgspec.json.decode(rows[0]["value"], type=EngineSettings) if rows else EngineSettings()

    async def save_settings(self, settings: EngineSettings, *, by: int, at: datetime) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_by, updated_at) VALUES ({}, {}, {}, {}) ON CONFLICT (key) "
            "DO UPDATE SET value = EXCLUDED.value, updated_by = EXCLUDED.updated_by, updated_at = EXCLUDED.updated_at",
            KEY,
            msgspec.json.encode(settings).decode(),
            by,
            at,
        )

    async def add_update(
        self,
        *,
        at: datetime,
        way: Way,
        outcome: Outcome,
        version: str,
        from_version: str,
        code: str,
        text: str,
        by_name: str,
    ) -> None:
        await fetch(
            "INSERT INTO engine_updates (instance, at, way, outcome, version, from_version, code, text, by_name) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {})",
            *(self._instance, at, way.value, outcome.value, version, from_version, code, text[:LONGEST_TEXT], by_name),
        )

    async def updates(self, limit: int = SHOWN) -> tuple[UpdateRecord, ...]:
        """The newest first."""
        rows = await fetch(
            "SELECT id, at, way, outcome, version, from_version, code, text, by_name FROM engine_updates "
            "WHERE instance = {} ORDER BY id DESC LIMIT {}",
            self._instance,
            limit,
        )
        return tuple(_record(row) for row in rows)

    async def withheld(self) -> str:
        """The version that was last gone back from; empty when none was. It does not come again by itself."""
        rows = await fetch(
            "SELECT from_version FROM engine_updates WHERE instance = {} AND outcome = 'changed' "
            "AND way IN ('rollback', 'automatic_rollback') ORDER BY id DESC LIMIT 1",
            self._instance,
        )
        return str(rows[0]["from_version"]) if rows else ""

    async def clean(self, *, before: datetime) -> int:
        """Delete what is older; gives how many rows."""
        updates = await fetch("DELETE FROM engine_updates WHERE at < {} RETURNING id", before)
        sites = await fetch("DELETE FROM engine_sites WHERE changed_at < {} RETURNING key", before)
        return len(updates) + len(sites)

    # how sites go

    async def site_worked(self, site: str, version: str, *, at: datetime) -> None:
        await self._put(SiteRecord(site=site, version=version, worked_at=at), at)

    async def site_failed(
        self, site: str, version: str, failure: SiteFailure, *, at: datetime, within: timedelta
    ) -> SiteRecord:
        """Count one failure; gives the record with all of the last `within`, each address once, the newest last."""
        async with transaction():
            kept = await self.site(site) or SiteRecord(site=site, version=version)
            since = at.timestamp() - within.total_seconds()
            earlier = kept.failures if kept.version == version else ()
            others = [one for one in earlier if one.url != failure.url and one.at > since]
            record = msgspec.structs.replace(kept, version=version, failures=(*others, failure)[-MOST_FAILURES:])
            await self._put(record, at)
        return record

    async def site(self, site: str) -> SiteRecord | None:
        rows = await fetch(
            "SELECT site, version, worked_at, failures FROM engine_sites WHERE key = {}", self._key(site)
        )
        if not rows:
            return None
        failures = msgspec.json.decode(rows[0]["failures"], type=tuple[SiteFailure, ...])
        return SiteRecord(site=site, version=rows[0]["version"], worked_at=rows[0]["worked_at"], failures=failures)

    async def _put(self, record: SiteRecord, at: datetime) -> None:
        await fetch(
            "INSERT INTO engine_sites (key, site, version, worked_at, failures, changed_at) VALUES ({}, {}, {}, {}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET version = EXCLUDED.version, worked_at = EXCLUDED.worked_at, "
            "failures = EXCLUDED.failures, changed_at = EXCLUDED.changed_at",
            *(self._key(record.site), record.site, record.version, record.worked_at),
            *(msgspec.json.encode(record.failures).decode(), at),
        )

    def _key(self, site: str) -> str:
        return f"{self._instance} {site}"


def _record(row: dict[str, Any]) -> UpdateRecord:
    return UpdateRecord(
        id=row["id"],
        at=row["at"],
        way=Way(row["way"]),
        outcome=Outcome(row["outcome"]),
        version=row["version"],
        from_version=row["from_version"],
        code=row["code"],
        text=row["text"],
        by=row["by_name"],
    )
