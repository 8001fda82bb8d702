"""Looking after people: who they are, what they may, how much, and whether they come in at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.accounts.devices import Devices
from medianest.accounts.keys.service import session_id_of
from medianest.accounts.limits import Limits
from medianest.accounts.model import (
    NoticeCode,
    Permission,
    RatingLimit,
    Role,
    SessionsEnded,
    SuspensionCode,
    User,
)
from medianest.accounts.passwords import hash_password
from medianest.accounts.people import rules
from medianest.accounts.people.defaults import DefaultSet
from medianest.accounts.people.model import (
    MadePerson,
    NewPerson,
    PeopleFilter,
    Person,
    PersonChange,
    PersonChanged,
)
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.repository import AccountRepository, username_key
from medianest.accounts.rights import NOT_FOR_CHILDREN, stored_permissions
from medianest.accounts.rules import check_username
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.sessions import Sessions
from medianest.database import UniqueViolation, transaction
from medianest.errors import Conflict, NotAllowed
from medianest.events import EventBus

UNSET = msgspec.UNSET


class PeopleService(DefaultSet):
    """What pages and API call. `by` is who acts, `address` where from."""

    def __init__(
        self,
        people: PeopleRepository,
        accounts: AccountRepository,
        sessions: Sessions,
        second_factor: SecondFactor,
        devices: Devices,
        limits: Limits,
        events: EventBus,
    ) -> None:
        super().__init__(people, accounts)
        self._sessions = sessions
        self._second_factor = second_factor
        self._devices = devices
        self._limits = limits
        self._events = events

    # looking

    async def list(self, wanted: PeopleFilter, *, limit: int, offset: int) -> tuple[tuple[Person, ...], int]:
        """One slice of those who are wanted, and how many there are."""
        words = " ".join("".join(char for char in wanted.words if rules.is_text(char)).split())[:100]
        wanted = msgspec.structs.replace(wanted, words=words)
        limit, offset = max(1, min(limit, 100)), max(0, min(offset, 10**7))
        found = await self._people.page(wanted, limit=limit, offset=offset, at=_now())
        return found, await self._people.count(wanted)

    async def get(self, person_id: int) -> Person:
        """One person; raises `NotFound`."""
        return await self._people.get(person_id, at=_now())

    # changing

    async def change(self, person_id: int, change: PersonChange, *, by: User, address: str = "") -> Person:
        """Do everything that `change` says, or nothing.

        Raises:
            NotFound, NotAllowed, Conflict, Invalid: with a sentence about what stands against it.
        """
        async with transaction():
            if change.role is not UNSET or change.suspended is not UNSET:
                await self._people.hold_administrators()
            await self._people.hold(person_id)
            before = await self.get(person_id)
            by = await self.acting(by)
            rules.check_change(change, before, by)
            await self._keep_an_administrator(change, before)
            await self._people.change(person_id, self._values(change, before))
            await self._set_state(change, before)
            after = await self.get(person_id)
            await self._record(before, after, by, address)
        if after.role is not before.role:
            await self.end_everything_open(person_id, "role changed")
        elif after.is_suspended and not before.is_suspended:
            await self.end_everything_open(person_id, "suspended")
        elif after != before:
            # what a socket shows follows what its person may
            await self._end_key_sockets(person_id)
        await self._events.publish(PersonChanged(user_id=person_id))
        return await self.get(person_id)

    async def _keep_an_administrator(self, change: PersonChange, person: Person) -> None:
        is_demoted = change.role is not UNSET and change.role is not Role.ADMIN
        is_shut_out = change.suspended is not UNSET and change.suspended
        if person.is_admin and not person.is_suspended and (is_demoted or is_shut_out):
            await self.check_other_administrator(person.id)

    async def check_other_administrator(self, person_id: int) -> int:
        """Another active administrator; raises `Conflict` when there is none. Hold the administrators before."""
        other = await self._people.other_administrator(person_id)
        if other is None:
            raise Conflict(rules.LAST_ADMIN, code="last_administrator")
        return other

    def _values(self, change: PersonChange, before: Person) -> dict[str, Any]:
        """The columns to set."""
        values: dict[str, Any] = {}
        if change.display_name is not UNSET:
            values["display_name"] = rules.check_display_name(change.display_name)
        if change.role is not UNSET:
            values["role"] = change.role.value
        is_child, limit = rules.child_values(change, before)
        values["is_child"], values["rating_limit"] = is_child, limit.value if limit else None
        permissions = before.own_permissions if change.permissions is UNSET else change.permissions
        if is_child and permissions is not None:
            permissions = tuple(one for one in permissions if one not in NOT_FOR_CHILDREN)
        values["permissions"] = stored_permissions(permissions)
        return values | msgspec.structs.asdict(rules.quotas_after(change, before))

    async def _set_state(self, change: PersonChange, before: Person) -> None:
        if change.suspended is UNSET:
            return
        if change.suspended:
            reason, until = rules.check_reason(change.reason), rules.check_until(change.suspended_until)
            await self._people.suspend(before.id, SuspensionCode.BY_ADMIN, reason, until)
        elif before.is_suspended:
            await self._people.end_suspension(before.id)

    async def _record(self, before: Person, after: Person, by: User, address: str) -> None:
        """One line for the role, one for the state, one for the rest."""
        old, new = audited(before), audited(after)
        state = ("state", "reason", "until")
        action = "person.suspended" if after.is_suspended else "person.suspension_ended"
        rest = tuple(name for name in old if name not in ("role", *state))
        for what, names in (("person.role_changed", ("role",)), (action, state), ("person.changed", rest)):
            left, right = {name: old[name] for name in names}, {name: new[name] for name in names}
            if left != right:
                await self.record(what, after.username, by, address, before=left, after=right)

    # their security

    async def add(self, new: NewPerson, *, by: User, address: str = "") -> MadePerson:
        """Make a person with a password of MediaNest's choice, which they change at the first sign-in.

        Raises:
            Invalid: the name can not be one.
            Conflict: somebody has it.
        """
        name = check_username(new.username)
        shown = rules.check_display_name(new.display_name or name)
        limit = (new.rating_limit or RatingLimit.FROM_12).value if new.is_child else None
        password = rules.one_time_password(name)
        stored = await hash_password(password)
        try:
            async with transaction():
                by = await self.acting(by)
                if not by.may(Permission.MANAGE_USERS):
                    raise NotAllowed("Your account may not add people.", code="permission_missing")
                made = await self._people.add(name, shown, stored, is_child=new.is_child, rating_limit=limit, at=_now())
                await self.record("person.added", name, by, address, after={"is_child": new.is_child})
        except UniqueViolation as error:
            text = "Somebody has this name already. Choose another one."
            raise Conflict(text, code="name_taken") from error
        return MadePerson(person=await self.get(made), password=password)

    async def reset_password(self, person_id: int, *, by: User, address: str = "") -> str:
        """A new password for one sign-in; every session ends. It is shown once."""
        person = await self.get(person_id)
        password = rules.one_time_password(person.username)
        stored = await hash_password(password)
        await self._touch(
            person_id,
            "person.password_reset",
            by,
            address,
            own="Change your own password in your settings.",
            act=lambda: self._people.reset_password(person_id, stored),
        )
        await self._limits.signed_in(username_key(person.username))
        await self.end_everything_open(person_id, "password reset")
        await self._devices.tell(person_id, NoticeCode.PASSWORD_RESET, by.username, address)
        return password

    async def remove_second_factor(self, person_id: int, *, by: User, address: str = "") -> None:
        """For somebody who has lost their phone and their backup codes; their sessions end and they are told."""
        person, by = await self.get(person_id), await self.acting(by)
        rules.may_touch(by, person)
        rules.not_oneself(by, person, "Remove your own second step in your settings.")
        await self._second_factor.remove(person_id, by=by, address=address)

    async def end_sessions(self, person_id: int, *, by: User, address: str = "") -> None:
        """Sign somebody out everywhere."""
        await self._touch(person_id, "person.sessions_ended", by, address)
        await self.end_everything_open(person_id, "ended by an administrator")

    async def _touch(
        self, person_id: int, action: str, by: User, address: str, *, own: str = "", act: Any = None
    ) -> None:
        async with transaction():
            await self._people.hold(person_id)
            person, by = await self.get(person_id), await self.acting(by)
            rules.may_touch(by, person)
            if own:
                rules.not_oneself(by, person, own)
            if act is not None:
                await act()
            await self.record(action, person.username, by, address)

    async def end_everything_open(self, person_id: int, reason: str) -> None:
        """Sessions, and the sockets of them and of API keys."""
        await self._sessions.end(person_id, reason)
        await self._end_key_sockets(person_id)

    async def _end_key_sockets(self, person_id: int) -> None:
        known_by = await self.key_sessions(person_id)
        if known_by:
            await self._events.publish(SessionsEnded(user_id=person_id, session_ids=known_by))

    async def key_sessions(self, person_id: int) -> tuple[str, ...]:
        """What the sockets of their API keys are known by, as `SessionsEnded` takes it."""
        return tuple(str(session_id_of(one)) for one in await self._people.key_ids(person_id))


def audited(person: Person) -> Mapping[str, Any]:
    """What of a person stands in the audit log."""
    own = person.own_permissions
    return {
        "display_name": person.display_name,
        "role": person.role.value,
        "permissions": "default" if own is None else [one.value for one in own],
        "is_child": person.is_child,
        "rating_limit": person.rating_limit.value if person.rating_limit else None,
        **msgspec.structs.asdict(person.own_quotas),
        "state": person.state.value,
        "reason": person.state_reason,
        "until": person.suspended_until.isoformat() if person.suspended_until else None,
    }


def _now() -> datetime:
    return datetime.now(UTC)
