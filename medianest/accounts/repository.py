"""Every query on people, sessions and preferences: rows inside, models outside."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from medianest.accounts.model import Identity, Preferences, Role, Session, User, UserState
from medianest.accounts.rights import DEFAULTS_KEY, user_from_row
from medianest.accounts.tables import PlexAccountRow, PreferencesRow, SessionRow, UserRow
from medianest.database import fetch, mapped_errors
from medianest.errors import NotFound

# what `user_from_row` reads; the default rights come along, so that a person is one query
USER_SQL = (
    "u.id, u.username, u.display_name, u.role, u.state, u.created_at, u.last_seen_at, u.permissions, u.is_child, "
    "u.rating_limit, u.picture, u.must_change_password, u.requests_limit, u.requests_days, u.downloads_per_hour, "
    f"u.storage_bytes, (SELECT value FROM system_settings WHERE key = '{DEFAULTS_KEY}') AS default_rights"
)
SESSION_COLUMNS = (
    SessionRow.id,
    SessionRow.user_id,
    SessionRow.device_name,
    SessionRow.address,
    SessionRow.is_remembered,
    SessionRow.created_at,
    SessionRow.last_used_at,
    SessionRow.expires_at,
    SessionRow.method,
)


def username_key(username: str) -> str:
    """How names are compared: case, surrounding spaces and the way an accent is written do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).strip().casefold())


class AccountRepository:
    """People and what belongs to their sign-in."""

    async def get(self, user_id: int) -> User:
        rows = await fetch(f"SELECT {USER_SQL} FROM users u WHERE u.id = {{}}", user_id)
        if not rows:
            raise NotFound("There is no such person.")
        return user_from_row(rows[0])

    async def find(self, username: str) -> tuple[User, str | None] | None:
        """The person of that name and the stored hash, or None."""
        rows = await fetch(
            f"SELECT {USER_SQL}, u.password_hash FROM users u WHERE u.username_key = {{}}", username_key(username)
        )
        return (user_from_row(rows[0]), rows[0]["password_hash"]) if rows else None

    async def password_hash(self, user_id: int) -> str | None:
        row = await UserRow.select(UserRow.password_hash).where(UserRow.id == user_id).first()
        return row["password_hash"] if row else None

    async def has_admin(self) -> bool:
        return await UserRow.select(UserRow.id).where(UserRow.role == Role.ADMIN.value).first() is not None

    async def add(self, username: str, password_hash: str, role: Role, *, at: datetime) -> User:
        """Raises `UniqueViolation` when the name is taken."""
        name = username.strip()
        async with mapped_errors():
            rows = await UserRow.insert(
                UserRow(
                    username=name,
                    username_key=username_key(name),
                    display_name=name,
                    password_hash=password_hash,
                    role=role.value,
                    state=UserState.ACTIVE.value,
                    created_at=at,
                )
            ).returning(UserRow.id)
        return await self.get(rows[0]["id"])

    async def set_password(self, user_id: int, password_hash: str) -> None:
        """The same password, hashed anew; whether it must be changed stays."""
        await UserRow.update({UserRow.password_hash: password_hash}).where(UserRow.id == user_id)

    async def replace_password(self, user_id: int, old_hash: str | None, new_hash: str) -> bool:
        """A password of the person's own choice; False when it was changed meanwhile."""
        rows = await fetch(
            "UPDATE users SET password_hash = {}, must_change_password = {} WHERE id = {} AND password_hash = {} RETURNING id",
            new_hash,
            False,
            user_id,
            old_hash,
        )
        return bool(rows)

    async def rename(self, user_id: int, display_name: str) -> None:
        await UserRow.update({UserRow.display_name: display_name}).where(UserRow.id == user_id)

    async def is_of_plex(self, user_id: int) -> bool:
        """Whether a Plex account belongs to the person: then name and picture follow it."""
        found = await PlexAccountRow.select(PlexAccountRow.user_id).where(PlexAccountRow.user_id == user_id).first()
        return found is not None

    async def seen(self, user_id: int, session_id: UUID, *, at: datetime, address: str) -> None:
        await fetch("UPDATE users SET last_seen_at = {} WHERE id = {}", at, user_id)
        await fetch("UPDATE user_sessions SET last_used_at = {}, address = {} WHERE id = {}", at, address, session_id)

    # sessions

    async def add_session(self, row: SessionRow) -> Session:
        await SessionRow.insert(row)
        return msgspec.convert(
            {column._meta.name: getattr(row, column._meta.name) for column in SESSION_COLUMNS}, Session
        )

    async def who(self, session_id: UUID, *, at: datetime) -> tuple[User, Preferences, Session, int] | None:
        """Person, preferences, session and number of open notices behind a live session, in one query."""
        rows = await fetch(
            "SELECT s.id AS session_id, s.device_name, s.address, s.is_remembered, s.created_at AS session_created_at, "
            "s.last_used_at, s.expires_at, s.method, "
            "(SELECT count(*) FROM account_notices n WHERE n.user_id = u.id AND n.seen_at IS NULL) AS open_notices, "
            f"{USER_SQL}, p.theme, p.time_zone, p.page_size, p.default_quality, p.is_shortcuts_on, p.date_locale "
            "FROM user_sessions s JOIN users u ON u.id = s.user_id LEFT JOIN user_preferences p ON p.user_id = u.id "
            "WHERE s.id = {} AND s.revoked_at IS NULL AND s.expires_at > {} AND u.state = {}",
            session_id,
            at,
            UserState.ACTIVE.value,
        )
        if not rows:
            return None
        row = rows[0]
        user = user_from_row(row)
        session = Session(
            id=session_id,
            user_id=row["id"],
            device_name=row["device_name"],
            address=row["address"],
            is_remembered=row["is_remembered"],
            created_at=row["session_created_at"],
            last_used_at=row["last_used_at"],
            expires_at=row["expires_at"],
            method=row["method"],
        )
        return user, _preferences(row), session, int(row["open_notices"])

    async def rotate(
        self, session_id: UUID, old_hash: str, new_hash: str, *, at: datetime, expires_at: datetime
    ) -> bool:
        """Put the new refresh token in the place of the old one; False when somebody was faster."""
        rows = await fetch(
            "UPDATE user_sessions SET refresh_hash = {}, previous_hash = {}, rotated_at = {}, last_used_at = {}, expires_at = {} "
            "WHERE id = {} AND refresh_hash = {} AND revoked_at IS NULL AND expires_at > {} RETURNING user_id",
            new_hash,
            old_hash,
            at,
            at,
            expires_at,
            session_id,
            old_hash,
            at,
        )
        return bool(rows)

    async def rotation(self, session_id: UUID) -> dict[str, Any] | None:
        """`previous_hash, rotated_at, user_id, is_remembered, created_at` of a session that was not revoked."""
        row: dict[str, Any] | None = (
            await SessionRow.select(
                SessionRow.previous_hash,
                SessionRow.rotated_at,
                SessionRow.user_id,
                SessionRow.is_remembered,
                SessionRow.created_at,
                SessionRow.expires_at,
            )
            .where((SessionRow.id == session_id) & SessionRow.revoked_at.is_null())
            .first()
        )
        return row

    async def sessions(self, user_id: int, *, at: datetime) -> tuple[Session, ...]:
        """Live sessions, the latest used first."""
        rows = (
            await SessionRow.select(*SESSION_COLUMNS)
            .where((SessionRow.user_id == user_id) & SessionRow.revoked_at.is_null() & (SessionRow.expires_at > at))
            .order_by(SessionRow.last_used_at, ascending=False)
        )
        return tuple(msgspec.convert(row, Session) for row in rows)

    async def with_sessions(self, *, at: datetime) -> list[int]:
        """Ids of the people who are signed in somewhere."""
        rows = await fetch(
            "SELECT DISTINCT user_id FROM user_sessions WHERE revoked_at IS NULL AND expires_at > {}", at
        )
        return [int(row["user_id"]) for row in rows]

    async def revoke(
        self, user_id: int, reason: str, *, at: datetime, only: UUID | None = None, but: UUID | None = None
    ) -> tuple[UUID, ...]:
        """End one session (`only`), all but one (`but`) or all of a person; gives the ids that ended."""
        sql = "UPDATE user_sessions SET revoked_at = {}, revoked_reason = {} WHERE user_id = {} AND revoked_at IS NULL"
        values: list[Any] = [at, reason, user_id]
        if only is not None:
            sql, values = sql + " AND id = {}", [*values, only]
        if but is not None:
            sql, values = sql + " AND id <> {}", [*values, but]
        rows = await fetch(sql + " RETURNING id", *values)
        return tuple(row["id"] if isinstance(row["id"], UUID) else UUID(str(row["id"])) for row in rows)

    async def clean_sessions(self, *, before: datetime) -> int:
        """Delete sessions that ended before."""
        ended = await fetch("DELETE FROM user_sessions WHERE expires_at < {} RETURNING id", before)
        revoked = await fetch("DELETE FROM user_sessions WHERE revoked_at < {} RETURNING id", before)
        return len(ended) + len(revoked)

    async def identity(self, user_id: int) -> Identity:
        """By what a person is known elsewhere; empty without a Plex account."""
        rows = await fetch("SELECT plex_id, email FROM plex_accounts WHERE user_id = {}", user_id)
        return Identity(plex_id=rows[0]["plex_id"], email=rows[0]["email"] or "") if rows else Identity()

    # preferences

    async def save_preferences(self, user_id: int, preferences: Preferences) -> None:
        await fetch(
            "INSERT INTO user_preferences (user_id, theme, time_zone, page_size, default_quality, is_shortcuts_on, "
            "date_locale) VALUES ({}, {}, {}, {}, {}, {}, {}) ON CONFLICT (user_id) DO UPDATE SET theme = excluded.theme, "
            "time_zone = excluded.time_zone, page_size = excluded.page_size, default_quality = excluded.default_quality, "
            "is_shortcuts_on = excluded.is_shortcuts_on, date_locale = excluded.date_locale",
            user_id,
            preferences.theme.value,
            preferences.time_zone,
            preferences.page_size,
            preferences.default_quality,
            preferences.is_shortcuts_on,
            preferences.date_locale,
        )

    async def preferences(self, user_id: int) -> Preferences:
        row = await PreferencesRow.select().where(PreferencesRow.user_id == user_id).first()
        return _preferences(row) if row else Preferences()


def _preferences(row: dict[str, Any]) -> Preferences:
    if row.get("theme") is None:
        return Preferences()
    names = [field.name for field in msgspec.structs.fields(Preferences)]
    return msgspec.convert({name: row[name] for name in names}, Preferences)
