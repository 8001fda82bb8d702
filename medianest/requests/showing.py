"""From rows to what a person may see of them: names only for those who may know them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from medianest.accounts.model import User
from medianest.media.model import Title, TitleKey
from medianest.requests import rules
from medianest.requests.model import AskedState, MediaRequest, RequestEntry, RequestPerson, RequestStatus, Source
from medianest.requests.neighbours import Titles
from medianest.requests.repository.lists import Followers, RequestLists
from medianest.requests.repository.rows import Row
from medianest.requests.timeline import steps_of

NOBODY = Followers(0, False)


class Showing:
    """Reads what a row alone does not say."""

    def __init__(self, lists: RequestLists, titles: Titles) -> None:
        self._lists = lists
        self._titles = titles

    async def of(self, rows: Sequence[Row], by: User) -> tuple[MediaRequest, ...]:
        """The requests as `by` sees them."""
        followers = await self._lists.followers([row.id for row in rows], by.id)
        names = await self._names(rows, by)
        known = await self._titles.known({row.key for row in rows}, by)
        return tuple(self._shown(row, by, followers.get(row.id, NOBODY), names, known.get(row.key)) for row in rows)

    async def whole(self, row: Row, by: User) -> MediaRequest:
        """One request with its history and who follows it."""
        (shown,) = await self.of([row], by)
        steps = await self._lists.history(row.id)
        is_known = rules.sees_all(by)
        actors = [step["actor_id"] for step in steps if step["actor_id"] is not None]
        names = await self._lists.names(actors if is_known else [one for one in actors if one == by.id])
        history = tuple(
            RequestEntry(
                at=step["at"],
                status=step["status"],
                source=step["source"],
                who=names.get(step["actor_id"], "") if step["source"] is Source.PERSON else "",
                reason=step["reason"],
            )
            for step in steps
        )
        follower_names = await self._lists.follower_names(row.id, row.requested_by) if is_known else ()
        return msgspec.structs.replace(
            shown, history=history, follower_names=follower_names, steps=steps_of(shown, history)
        )

    async def _names(self, rows: Sequence[Row], by: User) -> dict[int, str]:
        if not rules.sees_all(by):
            return {by.id: by.display_name}
        return await self._lists.names([row.requested_by for row in rows if row.requested_by is not None])

    def _shown(
        self, row: Row, by: User, followers: Followers, names: dict[int, str], known: Title | None
    ) -> MediaRequest:
        is_mine = row.requested_by == by.id
        who = None
        if row.requested_by in names:
            who = RequestPerson(id=row.requested_by, name=names[row.requested_by])
        others = followers.count - (1 if row.requested_by is not None else 0)
        return MediaRequest(
            id=row.id,
            media_type=row.media_type,
            tmdb_id=row.tmdb_id,
            title=row.title or "?",
            year=row.year,
            poster=known.poster if known else None,
            seasons=row.seasons,
            is_4k=row.is_4k,
            status=row.status,
            reason_code=row.reason_code,
            reason=row.reason,
            requested_by=who,
            is_mine=is_mine,
            is_followed=followers.is_followed and not is_mine,
            followers=max(0, others),
            created_at=row.created_at,
            changed_at=row.changed_at,
            can_cancel=rules.can_cancel(row, by),
            can_decide=rules.can_decide(row, by),
            can_decline=rules.can_decline(row, by),
            can_retry=rules.can_retry(row, by),
            plex_url=known.plex_url if known and row.status in _WATCHABLE else None,
        )

    async def states(self, keys: Sequence[TitleKey], by: User) -> dict[TitleKey, AskedState]:
        """Of each title the request that concerns `by` most: their own, one they follow, anybody's open one."""
        rows = await self._lists.of_titles(keys)
        followers = await self._lists.followers([row.id for row in rows], by.id)
        names = await self._names(rows, by)
        best: dict[TitleKey, tuple[int, Row]] = {}
        for row in rows:
            is_theirs = row.requested_by == by.id or followers.get(row.id, NOBODY).is_followed
            if not row.is_open and not is_theirs:
                continue
            weight = (4 if row.is_open else 0) + (2 if row.requested_by == by.id else 1 if is_theirs else 0)
            if row.key not in best or weight > best[row.key][0]:  # of equals the newest, which comes first
                best[row.key] = (weight, row)
        return {key: self._state(row, by, followers.get(row.id, NOBODY), names) for key, (_w, row) in best.items()}

    def _state(self, row: Row, by: User, followers: Followers, names: dict[int, str]) -> AskedState:
        is_mine = row.requested_by == by.id
        may_open = is_mine or followers.is_followed or rules.sees_all(by)
        return AskedState(
            request_id=row.id if may_open else None,
            status=row.status,
            is_mine=is_mine,
            is_followed=followers.is_followed and not is_mine,
            asked_by="" if is_mine else names.get(row.requested_by or 0, ""),
            reason=row.reason if may_open else None,
        )


_WATCHABLE = (RequestStatus.AVAILABLE, RequestStatus.PARTIALLY_AVAILABLE)
