"""Turns changes of rows into events, with the people who may see them."""

from __future__ import annotations

from medianest.downloads.holding import QueueChanged
from medianest.downloads.model import (
    DownloadCreated,
    DownloadLeft,
    DownloadProgressed,
    DownloadRemoved,
    DownloadStateChanged,
    Progress,
)
from medianest.downloads.repository.bulk import Many
from medianest.downloads.repository.claims import Ended
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.rows import Changed, ParentChanged
from medianest.downloads.repository.states import Outcome, Removed
from medianest.events import EventBus

TOLD_ITEMS = 100  # of a list that changed as a whole: as many as a page can show; lists are read again anyway


class Announcer:
    """Publishes; call it after the transaction has committed."""

    def __init__(self, events: EventBus, lists: DownloadLists) -> None:
        self._events = events
        self._lists = lists

    async def people(self, top_id: int) -> tuple[int, ...]:
        return await self._lists.people(top_id)

    async def created(
        self, download_id: int, people: tuple[int, ...] | None = None, *, for_approvers: bool = False
    ) -> None:
        """A download was queued, or somebody joined it; `people` where they are known."""
        seen_by = people or await self.people(download_id)
        await self._events.publish(
            DownloadCreated(download_id=download_id, parent_id=None, people=seen_by, for_approvers=for_approvers)
        )

    async def ended(self, ended: Ended) -> None:
        """One download got another state; its list follows."""
        people = await self.people(ended.changed.parent_id or ended.changed.id)
        await self._state(ended.changed, people)
        await self._parent(ended.parent, people)

    async def outcome(self, top_id: int, outcome: Outcome) -> None:
        """A person changed a download or a whole list."""
        people = await self.people(top_id)
        for changed in outcome.changed[:TOLD_ITEMS]:
            await self._state(changed, people)
        await self._parent(outcome.parent, people, has_told_state=any(c.id == top_id for c in outcome.changed))

    async def many(self, many: Many) -> None:
        """Many downloads changed at once: those that ran are named, so that whoever runs them stops; of the others some."""
        first = sorted(many.changed, key=lambda one: one.id not in many.was_running)
        tops = {one.parent_id or one.id for one in first[:TOLD_ITEMS]} | {one.changed.id for one in many.parents}
        people = {top: await self.people(top) for top in tops}
        for changed in first[:TOLD_ITEMS]:
            await self._state(changed, people[changed.parent_id or changed.id])
        for parent in many.parents:
            await self._parent(parent, people[parent.changed.id])
        if len(first) > 1:
            await self._events.publish(QueueChanged())

    async def removed(self, removed: Removed) -> None:
        event = DownloadRemoved(download_id=removed.id, parent_id=removed.parent_id, people=removed.people)
        await self._events.publish(event)
        await self._parent(removed.parent, removed.people)

    async def left(self, download_id: int, user_id: int) -> None:
        """One person took it off their list; others still have it."""
        await self._events.publish(DownloadLeft(download_id=download_id, user_id=user_id))

    async def refreshed(self, changed: Changed) -> None:
        """A row learned something that pages show, such as its title."""
        await self._state(changed, await self.people(changed.parent_id or changed.id))

    async def progressed(
        self, download_id: int, parent_id: int | None, people: tuple[int, ...], progress: Progress
    ) -> None:
        await self._events.publish(
            DownloadProgressed(download_id=download_id, parent_id=parent_id, people=people, progress=progress)
        )

    async def shown_otherwise(self, changed: Changed) -> None:
        """What Plex made of a row is what is new; for the queue it is the same."""
        await self._state(changed, await self.people(changed.parent_id or changed.id), is_for_pages=True)

    async def _state(self, changed: Changed, people: tuple[int, ...], *, is_for_pages: bool = False) -> None:
        await self._events.publish(
            DownloadStateChanged(
                download_id=changed.id,
                parent_id=changed.parent_id,
                people=people,
                state=changed.state,
                reason_code=changed.reason_code,
                is_for_pages=is_for_pages,
            )
        )

    async def _parent(
        self, parent: ParentChanged | None, people: tuple[int, ...], *, has_told_state: bool = False
    ) -> None:
        if parent is None:
            return
        await self.progressed(parent.changed.id, None, people, parent.progress)
        if parent.is_other_state and not has_told_state:
            await self._state(parent.changed, people)
