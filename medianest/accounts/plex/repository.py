"""Every query on Plex accounts and on the people they belong to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from medianest.accounts.model import Role, SuspensionCode, UserState
from medianest.accounts.plex.model import PlexAccount
from medianest.accounts.plex.names import display_name
from medianest.accounts.repository import username_key
from medianest.accounts.tables import PlexAccountRow, UserRow
from medianest.database import fetch, mapped_errors
from medianest.integrations.plex_tv import PlexPerson

COLUMNS = ", ".join(PlexAccount.__struct_fields__)


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An account to look at, with what matters about its person."""

    account: PlexAccount
    username: str
    is_admin: bool
    is_suspended: bool
    has_password: bool


class PlexAccountRepository:
    """Rows inside, models outside."""

    async def of_plex(self, plex_id: int) -> PlexAccount | None:
        rows = await fetch(f"SELECT {COLUMNS} FROM plex_accounts WHERE plex_id = {{}}", plex_id)
        return _account(rows[0]) if rows else None

    async def of_user(self, user_id: int) -> PlexAccount | None:
        rows = await fetch(f"SELECT {COLUMNS} FROM plex_accounts WHERE user_id = {{}}", user_id)
        return _account(rows[0]) if rows else None

    async def suspension(self, user_id: int) -> SuspensionCode | None:
        """Why somebody is suspended; None when they are not."""
        rows = await fetch(
            "SELECT state_code FROM users WHERE id = {} AND state = {}", user_id, UserState.SUSPENDED.value
        )
        if not rows:
            return None
        return SuspensionCode(rows[0]["state_code"]) if rows[0]["state_code"] else SuspensionCode.BY_ADMIN

    async def add_user(self, username: str, person: PlexPerson, picture: str | None, *, at: datetime) -> int:
        """A new person, with the default rights; raises `UniqueViolation` when the name is taken."""
        async with mapped_errors():
            rows = await UserRow.insert(
                UserRow(
                    username=username,
                    username_key=username_key(username),
                    display_name=display_name(person),
                    email=person.email,
                    password_hash=None,
                    role=Role.USER.value,
                    state=UserState.ACTIVE.value,
                    picture=picture,
                    created_at=at,
                )
            ).returning(UserRow.id)
        return int(rows[0]["id"])

    async def link(self, user_id: int, person: PlexPerson, *, is_owner: bool, at: datetime) -> None:
        """Tie a Plex account to somebody; raises `UniqueViolation` when it, or the person, has another one."""
        async with mapped_errors():
            await PlexAccountRow.insert(
                PlexAccountRow(
                    user_id=user_id,
                    plex_id=person.id,
                    username=person.username or person.title,
                    email=person.email,
                    thumb=person.thumb,
                    is_owner=is_owner,
                    linked_at=at,
                )
            )

    async def unlink(self, user_id: int) -> bool:
        return bool(await fetch("DELETE FROM plex_accounts WHERE user_id = {} RETURNING user_id", user_id))

    async def follow(self, user_id: int, person: PlexPerson, picture: str | None) -> None:
        """Name, mail and picture as they are at Plex; an uploaded picture stays when Plex has none."""
        await fetch(
            "UPDATE plex_accounts SET username = {}, email = {}, thumb = {} WHERE user_id = {}",
            person.username or person.title,
            person.email,
            person.thumb,
            user_id,
        )
        await fetch(
            "UPDATE users SET display_name = {}, email = {}, "
            "picture = CASE WHEN {} = '' AND picture NOT LIKE 'p%' THEN picture ELSE NULLIF({}, '') END WHERE id = {}",
            display_name(person),
            person.email,
            picture or "",
            picture or "",
            user_id,
        )

    async def has_access(
        self, user_id: int, *, is_owner: bool, server_token: str | None, at: datetime, account_token: str | None = None
    ) -> None:
        """A read found our server: what was doubtful is forgotten. `account_token`: the newest, when there is one."""
        await fetch(
            "UPDATE plex_accounts SET is_owner = {}, server_token = COALESCE({}, server_token), "
            "account_token = COALESCE({}, account_token), checked_at = {}, missing_since = NULL, refused_at = NULL, "
            "token_dead_at = NULL WHERE user_id = {}",
            is_owner,
            server_token,
            account_token,
            at,
            user_id,
        )

    async def end_suspension(self, user_id: int) -> bool:
        """Let somebody in again who had lost the server; nobody else."""
        return bool(
            await fetch(
                "UPDATE users SET state = {}, state_code = NULL, state_reason = NULL, suspended_until = NULL "
                "WHERE id = {} AND state = {} AND state_code = {} RETURNING id",
                UserState.ACTIVE.value,
                user_id,
                UserState.SUSPENDED.value,
                SuspensionCode.PLEX_ACCESS.value,
            )
        )

    # the check

    async def due(self, *, at: datetime, confirm_missing: timedelta, confirm_dead: timedelta) -> tuple[Due, ...]:
        """Accounts whose daily look, or whose second look, is due; the longest waiting first."""
        rows = await fetch(
            f"SELECT {', '.join('a.' + name for name in PlexAccount.__struct_fields__)}, u.username AS user_name, u.role, "
            "u.state, u.password_hash IS NOT NULL AS has_password FROM plex_accounts a JOIN users u ON u.id = a.user_id "
            "WHERE a.account_token IS NOT NULL AND a.token_dead_at IS NULL "
            "AND (u.state = {} OR u.state_code = {}) "
            "AND (a.checked_at IS NULL OR a.checked_at <= {} "
            "OR (a.missing_since <= {} AND u.state = {}) OR a.refused_at <= {}) "
            "ORDER BY a.checked_at NULLS FIRST, a.user_id LIMIT 200",
            UserState.ACTIVE.value,
            SuspensionCode.PLEX_ACCESS.value,
            at - timedelta(days=1),
            at - confirm_missing,
            UserState.ACTIVE.value,
            at - confirm_dead,
        )
        return tuple(
            Due(
                account=_account(row),
                username=row["user_name"],
                is_admin=row["role"] == Role.ADMIN.value,
                is_suspended=row["state"] == UserState.SUSPENDED.value,
                has_password=bool(row["has_password"]),
            )
            for row in rows
        )

    async def with_tokens(self) -> tuple[PlexAccount, ...]:
        rows = await fetch(
            f"SELECT {COLUMNS} FROM plex_accounts WHERE account_token IS NOT NULL AND token_dead_at IS NULL ORDER BY user_id"
        )
        return tuple(_account(row) for row in rows)

    async def missing(self, account: PlexAccount, *, at: datetime) -> datetime:
        """A successful read without our server; gives when the first of them was."""
        rows = await fetch(
            "UPDATE plex_accounts SET missing_since = COALESCE(missing_since, {}), refused_at = NULL, checked_at = {} "
            "WHERE user_id = {} AND account_token = {} RETURNING missing_since",
            at,
            at,
            account.user_id,
            account.account_token,
        )
        return rows[0]["missing_since"] if rows else at

    async def refused(self, account: PlexAccount, *, at: datetime) -> datetime:
        """plex.tv did not take the token; gives when it first did not. A newer token meanwhile is not meant."""
        rows = await fetch(
            "UPDATE plex_accounts SET refused_at = COALESCE(refused_at, {}) WHERE user_id = {} AND account_token = {} "
            "RETURNING refused_at",
            at,
            account.user_id,
            account.account_token,
        )
        return rows[0]["refused_at"] if rows else at

    async def token_died(self, account: PlexAccount, *, at: datetime) -> bool:
        """Forget a token that is dead for sure; False when there is a newer one."""
        return bool(
            await fetch(
                "UPDATE plex_accounts SET token_dead_at = {}, account_token = NULL, server_token = NULL "
                "WHERE user_id = {} AND account_token = {} RETURNING user_id",
                at,
                account.user_id,
                account.account_token,
            )
        )

    async def suspend(self, account: PlexAccount, reason: str) -> bool:
        """Suspend somebody who has lost the server; False when they are suspended, or came back meanwhile."""
        return bool(
            await fetch(
                "UPDATE users SET state = {}, state_code = {}, state_reason = {}, suspended_until = NULL WHERE id = {} "
                "AND state = {} AND EXISTS (SELECT 1 FROM plex_accounts a WHERE a.user_id = users.id "
                "AND a.account_token = {} AND a.missing_since IS NOT NULL) RETURNING id",
                UserState.SUSPENDED.value,
                SuspensionCode.PLEX_ACCESS.value,
                reason,
                account.user_id,
                UserState.ACTIVE.value,
                account.account_token,
            )
        )


def _account(row: dict[str, Any]) -> PlexAccount:
    values = {name: row[name] for name in PlexAccount.__struct_fields__}
    return PlexAccount(**{**values, "is_owner": bool(values["is_owner"])})
