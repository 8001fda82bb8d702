"""Asks for the password again before something that a borrowed device must not do."""

from __future__ import annotations

from medianest.accounts.limits import Limits
from medianest.accounts.model import User
from medianest.accounts.passwords import is_password
from medianest.accounts.repository import AccountRepository, username_key
from medianest.errors import Conflict, Invalid


class Proof:
    """Counts with the sign-in, so that a stolen session is no way round its limit."""

    def __init__(self, accounts: AccountRepository, limits: Limits) -> None:
        self._accounts = accounts
        self._limits = limits

    async def password(self, user: User, password: str, address: str, *, field: str = "password") -> str:
        """Make sure that `password` is the person's own; gives the stored hash.

        Raises:
            TooMany: before anything is hashed.
            Invalid: it is wrong, with `field`.
            Conflict: the person has none.
        """
        stored = await self._accounts.password_hash(user.id)
        if stored is None:
            raise Conflict("You have no password here: you sign in with Plex.", code="no_password")
        key = username_key(user.username)
        await self._limits.sign_in(key, address)
        if not await is_password(password[:2000], stored):
            text = "This is not your present password."
            raise Invalid(text, code="wrong_password", fields={field: text})
        await self._limits.signed_in(key)
        return stored
