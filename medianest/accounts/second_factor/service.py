"""The optional second step of a sign-in with a password: codes of an authenticator app, and backup codes."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime

import msgspec

from medianest.accounts.devices import Devices
from medianest.accounts.limits import Limits
from medianest.accounts.model import Caller, NoticeCode, User
from medianest.accounts.proof import Proof
from medianest.accounts.repository import AccountRepository
from medianest.accounts.second_factor.codes import (
    backup_hash,
    new_backup_codes,
    new_secret,
    plain,
    setup_address,
    steps_of,
)
from medianest.accounts.second_factor.model import Offer, SecondFactorState
from medianest.accounts.second_factor.repository import SecondFactorRepository
from medianest.accounts.sessions import Sessions
from medianest.database import transaction
from medianest.errors import Conflict, Invalid, NotSignedIn
from medianest.system.audit import record
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

ISSUER = "MediaNest"
OFFER_S = 30 * 60
PER_ACCOUNT = 5  # wrong codes in fifteen minutes
SIX_DIGITS = re.compile(r"[0-9]{6}")
WRONG = "This code is not right, or was used already. Take the newest one of the app."

UNREADABLE = (
    "MediaNest can not read your second step any more, so no code of the app fits. Use a backup code, or ask an "
    "administrator to take the second step away."
)


class _Offered(msgspec.Struct, frozen=True):
    secret: str
    until: int


class SecondFactor:
    """Built once in `app.py`; known to handlers as `second_factor`."""

    def __init__(
        self,
        repository: SecondFactorRepository,
        accounts: AccountRepository,
        sessions: Sessions,
        devices: Devices,
        limits: Limits,
        vault: Vault,
    ) -> None:
        self._repository = repository
        self._accounts = accounts
        self._sessions = sessions
        self._devices = devices
        self._limits = limits
        self._vault = vault
        self._proof = Proof(accounts, limits)

    async def is_on(self, user_id: int) -> bool:
        return await self._repository.sealed_secret(user_id) is not None

    async def state(self, user: User) -> SecondFactorState:
        return SecondFactorState(
            is_on=await self.is_on(user.id),
            has_password=await self._accounts.password_hash(user.id) is not None,
            backup_codes_left=await self._repository.backup_codes_left(user.id),
        )

    # at the sign-in

    async def check(self, user: User, code: str, address: str) -> None:
        """Take a code of the app or a backup code; each is good once.

        Raises:
            TooMany: before the code is looked at.
            NotSignedIn: it is wrong, or was used (`wrong_second_factor`).
            Conflict: the stored secret can not be read any more; backup codes still work.
        """
        sentence = "Too many wrong codes. Wait until {until}, then try again."
        await self._limits.hit(_limit(user.id), PER_ACCOUNT, sentence)
        if not await self._takes(user, code, address):
            await record(
                "account.second_factor_failed",
                user.username,
                actor_id=user.id,
                actor_name=user.username,
                address=address,
            )
            raise NotSignedIn(WRONG, code="wrong_second_factor")
        await self._limits.forget(_limit(user.id))

    async def _takes(self, user: User, code: str, address: str) -> bool:
        sent = plain(code[:100])
        if SIX_DIGITS.fullmatch(sent):
            sealed = await self._repository.sealed_secret(user.id)
            if sealed is None:
                return False
            try:
                secret = self._vault.open(sealed, _place(user.id))
            except SealBroken as error:
                log.error("The second step of person %s can not be checked: %s", user.id, error.message)
                raise Conflict(UNREADABLE, code="second_factor_unreadable") from error
            for step in steps_of(secret, sent, time.time()):
                if await self._repository.use_step(user.id, sealed, step):
                    return True
            return False
        if not await self._repository.use_backup_code(user.id, backup_hash(user.id, sent), at=datetime.now(UTC)):
            return False
        left = await self._repository.backup_codes_left(user.id)
        await self._keep_record("account.backup_code_used", user, address, after={"backup_codes_left": left})
        return True

    # setting up and taking away

    async def offer(self, user: User) -> Offer:
        """A new secret that does not count before a code of it came back; nothing is stored.

        Raises:
            Conflict: there is one already, or the person has no password.
        """
        state = await self.state(user)
        if not state.has_password:
            raise Conflict("You have no password here: you sign in with Plex.", code="no_password")
        if state.is_on:
            raise Conflict("The second step is on already. Switch it off before you set it up anew.")
        return self._offered(user, _Offered(new_secret(), int(time.time()) + OFFER_S))

    def offered_again(self, user: User, token: str) -> Offer | None:
        """The same offer once more, for the page after a wrong code; None when it has run out."""
        offered = self._read_offer(user, token)
        return self._offered(user, offered) if offered else None

    def _offered(self, user: User, offered: _Offered) -> Offer:
        token = self._vault.seal(msgspec.json.encode(offered).decode(), _offer_place(user.id))
        address = setup_address(offered.secret, user.username, ISSUER)
        return Offer(secret=offered.secret, address=address, token=token)

    def _read_offer(self, user: User, token: str) -> _Offered | None:
        try:
            offered = msgspec.json.decode(self._vault.open(token[:2000], _offer_place(user.id)), type=_Offered)
        except (SealBroken, msgspec.DecodeError, UnicodeError):
            return None
        return offered if offered.until > time.time() else None

    async def switch_on(
        self, caller: Caller, token: str, code: str, password: str, *, address: str = ""
    ) -> tuple[str, ...]:
        """Confirm an offer; other devices are signed out. Gives the backup codes, which are not shown again.

        Raises:
            Invalid: password or code is wrong, or the offer has run out.
            TooMany, Conflict: too many tries; it is on already.
        """
        user = caller.user
        await self._proof.password(user, password, address)
        offered = self._read_offer(user, token)
        if offered is None:
            text = "This code was shown too long ago. Scan the new one below."
            raise Invalid(text, code="offer_expired", fields={"code": text})
        steps = steps_of(offered.secret, plain(code[:100]), time.time())
        if not steps:
            text = "This code does not fit. Check that the clock of your phone is right, and take the newest code."
            raise Invalid(text, code="wrong_second_factor", fields={"code": text})
        sealed = self._vault.seal(offered.secret, _place(user.id))
        codes = new_backup_codes()
        async with transaction():
            if not await self._repository.switch_on(user.id, sealed, steps[-1]):
                raise Conflict("The second step is on already. Load the page again.")
            await self._repository.replace_backup_codes(user.id, [backup_hash(user.id, one) for one in codes])
        await self._sessions.end(user.id, "second factor switched on", but=caller.session_id)
        await self._keep_record("account.second_factor_on", user, address)
        return codes

    async def renew_backup_codes(
        self, caller: Caller, password: str, code: str, *, address: str = ""
    ) -> tuple[str, ...]:
        """Ten new backup codes; the old ones are no longer good. Raises as `switch_off`."""
        user = caller.user
        await self._prove(user, password, code, address)
        codes = new_backup_codes()
        async with transaction():
            await self._repository.replace_backup_codes(user.id, [backup_hash(user.id, one) for one in codes])
        await self._keep_record("account.backup_codes_made", user, address)
        return codes

    async def switch_off(self, caller: Caller, password: str, code: str, *, address: str = "") -> None:
        """End it; other devices are signed out.

        Raises:
            Invalid: password or code is wrong.
            TooMany, Conflict: too many tries; it is off.
        """
        user = caller.user
        await self._prove(user, password, code, address)
        async with transaction():
            await self._repository.switch_off(user.id)
        await self._sessions.end(user.id, "second factor switched off", but=caller.session_id)
        await self._keep_record("account.second_factor_off", user, address)
        await self._devices.tell(user.id, NoticeCode.SECOND_FACTOR_OFF, "", address)

    async def remove(self, user_id: int, *, by: User | None, address: str = "") -> bool:
        """Take it from somebody who lost phone and backup codes; ends all their sessions and tells them.

        Args:
            by: the administrator; None for the console.

        Returns:
            Whether there was one.
        """
        user = await self._accounts.get(user_id)
        async with transaction():
            was_on = await self._repository.switch_off(user_id)
        if not was_on:
            return False
        await self.unlock(user_id)
        await self._sessions.end(user_id, "second factor removed")
        actor = by.username if by else "console"
        await record(
            "account.second_factor_removed",
            user.username,
            actor_id=by.id if by else None,
            actor_name=actor,
            address=address,
        )
        await self._devices.tell(user_id, NoticeCode.SECOND_FACTOR_OFF, actor, address)
        return True

    async def unlock(self, user_id: int) -> None:
        """Forget wrong codes."""
        await self._limits.forget(_limit(user_id))

    async def _prove(self, user: User, password: str, code: str, address: str) -> None:
        if not await self.is_on(user.id):
            raise Conflict("The second step is off. Load the page again.")
        await self._proof.password(user, password, address)
        try:
            await self.check(user, code, address)
        except NotSignedIn as error:  # they are signed in: only the field is wrong
            raise Invalid(error.message, code=error.code, fields={"code": error.message}) from error

    async def _keep_record(self, action: str, user: User, address: str, after: dict[str, int] | None = None) -> None:
        await record(
            action, user.username, actor_id=user.id, actor_name=user.username, address=address, after=after or {}
        )


def _place(user_id: int) -> str:
    return f"users.totp_secret:{user_id}"


def _offer_place(user_id: int) -> str:
    return f"second factor offer:{user_id}"


def _limit(user_id: int) -> str:
    return f"second factor {user_id}"
