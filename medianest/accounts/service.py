"""Every rule about people: first administrator, sign-in, sessions, preferences, rescue from the console."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from medianest.accounts.limits import Limits
from medianest.accounts.model import (
    AdministratorMade,
    Caller,
    Device,
    Preferences,
    PreferencesChange,
    PreferencesChanged,
    Role,
    Session,
    Tokens,
    User,
    UserState,
)
from medianest.accounts.passwords import check_password, hash_password, is_password, is_weak_hash
from medianest.accounts.repository import AccountRepository, username_key
from medianest.accounts.rules import check_preferences, check_username
from medianest.accounts.sessions import Sessions
from medianest.database import UniqueViolation, fetch, transaction
from medianest.errors import Conflict, Invalid, NotFound, NotSignedIn
from medianest.events import EventBus
from medianest.system.audit import record

SESSIONS_KEPT = timedelta(days=7)
CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no 0 O 1 I
SET_UP = "MediaNest is set up already. Sign in instead."
LONGEST_NAME = 200  # of what is looked up at all
WRONG = "The name or the password is not right."


class AccountService:
    """Built once in `app.py`."""

    def __init__(self, accounts: AccountRepository, sessions: Sessions, limits: Limits, events: EventBus) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._events = events
        self._is_set_up = False

    # the first administrator

    async def is_set_up(self) -> bool:
        """Whether there is an administrator; once true it is not asked again."""
        self._is_set_up = self._is_set_up or await self._accounts.has_admin()
        return self._is_set_up

    async def setup_code_or_none(self) -> str | None:
        """The one-time code, made when there is none yet; None once an administrator exists."""
        if await self.is_set_up():
            return None
        code = "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(2))
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ('setup_code', {}, {}) ON CONFLICT (key) DO NOTHING",
            code,
            datetime.now(UTC),
        )
        rows = await fetch("SELECT value FROM system_settings WHERE key = 'setup_code'")
        return str(rows[0]["value"]) if rows else None

    async def setup_code(self) -> str:
        """The code for the console; raises `Conflict` once an administrator exists."""
        code = await self.setup_code_or_none()
        if code is None:
            raise Conflict("There is an administrator already, so there is no setup code any more. Sign in instead.")
        return code

    async def make_first_admin(self, code: str, username: str, password: str, device: Device) -> Tokens:
        """Make the first administrator and sign them in.

        Raises:
            NotFound: there is one already.
            TooMany, Invalid: too many tries; wrong code, name or password.
        """
        if await self.is_set_up():
            raise NotFound(SET_UP)
        await self._limits.setup(device.address)
        wanted = await self.setup_code_or_none()
        if wanted is None:  # somebody was faster
            raise NotFound(SET_UP)
        sent = re.sub(r"[\s-]", "", code).upper()
        if not hmac.compare_digest(sent.encode(), wanted.replace("-", "").encode()):
            text = "This is not the setup code. It stands in the first lines that MediaNest printed."
            raise Invalid(text, code="wrong_setup_code", fields={"code": text})
        await self._limits.setup_code_was_right(device.address)
        user = await self._add_admin(username, password, consumes=wanted)
        await record(
            "account.first_administrator_made",
            user.username,
            actor_id=user.id,
            actor_name=user.username,
            address=device.address,
        )
        await self._events.publish(AdministratorMade(user_id=user.id))
        return await self._sessions.open(user, device, is_remembered=False)

    async def make_first_admin_from_settings(self, username: str, password: str) -> None:
        """The unattended first start: nothing happens when there is an administrator already."""
        if await self.is_set_up():
            return
        wanted = await self.setup_code_or_none()
        try:
            user = await self._add_admin(username, password, consumes=wanted or "")
        except (NotFound, Conflict):  # another process that starts at the same time made it
            return
        except Invalid as error:
            names = "MEDIANEST_ADMIN_USERNAME and MEDIANEST_ADMIN_PASSWORD"
            raise Invalid(f"No administrator can be made from {names}. {error.message}") from error
        await record("account.first_administrator_made", user.username, actor_id=None, actor_name="settings")

    async def _add_admin(self, username: str, password: str, *, consumes: str | None) -> User:
        name = check_username(username)
        check_password(password, name)
        stored = await hash_password(password)
        try:
            async with transaction():
                # taking the code away is the gate: of several calls at once, one finds it
                if consumes is not None and not await fetch(
                    "DELETE FROM system_settings WHERE key = 'setup_code' AND value = {} RETURNING key", consumes
                ):
                    raise NotFound(SET_UP)
                if consumes is not None and await self._accounts.has_admin():
                    raise NotFound(SET_UP)
                return await self._accounts.add(name, stored, Role.ADMIN, at=datetime.now(UTC))
        except UniqueViolation as error:
            text = "Somebody has this name already. Choose another one."
            raise Conflict(text) from error

    # signing in and out

    async def sign_in(self, username: str, password: str, device: Device, *, is_remembered: bool = False) -> Tokens:
        """Check the password and open a session.

        Raises:
            TooMany: before anything is hashed.
            NotSignedIn: name or password is wrong, or the person is suspended; the same words for all.
        """
        key = username_key(username)
        await self._limits.sign_in(key, device.address)
        found = (
            await self._accounts.find(username) if len(username) <= LONGEST_NAME and username.isprintable() else None
        )
        user, stored = found if found else (None, None)
        fits = await is_password(password[:2000], stored)
        if user is None or not fits or user.state is not UserState.ACTIVE:
            # a name that nobody has is not kept: it may be a password in the wrong field
            name = user.username if user else "nobody"
            await record("account.sign_in_failed", name, actor_id=None, actor_name=name, address=device.address)
            raise NotSignedIn(WRONG, code="wrong_credentials")
        await self._limits.signed_in(key)
        if stored and is_weak_hash(stored):
            await self._accounts.set_password(user.id, await hash_password(password))
        return await self._sessions.open(user, device, is_remembered=is_remembered)

    async def caller(self, access_token: str, *, is_cookie: bool, address: str = "") -> Caller | None:
        """The person behind an access token, None when it or its session is no longer good."""
        return await self._sessions.caller(access_token, is_cookie=is_cookie, address=address)

    async def is_live(self, caller: Caller) -> bool:
        """Whether the session behind a socket is still good."""
        return await self._sessions.is_live(caller)

    async def renew(self, token: str) -> Tokens:
        """New tokens for a refresh token; raises `NotSignedIn` when it is not good any more."""
        return await self._sessions.renew(token)

    async def renewed_caller(self, token: str, address: str) -> tuple[Caller, Tokens] | None:
        """For the page that comes with an old access token and a good refresh token: shown all the same."""
        return await self._sessions.renewed_caller(token, address)

    async def sign_out(self, caller: Caller, *, everywhere: bool = False) -> None:
        await self._sessions.end(caller.user.id, "signed out", only=None if everywhere else caller.session_id)

    async def end_all_sessions(self, reason: str) -> None:
        """Sign everybody out, on every device."""
        for user_id in await self._accounts.with_sessions(at=datetime.now(UTC)):
            await self._sessions.end(user_id, reason)

    # devices, preferences, password

    async def sessions(self, user: User) -> tuple[Session, ...]:
        return await self._accounts.sessions(user.id, at=datetime.now(UTC))

    async def end_session(self, session_id: UUID, *, by: User) -> None:
        """End one device; raises `NotFound` for somebody else's."""
        if session_id not in {session.id for session in await self.sessions(by)}:
            raise NotFound("This device is signed out already.")
        await self._sessions.end(by.id, "ended by the person", only=session_id)

    async def end_other_sessions(self, caller: Caller) -> None:
        await self._sessions.end(caller.user.id, "ended by the person", but=caller.session_id)

    async def change_preferences(self, change: PreferencesChange, *, by: User) -> Preferences:
        """Change what is set in `change`; raises `Invalid` with the fields that do not fit."""
        values = {k: v for k, v in msgspec.structs.asdict(change).items() if v is not msgspec.UNSET}
        check_preferences(values)
        preferences = msgspec.structs.replace(await self._accounts.preferences(by.id), **values)
        await self._accounts.save_preferences(by.id, preferences)
        await self._events.publish(PreferencesChanged(user_id=by.id))
        return preferences

    async def change_password(self, caller: Caller, current: str, new: str, *, address: str = "") -> None:
        """Set a new password; every other device is signed out.

        Raises:
            Invalid: the present password is wrong, or the new one is too weak.
        """
        await self._limits.sign_in(username_key(caller.user.username), address)
        if not await is_password(current[:2000], await self._accounts.password_hash(caller.user.id)):
            text = "This is not your present password."
            raise Invalid(text, code="wrong_password", fields={"current_password": text})
        try:
            check_password(new, caller.user.username)
        except Invalid as error:
            raise Invalid(error.message, code=error.code, fields={"new_password": error.message}) from error
        await self._accounts.set_password(caller.user.id, await hash_password(new))
        await self._limits.signed_in(username_key(caller.user.username))
        await self._sessions.end(caller.user.id, "password changed", but=caller.session_id)
        await record(
            "account.password_changed",
            caller.user.username,
            actor_id=caller.user.id,
            actor_name=caller.user.username,
            address=address,
        )

    # the console

    async def create_admin(self, username: str, password: str) -> User:
        """A further administrator, from the console."""
        user = await self._add_admin(username, password, consumes=None)
        await fetch("DELETE FROM system_settings WHERE key = 'setup_code'")
        await record("account.administrator_made", user.username, actor_id=None, actor_name="console")
        return user

    async def reset_password(self, username: str, password: str) -> None:
        """A new password from the console; ends every session of that person."""
        found = await self._accounts.find(username)
        if found is None:
            raise NotFound(f"There is nobody called {username}.")
        check_password(password, username)
        await self._accounts.set_password(found[0].id, await hash_password(password))
        await self._sessions.end(found[0].id, "password reset from the console")
        await self.unlock(username)
        await record("account.password_reset", found[0].username, actor_id=None, actor_name="console")

    async def unlock(self, username: str) -> None:
        """Forget the failed sign-ins of a name, and of every address."""
        await self._limits.signed_in(username_key(username))
        await fetch("DELETE FROM rate_limits WHERE key LIKE 'sign-in address %'")

    async def clean_sessions(self) -> str:
        """Delete sessions that ended more than a week ago."""
        removed = await self._accounts.clean_sessions(before=datetime.now(UTC) - SESSIONS_KEPT)
        return f"Removed {removed} ended sessions."
