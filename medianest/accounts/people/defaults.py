"""The default set: what everybody has for whom nothing else was said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.accounts.model import DefaultRights, Permission, User, UserState
from medianest.accounts.people import rules
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.repository import AccountRepository
from medianest.database import transaction
from medianest.errors import Invalid, NotAllowed, NotFound
from medianest.system.audit import record

# these make somebody else's decisions: they are given to single people
NOT_BY_DEFAULT = frozenset((Permission.MANAGE_USERS, Permission.MANAGE_SETTINGS))


class DefaultSet:
    """The part of `PeopleService` that is about nobody alone."""

    def __init__(self, people: PeopleRepository, accounts: AccountRepository) -> None:
        self._people = people
        self._accounts = accounts

    async def acting(self, by: User) -> User:
        """Who acts, as they are this moment: for the inside of a transaction that rests on their rights."""
        try:
            user = await self._accounts.get(by.id)
        except NotFound as error:
            raise NotAllowed("Your account does not exist any more.") from error
        if user.state is not UserState.ACTIVE:
            raise NotAllowed("Your account is suspended.")
        return user

    async def record(self, action: str, target: str, by: User, address: str, **changes: Any) -> None:
        await record(action, target, actor_id=by.id, actor_name=by.username, address=address, **changes)

    async def default_rights(self) -> DefaultRights:
        """What everybody has for whom nothing else was said."""
        return await self._people.default_rights()

    async def change_default_rights(self, rights: DefaultRights, *, by: User, address: str = "") -> DefaultRights:
        """Keep another default set; only for administrators. Raises `Invalid` with a sentence for each field."""
        rules.check_quotas(rights.quotas)
        wrong = [one.value for one in rights.permissions if one in NOT_BY_DEFAULT]
        if wrong:
            text = "Give these to single people, on their own page: " + ", ".join(wrong) + "."
            raise Invalid(text, fields={"permissions": text})
        ordered = tuple(one for one in Permission if one in rights.permissions)
        async with transaction():
            by = await self.acting(by)
            if not by.is_admin:
                raise NotAllowed("Only an administrator can do this.", code="administrators_only")
            before = await self._people.default_rights()
            rights = DefaultRights(permissions=ordered, quotas=rights.quotas)
            await self._people.save_default_rights(rights, by=by.id, at=datetime.now(UTC))
            if rights != before:
                await self.record(
                    "people.default_rights_changed",
                    "everybody",
                    by,
                    address,
                    before=msgspec.to_builtins(before),
                    after=msgspec.to_builtins(rights),
                )
        return rights
