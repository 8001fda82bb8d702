"""Tables of people, their sessions and preferences. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class UserRow(Table, tablename="users"):
    id = BigSerial(primary_key=True)
    username = Text()
    username_key = Text(help_text="the user name folded for comparison; unique")
    display_name = Text()
    email = Text(null=True, default=None)
    password_hash = Text(null=True, default=None, secret=True, help_text="bcrypt of base64(sha384(password))")
    role = Text()
    state = Text()
    state_reason = Text(null=True, default=None)
    created_at = Timestamptz()
    last_seen_at = Timestamptz(null=True, default=None)


class SessionRow(Table, tablename="user_sessions"):
    id = UUID(primary_key=True)
    user_id = BigInt()
    refresh_hash = Text(secret=True, help_text="SHA-256 of the refresh token in use")
    previous_hash = Text(null=True, default=None, secret=True, help_text="the one before, good for 10 s")
    rotated_at = Timestamptz(null=True, default=None)
    is_remembered = Boolean()
    device_name = Text()
    user_agent = Text()
    address = Text()
    created_at = Timestamptz()
    last_used_at = Timestamptz()
    expires_at = Timestamptz()
    revoked_at = Timestamptz(null=True, default=None)
    revoked_reason = Text(null=True, default=None)


class PreferencesRow(Table, tablename="user_preferences"):
    user_id = BigInt(primary_key=True)
    theme = Text()
    time_zone = Text()
    page_size = Integer()
    default_quality = Text()
    is_shortcuts_on = Boolean()


class RateLimitRow(Table, tablename="rate_limits"):
    key = Text(primary_key=True)
    window_start = BigInt(help_text="seconds since 1970")
    hits = Integer()
