"""What a person asked for, and whose it is when they are gone: the first follower's, or it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from medianest.requests.announcer import Announcer
from medianest.requests.model import ReasonCode, RequestBelongings, RequestStatus, Source
from medianest.requests.repository.belongings import BelongingsRepository
from medianest.requests.repository.outbox import Kind, Outbox
from medianest.requests.repository.rows import lane_of
from medianest.requests.repository.states import RequestStates, Step


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to tell once nothing is the person's any more."""

    given: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()


class PersonRequests:
    """Given to whoever deletes people."""

    def __init__(
        self,
        rows: BelongingsRepository,
        states: RequestStates,
        outbox: Outbox,
        announcer: Announcer,
        wake: Callable[[], None],
    ) -> None:
        self._rows = rows
        self._states = states
        self._outbox = outbox
        self._announcer = announcer
        self._wake = wake

    async def summary(self, user_id: int) -> RequestBelongings:
        """How much there is."""
        return await self._rows.summary(user_id)

    async def hand_over(self, user_id: int) -> HandedOver:
        """Leave no request with the person; call it inside the transaction that deletes them.

        A request that others follow is the first follower's from now on. Of the rest what is open ends, at Overseerr too;
        what has ended stays without a name where Overseerr knows it, and is removed where only MediaNest did.
        """
        now = datetime.now(UTC)
        given: list[int] = []
        ended: list[int] = []
        for row in await self._rows.of(user_id):
            others = [one for one in await self._states.people(row.id) if one != user_id]
            if others:
                await self._states.give(row.id, others[0], now)
                given.append(row.id)
                continue
            if row.is_open:
                code = ReasonCode.CANCELLED
                step = Step(status=RequestStatus.CANCELLED, source=Source.HOUSE, reason_code=code)
                await self._states.take(row, step, now)
                if await self._outbox.drop_unsent(row.id) or row.overseerr_id is not None:
                    await self._outbox.put(Kind.DELETE, row.id, lane_of(row.key), now)
                await self._states.give(row.id, None, now)
                ended.append(row.id)
            elif row.overseerr_id is None:
                await self._rows.remove(row.id)
        return HandedOver(given=tuple(given), ended=tuple(ended))

    async def finish(self, handed: HandedOver) -> None:
        """After the transaction: tell the pages and Overseerr."""
        for request_id in handed.given:
            await self._announcer.created(request_id)
        for request_id in handed.ended:
            await self._announcer.changed(request_id, RequestStatus.CANCELLED, ReasonCode.CANCELLED)
        self._wake()
