"""Tables of what is kept and what goes. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import JSONB, BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table


class VideoMarkRow(Table, tablename="video_marks"):
    """What is known of a video beside its record; most have none."""

    history_id = BigInt(primary_key=True)
    origin = Text(help_text="an Origin; empty: it was downloaded here")
    shielded_at = Timestamptz(null=True, default=None, help_text="no rule deletes it")
    shielded_by = BigInt(null=True, default=None)
    watched_at = Timestamptz(null=True, default=None, help_text="as Plex says, for whoever asked for it")


class PlannedDeletionRow(Table, tablename="planned_deletions"):
    """A deletion that was announced, and how it ended. One that is open for a video at most."""

    id = BigSerial(primary_key=True)
    history_id = BigInt()
    title = Text()
    size_bytes = BigInt()
    reason = Text(help_text="a Why")
    detail = Text(help_text="of the reason: the number of the rule, the subscription's title")
    told = JSONB(help_text="ids of the people who were told")
    announced_at = Timestamptz()
    due_at = Timestamptz(help_text="not before")
    outcome = Text(help_text="an Outcome; empty while it is open")
    ended_at = Timestamptz(null=True, default=None)


class KeepingSettingsRow(Table, tablename="keeping_settings"):
    """One row, id 1. A rule that is null is off."""

    id = Integer(primary_key=True)
    days = Integer(null=True, default=None)
    newest_per_show = Integer(null=True, default=None)
    watched_days = Integer(null=True, default=None)
    free_space_bytes = BigInt(null=True, default=None)
    notice_days = Integer()
    updated_by = BigInt(null=True, default=None)
    updated_at = Timestamptz()


class LibraryWorkRow(Table, tablename="library_work"):
    """Long work on the whole library; one runs at a time."""

    id = BigSerial(primary_key=True)
    kind = Text(help_text="a WorkKind")
    is_dry_run = Boolean()
    target = Text(help_text="of a move: the new folder")
    state = Text(help_text="a WorkState")
    step = Text(help_text="of a move: a MoveStep")
    done = BigInt(help_text="files, or bytes of a move")
    total = BigInt()
    message = Text(help_text="a sentence about how it stands or ended")
    found = JSONB(help_text="the first of what was found")
    started_by = BigInt(null=True, default=None)
    started_at = Timestamptz()
    changed_at = Timestamptz()
    ended_at = Timestamptz(null=True, default=None)
    owner = Text(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
