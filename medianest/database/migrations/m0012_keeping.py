"""How long videos stay: the owner's rules, marks on single videos, deletions that were announced, and long work on the library."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE video_marks (
        history_id BIGINT PRIMARY KEY NOT NULL REFERENCES download_history (id) ON DELETE CASCADE, origin TEXT NOT NULL,
        shielded_at {ts}, shielded_by BIGINT REFERENCES users (id) ON DELETE SET NULL, watched_at {ts})""",
    """CREATE TABLE planned_deletions (
        id {pk}, history_id BIGINT NOT NULL REFERENCES download_history (id) ON DELETE CASCADE, title TEXT NOT NULL,
        size_bytes BIGINT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, told {json} NOT NULL,
        announced_at {ts} NOT NULL, due_at {ts} NOT NULL, outcome TEXT NOT NULL, ended_at {ts})""",
    "CREATE UNIQUE INDEX planned_deletions_open ON planned_deletions (history_id) WHERE ended_at IS NULL",
    "CREATE INDEX planned_deletions_video ON planned_deletions (history_id)",
    "CREATE INDEX planned_deletions_ended ON planned_deletions (ended_at, id) WHERE ended_at IS NOT NULL",
    """CREATE TABLE keeping_settings (
        id INTEGER PRIMARY KEY NOT NULL, days INTEGER, newest_per_show INTEGER, watched_days INTEGER,
        free_space_bytes BIGINT, notice_days INTEGER NOT NULL, updated_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
        updated_at {ts} NOT NULL)""",
    """CREATE TABLE library_work (
        id {pk}, kind TEXT NOT NULL, is_dry_run {bool} NOT NULL, target TEXT NOT NULL, state TEXT NOT NULL,
        step TEXT NOT NULL, done BIGINT NOT NULL, total BIGINT NOT NULL, message TEXT NOT NULL, found {json} NOT NULL,
        started_by BIGINT REFERENCES users (id) ON DELETE SET NULL, started_at {ts} NOT NULL, changed_at {ts} NOT NULL,
        ended_at {ts}, owner TEXT, lease_until {ts})""",
    # one at a time: they would move each other's files
    "CREATE UNIQUE INDEX library_work_running ON library_work (state) WHERE state = 'running'",
    "CREATE INDEX download_history_newest ON download_history (requested_by, id)",
    "CREATE INDEX download_history_site ON download_history (site, id)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
