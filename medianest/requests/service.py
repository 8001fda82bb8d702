"""The rules of requests: who may ask for what, what they see, and what whoever looks after requests does with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from medianest.accounts.model import User
from medianest.errors import Conflict, Invalid
from medianest.media.model import MediaType, Title, TitleKey
from medianest.requests import rules
from medianest.requests.announcer import Announcer
from medianest.requests.asking import Asking
from medianest.requests.decisions import Bulk, Decisions
from medianest.requests.model import (
    AskedState,
    MediaRequest,
    NewRequest,
    RequestCounts,
    RequestPanel,
    RequestQuota,
    RequestStatus,
)
from medianest.requests.panel import Panels
from medianest.requests.repository.lists import GROUPS, ORDERS, RequestLists, Wanted
from medianest.requests.repository.states import RequestStates
from medianest.requests.showing import Showing

MOST_AT_ONCE = 100
LONGEST_WORDS = 100


class RequestService:
    """What pages and API call. `by` is the person; another person's request does not exist for them, unless they see all."""

    def __init__(
        self, *, lists: RequestLists, states: RequestStates, asking: Asking, decisions: Decisions, panels: Panels,
        showing: Showing, announcer: Announcer,
    ) -> None:  # fmt: skip
        self._lists = lists
        self._states = states
        self._asking = asking
        self._decisions = decisions
        self._panels = panels
        self._showing = showing
        self._announcer = announcer

    async def submit(
        self, new: NewRequest, by: User, on_behalf_of: int | None = None, *, address: str = ""
    ) -> tuple[MediaRequest, bool]:
        """Keep a request and send it on; asking for what is already asked for joins that.

        Args:
            on_behalf_of: the person it is for; only for whoever looks after requests, whose yes it has with that.

        Returns:
            The request, and whether it is new.

        Raises:
            NotAllowed: their rights, or a child's age limit, do not go so far.
            QuotaExceeded: their share is used up.
            Invalid: there is no such season, or none was chosen.
            Conflict: it is in the library already.
            NotFound, UpstreamFailed: there is no such title; nothing is known of it and nobody answers.
        """
        stored = await self._asking.ask(new, by, on_behalf_of, address)
        return await self.get(stored.id, by=by), stored.is_new

    async def get(self, request_id: int, by: User) -> MediaRequest:
        """One request with its history; raises `NotFound`."""
        row = await self._lists.row(request_id, self._person(by))
        return await self._showing.whole(row, by)

    async def list(
        self,
        by: User,
        group: str | None = None,
        *,
        status: RequestStatus | None = None,
        media_type: MediaType | None = None,
        words: str = "",
        order: str = "newest",
        only_own: bool = False,
        limit: int = 20,
        offset: int = 0,
    ) -> tuple[tuple[MediaRequest, ...], int]:
        """A page of requests and how many there are in all.

        Args:
            group: `waiting`, `coming`, `there`, `declined` (with what failed or was taken back), or None for all.
            order: `newest`, `oldest`, `title` or `status`.
            only_own: for people who see everybody's.
        """
        if group is not None and group not in GROUPS:
            names = ", ".join(GROUPS)
            raise Invalid(f"Show can be one of {names}.", fields={"show": "This is none of them."})
        if order not in ORDERS:
            names = ", ".join(ORDERS)
            raise Invalid(f"Sort can be one of {names}.", fields={"sort": "This is none of them."})
        wanted = Wanted(
            person=by.id if only_own else self._person(by),
            group=group,
            status=status,
            media_type=media_type,
            words=words.replace("\0", " ").strip()[:LONGEST_WORDS],
            order=order,
        )
        rows = await self._lists.page(wanted, max(1, min(limit, MOST_AT_ONCE)), max(0, min(offset, 10**9)))
        return await self._showing.of(rows, by), await self._lists.total(wanted)

    async def latest(self, by: User, n: int = 5) -> tuple[MediaRequest, ...]:
        """What they asked for or follow, the newest change first."""
        return await self._showing.of(await self._lists.latest(by.id, n), by)

    async def to_approve(self, by: User, n: int = 5) -> tuple[MediaRequest, ...]:
        """What waits for their yes, the oldest first; nothing for people who may not give it."""
        if not rules.may_manage(by):
            return ()
        rows = await self._lists.page(Wanted(person=None, group="waiting", order="oldest"), n, 0)
        return await self._showing.of(rows, by)

    async def counts(self, by: User) -> RequestCounts:
        """Figures over the list."""
        found = await self._lists.counts(self._person(by))
        sums = {group: sum(found.get(one, 0) for one in states) for group, states in GROUPS.items()}
        return RequestCounts(
            all=sum(found.values()),
            waiting=sums["waiting"],
            on_the_way=sums["coming"],
            there=sums["there"],
            declined=sums["declined"],
            to_approve=sums["waiting"] if rules.may_manage(by) else 0,
        )

    async def menu_count(self, by: User) -> int:
        """The number in the menu: what waits for their yes, else what of theirs is not there yet."""
        if rules.may_manage(by):
            return await self._lists.pending()
        found = await self._lists.counts(by.id)
        return sum(found.get(one, 0) for one in (*GROUPS["waiting"], *GROUPS["coming"]))

    async def states_of(self, keys: Sequence[TitleKey], by: User) -> dict[TitleKey, AskedState]:
        """Of each title the request that concerns `by` most, for badges; nothing where nobody has asked."""
        return await self._showing.states(keys, by)

    async def panel(self, title: Title, by: User) -> RequestPanel:
        """What `by` can do about `title`; reads the database only."""
        return await self._panels.of(title, by)

    async def quota(self, by: User) -> RequestQuota | None:
        """What they have used of their share; None where nothing limits them."""
        return await self._panels.quota(by)

    async def follow(self, request_id: int, by: User) -> MediaRequest:
        """Be told about somebody else's request that they see; others join by asking for the same."""
        row = await self._lists.row(request_id, self._person(by))
        if row.is_open and await self._states.join(row.id, by.id, datetime.now(UTC)):
            await self._announcer.created(row.id)
        return await self.get(request_id, by)

    async def unfollow(self, request_id: int, by: User) -> None:
        """Not be told any more. Raises `Conflict` for their own: that is taken back instead."""
        row = await self._lists.row(request_id, self._person(by))
        if row.requested_by == by.id:
            raise Conflict("You asked for this yourself. Take the request back instead.")
        if await self._states.leave(row.id, by.id):
            await self._announcer.created(row.id, also=(by.id,))

    async def approve(self, request_id: int, by: User, *, address: str = "") -> MediaRequest:
        """Let it be looked for.

        Raises:
            NotAllowed, NotFound: not theirs to say; there is no such request.
            Conflict: it does not wait for this (any more).
        """
        await self._decisions.approve(request_id, by, address)
        return await self.get(request_id, by)

    async def decline(self, request_id: int, reason: str, by: User, *, address: str = "") -> MediaRequest:
        """Say no. Raises as `approve`, and `Invalid` without a reason."""
        await self._decisions.decline(request_id, reason, by, address)
        return await self.get(request_id, by)

    async def decide(self, ids: Sequence[int], reason: str | None, by: User, *, address: str = "") -> Bulk:
        """Approve several, or with a reason decline them."""
        return await self._decisions.several(ids, reason, by, address)

    async def cancel(self, request_id: int, by: User, *, address: str = "") -> None:
        """Take it back: own ones while they wait, any open one for whoever looks after requests. Others who follow keep it.

        Raises:
            NotFound, NotAllowed: it is somebody else's.
            Conflict: it is too late.
        """
        await self._decisions.cancel(request_id, by, address)

    async def retry(self, request_id: int, by: User) -> MediaRequest:
        """Once more what did not work; raises `Conflict`, and as `submit`."""
        await self._decisions.retry(request_id, by)
        return await self.get(request_id, by)

    def _person(self, by: User) -> int | None:
        return None if rules.sees_all(by) else by.id
