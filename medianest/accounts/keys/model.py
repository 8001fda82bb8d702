"""API keys: what a program calls with instead of a sign-in."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.accounts.model import Scope

LIFETIMES_DAYS = (30, 90, 365)


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as its person sees it; the key itself is kept nowhere."""

    id: int
    name: str
    hint: str  # its last four characters
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None  # None: until it is revoked
    last_used_at: datetime | None
    last_address: str | None
    is_expired: bool = False


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a key. `expires_in_days` is 30, 90 or 365; None is a key that never ends by itself."""

    name: str
    scopes: tuple[Scope, ...]
    expires_in_days: int | None = None


class MadeApiKey(ApiKey, frozen=True, kw_only=True):
    """A key right after it was made: the only answer that holds `key`."""

    key: str
