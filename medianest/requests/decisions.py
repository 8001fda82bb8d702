"""Yes, no, taken back, once more: each in one transaction with what Overseerr is to be told of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.model import User
from medianest.database import UniqueViolation, transaction
from medianest.errors import Conflict, MediaNestError, NotAllowed
from medianest.requests import rules
from medianest.requests.announcer import Announcer
from medianest.requests.model import ReasonCode, RequestStatus, Source
from medianest.requests.repository.lists import RequestLists
from medianest.requests.repository.outbox import Kind, Outbox
from medianest.requests.repository.quotas import QuotaRepository
from medianest.requests.repository.rows import Row, lane_of
from medianest.requests.repository.states import RequestStates, Step
from medianest.system.audit import record

FASTER = "It does not wait for approval. Somebody may have been faster."


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """How many of several were done, and the first sentence of why others were not."""

    done: int
    refused: int
    why: str = ""


class Decisions:
    """Used by the service, which says what may be raised."""

    def __init__(
        self, lists: RequestLists, states: RequestStates, outbox: Outbox, quotas: QuotaRepository, announcer: Announcer,
        wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._outbox = outbox
        self._quotas = quotas
        self._announcer = announcer
        self._wake = wake

    async def approve(self, request_id: int, by: User, address: str) -> None:
        """Let it be looked for."""
        await self._manages(request_id, by)
        now = datetime.now(UTC)
        async with transaction():
            row = await self._states.row(request_id, locks=True)
            if not rules.can_decide(row, by):
                raise Conflict(FASTER)
            step = Step(status=RequestStatus.APPROVED, source=Source.PERSON, actor_id=by.id, is_approved=True)
            await self._take(row, step, now)
            kind = Kind.SEND if row.overseerr_id is None else Kind.APPROVE
            await self._outbox.put(kind, row.id, lane_of(row.key), now)
            await self._record("request.approved", row, by, address, step)
        await self._told(row, step)

    async def decline(self, request_id: int, reason: str, by: User, address: str) -> None:
        """Say no; whoever asked reads the reason."""
        await self._manages(request_id, by)
        reason = rules.check_reason(reason)
        now = datetime.now(UTC)
        async with transaction():
            row = await self._states.row(request_id, locks=True)
            if not rules.can_decline(row, by):
                raise Conflict("It cannot be declined any more. Look at it again.")
            step = Step(
                status=RequestStatus.DECLINED,
                source=Source.PERSON,
                actor_id=by.id,
                reason_code=ReasonCode.DECLINED,
                reason=reason,
            )
            await self._take(row, step, now)
            await self._tell_end(row, Kind.DECLINE, now)
            await self._record("request.declined", row, by, address, step)
        await self._told(row, step)

    async def cancel(self, request_id: int, by: User, address: str) -> None:
        """Take it back. What others follow goes on as the first follower's; the one who asked only leaves it."""
        visible = await self._lists.row(request_id, None if rules.sees_all(by) else by.id)
        now = datetime.now(UTC)
        async with transaction():
            row = await self._states.row(visible.id, locks=True)
            if not rules.can_cancel(row, by):
                if not rules.may_manage(by) and row.requested_by != by.id:
                    raise NotAllowed("Only the person who asked can take this back.", code="not_yours")
                raise Conflict("It cannot be taken back any more: it is being looked for, or it has ended.")
            others = [one for one in await self._states.people(row.id) if one != row.requested_by]
            if row.requested_by == by.id and others:
                await self._states.give(row.id, others[0], now)
                await self._states.leave(row.id, by.id)
                step = None
            else:
                step = Step(
                    status=RequestStatus.CANCELLED,
                    source=Source.PERSON,
                    actor_id=by.id,
                    reason_code=ReasonCode.CANCELLED,
                )
                await self._take(row, step, now)
                await self._tell_end(row, Kind.DELETE, now)
                if row.requested_by != by.id:
                    await self._record("request.cancelled", row, by, address, step)
        if step is None:
            await self._announcer.created(row.id, also=(by.id,))
        else:
            await self._told(row, step)

    async def retry(self, request_id: int, by: User) -> None:
        """Once more what did not work; it counts anew."""
        visible = await self._lists.row(request_id, None if rules.sees_all(by) else by.id)
        now = datetime.now(UTC)
        try:
            async with transaction():
                row = await self._states.row(visible.id, locks=True)
                if not rules.can_retry(row, by):
                    raise Conflict("There is nothing to try again: it did not fail.")
                if row.requested_by == by.id:
                    rules.check_rights(by, row.media_type, is_4k=row.is_4k)
                    await self._quotas.lock(by.id)
                    since = now - timedelta(days=by.quotas.requests_days)
                    rules.admit(by, await self._quotas.charges(by.id, since), row.quota_cost, now)
                is_yes = row.is_approved or rules.may_manage(by) or not rules.needs_approval(by)
                status = RequestStatus.APPROVED if is_yes else RequestStatus.PENDING
                step = Step(status=status, source=Source.PERSON, actor_id=by.id, is_approved=is_yes)
                await self._take(row, step, now)
                await self._states.charge(row.id, now)
                if is_yes:
                    kind = Kind.SEND if row.overseerr_id is None else Kind.RETRY
                    await self._outbox.put(kind, row.id, lane_of(row.key), now)
        except UniqueViolation as error:
            raise Conflict("Somebody has asked for it again meanwhile. Ask for it as well to join them.") from error
        await self._told(row, step)

    async def several(self, ids: Sequence[int], reason: str | None, by: User, address: str) -> Bulk:
        """Approve all of these, or with a reason decline them; what cannot be is left as it is."""
        if reason is not None:
            reason = rules.check_reason(reason)
        done, why = 0, []
        for request_id in ids:
            try:
                if reason is None:
                    await self.approve(request_id, by, address)
                else:
                    await self.decline(request_id, reason, by, address)
                done += 1
            except MediaNestError as error:
                why.append(error.message)
        return Bulk(done=done, refused=len(why), why=why[0] if why else "")

    async def _manages(self, request_id: int, by: User) -> None:
        # first whether they see it at all: somebody else's does not exist for them
        await self._lists.row(request_id, None if rules.sees_all(by) else by.id)
        if not rules.may_manage(by):
            raise NotAllowed(rules.ONLY_APPROVERS, code="permission_missing")

    async def _take(self, row: Row, step: Step, now: datetime) -> None:
        if not await self._states.take(row, step, now):
            raise Conflict("It has just changed. Look at it again.")

    async def _tell_end(self, row: Row, kind: Kind, now: datetime) -> None:
        """What was never begun is taken back here; what may be there is ended there, after what is on its way."""
        if await self._outbox.drop_unsent(row.id) or row.overseerr_id is not None:
            await self._outbox.put(kind, row.id, lane_of(row.key), now)

    async def _record(self, action: str, row: Row, by: User, address: str, step: Step) -> None:
        await record(
            action, row.title, actor_id=by.id, actor_name=by.username, address=address, detail=step.reason or "",
            before={"status": row.status.value}, after={"status": step.status.value},
        )  # fmt: skip

    async def _told(self, row: Row, step: Step) -> None:
        await self._announcer.changed(row.id, step.status, step.reason_code)
        self._wake()
