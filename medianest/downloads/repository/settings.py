"""The owner's settings of the queue: one row, defaults while there is none."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.database import fetch
from medianest.downloads.model import QueueSettings

_NAMES = QueueSettings.__struct_fields__


class QueueSettingsRepository:
    async def get(self) -> QueueSettings:
        rows = await fetch(f"SELECT {', '.join(_NAMES)} FROM queue_settings WHERE id = 1")
        return msgspec.convert(dict(rows[0]), QueueSettings, strict=False) if rows else QueueSettings()

    async def put(self, settings: QueueSettings, *, by: int, at: datetime) -> None:
        values = [getattr(settings, name) for name in _NAMES]
        put = ", ".join(f"{name} = excluded.{name}" for name in (*_NAMES, "updated_by", "updated_at"))
        await fetch(
            f"INSERT INTO queue_settings (id, {', '.join(_NAMES)}, updated_by, updated_at) "
            f"VALUES (1, {', '.join(['{}'] * (len(_NAMES) + 2))}) ON CONFLICT (id) DO UPDATE SET {put}",
            *(*values, by, at),
        )
