"""Tables of the engine. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import BigSerial, Text, Timestamptz
from piccolo.table import Table


class EngineUpdateRow(Table, tablename="engine_updates"):
    id = BigSerial(primary_key=True)
    instance = Text(help_text="the data folder it happened in: each has its own versions")
    at = Timestamptz()
    way = Text(help_text="a Way: daily, button, file, rollback, automatic_rollback")
    outcome = Text(help_text="an Outcome: changed, current, refused, failed")
    version = Text(help_text="that came or was to come")
    from_version = Text()
    code = Text()
    text = Text()
    by_name = Text(help_text="empty: by itself")


class EngineSiteRow(Table, tablename="engine_sites"):
    """How one site went lately with the version of one instance."""

    key = Text(primary_key=True, help_text="instance and site")
    site = Text()
    version = Text(help_text="yt-dlp that the failures came with")
    worked_at = Timestamptz(null=True, default=None)
    failures = Text(help_text="JSON list of [address, kind, seconds since 1970], since the last success")
    changed_at = Timestamptz()
