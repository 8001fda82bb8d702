"""Tables of people, their sessions and preferences. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, BigSerial, Boolean, Bytea, Integer, Text, Timestamptz
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
    picture = Text(null=True, default=None, help_text="name of a file in <data>/people/")
    permissions = Text(null=True, default=None, help_text="words with spaces between; NULL: the default set")
    is_child = Boolean(default=False)
    rating_limit = Text(null=True, default=None, help_text="a RatingLimit; of child profiles")
    requests_limit = Integer(null=True, default=None, help_text="in `requests_days`; NULL: the default, -1: none")
    requests_days = Integer(null=True, default=None)
    downloads_per_hour = Integer(null=True, default=None, help_text="NULL: the default, -1: no limit")
    storage_bytes = BigInt(null=True, default=None, help_text="NULL: the default, -1: no limit")
    must_change_password = Boolean(default=False)
    state_code = Text(null=True, default=None, help_text="why suspended: a SuspensionCode")
    suspended_until = Timestamptz(null=True, default=None, help_text="NULL: until somebody ends it")
    totp_secret = Text(null=True, default=None, secret=True, help_text="sealed; NULL: no second factor")
    totp_step = BigInt(null=True, default=None, help_text="the last 30 s step used: a code is good once")


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
    method = Text(default="password", help_text="how it began: password or plex")


class PreferencesRow(Table, tablename="user_preferences"):
    user_id = BigInt(primary_key=True)
    theme = Text()
    time_zone = Text()
    page_size = Integer()
    default_quality = Text()
    is_shortcuts_on = Boolean()
    date_locale = Text(default="en", help_text="a Babel locale for dates and numbers")


class RateLimitRow(Table, tablename="rate_limits"):
    key = Text(primary_key=True)
    window_start = BigInt(help_text="seconds since 1970")
    hits = Integer()


class BackupCodeRow(Table, tablename="backup_codes"):
    id = BigSerial(primary_key=True)
    user_id = BigInt()
    code_hash = Text(secret=True)
    used_at = Timestamptz(null=True, default=None)


class KnownDeviceRow(Table, tablename="known_devices"):
    user_id = BigInt(primary_key=True)  # with device_hash; Piccolo knows single keys only
    device_hash = Text(help_text="SHA-256 of the device cookie")
    name = Text()
    address = Text()
    first_seen_at = Timestamptz()
    last_seen_at = Timestamptz()


class AccountNoticeRow(Table, tablename="account_notices"):
    id = BigSerial(primary_key=True)
    user_id = BigInt()
    code = Text(help_text="what to tell: a NoticeCode")
    detail = Text()
    address = Text()
    created_at = Timestamptz()
    seen_at = Timestamptz(null=True, default=None)


class ApiKeyRow(Table, tablename="api_keys"):
    id = BigSerial(primary_key=True)
    user_id = BigInt()
    name = Text()
    hint = Text(help_text="its last four characters")
    key_hash = Text(secret=True, help_text="SHA-256; the key is random by itself")
    scopes = Text(help_text="words with spaces between")
    created_at = Timestamptz()
    expires_at = Timestamptz(null=True, default=None)
    last_used_at = Timestamptz(null=True, default=None)
    last_address = Text(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class PersonPictureRow(Table, tablename="people_pictures"):
    name = Text(primary_key=True, help_text="as in users.picture")
    user_id = BigInt()
    content = Bytea(help_text="the uploaded file, at most 1 MB")


class PlexAccountRow(Table, tablename="plex_accounts"):
    user_id = BigInt(primary_key=True)
    plex_id = BigInt(help_text="plex.tv's number: the identity; names and mail change")
    username = Text()
    email = Text(null=True, default=None)
    thumb = Text(null=True, default=None, help_text="address of the picture at Plex; never shown, fetched by us")
    is_owner = Boolean(help_text="owns the configured server")
    account_token = Text(null=True, default=None, secret=True, help_text="sealed; for plex.tv")
    server_token = Text(null=True, default=None, secret=True, help_text="sealed; for the server, with their sharing")
    linked_at = Timestamptz()
    checked_at = Timestamptz(null=True, default=None, help_text="the last read that succeeded")
    missing_since = Timestamptz(null=True, default=None, help_text="first successful read without our server")
    refused_at = Timestamptz(null=True, default=None, help_text="first 401, to be confirmed")
    token_dead_at = Timestamptz(null=True, default=None, help_text="second 401: they must sign in again")
