"""Queries on people for those who look after them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from medianest.accounts.model import DefaultRights, Quotas, Role, SuspensionCode, UserState
from medianest.accounts.people.model import OwnQuotas, PeopleFilter, Person, PersonKind, PersonOrder
from medianest.accounts.repository import USER_SQL, username_key
from medianest.accounts.rights import DEFAULTS_KEY, default_rights, own_permissions, user_from_row
from medianest.accounts.tables import UserRow
from medianest.database import fetch, is_postgres, mapped_errors
from medianest.errors import NotFound

ADMINISTRATORS_LOCK = 6378_0011  # whoever may end an administrator's being one holds it until the commit
PERSON_SQL = (
    f"{USER_SQL}, u.email, u.state_code, u.state_reason, u.suspended_until, u.password_hash IS NOT NULL AS has_password, "
    "u.totp_secret IS NOT NULL AS has_second_factor, a.username AS plex_name, "
    "(SELECT count(*) FROM download_people d WHERE d.user_id = u.id) AS downloads, "
    "(SELECT count(*) FROM user_sessions s WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.expires_at > {}) AS sessions "
    "FROM users u LEFT JOIN plex_accounts a ON a.user_id = u.id"
)
ORDERS = {
    PersonOrder.NAME: "u.username_key, u.id",
    PersonOrder.SEEN: "u.last_seen_at DESC NULLS LAST, u.id",
    PersonOrder.NEW: "u.id DESC",
    PersonOrder.ROLE: "u.role, u.username_key, u.id",
}


class PeopleRepository:
    """Rows inside, models outside."""

    async def get(self, user_id: int, *, at: datetime) -> Person:
        rows = await fetch(f"SELECT {PERSON_SQL} WHERE u.id = {{}}", at, user_id)
        if not rows:
            raise NotFound("There is no such person.")
        return _person(rows[0])

    async def page(self, wanted: PeopleFilter, *, limit: int, offset: int, at: datetime) -> tuple[Person, ...]:
        where, values = _where(wanted)
        rows = await fetch(
            f"SELECT {PERSON_SQL} {where} ORDER BY {ORDERS[wanted.order]} LIMIT {{}} OFFSET {{}}",
            *(at, *values, limit, offset),
        )
        return tuple(_person(row) for row in rows)

    async def count(self, wanted: PeopleFilter) -> int:
        where, values = _where(wanted)
        rows = await fetch(
            f"SELECT count(*) AS n FROM users u LEFT JOIN plex_accounts a ON a.user_id = u.id {where}", *values
        )
        return int(rows[0]["n"])

    async def add(
        self, username: str, display_name: str, password_hash: str, *, is_child: bool, rating_limit: str | None, at: datetime
    ) -> int:  # fmt: skip
        """Raises `UniqueViolation` when the name is taken."""
        async with mapped_errors():
            rows = await UserRow.insert(
                UserRow(
                    username=username,
                    username_key=username_key(username),
                    display_name=display_name,
                    password_hash=password_hash,
                    role=Role.USER.value,
                    state=UserState.ACTIVE.value,
                    is_child=is_child,
                    rating_limit=rating_limit,
                    must_change_password=True,
                    created_at=at,
                )
            ).returning(UserRow.id)
        return int(rows[0]["id"])

    async def change(self, user_id: int, values: Mapping[str, Any]) -> None:
        """Set columns of a person."""
        if values:
            columns = {getattr(UserRow, name): value for name, value in values.items()}
            await UserRow.update(columns).where(UserRow.id == user_id)

    # what holds the house: somebody must be able to get in and run it

    async def hold_administrators(self) -> None:
        """Keep other transactions from ending an administrator's being one until this one has ended.

        SQLite's writer is alone anyway.
        """
        if is_postgres():
            await fetch("SELECT pg_advisory_xact_lock({}::bigint)", ADMINISTRATORS_LOCK)

    async def hold(self, user_id: int) -> None:
        """Keep the person's row: nothing can be written that belongs to them."""
        if is_postgres():
            await fetch("SELECT id FROM users WHERE id = {} FOR UPDATE", user_id)

    async def role(self, user_id: int) -> Role | None:
        """What somebody is at this moment; None when they are gone."""
        rows = await fetch("SELECT role FROM users WHERE id = {}", user_id)
        return Role(rows[0]["role"]) if rows else None

    async def other_administrator(self, user_id: int) -> int | None:
        """The one who has been an active administrator longest, `user_id` aside."""
        rows = await fetch(
            "SELECT id FROM users WHERE role = {} AND state = {} AND id <> {} ORDER BY id LIMIT 1",
            *(Role.ADMIN.value, UserState.ACTIVE.value, user_id),
        )
        return int(rows[0]["id"]) if rows else None

    # suspension

    async def suspend(self, user_id: int, code: SuspensionCode, reason: str, until: datetime | None) -> None:
        await fetch(
            "UPDATE users SET state = {}, state_code = {}, state_reason = {}, suspended_until = {} WHERE id = {}",
            *(UserState.SUSPENDED.value, code.value, reason, until, user_id),
        )

    async def end_suspension(self, user_id: int) -> None:
        """Active again; what was counted against their Plex account is counted anew."""
        await fetch(
            "UPDATE users SET state = {}, state_code = NULL, state_reason = NULL, suspended_until = NULL WHERE id = {}",
            *(UserState.ACTIVE.value, user_id),
        )
        await fetch("UPDATE plex_accounts SET missing_since = NULL WHERE user_id = {}", user_id)

    async def suspensions_due(self, *, at: datetime) -> tuple[tuple[int, str], ...]:
        """Number and name of everybody whose suspension has run out."""
        rows = await fetch(
            "SELECT id, username FROM users WHERE state = {} AND suspended_until <= {} ORDER BY id LIMIT 500",
            *(UserState.SUSPENDED.value, at),
        )
        return tuple((row["id"], row["username"]) for row in rows)

    # security of one person

    async def reset_password(self, user_id: int, password_hash: str) -> None:
        await fetch(
            "UPDATE users SET password_hash = {}, must_change_password = {} WHERE id = {}", password_hash, True, user_id
        )

    async def key_ids(self, user_id: int) -> tuple[int, ...]:
        """Their API keys that were not revoked."""
        rows = await fetch("SELECT id FROM api_keys WHERE user_id = {} AND revoked_at IS NULL ORDER BY id", user_id)
        return tuple(row["id"] for row in rows)

    async def delete(self, user_id: int) -> tuple[UUID, ...]:
        """Delete the person and what hangs on them; gives the sessions that were open."""
        rows = await fetch("SELECT id FROM user_sessions WHERE user_id = {} AND revoked_at IS NULL", user_id)
        await fetch("DELETE FROM users WHERE id = {}", user_id)
        return tuple(row["id"] if isinstance(row["id"], UUID) else UUID(str(row["id"])) for row in rows)

    # the default set

    async def default_rights(self) -> DefaultRights:
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", DEFAULTS_KEY)
        return default_rights(rows[0]["value"] if rows else None)

    async def save_default_rights(self, rights: DefaultRights, *, by: int, at: datetime) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_by, updated_at) VALUES ({}, {}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_by = excluded.updated_by, "
            "updated_at = excluded.updated_at",
            *(DEFAULTS_KEY, msgspec.json.encode(rights).decode(), by, at),
        )


def _where(wanted: PeopleFilter) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if wanted.words:
        key = "%" + _escaped(username_key(wanted.words)) + "%"
        fields = ("u.username_key", "lower(u.display_name)", "lower(u.email)", "lower(a.username)")
        conditions.append("(" + " OR ".join(f"{field} LIKE {{}} ESCAPE '!'" for field in fields) + ")")
        values += [key] * len(fields)
    for column, value in (("u.role", wanted.role), ("u.state", wanted.state)):
        if value is not None:
            conditions.append(f"{column} = {{}}")
            values.append(value.value)
    if wanted.kind is not None:
        conditions.append(
            {
                PersonKind.CHILD: "u.is_child",
                PersonKind.PLEX: "NOT u.is_child AND a.user_id IS NOT NULL",
                PersonKind.LOCAL: "NOT u.is_child AND a.user_id IS NULL",
            }[wanted.kind]
        )
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), values


def _escaped(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _person(row: Mapping[str, Any]) -> Person:
    user = user_from_row(row)
    kind = PersonKind.CHILD if user.is_child else PersonKind.PLEX if row["plex_name"] is not None else PersonKind.LOCAL
    return Person(
        **msgspec.structs.asdict(user),
        email=row["email"],
        plex_name=row["plex_name"],
        kind=kind,
        own_permissions=own_permissions(row["permissions"]),
        own_quotas=OwnQuotas(
            **{name: None if row[name] is None else int(row[name]) for name in Quotas.__struct_fields__}
        ),
        state_code=SuspensionCode(row["state_code"]) if row["state_code"] else None,
        state_reason=row["state_reason"],
        suspended_until=row["suspended_until"],
        has_password=bool(row["has_password"]),
        has_second_factor=bool(row["has_second_factor"]),
        downloads=int(row["downloads"]),
        sessions=int(row["sessions"]),
    )
