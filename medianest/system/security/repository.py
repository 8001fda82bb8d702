"""Where the walls' settings are kept."""

from __future__ import annotations

import logging
from datetime import datetime

import msgspec

from medianest.database import fetch
from medianest.system.security.model import SecuritySettings

log = logging.getLogger(__name__)

KEY = "security"
HOST_CHECK_WAS_OFF = "host_check_was_off"


class SecurityRepository:
    """One JSON object in `system_settings`."""

    async def get(self) -> SecuritySettings:
        """What was saved; the built-in values when nothing was, or when it can not be read (see `is_damaged`)."""
        return await self._saved() or SecuritySettings()

    async def is_damaged(self) -> bool:
        """Whether something is saved that can not be read: edited by hand, or cut off."""
        return await self._saved() is None

    async def _saved(self) -> SecuritySettings | None:
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
        try:
            return msgspec.json.decode(rows[0]["value"], type=SecuritySettings) if rows else SecuritySettings()
        except msgspec.DecodeError:
            log.error("What is saved under Security can not be read; the built-in values hold. Save the page again.")
            return None

    async def save(self, settings: SecuritySettings, *, by: int | None, at: datetime) -> None:
        await self._put(KEY, msgspec.json.encode(settings).decode(), by, at)

    async def note_host_check(self, *, is_off: bool, at: datetime) -> bool:
        """Keep whether the check of host names is off; gives what was kept before."""
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", HOST_CHECK_WAS_OFF)
        was_off = bool(rows) and rows[0]["value"] == "true"
        if was_off != is_off:
            await self._put(HOST_CHECK_WAS_OFF, "true" if is_off else "false", None, at)
        return was_off

    async def _put(self, key: str, value: str, by: int | None, at: datetime) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_by, updated_at) VALUES ({}, {}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, updated_by = EXCLUDED.updated_by, "
            "updated_at = EXCLUDED.updated_at",
            key,
            value,
            by,
            at,
        )
