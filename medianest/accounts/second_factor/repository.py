"""Every query on second factors and backup codes. Each code is taken by one conditional update: exact, however many come at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from medianest.accounts.tables import BackupCodeRow, UserRow
from medianest.database import fetch


class SecondFactorRepository:
    """Secrets go through sealed; nothing here can open them."""

    async def sealed_secret(self, user_id: int) -> str | None:
        """None: no second factor, or no such person."""
        row = await UserRow.select(UserRow.totp_secret).where(UserRow.id == user_id).first()
        return row["totp_secret"] if row else None

    async def switch_on(self, user_id: int, sealed: str, step: int) -> bool:
        """False when it is on already. `step` is used up by the code that confirmed it."""
        rows = await fetch(
            "UPDATE users SET totp_secret = {}, totp_step = {} "
            "WHERE id = {} AND totp_secret IS NULL AND password_hash IS NOT NULL RETURNING id",
            sealed,
            step,
            user_id,
        )
        return bool(rows)

    async def switch_off(self, user_id: int) -> bool:
        """Remove secret and backup codes; False when there was none."""
        rows = await fetch(
            "UPDATE users SET totp_secret = NULL, totp_step = NULL WHERE id = {} AND totp_secret IS NOT NULL RETURNING id",
            user_id,
        )
        await fetch("DELETE FROM backup_codes WHERE user_id = {}", user_id)
        return bool(rows)

    async def use_step(self, user_id: int, sealed: str, step: int) -> bool:
        """Use up a step of this secret; False when it, or a later one, was used."""
        rows = await fetch(
            "UPDATE users SET totp_step = {} WHERE id = {} AND totp_secret = {} AND (totp_step IS NULL OR totp_step < {}) "
            "RETURNING id",
            step,
            user_id,
            sealed,
            step,
        )
        return bool(rows)

    async def replace_backup_codes(self, user_id: int, hashes: Sequence[str]) -> None:
        """Inside a transaction of the caller's."""
        await fetch("DELETE FROM backup_codes WHERE user_id = {}", user_id)
        await BackupCodeRow.insert(*(BackupCodeRow(user_id=user_id, code_hash=one) for one in hashes))

    async def use_backup_code(self, user_id: int, code_hash: str, *, at: datetime) -> bool:
        """Use up a backup code; False when there is no such one left."""
        rows = await fetch(
            "UPDATE backup_codes SET used_at = {} WHERE user_id = {} AND code_hash = {} AND used_at IS NULL RETURNING id",
            at,
            user_id,
            code_hash,
        )
        return bool(rows)

    async def backup_codes_left(self, user_id: int) -> int:
        sql = "SELECT count(*) AS number FROM backup_codes WHERE user_id = {} AND used_at IS NULL"
        return int((await fetch(sql, user_id))[0]["number"])
