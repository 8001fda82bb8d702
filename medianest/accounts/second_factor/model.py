"""The second step of a sign-in: what is shown of it."""

from __future__ import annotations

import msgspec


class SecondFactorState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a person has it, whether they can (only with a password), and how many backup codes are left."""

    is_on: bool
    has_password: bool
    backup_codes_left: int


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that does not count yet: `secret` to type, `address` for the QR code, `token` to confirm it with."""

    secret: str
    address: str
    token: str


class BackupCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Shown once, right after they were made."""

    backup_codes: tuple[str, ...]
