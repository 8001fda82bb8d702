"""One letter of the outbox: what it says to Overseerr, and what becomes of the request by the answer."""

from __future__ import annotations

import logging
import random
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.database import UniqueViolation
from medianest.errors import MediaNestError, NotFound
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import MediaInfo, RequestRow, RowState
from medianest.integrations.overseerr_failures import (
    AlreadyRequested,
    Busy,
    NothingToRequest,
    RequestRefused,
    ServerError,
)
from medianest.media.model import MediaType
from medianest.requests import progress, upstream
from medianest.requests.announcer import Announcer
from medianest.requests.model import ReasonCode, RequestStatus, Source
from medianest.requests.neighbours import PersonOf, RequestManager
from medianest.requests.repository.outbox import Kind, Letter, Outbox
from medianest.requests.repository.rows import Row
from medianest.requests.repository.states import RequestStates, Step
from medianest.requests.words import REASONS

log = logging.getLogger(__name__)

# of a create: it was certainly not made, or certainly did nothing
_NOT_MADE = frozenset(
    (
        *("refused", "name_unknown", "certificate", "service_paused", "address_refused", "gateway_down"),
        *("overseerr_busy", "overseerr_key_refused", "overseerr_wrong_address"),
    )
)
_REFUSALS = {
    "permission": ReasonCode.UPSTREAM_PERMISSION,
    "quota": ReasonCode.UPSTREAM_QUOTA,
    "blocklisted": ReasonCode.BLOCKLISTED,
}


class SendRules(msgspec.Struct, frozen=True, kw_only=True):
    """Every time of the outbox, in seconds; tests have shorter ones."""

    first_s: float = 2.0  # after the first failure; doubles with each
    longest_s: float = 300.0
    jitter: float = 0.25
    settle_s: float = 20.0  # after a call whose answer was lost: so long may what it made take to be seen
    lease_s: float = 90.0
    poll_s: float = 5.0
    most_refusals: int = 10  # answers that say "error": about a quarter of an hour
    parallel: int = 4


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """The letter is not done. `is_refusal`: Overseerr answered, and not well."""

    at: datetime
    code: str
    is_refusal: bool = False


class Delivery:
    """Delivers letters; `deliver` gives None when nothing is left to do."""

    def __init__(
        self, states: RequestStates, outbox: Outbox, overseerr: RequestManager, person_of: PersonOf,
        announcer: Announcer, rules: SendRules,
    ) -> None:  # fmt: skip
        self._states = states
        self._outbox = outbox
        self._overseerr = overseerr
        self._person_of = person_of
        self._announcer = announcer
        self._rules = rules

    async def deliver(self, letter: Letter) -> Later | None:
        """Do what the letter says; an error of Overseerr makes it wait."""
        try:
            row = await self._states.row(letter.request_id)
        except NotFound:  # removed with the person who asked
            return None
        try:
            client = await self._overseerr.client()
            match letter.kind:
                case Kind.SEND:
                    return await self._send(client, letter, row)
                case Kind.APPROVE:
                    return await self._again(client, letter, row, retries=False)
                case Kind.RETRY:
                    return await self._again(client, letter, row, retries=True)
                case Kind.DECLINE | Kind.DELETE:
                    await self._end(client, letter.kind, row)
                    return None
        except MediaNestError as error:
            return await self._troubled(letter, row, error)

    async def _send(self, client: Overseerr, letter: Letter, row: Row) -> Later | None:
        is_wanted = row.is_open and row.status is not RequestStatus.PENDING
        if not is_wanted and letter.posted_at is None:
            return None  # declined or taken back before anything was sent
        if row.overseerr_id is not None:
            await self._settled(client, row, await client.request(row.overseerr_id), None)
            return None
        as_user = await upstream.name_for(self._overseerr, self._person_of, row.requested_by)
        found = await upstream.look(client, row, as_user)
        if found.row is not None and not (is_wanted and found.missing):
            await self._states.link(row.id, found.row.id)
            if is_wanted:
                await self._settled(client, row, found.row, found.media)
            return None
        if letter.posted_at is not None:
            # what was sent may still be on its way into their table
            settled_at = letter.posted_at + timedelta(seconds=self._rules.settle_s)
            if datetime.now(UTC) < settled_at:
                return Later(at=settled_at, code="settling")
        if not is_wanted:
            return None
        if row.media_type is MediaType.TV and not found.missing:
            await self._take(row, Step(status=RequestStatus.AVAILABLE, source=Source.OVERSEERR))
            return None
        return await self._create(client, letter, row, as_user, found.missing)

    async def _create(
        self, client: Overseerr, letter: Letter, row: Row, as_user: int | None, seasons: tuple[int, ...]
    ) -> Later | None:
        if not await self._outbox.posted(letter.id, datetime.now(UTC)):
            return None  # taken over by another process: not ours to send any more
        try:
            made = await client.create_request(
                row.media_type.value, row.tmdb_id, seasons=seasons or None, is_4k=row.is_4k, as_user=as_user
            )
        except AlreadyRequested:
            await self._outbox.posted(letter.id, None)
            return Later(at=self._after(letter), code="already_requested", is_refusal=True)
        except NothingToRequest:
            await self._outbox.posted(letter.id, None)
            await self._fail(row, ReasonCode.NOTHING_TO_REQUEST)
            return None
        except RequestRefused as error:
            await self._outbox.posted(letter.id, None)
            if error.code not in _REFUSALS:
                raise
            await self._fail(row, _REFUSALS[error.code])
            return None
        except MediaNestError as error:
            if error.code in _NOT_MADE:
                await self._outbox.posted(letter.id, None)
            raise
        await self._states.link(row.id, made.id)
        await self._settled(client, row, made, made.media)
        return None

    async def _settled(self, client: Overseerr, row: Row, there: RequestRow, media: MediaInfo | None) -> None:
        """The row is there: said yes to where MediaNest has, and followed from now on."""
        if there.status is RowState.PENDING:
            there = await client.approve(there.id)
        elif there.status is RowState.FAILED:
            there = await client.retry(there.id)
        await self._follow(row.id, there, there.media or media)

    async def _again(self, client: Overseerr, letter: Letter, row: Row, *, retries: bool) -> Later | None:
        """An approval, or one more try, of what is there; what has gone meanwhile is sent anew."""
        if row.status is not RequestStatus.APPROVED:
            return None
        if row.overseerr_id is not None:
            try:
                there = await (client.retry if retries else client.approve)(row.overseerr_id)
            except NotFound:
                await self._states.link(row.id, None)
            else:
                await self._follow(row.id, there, there.media)
                return None
        return await self._send(client, letter, await self._states.row(row.id))

    async def _end(self, client: Overseerr, kind: Kind, row: Row) -> None:
        """Decline or delete it there too, unless another request of ours is the same one there."""
        if row.overseerr_id is None:
            return
        others = (await self._states.by_overseerr([row.overseerr_id])).get(row.overseerr_id, [])
        if any(other.id != row.id and other.is_open for other in others):
            return
        try:
            if kind is Kind.DECLINE:
                await client.decline(row.overseerr_id)
            else:
                await client.delete(row.overseerr_id)
        except NotFound:
            return

    async def _follow(self, request_id: int, there: RequestRow, media: MediaInfo | None) -> None:
        row = await self._states.row(request_id)
        step = progress.step_to(row, progress.found_status(row, there, media))
        if step is None and row.reason_code is ReasonCode.UPSTREAM_DOWN:
            step = Step(status=row.status, source=Source.OVERSEERR, is_noted=False)
        if step is not None:
            await self._take(row, step)

    async def _take(self, row: Row, step: Step) -> None:
        try:
            if await self._states.take(row, step, datetime.now(UTC)):
                await self._announcer.changed(row.id, step.status, step.reason_code)
        except UniqueViolation:
            log.info("Request %d was asked for again meanwhile and stays as it is", row.id)

    async def _fail(self, row: Row, code: ReasonCode) -> None:
        step = Step(status=RequestStatus.FAILED, source=Source.OVERSEERR, reason_code=code, reason=REASONS[code])
        await self._take(row, step)

    async def _troubled(self, letter: Letter, row: Row, error: MediaNestError) -> Later | None:
        """No answer, or none that helps: it waits. Answers that say "error" are not waited for without end."""
        is_down = not isinstance(error, ServerError | NotFound | AlreadyRequested)
        if not is_down and letter.refusals + 1 >= self._rules.most_refusals:
            log.warning("Request %d: Overseerr failed %d times (%s)", row.id, letter.refusals + 1, error.code)
            if row.status is RequestStatus.APPROVED:
                await self._fail(row, ReasonCode.UPSTREAM_REFUSED)
            return None
        if row.status is RequestStatus.APPROVED and row.reason_code is not ReasonCode.UPSTREAM_DOWN:
            code = ReasonCode.UPSTREAM_DOWN
            step = Step(status=row.status, source=Source.HOUSE, reason_code=code, reason=REASONS[code], is_noted=False)
            await self._take(await self._states.row(row.id), step)
        wait_s = float(error.wait_s) if isinstance(error, Busy) else 0.0
        at = max(self._after(letter), datetime.now(UTC) + timedelta(seconds=min(wait_s, 3600)))
        return Later(at=at, code=error.code, is_refusal=not is_down)

    def _after(self, letter: Letter) -> datetime:
        rules = self._rules
        delay = min(rules.longest_s, rules.first_s * 2 ** min(letter.attempts - 1, 20))
        delay *= 1 + random.uniform(0, rules.jitter)  # noqa: S311  # no secret
        return datetime.now(UTC) + timedelta(seconds=delay)
