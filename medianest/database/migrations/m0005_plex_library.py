"""What Plex is still to be asked to look at, which of our videos it has, and the playlists that are collections there."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    # where each filed video stands in Plex
    """CREATE TABLE plex_places (
        history_id BIGINT PRIMARY KEY NOT NULL REFERENCES download_history (id) ON DELETE CASCADE,
        folder TEXT NOT NULL, path TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
        section TEXT, item_type TEXT, rating_key TEXT, server_id TEXT,
        wanted_at {ts} NOT NULL, found_at {ts}, checked_at {ts})""",
    "CREATE INDEX plex_places_folder ON plex_places (folder, state)",
    "CREATE INDEX plex_places_open ON plex_places (state) WHERE state IN ('waiting', 'missing')",
    "CREATE INDEX plex_places_checked ON plex_places (checked_at, history_id) WHERE state = 'found'",
    # work: one row a folder; `changes` counts what came in, so that nothing that comes meanwhile is lost
    """CREATE TABLE plex_scans (
        id {pk}, folder TEXT NOT NULL, first_wanted_at {ts} NOT NULL, changes INTEGER NOT NULL, due_at {ts},
        attempts INTEGER NOT NULL, reason TEXT NOT NULL, owner TEXT, lease_until {ts})""",
    "CREATE UNIQUE INDEX plex_scans_folder ON plex_scans (folder)",
    "CREATE INDEX plex_scans_due ON plex_scans (due_at) WHERE due_at IS NOT NULL",
    # a playlist as a collection; it outlives its download until it is taken out of Plex
    """CREATE TABLE plex_collections (
        id {pk}, download_id BIGINT NOT NULL, state TEXT NOT NULL, title TEXT NOT NULL, section TEXT, item_type TEXT,
        rating_key TEXT, server_id TEXT, marker TEXT, poster TEXT, members INTEGER NOT NULL, wanted INTEGER NOT NULL,
        changes INTEGER NOT NULL, due_at {ts}, attempts INTEGER NOT NULL, reason TEXT NOT NULL, owner TEXT,
        lease_until {ts}, created_at {ts} NOT NULL, changed_at {ts} NOT NULL)""",
    "CREATE UNIQUE INDEX plex_collections_download ON plex_collections (download_id)",
    "CREATE INDEX plex_collections_due ON plex_collections (due_at) WHERE due_at IS NOT NULL",
    # what we have put in, in order: what else stands in it is the owner's and stays
    """CREATE TABLE plex_collection_members (
        collection_id BIGINT NOT NULL REFERENCES plex_collections (id) ON DELETE CASCADE, rating_key TEXT NOT NULL,
        position INTEGER NOT NULL, PRIMARY KEY (collection_id, rating_key))""",
    # what was filed or removed while nobody listened
    "CREATE INDEX download_history_filed ON download_history (filed_at)",
    "CREATE INDEX download_history_deleted ON download_history (deleted_at) WHERE deleted_at IS NOT NULL",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
