"""Turns changes of requests into events, with the people who wait for them."""

from __future__ import annotations

from medianest.events import EventBus
from medianest.requests.model import ReasonCode, RequestCreated, RequestStatus, RequestStatusChanged
from medianest.requests.repository.states import RequestStates


class Announcer:
    """Publishes; call it after the transaction has committed."""

    def __init__(self, events: EventBus, states: RequestStates) -> None:
        self._events = events
        self._states = states

    async def created(self, request_id: int, also: tuple[int, ...] = ()) -> None:
        """Something was asked for, or other people wait for it now; `also` are those who do not any more."""
        people = await self._states.people(request_id)
        await self._events.publish(RequestCreated(request_id=request_id, people=(*people, *also)))

    async def changed(self, request_id: int, status: RequestStatus, reason_code: ReasonCode | None = None) -> None:
        """A request took a step."""
        people = await self._states.people(request_id)
        await self._events.publish(
            RequestStatusChanged(request_id=request_id, people=people, status=status, reason_code=reason_code)
        )
