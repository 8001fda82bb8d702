"""The rules of sign-in, sessions, preferences and passwords, and rescue from the console."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from medianest.accounts.devices import Devices
from medianest.accounts.first_start import FirstStart
from medianest.accounts.limits import Limits
from medianest.accounts.model import (
    Caller,
    Device,
    NoticeCode,
    Preferences,
    PreferencesChange,
    PreferencesChanged,
    Session,
    Tokens,
    User,
    UserState,
)
from medianest.accounts.passwords import check_password, hash_password, is_password, is_weak_hash
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.people.suspensions import Suspensions
from medianest.accounts.proof import Proof
from medianest.accounts.repository import AccountRepository, username_key
from medianest.accounts.rules import check_display_name, check_preferences
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.second_factor.ticket import SecondFactorNeeded, Tickets
from medianest.accounts.sessions import Sessions
from medianest.database import fetch
from medianest.errors import Conflict, Invalid, NotFound, NotSignedIn
from medianest.events import EventBus
from medianest.system.audit import record

SESSIONS_KEPT = timedelta(days=7)
LONGEST_NAME = 200  # of what is looked up at all
WRONG = "The name or the password is not right."


class AccountService(FirstStart):
    """Built once in `app.py`."""

    def __init__(
        self,
        accounts: AccountRepository,
        sessions: Sessions,
        limits: Limits,
        events: EventBus,
        devices: Devices,
        second_factor: SecondFactor,
        tickets: Tickets,
    ) -> None:
        super().__init__(accounts, sessions, limits, events)
        self.devices = devices
        self.second_factor = second_factor
        self._tickets = tickets
        self.suspensions = Suspensions(PeopleRepository(), events)
        self._proof = Proof(accounts, limits)

    # signing in and out

    async def sign_in(
        self,
        username: str,
        password: str,
        device: Device,
        *,
        is_remembered: bool = False,
        second_factor: str = "",
        next_path: str = "",
    ) -> Tokens:
        """Check the password, the second factor where there is one, and open a session.

        Raises:
            TooMany: before anything is hashed.
            NotSignedIn: name or password is wrong, or the person is suspended; the same words for all.
            SecondFactorNeeded: the password is right and the code is missing; holds the ticket for the second step.
        """
        user, stored = await self._with_password(username, password, device)
        if await self.second_factor.is_on(user.id):
            if not second_factor.strip():
                ticket = self._tickets.make(user.id, stored, is_remembered=is_remembered, next_path=next_path)
                raise SecondFactorNeeded(ticket)
            await self.second_factor.check(user, second_factor, device.address)
        return await self._sessions.open(user, device, is_remembered=is_remembered)

    def is_ticket(self, ticket: str) -> bool:
        """Whether the second step can still be taken with it."""
        return self._tickets.read(ticket) is not None

    async def finish_sign_in(self, ticket: str, code: str, device: Device) -> tuple[Tokens, str]:
        """The second step: a ticket of `sign_in` and a code; gives the tokens and where to go next.

        Raises:
            NotSignedIn: the ticket has run out, or the code is wrong (`wrong_second_factor`).
            TooMany: before the code is looked at.
        """
        read = self._tickets.read(ticket)
        stored = await self._accounts.password_hash(read.user_id) if read else None
        if read is None or not self._tickets.fits(read, stored):
            raise NotSignedIn("That took too long. Sign in again.", code="ticket_expired")
        user = await self._accounts.get(read.user_id)
        if user.state is not UserState.ACTIVE:
            raise NotSignedIn(WRONG, code="wrong_credentials")
        # removed by an administrator meanwhile: the password was right
        if await self.second_factor.is_on(user.id):
            await self.second_factor.check(user, code, device.address)
        return await self._sessions.open(user, device, is_remembered=read.is_remembered), read.next_path

    async def _with_password(self, username: str, password: str, device: Device) -> tuple[User, str]:
        """The person whose name and password these are, and the stored hash."""
        key = username_key(username)
        await self._limits.sign_in(key, device.address)
        is_name = len(username) <= LONGEST_NAME and username.isprintable()
        found = await self._accounts.find(username) if is_name else None
        user, stored = found if found else (None, None)
        fits = await is_password(password[:2000], stored)
        if user is None or stored is None or not fits:
            # a name that nobody has is not kept: it may be a password in the wrong field
            name = user.username if user else "nobody"
            await record("account.sign_in_failed", name, actor_id=None, actor_name=name, address=device.address)
            raise NotSignedIn(WRONG, code="wrong_credentials")
        # whoever has the password is told why it opens nothing; a wrong one never is
        refusal = await self.suspensions.sentence(user)
        if refusal is not None:
            await record(
                "account.sign_in_refused",
                user.username,
                actor_id=user.id,
                actor_name=user.username,
                address=device.address,
                detail="suspended",
            )
            raise NotSignedIn(refusal, code="suspended")
        await self._limits.signed_in(key)
        if is_weak_hash(stored):
            stored = await hash_password(password)
            await self._accounts.set_password(user.id, stored)
        return user, stored

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

    # devices, preferences, profile

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

    async def is_of_plex(self, user: User) -> bool:
        """Whether name and picture follow a Plex account."""
        return await self._accounts.is_of_plex(user.id)

    async def has_password(self, user: User) -> bool:
        """Whether the person can sign in with a password."""
        return await self._accounts.password_hash(user.id) is not None

    async def rename(self, display_name: str, *, by: User, address: str = "") -> User:
        """Change the name that others see.

        Raises:
            Invalid: it can not be a name.
            Conflict: it follows the person's Plex account.
        """
        if await self._accounts.is_of_plex(by.id):
            raise Conflict("Your name follows your Plex account. Change it at Plex.")
        name = check_display_name(display_name)
        if name != by.display_name:
            await self._accounts.rename(by.id, name)
            await record(
                "account.renamed",
                by.username,
                actor_id=by.id,
                actor_name=by.username,
                address=address,
                before={"display_name": by.display_name},
                after={"display_name": name},
            )
        return msgspec.structs.replace(by, display_name=name)

    # passwords

    async def change_password(self, caller: Caller, current: str, new: str, *, address: str = "") -> None:
        """Set a new password; every other device is signed out, and a change that was demanded is done.

        Raises:
            Invalid: the present password is wrong, or the new one is too weak or the same.
            TooMany: too many wrong ones.
        """
        stored = await self._proof.password(caller.user, current, address, field="current_password")
        try:
            check_password(new, caller.user.username)
        except Invalid as error:
            raise Invalid(error.message, code=error.code, fields={"new_password": error.message}) from error
        if await is_password(new, stored):
            text = "This is the password you have now. Choose another one."
            raise Invalid(text, code="same_password", fields={"new_password": text})
        if not await self._accounts.replace_password(caller.user.id, stored, await hash_password(new)):
            raise Conflict("Your password was changed meanwhile. Sign in again.")
        await self._sessions.end(caller.user.id, "password changed", but=caller.session_id)
        await record(
            "account.password_changed",
            caller.user.username,
            actor_id=caller.user.id,
            actor_name=caller.user.username,
            address=address,
        )

    async def reset_password(self, username: str, password: str) -> bool:
        """A new password from the console; ends every session of that person and removes the second factor.

        Returns:
            Whether there was a second factor.
        """
        found = await self._accounts.find(username)
        if found is None:
            raise NotFound(f"There is nobody called {username}.")
        user = found[0]
        check_password(password, username)
        await self._accounts.set_password(user.id, await hash_password(password))
        had_factor = await self.second_factor.remove(user.id, by=None)
        await self._sessions.end(user.id, "password reset from the console")
        await self.unlock(username)
        await record("account.password_reset", user.username, actor_id=None, actor_name="console")
        await self.devices.tell(user.id, NoticeCode.PASSWORD_RESET, "console")
        return had_factor

    async def unlock(self, username: str) -> None:
        """Forget the failed sign-ins of a name, and of every address."""
        await self._limits.signed_in(username_key(username))
        await fetch("DELETE FROM rate_limits WHERE key LIKE 'sign-in address %'")
        found = await self._accounts.find(username)
        if found:
            await self.second_factor.unlock(found[0].id)

    async def clean_sessions(self) -> str:
        """Delete sessions that ended more than a week ago."""
        removed = await self._accounts.clean_sessions(before=datetime.now(UTC) - SESSIONS_KEPT)
        return f"Removed {removed} ended sessions."
