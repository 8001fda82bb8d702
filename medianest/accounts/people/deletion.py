"""Deleting a person: first what would happen, with numbers; then it is done, in one step."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from medianest.accounts.model import SessionsEnded, User
from medianest.accounts.people import rules
from medianest.accounts.people.model import Person, PersonDeleted
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.people.service import PeopleService
from medianest.accounts.repository import username_key
from medianest.database import transaction
from medianest.downloads.model import Belongings
from medianest.errors import Invalid
from medianest.events import EventBus
from medianest.requests.model import RequestBelongings

OWN_ACCOUNT = "You delete your own account in your settings."
OWN_NAME = "Type your user name exactly, so that nothing is deleted by accident."


class Things(Protocol):
    """What the download queue knows of a person's things."""

    async def summary(self, user_id: int) -> Belongings: ...

    async def hand_over(self, user_id: int, to_user_id: int, *, deletes_files: bool) -> Any:
        """Inside a transaction: afterwards no row is the person's. Gives what `finish` needs."""
        ...

    async def finish(self, handed: Any) -> None:
        """After the transaction: end what runs, tell pages, delete files."""
        ...


class Asked(Protocol):
    """What the requests know of what a person asked for."""

    async def summary(self, user_id: int) -> RequestBelongings: ...

    async def hand_over(self, user_id: int) -> Any:
        """Inside a transaction: afterwards no request is the person's. Gives what `finish` needs."""
        ...

    async def finish(self, handed: Any) -> None:
        """After the transaction: tell pages and the request manager."""
        ...


class Followed(Protocol):
    """What the subscriptions know of what a person follows; they end with the account."""

    async def count_of(self, user_id: int) -> int: ...


class WhatGoes(msgspec.Struct, frozen=True, kw_only=True):
    """What deleting somebody would do."""

    person: Person
    belongings: Belongings
    requests: RequestBelongings
    keys: int
    subscriptions: int = 0


class Deletion:
    """Built once in `app.py`."""

    def __init__(
        self, people: PeopleRepository, service: PeopleService, things: Things, asked: Asked, followed: Followed,
        events: EventBus,
    ) -> None:  # fmt: skip
        self._people = people
        self._service = service
        self._things = things
        self._asked = asked
        self._followed = followed
        self._events = events

    async def look(self, person_id: int, *, by: User) -> WhatGoes:
        """What would go and what would stay; raises what stands against it."""
        person = await self._service.get(person_id)
        rules.may_touch(by, person)
        rules.not_oneself(by, person, OWN_ACCOUNT)
        return await self._what_goes(person)

    async def look_at_own(self, by: User) -> WhatGoes:
        """The same for the person themselves."""
        return await self._what_goes(await self._service.get(by.id))

    async def _what_goes(self, person: Person) -> WhatGoes:
        return WhatGoes(
            person=person,
            belongings=await self._things.summary(person.id),
            requests=await self._asked.summary(person.id),
            keys=len(await self._people.key_ids(person.id)),
            subscriptions=await self._followed.count_of(person.id),
        )

    async def delete(self, person_id: int, *, by: User, deletes_files: bool = False, address: str = "") -> None:
        """Delete somebody else.

        Args:
            deletes_files: videos that nobody else asked for go too; else they stay, under the name of who deletes.

        Raises:
            NotFound, NotAllowed, Conflict: with a sentence about what stands against it.
        """
        person = await self._service.get(person_id)
        rules.may_touch(by, person)
        rules.not_oneself(by, person, OWN_ACCOUNT)
        await self._delete(person_id, by, heir=by.id, deletes_files=deletes_files, address=address)

    async def delete_own(self, typed_name: str, *, by: User, address: str = "") -> None:
        """The person's own wish. Videos stay, under the name of an administrator.

        Raises:
            Invalid: the name was not typed as it is.
            Conflict: they are the last administrator.
        """
        if username_key(typed_name) != username_key(by.username):
            raise Invalid(OWN_NAME, fields={"typed_name": OWN_NAME})
        await self._delete(by.id, by, heir=None, deletes_files=False, address=address)

    async def _delete(self, person_id: int, by: User, *, heir: int | None, deletes_files: bool, address: str) -> None:
        async with transaction():
            await self._people.hold_administrators()
            await self._people.hold(person_id)
            person = await self._service.get(person_id)
            by = await self._service.acting(by)
            if person.id != by.id:
                rules.may_touch(by, person)
            if heir is None or (person.is_admin and not person.is_suspended):
                other = await self._service.check_other_administrator(person_id)
                heir = heir if heir is not None else other
            belongings = await self._things.summary(person_id)
            handed = await self._things.hand_over(person_id, heir, deletes_files=deletes_files)
            asked = await self._asked.hand_over(person_id)
            key_sessions = await self._service.key_sessions(person_id)
            ended = await self._people.delete(person_id)
            await self._service.record(
                "person.deleted",
                person.username,
                by,
                address,
                detail=f"{belongings.downloads} downloads, {belongings.videos} videos",
                before={"role": person.role.value, "kind": person.kind.value, "state": person.state.value},
                after={"files": "deleted" if deletes_files else "kept"},
            )
        open_ones = (*(str(one) for one in ended), *key_sessions)
        await self._events.publish(SessionsEnded(user_id=person_id, session_ids=open_ones))
        await self._events.publish(PersonDeleted(user_id=person_id, picture=person.picture))
        await self._things.finish(handed)
        await self._asked.finish(asked)
