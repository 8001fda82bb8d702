"""One subscription, claimed: look whether there is anything new, put it into the queue, say how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.model import Permission, User, UserState
from medianest.downloads.feeds.model import Feed, FeedRefused
from medianest.errors import Invalid, MediaNestError, NotFound
from medianest.subscriptions.looking import FeedReader
from medianest.subscriptions.model import ItemState, Outcome, SubscriptionState
from medianest.subscriptions.repository.states import SubscriptionStates
from medianest.subscriptions.repository.work import Claim, Result, WorkRepository
from medianest.subscriptions.rules import OUTCOMES, CheckRules, judge_fresh, next_wait_s, retry_wait_s, unique
from medianest.subscriptions.taking import Queue, Taken, Taking

PersonOf = Callable[[int], Awaitable[User]]
MAY_NOT = "Your account may not follow or download any more. Ask whoever runs this server."
RUNS_AWAY = (
    "This list shows other videos at every look and has no end, so nothing of it is taken. Follow the channels whose "
    "videos you like instead."
)
ENDED_AT_ONCE = 100  # downloads of one that ends, taken off in one go


class Check:
    """Works on claims; several may run at once."""

    def __init__(
        self, states: SubscriptionStates, work: WorkRepository, feeds: FeedReader, queue: Queue, taking: Taking,
        person_of: PersonOf, rules: CheckRules,
    ) -> None:  # fmt: skip
        self._states = states
        self._work = work
        self._feeds = feeds
        self._queue = queue
        self._taking = taking
        self._person_of = person_of
        self._rules = rules

    async def run(self, claim: Claim) -> Result | None:
        """Do what is due; None for one that has ended and is gone."""
        person = await self._person_of(claim.user_id)
        if claim.state is SubscriptionState.ENDING:
            return await self._end(claim, person)
        now = datetime.now(UTC)
        if not may_follow(person):
            after = now + timedelta(seconds=next_wait_s(claim.interval_s))
            return Result(
                outcome=Outcome.NOT_ALLOWED, message=MAY_NOT, failures=claim.failures, next_check_at=after, due_at=after
            )
        looked = await self._look(claim) if claim.next_check_at <= now else None
        taken = await self._taking.run(claim, person)
        return self._result(claim, looked, taken)

    async def _look(self, claim: Claim) -> Result:
        """The list as it is now; what is new is kept, to be put into the queue."""
        keys = await self._states.newest_keys(claim.id, self._rules.known_sent) if claim.is_newest_first else []
        try:
            feed = await self._feeds.read(claim.url, known=keys, stop_after=self._rules.stop_after if keys else 0)
            found = await self._keep(claim, feed)
        except FeedRefused as error:
            return self._failed(claim, OUTCOMES.get(error.failure, Outcome.UNREADABLE), error.message, error.wait_s)
        except Invalid as error:  # the pattern
            return self._failed(claim, Outcome.UNREADABLE, error.message, None)
        if found is None:
            return self._failed(claim, Outcome.RUNS_AWAY, RUNS_AWAY, None)
        now = datetime.now(UTC)
        after = now + timedelta(seconds=next_wait_s(claim.interval_s))
        outcome = Outcome.FOUND if found else Outcome.NOTHING_NEW
        return Result(outcome=outcome, message="", failures=0, next_check_at=after, due_at=after, checked_at=now)

    async def _keep(self, claim: Claim, feed: Feed) -> int | None:
        """How many new videos are to be taken; None for a list that runs away."""
        entries = unique(feed.entries)
        known = await self._states.known(claim.id, (one.key for one in entries))
        fresh = [one for one in entries if one.key not in known]
        if feed.is_capped and entries and not known and await self._states.newest_keys(claim.id, 1):
            return None
        if not fresh:
            return 0
        # in a thread, since a pattern over many titles takes its time
        judged = await asyncio.to_thread(judge_fresh, fresh, claim.filters)
        return await self._states.put_fresh(claim.id, judged, audio=claim.audio_only, at=datetime.now(UTC))

    def _failed(self, claim: Claim, outcome: Outcome, message: str, wait_s: float | None) -> Result:
        now = datetime.now(UTC)
        # a site that asks for peace is no fault of the list
        failures = claim.failures if outcome is Outcome.SITE_PAUSED else claim.failures + 1
        seconds = wait_s or retry_wait_s(outcome, failures, claim.interval_s, self._rules.first_retry_s)
        after = now + timedelta(seconds=seconds)
        return Result(
            outcome=outcome, message=message, failures=failures, next_check_at=after, due_at=after, checked_at=now
        )

    def _result(self, claim: Claim, looked: Result | None, taken: Taken) -> Result:
        kept = Result(
            outcome=Outcome.FOUND if claim.outcome is Outcome.QUOTA else claim.outcome,
            message="" if claim.outcome in (Outcome.QUOTA, Outcome.NOT_ALLOWED) else claim.message,
            failures=claim.failures,
            next_check_at=claim.next_check_at,
            due_at=claim.next_check_at,
        )
        result = looked or kept
        if taken.wait_s is None:
            return result
        due_at = min(result.due_at, datetime.now(UTC) + timedelta(seconds=taken.wait_s))
        if taken.message and result.failures == 0:
            return msgspec.structs.replace(result, outcome=Outcome.QUOTA, message=taken.message, due_at=due_at)
        return msgspec.structs.replace(result, due_at=due_at)

    async def _end(self, claim: Claim, person: User) -> Result | None:
        """Take off the queue what it had put there and what nobody else's subscription brings; then it is gone."""
        rows = await self._work.left_to_remove(claim.id, ENDED_AT_ONCE)
        for row in rows:
            is_shared = len(await self._states.of_download(row["download_id"], claim.user_id)) > 1
            is_done = row["state"] == ItemState.DOWNLOADED
            if not is_shared and (claim.deletes_files or not is_done):
                await self._remove(row["download_id"], person)
            await self._work.forget_download(row["id"])
        if len(rows) < ENDED_AT_ONCE:
            await self._states.remove(claim.id)
            return None
        now = datetime.now(UTC)
        return Result(outcome=claim.outcome, message="", failures=0, next_check_at=now, due_at=now)

    async def _remove(self, download_id: int, person: User) -> None:
        try:
            await self._queue.remove(download_id, person)
        except NotFound:
            return  # somebody was faster


def may_follow(person: User) -> bool:
    """Whether anything may be taken in their name."""
    return person.state is UserState.ACTIVE and person.may(Permission.FOLLOW) and person.may(Permission.DOWNLOAD)


def failed_inside(claim: Claim, error: Exception) -> Result:
    """What a claim ends with when something broke that nobody foresaw: it is tried again at its time."""
    message = (
        error.message
        if isinstance(error, MediaNestError)
        else "Something went wrong inside MediaNest; the log says more."
    )
    after = datetime.now(UTC) + timedelta(seconds=next_wait_s(claim.interval_s))
    return Result(
        outcome=Outcome.UNREADABLE, message=message, failures=claim.failures + 1, next_check_at=after, due_at=after
    )
