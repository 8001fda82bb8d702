"""Updates of the download engine, and how each site went lately with the version that is chosen."""

from __future__ import annotations

from medianest.database.operations import Operations

STATEMENTS = (
    """CREATE TABLE engine_updates (
        id {pk}, instance TEXT NOT NULL, at {ts} NOT NULL, way TEXT NOT NULL, outcome TEXT NOT NULL,
        version TEXT NOT NULL, from_version TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL, by_name TEXT NOT NULL)""",
    "CREATE INDEX engine_updates_instance ON engine_updates (instance, id)",
    """CREATE TABLE engine_sites (
        key TEXT PRIMARY KEY NOT NULL, site TEXT NOT NULL, version TEXT NOT NULL, worked_at {ts}, failures TEXT NOT NULL,
        changed_at {ts} NOT NULL)""",
    "CREATE INDEX engine_sites_changed ON engine_sites (changed_at)",
)


async def up(op: Operations) -> None:
    for statement in STATEMENTS:
        await op.run(statement)
