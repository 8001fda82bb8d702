"""The end of a suspension, and the words for somebody who is still suspended."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.accounts.model import SuspensionCode, User, UserState
from medianest.accounts.people.model import Person, PersonChanged
from medianest.accounts.people.repository import PeopleRepository
from medianest.database import transaction
from medianest.events import EventBus
from medianest.system.audit import record


class Suspensions:
    """Asked at every sign-in and by an hourly job."""

    def __init__(self, people: PeopleRepository, events: EventBus) -> None:
        self._people = people
        self._events = events

    async def sentence(self, user: User) -> str | None:
        """Why `user` may not come in, for somebody who has shown that it is them; None when they may.

        A suspension that has run out ends here.
        """
        if user.state is UserState.ACTIVE:
            return None
        now = datetime.now(UTC)
        person = await self._people.get(user.id, at=now)
        if person.suspended_until is not None and person.suspended_until <= now:
            await self._end(user.id, user.username, now)
            return None
        return suspended_words(person)

    async def end_due(self) -> str:
        """End what has run out; a sentence about it."""
        now = datetime.now(UTC)
        ended = [one for one in await self._people.suspensions_due(at=now) if await self._end(*one, now)]
        if not ended:
            return "No suspension has run out."
        return f"Ended {len(ended)} suspension{'s' if len(ended) != 1 else ''}."

    async def _end(self, user_id: int, username: str, now: datetime) -> bool:
        async with transaction():
            await self._people.hold(user_id)
            person = await self._people.get(user_id, at=now)
            # somebody may have set another end meanwhile
            if not person.is_suspended or person.suspended_until is None or person.suspended_until > now:
                return False
            await self._people.end_suspension(user_id)
            await record(
                "person.suspension_ended",
                username,
                actor_id=None,
                actor_name="MediaNest",
                detail="Its time was over.",
                before={"state": UserState.SUSPENDED.value, "suspended_until": person.suspended_until.isoformat()},
                after={"state": UserState.ACTIVE.value, "suspended_until": None},
            )
        await self._events.publish(PersonChanged(user_id=user_id))
        return True


def suspended_words(person: Person) -> str:
    """What a suspended person is told."""
    if person.state_code is SuspensionCode.PLEX_ACCESS:
        return "This Plex server is no longer shared with your account. Ask whoever runs it to share it again."
    until = f" until {person.suspended_until:%d %b %Y}" if person.suspended_until else ""
    reason = (person.state_reason or "no reason was given").rstrip(".")
    return f"Your account is suspended{until}: {reason}. Ask whoever runs this server."
