"""The first start: a setup code, and the first administrator whom it lets in. Further ones from the console."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime

from medianest.accounts.limits import Limits
from medianest.accounts.model import AdministratorMade, Device, Role, Tokens, User
from medianest.accounts.passwords import check_password, hash_password
from medianest.accounts.repository import AccountRepository
from medianest.accounts.rules import check_username
from medianest.accounts.sessions import Sessions
from medianest.database import UniqueViolation, fetch, transaction
from medianest.errors import Conflict, Invalid, NotFound
from medianest.events import EventBus
from medianest.system.audit import record

CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no 0 O 1 I
SET_UP = "MediaNest is set up already. Sign in instead."


class FirstStart:
    """The part of the account service that is done with once there is an administrator."""

    def __init__(self, accounts: AccountRepository, sessions: Sessions, limits: Limits, events: EventBus) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._limits = limits
        self._events = events
        self._is_set_up = False

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

    async def create_admin(self, username: str, password: str) -> User:
        """A further administrator, from the console."""
        user = await self._add_admin(username, password, consumes=None)
        await fetch("DELETE FROM system_settings WHERE key = 'setup_code'")
        await record("account.administrator_made", user.username, actor_id=None, actor_name="console")
        return user
