"""People, sessions, the download queue and what the house itself needs."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE users (
        id {pk}, username TEXT NOT NULL, username_key TEXT NOT NULL, display_name TEXT NOT NULL, email TEXT,
        password_hash TEXT, role TEXT NOT NULL, state TEXT NOT NULL, state_reason TEXT,
        created_at {ts} NOT NULL, last_seen_at {ts})""",
    "CREATE UNIQUE INDEX users_username_key ON users (username_key)",
    "CREATE INDEX users_role ON users (role)",
    """CREATE TABLE user_sessions (
        id {uuid} PRIMARY KEY NOT NULL, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        refresh_hash TEXT NOT NULL, previous_hash TEXT, rotated_at {ts}, is_remembered {bool} NOT NULL,
        device_name TEXT NOT NULL, user_agent TEXT NOT NULL, address TEXT NOT NULL,
        created_at {ts} NOT NULL, last_used_at {ts} NOT NULL, expires_at {ts} NOT NULL,
        revoked_at {ts}, revoked_reason TEXT)""",
    "CREATE INDEX user_sessions_user ON user_sessions (user_id, last_used_at)",
    "CREATE INDEX user_sessions_expiry ON user_sessions (expires_at)",
    "CREATE INDEX user_sessions_revoked ON user_sessions (revoked_at)",
    """CREATE TABLE user_preferences (
        user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        theme TEXT NOT NULL, time_zone TEXT NOT NULL, page_size INTEGER NOT NULL, default_quality TEXT NOT NULL,
        is_shortcuts_on {bool} NOT NULL)""",
    "CREATE {unlogged} TABLE rate_limits (key TEXT PRIMARY KEY NOT NULL, window_start BIGINT NOT NULL, hits INTEGER NOT NULL)",
    """CREATE TABLE system_settings (
        key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, updated_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
        updated_at {ts} NOT NULL)""",
    """CREATE TABLE queue_settings (
        id INTEGER PRIMARY KEY NOT NULL, concurrent_downloads INTEGER NOT NULL, is_paused {bool} NOT NULL,
        max_list_items INTEGER NOT NULL, max_height INTEGER NOT NULL, rate_limit_bytes_s BIGINT,
        subtitle_languages TEXT NOT NULL, free_space_floor_bytes BIGINT NOT NULL,
        updated_by BIGINT REFERENCES users (id) ON DELETE SET NULL, updated_at {ts} NOT NULL)""",
    """CREATE TABLE library_shows (
        id {pk}, key TEXT NOT NULL, title TEXT NOT NULL, folder TEXT NOT NULL, folder_key TEXT NOT NULL,
        server_id TEXT, created_at {ts} NOT NULL)""",
    "CREATE UNIQUE INDEX library_shows_key ON library_shows (key)",
    "CREATE UNIQUE INDEX library_shows_folder ON library_shows (folder_key)",
    """CREATE TABLE download_history (
        id {pk}, identity TEXT NOT NULL, show_id BIGINT REFERENCES library_shows (id), season INTEGER, episode INTEGER,
        title TEXT NOT NULL, uploader TEXT NOT NULL, url TEXT NOT NULL, site TEXT NOT NULL, video_id TEXT NOT NULL,
        files {json} NOT NULL, size_bytes BIGINT NOT NULL, duration_s INTEGER, published_on {date},
        requested_by BIGINT REFERENCES users (id) ON DELETE SET NULL, created_at {ts} NOT NULL, filed_at {ts},
        deleted_at {ts}, plex_rating_key TEXT, server_id TEXT)""",
    "CREATE UNIQUE INDEX download_history_identity ON download_history (identity)",
    "CREATE UNIQUE INDEX download_history_episode ON download_history (show_id, season, episode)",
    """CREATE TABLE download_queue (
        id {pk}, parent_id BIGINT REFERENCES download_queue (id) ON DELETE CASCADE, item_index INTEGER,
        requested_by BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        url TEXT NOT NULL, url_key TEXT NOT NULL, site TEXT, video_id TEXT, identity TEXT,
        kind TEXT NOT NULL, title TEXT NOT NULL, uploader TEXT NOT NULL, duration_s INTEGER, picture TEXT,
        quality TEXT NOT NULL, audio_only {bool} NOT NULL, as_film {bool} NOT NULL,
        state TEXT NOT NULL, reason_code TEXT, reason TEXT, priority INTEGER NOT NULL, position BIGINT NOT NULL,
        attempts INTEGER NOT NULL, next_attempt_at {ts}, owner TEXT, lease_until {ts},
        downloaded_bytes BIGINT, total_bytes BIGINT, items_total INTEGER, items_done INTEGER, items_failed INTEGER,
        history_id BIGINT REFERENCES download_history (id) ON DELETE SET NULL, server_id TEXT,
        created_at {ts} NOT NULL, started_at {ts}, finished_at {ts}, changed_at {ts} NOT NULL)""",
    # the lists: one person's by the table of people below, the owner's over everything
    "CREATE INDEX download_queue_top ON download_queue (state, id) WHERE parent_id IS NULL",
    "CREATE INDEX download_queue_top_all ON download_queue (id) WHERE parent_id IS NULL",
    "CREATE INDEX download_queue_top_line ON download_queue (state, priority, position, id) WHERE parent_id IS NULL",
    """CREATE INDEX download_queue_waiting ON download_queue (priority, position, id)
        WHERE parent_id IS NULL AND state IN ('queued', 'waiting', 'paused')""",
    """CREATE INDEX download_queue_failed ON download_queue (id)
        WHERE parent_id IS NULL AND state IN ('failed', 'cancelled')""",
    "CREATE INDEX download_queue_items ON download_queue (parent_id, item_index) WHERE parent_id IS NOT NULL",
    "CREATE INDEX download_queue_item_states ON download_queue (parent_id, state) WHERE parent_id IS NOT NULL",
    # the claim, the place in the line, the twins
    "CREATE INDEX download_queue_claim ON download_queue (state, kind, priority, position, id)",
    "CREATE INDEX download_queue_retry ON download_queue (state, next_attempt_at)",
    "CREATE INDEX download_queue_owner ON download_queue (owner) WHERE owner IS NOT NULL",
    "CREATE INDEX download_queue_url ON download_queue (url_key)",
    "CREATE INDEX download_queue_identity ON download_queue (identity) WHERE identity IS NOT NULL",
    "CREATE INDEX download_queue_history ON download_queue (history_id)",
    "CREATE INDEX download_queue_changed ON download_queue (state, changed_at)",
    "CREATE INDEX download_queue_picture ON download_queue (picture) WHERE picture IS NOT NULL",
    """CREATE TABLE download_people (
        user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        download_id BIGINT NOT NULL REFERENCES download_queue (id) ON DELETE CASCADE,
        joined_at {ts} NOT NULL, PRIMARY KEY (user_id, download_id))""",
    "CREATE INDEX download_people_download ON download_people (download_id)",
    """CREATE TABLE download_log (
        id {pk}, download_id BIGINT NOT NULL REFERENCES download_queue (id) ON DELETE CASCADE,
        at {ts} NOT NULL, line TEXT NOT NULL)""",
    "CREATE INDEX download_log_download ON download_log (download_id, id)",
    """CREATE TABLE audit_logs (
        id {pk}, at {ts} NOT NULL, actor_id BIGINT, actor_name TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
        detail TEXT NOT NULL, address TEXT NOT NULL, request_id TEXT NOT NULL)""",
    "CREATE INDEX audit_logs_at ON audit_logs (at)",
    """CREATE TABLE scheduled_runs (
        id {pk}, name TEXT NOT NULL, slot TEXT NOT NULL, started_at {ts} NOT NULL, finished_at {ts},
        outcome TEXT NOT NULL, message TEXT NOT NULL, owner TEXT NOT NULL)""",
    "CREATE UNIQUE INDEX scheduled_runs_slot ON scheduled_runs (name, slot)",
    "CREATE INDEX scheduled_runs_name ON scheduled_runs (name, id)",
    "CREATE INDEX scheduled_runs_started ON scheduled_runs (started_at)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
