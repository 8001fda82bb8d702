"""Queries on connections and PINs."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from medianest.connections.model import PinState, PlexOptions
from medianest.connections.tables import IntegrationConfigRow, PlexPinRow
from medianest.database import fetch

log = logging.getLogger(__name__)


Options = TypeVar("Options", bound=msgspec.Struct)


class StoredConfig(msgspec.Struct, Generic[Options], frozen=True, kw_only=True):
    """A row of `integration_configs`; `secrets` is sealed."""

    name: str
    url: str
    secrets: str | None
    options: Options
    updated_at: datetime


StoredConnection: TypeAlias = StoredConfig[PlexOptions]


class ConfigRepository(Generic[Options]):
    """Connections to one kind of outside service, and the few values that belong to them.

    Args:
        options: what is kept of such a connection beside address and secrets.
    """

    def __init__(self, options: type[Options]) -> None:
        self._options = options

    async def find(self, name: str) -> StoredConfig[Options] | None:
        row: dict[str, Any] | None = (
            await IntegrationConfigRow.select(
                IntegrationConfigRow.url,
                IntegrationConfigRow.secrets,
                IntegrationConfigRow.options,
                IntegrationConfigRow.updated_at,
            )
            .where((IntegrationConfigRow.name == name) & (IntegrationConfigRow.is_enabled.eq(True)))
            .first()
        )
        if row is None:
            return None
        try:
            read = self._read(row["options"])
        except msgspec.DecodeError:  # edited by hand, or cut off: whoever asks goes on as without a connection
            log.error("What is stored of the connection %s can not be read; connect it again", name)
            return None
        return StoredConfig(
            name=name, url=row["url"], secrets=row["secrets"], options=read, updated_at=row["updated_at"]
        )

    async def is_damaged(self, name: str) -> bool:
        """Whether there is a row that `find` can not read."""
        rows = await fetch("SELECT 1 AS one FROM integration_configs WHERE name = {} AND is_enabled = {}", name, True)
        return bool(rows) and await self.find(name) is None

    async def put(
        self, name: str, *, url: str, secrets: str | None, options: Options, by: int | None, at: datetime
    ) -> None:
        await fetch(
            "INSERT INTO integration_configs (name, is_enabled, url, secrets, options, updated_by, updated_at) "
            "VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (name) DO UPDATE SET is_enabled = excluded.is_enabled, "
            "url = excluded.url, secrets = excluded.secrets, options = excluded.options, "
            "updated_by = excluded.updated_by, updated_at = excluded.updated_at",
            name,
            True,
            url,
            secrets,
            msgspec.json.encode(options).decode(),
            by,
            at,
        )

    async def put_once(self, name: str, *, secrets: str, options: Options, at: datetime) -> bool:
        """Keep a row unless there is one, whoever of several comes first; True when it is this one."""
        made = await fetch(
            "INSERT INTO integration_configs (name, is_enabled, url, secrets, options, updated_at) "
            "VALUES ({}, {}, '', {}, {}, {}) ON CONFLICT (name) DO NOTHING RETURNING name",
            name,
            True,
            secrets,
            msgspec.json.encode(options).decode(),
            at,
        )
        return bool(made)

    async def remove(self, name: str) -> None:
        await fetch("DELETE FROM integration_configs WHERE name = {}", name)

    async def setting(self, key: str) -> str | None:
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", key)
        return str(rows[0]["value"]) if rows else None

    async def setting_made_once(self, key: str, value: str, *, at: datetime) -> str:
        """The value of `key`; `value` becomes it when there is none yet, whoever of several comes first."""
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) ON CONFLICT (key) DO NOTHING",
            key,
            value,
            at,
        )
        return await self.setting(key) or value

    async def put_setting(self, key: str, value: str, *, at: datetime) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            key,
            value,
            at,
        )

    def _read(self, stored: str | bytes | dict[str, Any]) -> Options:
        """The column as either database gives it.

        Raises:
            msgspec.DecodeError: it is not what we wrote.
        """
        if isinstance(stored, str | bytes):
            return msgspec.json.decode(stored, type=self._options)
        return msgspec.convert(stored, self._options)


class ConnectionRepository(ConfigRepository[PlexOptions]):
    """Connections to Plex."""

    def __init__(self) -> None:
        super().__init__(PlexOptions)


class PinRepository:
    """PINs; every change says which state it starts from, so that of several instances one makes it."""

    async def add(self, row: PlexPinRow) -> None:
        await PlexPinRow.insert(row)

    async def get(self, pin_id: UUID) -> dict[str, Any] | None:
        row: dict[str, Any] | None = await PlexPinRow.select().where(PlexPinRow.id == pin_id).first()
        return row

    async def of_browser(self, browser_hash: str) -> dict[str, Any] | None:
        row: dict[str, Any] | None = await PlexPinRow.select().where(PlexPinRow.browser_hash == browser_hash).first()
        return row

    async def claim(self, pin_id: UUID, state: PinState, *, at: datetime, until: datetime) -> bool:
        """Take the turn to ask plex.tv or to work with the token; nobody else has it before `until`."""
        rows = await fetch(
            "UPDATE plex_pins SET read_after = {} WHERE id = {} AND state = {} AND read_after <= {} RETURNING id",
            until,
            pin_id,
            state.value,
            at,
        )
        return bool(rows)

    async def wait(self, pin_id: UUID, *, reason: str, failures: int, until: datetime) -> None:
        await fetch(
            "UPDATE plex_pins SET reason = {}, failures = {}, read_after = {} WHERE id = {} AND state IN ({}, {})",
            reason,
            failures,
            until,
            pin_id,
            PinState.PENDING.value,
            PinState.HELD.value,
        )

    async def hold(self, pin_id: UUID, sealed: str, *, until: datetime) -> bool:
        """Keep the token; False when the PIN was cancelled meanwhile."""
        rows = await fetch(
            "UPDATE plex_pins SET state = {}, token = {}, reason = '', failures = 0, read_after = {} "
            "WHERE id = {} AND state = {} RETURNING id",
            PinState.HELD.value,
            sealed,
            until,
            pin_id,
            PinState.PENDING.value,
        )
        return bool(rows)

    async def finish(
        self, pin_id: UUID, state: PinState, *, reason: str, result_user_id: int | None, at: datetime
    ) -> bool:
        rows = await fetch(
            "UPDATE plex_pins SET state = {}, reason = {}, token = NULL, result_user_id = {}, finished_at = {} "
            "WHERE id = {} AND state IN ({}, {}) RETURNING id",
            state.value,
            reason,
            result_user_id,
            at,
            pin_id,
            PinState.PENDING.value,
            PinState.HELD.value,
        )
        return bool(rows)

    async def expire(self, *, before: datetime, at: datetime) -> int:
        """Give up what ran out long ago, and forget its token."""
        rows = await fetch(
            "UPDATE plex_pins SET state = {}, token = NULL, finished_at = {} "
            "WHERE state IN ({}, {}) AND expires_at < {} RETURNING id",
            PinState.EXPIRED.value,
            at,
            PinState.PENDING.value,
            PinState.HELD.value,
            before,
        )
        return len(rows)

    async def remove(self, *, before: datetime) -> int:
        return len(await fetch("DELETE FROM plex_pins WHERE expires_at < {} RETURNING id", before))
