"""The audit log as it is read: who did what to whom, from where, before and after."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line. `before` and `after` hold the values that changed; `actor_id` is None for the console and strangers."""

    id: int
    at: datetime
    actor_id: int | None
    actor_name: str
    action: str
    target: str
    detail: str
    address: str
    request_id: str
    before: dict[str, Any] | str | None = None  # text: it was too long to be kept whole
    after: dict[str, Any] | str | None = None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to show. Everything left empty counts for nothing."""

    action: str = ""  # a group such as `account`, or one action such as `account.password_changed`
    person: str = ""  # user name of who did it
    target: str = ""  # a part of what it was done to
    since: datetime | None = None
    until: datetime | None = None  # not included


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first. `older` and `newer` are ids for `before` and `after`; None where nothing follows."""

    items: tuple[AuditRecord, ...]
    older: int | None
    newer: int | None
