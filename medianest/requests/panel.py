"""What somebody can do about a title: the words and choices of the request box on its page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from medianest.accounts.model import NO_LIMIT, Permission, User
from medianest.media.model import Availability, MediaType, Title
from medianest.requests import rules
from medianest.requests.model import (
    AskedState,
    MediaRequest,
    PanelSeason,
    RequestPanel,
    RequestQuota,
    RequestStatus,
    SeasonState,
)
from medianest.requests.repository.lists import RequestLists
from medianest.requests.repository.quotas import QuotaRepository
from medianest.requests.repository.rows import FILM
from medianest.requests.repository.states import RequestStates
from medianest.requests.showing import Showing

ENDED = (RequestStatus.DECLINED, RequestStatus.FAILED, RequestStatus.CANCELLED, RequestStatus.AVAILABLE)


class Panels:
    """Built with the slice. `is_down` tells whether requests are only kept at the moment."""

    def __init__(
        self,
        lists: RequestLists,
        states: RequestStates,
        quotas: QuotaRepository,
        showing: Showing,
        is_down: Callable[[], Awaitable[bool]],
    ) -> None:
        self._lists = lists
        self._states = states
        self._quotas = quotas
        self._showing = showing
        self._is_down = is_down

    async def of(self, title: Title, by: User) -> RequestPanel:
        """The box for `title` as `by` sees it; reads the database only."""
        existing = (await self._showing.states([title.key], by)).get(title.key)
        taken = await self._states.taken(title.key, is_4k=False)
        seasons = _seasons(title, taken) if title.media_type is MediaType.TV else ()
        quota = await self.quota(by)
        why_not = _why_not(title, by, seasons, taken, existing, quota)
        return RequestPanel(
            media_type=title.media_type,
            tmdb_id=title.tmdb_id,
            title=title.title,
            may_ask=not why_not,
            why_not=why_not,
            needs_approval=rules.needs_approval(by),
            may_4k=by.may(Permission.REQUEST_4K) and title.availability_4k is not Availability.AVAILABLE,
            is_kept=await self._is_down(),
            quota=quota,
            seasons=seasons,
            existing=existing,
            asked=await self._asked(existing, by),
            people=await self._lists.active_people() if rules.may_manage(by) else (),
        )

    async def _asked(self, existing: AskedState | None, by: User) -> MediaRequest | None:
        if existing is None or existing.request_id is None:
            return None
        row = await self._lists.row(existing.request_id, None if rules.sees_all(by) else by.id)
        return await self._showing.whole(row, by)

    async def quota(self, by: User) -> RequestQuota | None:
        """What they have used of their share; None where nothing limits them."""
        if by.is_admin or by.quotas.requests_limit == NO_LIMIT:
            return None
        since = datetime.now(UTC) - timedelta(days=by.quotas.requests_days)
        return rules.quota_of(by, await self._quotas.charges(by.id, since))


def _seasons(title: Title, taken: dict[int, int]) -> tuple[PanelSeason, ...]:
    def state(number: int, availability: Availability) -> SeasonState:
        if availability is Availability.AVAILABLE:
            return SeasonState.THERE
        return SeasonState.ASKED if number in taken else SeasonState.MISSING

    return tuple(
        PanelSeason(
            number=season.number,
            title=season.title,
            episodes=season.episodes or None,
            state=state(season.number, season.availability),
        )
        for season in title.counted_seasons
    )


def _why_not(
    title: Title,
    by: User,
    seasons: tuple[PanelSeason, ...],
    taken: dict[int, int],
    existing: AskedState | None,
    quota: RequestQuota | None,
) -> str:
    """Why they can ask for nothing of it, in a sentence; empty when they can."""
    right = rules.ASK[title.media_type]
    if not by.may(right):
        return rules.NO_RIGHT[title.media_type]
    if title.is_blocklisted:
        return "This title is on the blocklist, so it cannot be asked for."
    is_theirs = existing is not None and (existing.is_mine or existing.is_followed) and existing.status not in ENDED
    if title.media_type is MediaType.MOVIE:
        if title.availability is Availability.AVAILABLE:
            return "" if by.may(Permission.REQUEST_4K) else rules.THERE
        if FILM in taken:
            return "You are told as soon as it is there." if is_theirs else ""
    elif not seasons:
        return "No season of this series is known yet."
    elif all(season.is_locked for season in seasons):
        if all(season.state is SeasonState.THERE for season in seasons):
            return "All seasons are in the library already."
        return "You are told as soon as the missing seasons are there." if is_theirs else ""
    if quota is not None and quota.left == 0:
        return "Your share of requests is used up for now." if quota.limit else rules.NONE_AT_ALL
    return ""
