"""Asking for a title: rights, what of it is missing, who has asked already, the share, and then the row: stored before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.model import User
from medianest.database import UniqueViolation, transaction
from medianest.errors import Invalid, NotAllowed, Unavailable
from medianest.media.model import MediaType, Title
from medianest.requests import rules
from medianest.requests.announcer import Announcer
from medianest.requests.model import NewRequest, RequestStatus, Source
from medianest.requests.neighbours import PersonOf, Titles
from medianest.requests.repository.outbox import Kind, Outbox
from medianest.requests.repository.quotas import QuotaRepository
from medianest.requests.repository.rows import lane_of
from medianest.requests.repository.states import RequestStates, Step
from medianest.system.audit import record

LARGEST_TMDB_ID = 2**31 - 1
TRIES = 5  # as often as somebody else may ask for the same in the same moment


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it: the request it is now, whether that is new, others that were joined, and those of them that begin by that."""

    id: int
    is_new: bool
    joined: tuple[int, ...] = ()
    started: tuple[int, ...] = ()


class Asking:
    """Used by the service, which says what may be raised."""

    def __init__(
        self, states: RequestStates, outbox: Outbox, quotas: QuotaRepository, titles: Titles, person_of: PersonOf,
        announcer: Announcer, wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._states = states
        self._outbox = outbox
        self._quotas = quotas
        self._titles = titles
        self._person_of = person_of
        self._announcer = announcer
        self._wake = wake

    async def ask(self, new: NewRequest, by: User, on_behalf_of: int | None, address: str) -> Stored:
        """Keep the request, or join what is asked for already, and tell whoever sees it."""
        person = await self._for_whom(by, on_behalf_of)
        rules.check_rights(person, new.media_type, is_4k=new.is_4k)
        if not 0 < new.tmdb_id <= LARGEST_TMDB_ID:
            raise Invalid("There is no such title.", fields={"tmdb_id": "There is no such title."})
        title = await self._titles.title(new.media_type, new.tmdb_id, by=person)
        if title.is_blocklisted:
            raise NotAllowed("This title is on the blocklist, so it cannot be asked for.", code="blocklisted")
        parts = rules.wanted_parts(new, title)
        for _try in range(TRIES):
            try:
                stored = await self._store(new, title, parts, person, by, address)
                break
            except UniqueViolation:  # somebody was faster: now theirs is found and joined
                continue
        else:
            raise Unavailable("Too many people ask for this at once. Try again in a moment.")
        for request_id in (*stored.joined, *((stored.id,) if stored.is_new else ())):
            await self._announcer.created(request_id)
        for request_id in stored.started:
            await self._announcer.changed(request_id, RequestStatus.APPROVED)
        self._wake()
        return stored

    async def _for_whom(self, by: User, on_behalf_of: int | None) -> User:
        if on_behalf_of in (None, by.id):
            return by
        if not rules.may_manage(by):
            raise NotAllowed(rules.ONLY_APPROVERS, code="permission_missing")
        return await self._person_of(int(on_behalf_of or 0))

    async def _store(
        self, new: NewRequest, title: Title, parts: tuple[int, ...], person: User, by: User, address: str
    ) -> Stored:
        now = datetime.now(UTC)
        async with transaction():
            await self._quotas.lock(person.id)
            taken = await self._states.holding(new, parts)
            joined = [one for one in sorted(set(taken.values())) if await self._states.join(one, person.id, now)]
            started = await self._start(set(taken.values()), person, now)
            rest = [part for part in parts if part not in taken]
            if not rest:
                return Stored(id=min(taken.values()), is_new=False, joined=tuple(joined), started=started)
            since = now - timedelta(days=person.quotas.requests_days)
            rules.admit(person, await self._quotas.charges(person.id, since), len(rest), now)
            request_id = await self._add(new, title, rest, person, by, now)
            if person.id != by.id:
                await record(
                    "request.made_for", title.title, actor_id=by.id, actor_name=by.username, address=address,
                    detail=person.username,
                )  # fmt: skip
        return Stored(id=request_id, is_new=True, joined=tuple(joined), started=started)

    async def _start(self, ids: set[int], person: User, now: datetime) -> tuple[int, ...]:
        """Let begin what waits for a yes: somebody asks for it who would not have had to wait."""
        started = []
        for request_id in sorted(ids) if not rules.needs_approval(person) else ():
            row = await self._states.row(request_id, locks=True)
            step = Step(status=RequestStatus.APPROVED, source=Source.HOUSE, is_approved=True)
            if row.status is RequestStatus.PENDING and await self._states.take(row, step, now):
                kind = Kind.SEND if row.overseerr_id is None else Kind.APPROVE
                await self._outbox.put(kind, row.id, lane_of(row.key), now)
                started.append(row.id)
        return tuple(started)

    async def _add(self, new: NewRequest, title: Title, parts: list[int], person: User, by: User, now: datetime) -> int:
        is_approved = person.id != by.id or not rules.needs_approval(person)
        status = RequestStatus.APPROVED if is_approved else RequestStatus.PENDING
        request_id = await self._states.add(
            new,
            seasons=parts if new.media_type is MediaType.TV else (),
            title=title.title,
            year=title.year,
            requested_by=person.id,
            status=status,
            is_approved=is_approved,
            is_charged=True,
            at=now,
        )
        asked = Step(status=RequestStatus.PENDING, source=Source.PERSON, actor_id=by.id)
        await self._states.note(request_id, asked, now)
        if is_approved:
            is_vouched = person.id != by.id
            yes = Step(
                status=RequestStatus.APPROVED,
                source=Source.PERSON if is_vouched else Source.HOUSE,
                actor_id=by.id if is_vouched else None,
            )
            await self._states.note(request_id, yes, now)
            await self._outbox.put(Kind.SEND, request_id, lane_of(title.key), now)
        return request_id
