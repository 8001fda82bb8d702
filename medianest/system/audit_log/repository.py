"""Reading the audit log: always along its ids, so that a page costs the same among a hundred thousand lines."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.system.audit_log.model import AuditFilter, AuditRecord

_COLUMNS = "id, at, actor_id, actor_name, action, target, detail, address, request_id, before, after"
# every action there is, by one look into the index for each
ACTIONS_QUERY = (
    "WITH RECURSIVE found (action) AS (SELECT min(action) FROM audit_logs UNION ALL "
    "SELECT (SELECT min(l.action) FROM audit_logs l WHERE l.action > found.action) FROM found WHERE found.action IS NOT NULL) "
    "SELECT action FROM found WHERE action IS NOT NULL"
)

Where = tuple[str, tuple[Any, ...]]


class AuditRepository:
    """Questions about the log."""

    async def actions(self) -> tuple[str, ...]:
        """Names of all actions that were ever written down, in their order."""
        return tuple(row["action"] for row in await fetch(ACTIONS_QUERY))

    async def where(self, wanted: AuditFilter) -> Where:
        """The condition for a filter, with its values."""
        parts: list[str] = []
        values: list[Any] = []
        # Postgres takes no NUL in a text, and nothing that was written down holds one
        texts = {name: getattr(wanted, name).replace("\x00", "") for name in ("action", "person", "target")}
        wanted = msgspec.structs.replace(wanted, **texts)
        if wanted.action:
            await self._of_action(wanted.action, parts, values)
        if wanted.person:
            await self._of_person(wanted.person, parts, values)
        if wanted.target:
            parts.append("lower(target) LIKE {} ESCAPE '!'")
            values.append(f"%{_literal(wanted.target.lower())}%")
        if wanted.since is not None:
            parts.append("at >= {}")
            values.append(wanted.since)
        if wanted.until is not None:
            parts.append("at < {}")
            values.append(wanted.until)
        return " AND ".join(parts) or "1 = 1", tuple(values)

    async def _of_action(self, action: str, parts: list[str], values: list[Any]) -> None:
        if "." in action:
            names: tuple[str, ...] = (action,)
        else:
            names = tuple(name for name in await self.actions() if name.startswith(f"{action}.")) or (action,)
        parts.append(f"action IN ({', '.join(['{}'] * len(names))})")
        values += names

    async def _of_person(self, person: str, parts: list[str], values: list[Any]) -> None:
        key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", person).strip().casefold())
        people = await fetch("SELECT id FROM users WHERE username_key = {}", key)
        if people:
            parts.append("actor_id = {}")
            values.append(people[0]["id"])
        else:  # the console, somebody who was deleted, or a name that was tried at the door
            parts.append("lower(actor_name) = {}")
            values.append(person.strip().lower())

    async def page(
        self, where: Where, limit: int, *, before: int | None = None, after: int | None = None
    ) -> list[AuditRecord]:
        """Up to `limit` lines, newest first: those before an id, or the ones that follow right after an id."""
        sql, values = page_query(where, before=before, after=after)
        rows = await fetch(sql, *values, limit)
        found = [_record(row) for row in rows]
        return found[::-1] if after is not None else found


def page_query(where: Where, *, before: int | None = None, after: int | None = None) -> Where:
    """The statement of a page; it ends with a place for the limit."""
    condition, values = where
    if after is not None:
        return (
            f"SELECT {_COLUMNS} FROM audit_logs WHERE {condition} AND id > {{}} ORDER BY id LIMIT {{}}",  # noqa: S608
            (*values, after),
        )
    if before is not None:
        condition, values = f"{condition} AND id < {{}}", (*values, before)
    return f"SELECT {_COLUMNS} FROM audit_logs WHERE {condition} ORDER BY id DESC LIMIT {{}}", values  # noqa: S608


def _literal(text: str) -> str:
    for sign in ("!", "%", "_"):
        text = text.replace(sign, "!" + sign)
    return text


def _record(row: dict[str, Any]) -> AuditRecord:
    return AuditRecord(**{**row, "before": _values(row["before"]), "after": _values(row["after"])})


def _values(text: str) -> dict[str, Any] | str | None:
    if not text:
        return None
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:  # cut off where it was too long
        return text
    return found if isinstance(found, dict) else text
