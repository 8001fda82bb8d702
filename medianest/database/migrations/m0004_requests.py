"""Requests for films and series, who waits for them, what happened to them, and what is still to be sent."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE media_requests (
        id {pk}, media_type TEXT NOT NULL, tmdb_id BIGINT NOT NULL, is_4k {bool} NOT NULL, seasons TEXT NOT NULL,
        requested_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
        title TEXT NOT NULL, title_key TEXT NOT NULL, year INTEGER,
        status TEXT NOT NULL, reason_code TEXT, reason TEXT, is_approved {bool} NOT NULL, overseerr_id BIGINT,
        quota_cost INTEGER NOT NULL, charged_at {ts}, version INTEGER NOT NULL,
        created_at {ts} NOT NULL, changed_at {ts} NOT NULL, looked_at {ts})""",
    # the lists: by date the key itself serves; a group of several states has an index of its own
    "CREATE INDEX media_requests_status ON media_requests (status, id)",
    "CREATE INDEX media_requests_titles ON media_requests (title_key, id)",
    """CREATE INDEX media_requests_coming ON media_requests (id)
        WHERE status IN ('approved', 'processing', 'partially_available')""",
    "CREATE INDEX media_requests_ended ON media_requests (id) WHERE status IN ('declined', 'failed', 'cancelled')",
    "CREATE INDEX media_requests_changed ON media_requests (changed_at, id)",
    "CREATE INDEX media_requests_title ON media_requests (media_type, tmdb_id, id)",
    "CREATE INDEX media_requests_charged ON media_requests (requested_by, charged_at)",
    "CREATE INDEX media_requests_overseerr ON media_requests (overseerr_id) WHERE overseerr_id IS NOT NULL",
    """CREATE INDEX media_requests_open ON media_requests (looked_at, id)
        WHERE status IN ('pending', 'approved', 'processing', 'partially_available')""",
    # a film is one part, season -1; what is asked for once cannot be asked for again while it is open
    """CREATE TABLE request_parts (
        request_id BIGINT NOT NULL REFERENCES media_requests (id) ON DELETE CASCADE, season INTEGER NOT NULL,
        media_type TEXT NOT NULL, tmdb_id BIGINT NOT NULL, is_4k {bool} NOT NULL, is_open {bool} NOT NULL,
        PRIMARY KEY (request_id, season))""",
    "CREATE UNIQUE INDEX request_parts_open ON request_parts (media_type, tmdb_id, is_4k, season) WHERE is_open",
    """CREATE TABLE request_followers (
        user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        request_id BIGINT NOT NULL REFERENCES media_requests (id) ON DELETE CASCADE,
        joined_at {ts} NOT NULL, PRIMARY KEY (user_id, request_id))""",
    "CREATE INDEX request_followers_request ON request_followers (request_id, joined_at)",
    """CREATE TABLE request_status (
        id {pk}, request_id BIGINT NOT NULL REFERENCES media_requests (id) ON DELETE CASCADE, at {ts} NOT NULL,
        status TEXT NOT NULL, source TEXT NOT NULL, actor_id BIGINT REFERENCES users (id) ON DELETE SET NULL, reason TEXT)""",
    "CREATE INDEX request_status_request ON request_status (request_id, id)",
    "CREATE INDEX request_status_actor ON request_status (actor_id) WHERE actor_id IS NOT NULL",
    """CREATE TABLE outbox (
        id {pk}, kind TEXT NOT NULL, request_id BIGINT NOT NULL REFERENCES media_requests (id) ON DELETE CASCADE,
        lane TEXT NOT NULL, attempts INTEGER NOT NULL, next_attempt_at {ts} NOT NULL, owner TEXT, lease_until {ts},
        posted_at {ts}, refusals INTEGER NOT NULL, last_code TEXT, created_at {ts} NOT NULL)""",
    "CREATE INDEX outbox_due ON outbox (next_attempt_at, id)",
    "CREATE INDEX outbox_lane ON outbox (lane, id)",
    "CREATE INDEX outbox_request ON outbox (request_id, id)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
