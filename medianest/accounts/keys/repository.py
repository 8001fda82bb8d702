"""Every query on API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from medianest.accounts.keys.model import ApiKey
from medianest.accounts.model import Preferences, Scope, User
from medianest.accounts.repository import USER_SQL
from medianest.accounts.rights import user_from_row
from medianest.database import fetch, is_postgres, transaction

_COLUMNS = "id, name, hint, scopes, created_at, expires_at, last_used_at, last_address"
_PREFERENCES = ", ".join(f"p.{name}" for name in Preferences.__struct_fields__)


class FoundKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that is good, with the person it belongs to."""

    id: int
    scopes: frozenset[Scope]
    last_used_at: datetime | None
    user: User
    preferences: Preferences


class KeyRepository:
    """Keys by person, and the one lookup that every call with a key makes."""

    async def find(self, key_hash: str, *, at: datetime) -> FoundKey | None:
        """The key of that hash with its person, when it is good and the person is active: one query by a unique index."""
        rows = await fetch(
            f"SELECT {USER_SQL}, {_PREFERENCES}, k.id AS key_id, k.scopes AS key_scopes, k.last_used_at AS key_used_at "
            "FROM api_keys k JOIN users u ON u.id = k.user_id LEFT JOIN user_preferences p ON p.user_id = u.id "
            "WHERE k.key_hash = {} AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {}) "
            "AND u.state = 'active'",
            *(key_hash, at),
        )
        if not rows:
            return None
        row = rows[0]
        return FoundKey(
            id=row["key_id"],
            scopes=frozenset(_scopes(row["key_scopes"])),
            last_used_at=row["key_used_at"],
            user=user_from_row(row),
            preferences=_preferences(row),
        )

    async def live_ids(self, user_id: int, *, at: datetime) -> tuple[int, ...]:
        """Keys of an active person that are good now."""
        rows = await fetch(
            "SELECT k.id FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.user_id = {} AND u.state = 'active' "
            "AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {})",
            *(user_id, at),
        )
        return tuple(row["id"] for row in rows)

    async def used(self, key_id: int, address: str, *, at: datetime, not_since: datetime) -> None:
        """Write down a use, unless one newer than `not_since` stands there."""
        await fetch(
            "UPDATE api_keys SET last_used_at = {}, last_address = {} WHERE id = {} "
            "AND (last_used_at IS NULL OR last_used_at < {})",
            *(at, address, key_id, not_since),
        )

    async def list(self, user_id: int, *, at: datetime) -> tuple[ApiKey, ...]:
        """Keys that were not revoked, newest first."""
        rows = await fetch(
            f"SELECT {_COLUMNS} FROM api_keys WHERE user_id = {{}} AND revoked_at IS NULL ORDER BY id DESC", user_id
        )
        return tuple(_key(row, at) for row in rows)

    async def add(
        self, user_id: int, name: str, key_hash: str, hint: str, scopes: tuple[Scope, ...], *, at: datetime,
        expires_at: datetime | None, most: int,
    ) -> ApiKey | str:  # fmt: skip
        """Store a key; `taken` or `full` when a key has the name already, or there are `most`."""
        async with transaction():
            if is_postgres():  # two tabs at once: one after the other
                await fetch("SELECT id FROM users WHERE id = {} FOR NO KEY UPDATE", user_id)
            there = await fetch("SELECT name FROM api_keys WHERE user_id = {} AND revoked_at IS NULL", user_id)
            if len(there) >= most:
                return "full"
            if name.casefold() in {row["name"].casefold() for row in there}:
                return "taken"
            rows = await fetch(
                "INSERT INTO api_keys (user_id, name, hint, key_hash, scopes, created_at, expires_at) "
                f"VALUES ({{}}, {{}}, {{}}, {{}}, {{}}, {{}}, {{}}) RETURNING {_COLUMNS}",
                *(user_id, name, hint, key_hash, " ".join(scopes), at, expires_at),
            )
        return _key(rows[0], at)

    async def revoke(self, user_id: int, key_id: int, *, at: datetime) -> str | None:
        """End a key; its name, None when the person has no such key."""
        rows = await fetch(
            "UPDATE api_keys SET revoked_at = {} WHERE id = {} AND user_id = {} AND revoked_at IS NULL RETURNING name",
            *(at, key_id, user_id),
        )
        return rows[0]["name"] if rows else None


def _scopes(stored: str) -> tuple[Scope, ...]:
    words = stored.split()
    return tuple(scope for scope in Scope if scope in words)


def _key(row: dict[str, Any], at: datetime) -> ApiKey:
    values = {**row, "scopes": _scopes(row["scopes"])}
    return ApiKey(**values, is_expired=row["expires_at"] is not None and row["expires_at"] <= at)


def _preferences(row: dict[str, Any]) -> Preferences:
    if row["theme"] is None:  # nothing was ever saved
        return Preferences()
    return msgspec.convert({name: row[name] for name in Preferences.__struct_fields__}, Preferences)
