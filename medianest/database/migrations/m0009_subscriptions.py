"""Followed channels, playlists and feeds, and what each of them is known to have."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE subscriptions (
        id {pk}, user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE, url TEXT NOT NULL, url_key TEXT NOT NULL,
        site TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL, uploader TEXT NOT NULL, picture TEXT,
        interval_s INTEGER NOT NULL, quality TEXT NOT NULL, audio_only {bool} NOT NULL, layout TEXT NOT NULL,
        priority INTEGER NOT NULL, filters {json} NOT NULL, keep_rule TEXT NOT NULL, keep_number INTEGER,
        state TEXT NOT NULL, is_newest_first {bool} NOT NULL, next_check_at {ts} NOT NULL, due_at {ts},
        checked_at {ts}, outcome TEXT, message TEXT NOT NULL, failures INTEGER NOT NULL, owner TEXT, lease_until {ts},
        deletes_files {bool} NOT NULL, created_at {ts} NOT NULL, changed_at {ts} NOT NULL)""",
    "CREATE UNIQUE INDEX subscriptions_source ON subscriptions (user_id, url_key)",
    "CREATE INDEX subscriptions_of ON subscriptions (user_id, title, id)",
    "CREATE INDEX subscriptions_all ON subscriptions (title, id)",
    "CREATE INDEX subscriptions_due ON subscriptions (due_at) WHERE due_at IS NOT NULL",
    # what is known stays known, whatever becomes of its file: nothing comes back that somebody deleted
    """CREATE TABLE subscription_items (
        id {pk}, subscription_id BIGINT NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE, item_key TEXT NOT NULL,
        identity TEXT NOT NULL, url TEXT NOT NULL, title TEXT NOT NULL, duration_s INTEGER, tab TEXT NOT NULL,
        published_on {date}, place BIGINT NOT NULL, is_backlog {bool} NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
        download_id BIGINT, is_ours {bool} NOT NULL, history_id BIGINT, found_at {ts} NOT NULL, changed_at {ts} NOT NULL)""",
    "CREATE UNIQUE INDEX subscription_items_key ON subscription_items (subscription_id, item_key)",
    "CREATE INDEX subscription_items_place ON subscription_items (subscription_id, place)",
    "CREATE INDEX subscription_items_state ON subscription_items (subscription_id, state, place)",
    "CREATE INDEX subscription_items_download ON subscription_items (download_id) WHERE download_id IS NOT NULL",
    "CREATE INDEX subscription_items_history ON subscription_items (history_id) WHERE history_id IS NOT NULL",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
