"""Sites and stops that the queue waits for, whose turn it is, cookies of sites, and the settings that go with them."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    # the site of a link, so that a claim can leave out what is paused; and what an update of yt-dlp may mend
    "ALTER TABLE download_queue ADD COLUMN host TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE download_queue ADD COLUMN engine_tries INTEGER NOT NULL DEFAULT 0",
    """CREATE INDEX download_queue_fair ON download_queue (requested_by, host, priority, position, id)
        WHERE state = 'queued' AND kind = 'video'""",
    "CREATE INDEX download_queue_held ON download_queue (host, reason_code) WHERE state = 'waiting'",
    """CREATE INDEX download_queue_broken ON download_queue (id)
        WHERE state = 'failed' AND reason_code = 'engine_error' AND engine_tries = 1""",
    # a site that is left alone, or `*`: the whole queue. `probe_id` is the one download that tries after the pause
    """CREATE TABLE site_pauses (
        site TEXT PRIMARY KEY NOT NULL, reason_code TEXT NOT NULL, detail TEXT NOT NULL, since {ts} NOT NULL,
        until_at {ts} NOT NULL, length_s BIGINT NOT NULL, probe_id BIGINT)""",
    # when a big site may be asked for its next video; who was served last
    "CREATE TABLE site_turns (site TEXT PRIMARY KEY NOT NULL, next_at {ts} NOT NULL)",
    """CREATE TABLE person_turns (
        user_id BIGINT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE, served_at {ts} NOT NULL)""",
    """CREATE TABLE site_cookies (
        site TEXT PRIMARY KEY NOT NULL, cookies TEXT NOT NULL, number INTEGER NOT NULL, expires_at {ts},
        uploaded_by BIGINT REFERENCES users (id) ON DELETE SET NULL, uploaded_at {ts} NOT NULL, stale_since {ts})""",
    "ALTER TABLE queue_settings ADD COLUMN per_person_downloads INTEGER",
    "ALTER TABLE queue_settings ADD COLUMN total_rate_bytes_s BIGINT",
    "ALTER TABLE queue_settings ADD COLUMN night_holds TEXT NOT NULL DEFAULT 'nothing'",
    "ALTER TABLE queue_settings ADD COLUMN night_from INTEGER NOT NULL DEFAULT 23",
    "ALTER TABLE queue_settings ADD COLUMN night_until INTEGER NOT NULL DEFAULT 7",
    "ALTER TABLE queue_settings ADD COLUMN time_zone TEXT NOT NULL DEFAULT ''",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
