"""Tables of the house itself. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import BigInt, BigSerial, Text, Timestamptz
from piccolo.table import Table


class SettingRow(Table, tablename="system_settings"):
    key = Text(primary_key=True)
    value = Text()
    updated_by = BigInt(null=True, default=None)
    updated_at = Timestamptz()


class AuditRow(Table, tablename="audit_logs"):
    id = BigSerial(primary_key=True)
    at = Timestamptz()
    actor_id = BigInt(null=True, default=None)
    actor_name = Text()
    action = Text(help_text="past tense, dotted: `account.password_changed`")
    target = Text()
    detail = Text()
    address = Text()
    request_id = Text()
    before = Text(default="", help_text="JSON of the values that changed, secrets left out; empty: nothing to say")
    after = Text(default="")


class ScheduledRunRow(Table, tablename="scheduled_runs"):
    id = BigSerial(primary_key=True)
    name = Text()
    slot = Text(help_text="the planned time, or `now-<uuid>`; unique with the name, so that one instance runs it")
    started_at = Timestamptz()
    finished_at = Timestamptz(null=True, default=None)
    outcome = Text(help_text="running, ok or failed")
    message = Text()
    owner = Text()
