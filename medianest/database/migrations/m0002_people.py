"""Rights and quotas of people, Plex accounts, API keys, second factors, known devices and outside connections."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    # people: what they may, and how they come in
    "ALTER TABLE users ADD COLUMN picture TEXT",
    "ALTER TABLE users ADD COLUMN permissions TEXT",
    "ALTER TABLE users ADD COLUMN is_child {bool} NOT NULL DEFAULT false",
    "ALTER TABLE users ADD COLUMN rating_limit TEXT",
    "ALTER TABLE users ADD COLUMN requests_limit INTEGER",
    "ALTER TABLE users ADD COLUMN requests_days INTEGER",
    "ALTER TABLE users ADD COLUMN downloads_per_hour INTEGER",
    "ALTER TABLE users ADD COLUMN storage_bytes BIGINT",
    "ALTER TABLE users ADD COLUMN must_change_password {bool} NOT NULL DEFAULT false",
    "ALTER TABLE users ADD COLUMN state_code TEXT",
    "ALTER TABLE users ADD COLUMN suspended_until {ts}",
    "ALTER TABLE users ADD COLUMN totp_secret TEXT",
    "ALTER TABLE users ADD COLUMN totp_step BIGINT",
    "CREATE INDEX users_name ON users (username_key, id)",
    "CREATE INDEX users_state ON users (state, suspended_until)",
    "ALTER TABLE user_sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password'",
    "ALTER TABLE user_preferences ADD COLUMN date_locale TEXT NOT NULL DEFAULT 'en'",
    """CREATE TABLE backup_codes (
        id {pk}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, code_hash TEXT NOT NULL, used_at {ts})""",
    "CREATE UNIQUE INDEX backup_codes_code ON backup_codes (user_id, code_hash)",
    """CREATE TABLE known_devices (
        user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, device_hash TEXT NOT NULL, name TEXT NOT NULL,
        address TEXT NOT NULL, first_seen_at {ts} NOT NULL, last_seen_at {ts} NOT NULL, PRIMARY KEY (user_id, device_hash))""",
    "CREATE INDEX known_devices_seen ON known_devices (last_seen_at)",
    """CREATE TABLE account_notices (
        id {pk}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, code TEXT NOT NULL, detail TEXT NOT NULL,
        address TEXT NOT NULL, created_at {ts} NOT NULL, seen_at {ts})""",
    "CREATE INDEX account_notices_open ON account_notices (user_id, id) WHERE seen_at IS NULL",
    "CREATE INDEX account_notices_created ON account_notices (created_at)",
    """CREATE TABLE api_keys (
        id {pk}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, name TEXT NOT NULL, hint TEXT NOT NULL,
        key_hash TEXT NOT NULL, scopes TEXT NOT NULL, created_at {ts} NOT NULL, expires_at {ts}, last_used_at {ts},
        last_address TEXT, revoked_at {ts})""",
    "CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash)",
    "CREATE INDEX api_keys_user ON api_keys (user_id, id)",
    # Plex
    """CREATE TABLE plex_accounts (
        user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE, plex_id BIGINT NOT NULL,
        username TEXT NOT NULL, email TEXT, thumb TEXT, is_owner {bool} NOT NULL, account_token TEXT, server_token TEXT,
        linked_at {ts} NOT NULL, checked_at {ts}, missing_since {ts}, refused_at {ts}, token_dead_at {ts})""",
    "CREATE UNIQUE INDEX plex_accounts_plex ON plex_accounts (plex_id)",
    "CREATE INDEX plex_accounts_checked ON plex_accounts (checked_at)",
    """CREATE TABLE plex_pins (
        id {uuid} PRIMARY KEY NOT NULL, purpose TEXT NOT NULL, user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
        pin_id BIGINT NOT NULL, code TEXT NOT NULL, is_strong {bool} NOT NULL, state_hash TEXT NOT NULL,
        browser_hash TEXT NOT NULL, return_to TEXT NOT NULL, next_path TEXT NOT NULL, is_remembered {bool} NOT NULL, state TEXT NOT NULL,
        reason TEXT NOT NULL, token TEXT, result_user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
        created_at {ts} NOT NULL, expires_at {ts} NOT NULL, read_after {ts} NOT NULL, failures INTEGER NOT NULL,
        finished_at {ts})""",
    "CREATE INDEX plex_pins_expiry ON plex_pins (expires_at)",
    "CREATE UNIQUE INDEX plex_pins_browser ON plex_pins (browser_hash)",
    """CREATE TABLE integration_configs (
        name TEXT PRIMARY KEY NOT NULL, is_enabled {bool} NOT NULL, url TEXT NOT NULL, secrets TEXT, options {json} NOT NULL,
        updated_by BIGINT REFERENCES users (id) ON DELETE SET NULL, updated_at {ts} NOT NULL)""",
    # quotas
    "ALTER TABLE download_queue ADD COLUMN quota_cost INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE download_queue ADD COLUMN charged_at {ts}",
    "ALTER TABLE download_queue ADD COLUMN needs_approval {bool} NOT NULL DEFAULT false",
    "CREATE INDEX download_queue_charged ON download_queue (requested_by, charged_at) WHERE parent_id IS NULL",
    "CREATE INDEX download_queue_approval ON download_queue (id) WHERE needs_approval AND state = 'waiting'",
    """CREATE TABLE quota_spent (
        id {pk}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, cost INTEGER NOT NULL,
        charged_at {ts} NOT NULL)""",
    "CREATE INDEX quota_spent_person ON quota_spent (user_id, charged_at)",
    "CREATE INDEX download_history_person ON download_history (requested_by) WHERE deleted_at IS NULL",
    # who changed what, from what, to what
    "ALTER TABLE audit_logs ADD COLUMN before TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE audit_logs ADD COLUMN after TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX audit_logs_action ON audit_logs (action, id)",
    "CREATE INDEX audit_logs_actor ON audit_logs (actor_id, id)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
