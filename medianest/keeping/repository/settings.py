"""The owner's rules as they are stored."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.database import fetch
from medianest.keeping.model import KeepingSettings

_NAMES = ("days", "newest_per_show", "watched_days", "free_space_bytes", "notice_days")


class KeepingSettingsRepository:
    async def get(self) -> KeepingSettings:
        """What is set; everything off when nobody set anything."""
        rows = await fetch(f"SELECT {', '.join(_NAMES)} FROM keeping_settings WHERE id = 1")
        return msgspec.convert(dict(rows[0]), KeepingSettings) if rows else KeepingSettings()

    async def put(self, settings: KeepingSettings, *, by: int, at: datetime) -> None:
        names = (*_NAMES, "updated_by", "updated_at")
        values = (*(getattr(settings, name) for name in _NAMES), by, at)
        changed = ", ".join(f"{name} = excluded.{name}" for name in names)
        await fetch(
            f"INSERT INTO keeping_settings (id, {', '.join(names)}) VALUES (1, {', '.join(['{}'] * len(names))}) "
            f"ON CONFLICT (id) DO UPDATE SET {changed}",
            *values,
        )
