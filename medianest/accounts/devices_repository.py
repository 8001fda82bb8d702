"""Every query on known devices and on what people are told about their accounts."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.accounts.model import AccountNotice
from medianest.accounts.tables import AccountNoticeRow
from medianest.database import fetch

MOST_NOTICES = 5  # on a page; the newest


class DeviceRepository:
    """Rows inside, models outside."""

    async def add(self, user_id: int, device_hash: str, name: str, address: str, *, at: datetime) -> bool:
        """Remember a device; False when it was known, which keeps its last use."""
        added = await fetch(
            "INSERT INTO known_devices (user_id, device_hash, name, address, first_seen_at, last_seen_at) "
            "VALUES ({}, {}, {}, {}, {}, {}) ON CONFLICT (user_id, device_hash) DO NOTHING RETURNING user_id",
            user_id,
            device_hash,
            name,
            address,
            at,
            at,
        )
        if not added:
            await fetch(
                "UPDATE known_devices SET last_seen_at = {}, name = {}, address = {} WHERE user_id = {} AND device_hash = {}",
                at,
                name,
                address,
                user_id,
                device_hash,
            )
        return bool(added)

    async def has_other(self, user_id: int, device_hash: str) -> bool:
        """Whether the person has used any other device."""
        sql = "SELECT 1 AS found FROM known_devices WHERE user_id = {} AND device_hash <> {} LIMIT 1"
        return bool(await fetch(sql, user_id, device_hash))

    async def add_notice(self, user_id: int, code: str, detail: str, address: str, *, at: datetime) -> int:
        rows = await AccountNoticeRow.insert(
            AccountNoticeRow(user_id=user_id, code=code, detail=detail, address=address, created_at=at)
        ).returning(AccountNoticeRow.id)
        return int(rows[0]["id"])

    async def open_notices(self, user_id: int) -> tuple[AccountNotice, ...]:
        """What the person has not answered, the newest first."""
        rows = await fetch(
            "SELECT id, code, detail, address, created_at FROM account_notices WHERE user_id = {} AND seen_at IS NULL "
            "ORDER BY id DESC LIMIT {}",
            user_id,
            MOST_NOTICES,
        )
        return tuple(msgspec.convert(dict(row), AccountNotice) for row in rows)

    async def answer(self, user_id: int, notice_id: int, *, at: datetime) -> AccountNotice | None:
        """Close a notice; None when the person has no such open one."""
        rows = await fetch(
            "UPDATE account_notices SET seen_at = {} WHERE id = {} AND user_id = {} AND seen_at IS NULL "
            "RETURNING id, code, detail, address, created_at",
            at,
            notice_id,
            user_id,
        )
        return msgspec.convert(dict(rows[0]), AccountNotice) if rows else None

    async def clean(self, *, before: datetime) -> int:
        """Forget devices and notices from before; gives how many devices."""
        gone = await fetch("DELETE FROM known_devices WHERE last_seen_at < {} RETURNING user_id", before)
        await fetch("DELETE FROM account_notices WHERE created_at < {}", before)
        return len(gone)
