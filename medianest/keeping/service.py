"""What people ask of the library's history, and what the owner rules about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.accounts.model import Caller, User
from medianest.errors import Conflict, Invalid, NotFound, Unavailable
from medianest.keeping.model import (
    LEAST_NOTICE_DAYS,
    DryRun,
    GoingSummary,
    HistoryDetail,
    HistoryFilter,
    HistoryPage,
    KeepingSettings,
    Outcome,
    Planned,
)
from medianest.keeping.repository.history import HistoryListRepository, where_of
from medianest.keeping.repository.marks import MarkRepository
from medianest.keeping.repository.plans import PlanRepository
from medianest.keeping.repository.settings import KeepingSettingsRepository
from medianest.keeping.retention import Retention
from medianest.keeping.watched import Watched
from medianest.keeping.words import deleted_by_person
from medianest.system.audit import record

MOST_AT_ONCE = 100
ENDED_SHOWN = 20
WRONG_DAYS = "From 1 to 3650 days; empty switches the rule off."
LIMITS: dict[str, tuple[int, int, str]] = {
    "days": (1, 3650, WRONG_DAYS),
    "newest_per_show": (1, 10_000, "From 1 to 10000 videos; empty switches the rule off."),
    "watched_days": (0, 3650, "From 0 to 3650 days; empty switches the rule off."),
    "free_space_bytes": (1, 10**16, "From 1 byte to 10 PB; empty switches the rule off."),
    "notice_days": (LEAST_NOTICE_DAYS, 90, "From 7 to 90 days: people are told at least a week before."),
}


class KeepingService:
    """Built once; pages and API ask it."""

    def __init__(
        self, lists: HistoryListRepository, marks: MarkRepository, plans: PlanRepository, settings: KeepingSettingsRepository,
        retention: Retention, watched: Watched,
    ) -> None:  # fmt: skip
        self._lists = lists
        self._marks = marks
        self._plans = plans
        self._settings = settings
        self._retention = retention
        self._watched = watched

    # the history

    async def page(
        self, wanted: HistoryFilter, by: User, *, limit: int = 50, before: int | None = None, after: int | None = None
    ) -> HistoryPage:
        """Their videos, newest first; administrators see everybody's."""
        limit = max(1, min(limit, MOST_AT_ONCE))
        asked_by = None
        if not by.is_admin:
            wanted = msgspec.structs.replace(wanted, person="")
        elif wanted.person:
            asked_by = await self._lists.person_named(wanted.person)
        where = where_of(wanted, _person(by), asked_by)
        found = await self._lists.page(where, limit + 1, before=before, after=after)  # one more tells if it goes on
        goes_on = len(found) > limit
        if after is not None:
            found = found[-limit:]
            older, newer = bool(found), goes_on
        else:
            found = found[:limit]
            older, newer = goes_on, before is not None and bool(found)
        return HistoryPage(
            items=tuple(found), older=found[-1].id if older else None, newer=found[0].id if newer else None
        )

    async def one(self, history_id: int, by: User) -> HistoryDetail:
        """One video with its files and what Plex knows.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        found = await self._lists.one(history_id, _person(by))
        if found is None:
            raise NotFound("There is no such video in your history.")
        return found

    async def sites(self, by: User) -> tuple[str, ...]:
        """Sites that anything of theirs came from."""
        return await self._lists.sites(_person(by))

    async def shield(self, history_id: int, by: User) -> HistoryDetail:
        """Keep it whatever the rules say; an announced deletion is off.

        Raises:
            Conflict: it is being deleted this moment, or was.
        """
        found = await self.one(history_id, by)
        if not found.is_there:
            raise Conflict("It is not in the library any more, so there is nothing to keep.")
        now = datetime.now(UTC)
        await self._marks.shield(history_id, by.id, now)
        await self._plans.end(history_id, Outcome.SHIELDED, now)
        return await self.one(history_id, by)

    async def unshield(self, history_id: int, by: User) -> HistoryDetail:
        """The rules hold for it again."""
        await self.one(history_id, by)
        await self._marks.unshield(history_id)
        return await self.one(history_id, by)

    async def remove(self, history_id: int, by: Caller, *, address: str = "") -> HistoryDetail:
        """Delete it from the library with everything beside it; it does not come back by itself.

        Raises:
            Conflict: others have it too, it is not there, or it is being fetched again.
        """
        found = await self.one(history_id, by.user)
        if not found.is_there:
            raise Conflict("It is not in the library any more.")
        if not by.user.is_admin and await self._lists.is_shared(history_id, by.user.id):
            raise Conflict("Others have this video too. An administrator can remove it for everybody.")
        if not await self._retention.is_library_there():
            raise Conflict("The library folder is empty or not there: is its disk mounted? Nothing was deleted.")
        files = await self._plans.remove(history_id, deleted_by_person(by.user.username), datetime.now(UTC))
        if files is None:
            raise Conflict("It is being fetched or was removed this moment. Look at it again.")
        is_gone = await self._retention.remove_files(files)
        await record(
            "video.removed", found.title, actor_id=by.user.id, actor_name=by.user.username, address=address,
            detail=f"{len(files)} files, {found.size_bytes} bytes",
        )  # fmt: skip
        await self._retention.gone([history_id])
        if not is_gone:
            raise Unavailable(
                "MediaNest could not remove the file. Give it the right to write into the library folder."
            )
        return await self.one(history_id, by.user)

    async def going(self, by: User) -> GoingSummary:
        """What of theirs goes soon; for administrators of everybody's."""
        return await self._lists.going(_person(by))

    # the rules

    async def settings(self) -> KeepingSettings:
        return await self._settings.get()

    async def change_settings(self, settings: KeepingSettings, *, by: Caller, address: str = "") -> KeepingSettings:
        """Keep other rules. Nothing is deleted by that: the next night announces what goes.

        Raises:
            Invalid: with a sentence for each value that does not fit.
        """
        check(settings)
        before = await self._settings.get()
        await self._settings.put(settings, by=by.user.id, at=datetime.now(UTC))
        await record(
            "keeping.changed", "rules", actor_id=by.user.id, actor_name=by.user.username, address=address,
            before=msgspec.structs.asdict(before), after=msgspec.structs.asdict(settings),
        )  # fmt: skip
        return settings

    async def dry_run(self, settings: KeepingSettings | None = None) -> DryRun:
        """What would go now, by rules that are not kept or by those that are; raises `Invalid` as `change_settings`."""
        if settings is not None:
            check(settings)
        return await self._retention.dry_run(settings)

    async def planned(self) -> list[Planned]:
        """What is announced, the first to go first."""
        return await self._plans.open_ones()

    async def ended(self) -> list[Planned]:
        """How the newest announcements ended."""
        return await self._plans.ended(ENDED_SHOWN)

    async def keep_to_rules(self) -> str:
        """Once a night: see what was watched, delete what is due, announce what will go."""
        settings = await self._settings.get()
        if settings.watched_days is not None:
            await self._watched.look()
        return await self._retention.run()


def check(settings: KeepingSettings) -> None:
    """Raises `Invalid` with a sentence for each value that does not fit."""
    fields = {}
    for name, (least, most, sentence) in LIMITS.items():
        value: Any = getattr(settings, name)
        if value is not None and not least <= value <= most:
            fields[name] = sentence
    if fields:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=fields)


def _person(by: User) -> int | None:
    return None if by.is_admin else by.id
