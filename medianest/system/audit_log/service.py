"""Pages and exports of the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from medianest.accounts.model import User
from medianest.system.audit import record
from medianest.system.audit_log.export import csv_head, csv_line, json_line
from medianest.system.audit_log.model import AuditFilter, AuditPage
from medianest.system.audit_log.repository import AuditRepository

MOST_AT_ONCE = 100
EXPORT_PIECE = 1000


class AuditService:
    """Built once in `app.py`. Who may read is decided by the routes."""

    def __init__(self, audit: AuditRepository) -> None:
        self._audit = audit

    async def page(
        self, wanted: AuditFilter, *, limit: int = 50, before: int | None = None, after: int | None = None
    ) -> AuditPage:
        """A page, newest first: the newest, those older than `before`, or those right after `after`."""
        limit = max(1, min(limit, MOST_AT_ONCE))
        where = await self._audit.where(wanted)
        found = await self._audit.page(where, limit + 1, before=before, after=after)  # one more tells if it goes on
        goes_on = len(found) > limit
        if after is not None:
            found = found[-limit:]
            older, newer = bool(found), goes_on
        else:
            found = found[:limit]
            older, newer = goes_on, before is not None and bool(found)
        return AuditPage(
            items=tuple(found),
            older=found[-1].id if older else None,
            newer=found[0].id if newer else None,
        )

    async def groups(self) -> tuple[str, ...]:
        """The first words of all actions there are."""
        return tuple(dict.fromkeys(action.partition(".")[0] for action in await self._audit.actions()))

    async def export(self, wanted: AuditFilter, kind: str, *, by: User, address: str = "") -> AsyncIterator[bytes]:
        """Everything that the filter lets through, newest first, as `csv` or `jsonl`; written piece by piece.

        The export itself is written down.
        """
        shown = {name: value for name, value in msgspec.to_builtins(wanted).items() if value}
        await record(
            "audit.exported", kind, actor_id=by.id, actor_name=by.username, address=address, after={"filter": shown}
        )
        return self._pieces(wanted, kind)

    async def _pieces(self, wanted: AuditFilter, kind: str) -> AsyncIterator[bytes]:
        where = await self._audit.where(wanted)
        if kind == "csv":
            yield csv_head()
        before: int | None = None
        while True:
            found = await self._audit.page(where, EXPORT_PIECE, before=before)
            if found:
                line = csv_line if kind == "csv" else json_line
                yield b"".join(line(one) for one in found)
            if len(found) < EXPORT_PIECE:
                return
            before = found[-1].id
