"""One title: its details from the request manager, what Plex has of it, what was known before, for whoever looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from msgspec.structs import replace

from medianest.accounts.model import User
from medianest.errors import Conflict, MediaNestError, NotAllowed, NotFound
from medianest.events import EventBus
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.plex_links import app_link, web_link
from medianest.media.browsing import Browsing
from medianest.media.kept import AnswerCache
from medianest.media.model import Availability, MediaType, Title, TitleAvailabilityChanged, TitleKey
from medianest.media.plex_looks import PlexLooks
from medianest.media.ratings import is_within, limit_of
from medianest.media.repository import MediaRepository, Remembered
from medianest.media.signing import PictureSigner, Source
from medianest.media.standing import settle, title_of
from medianest.media.viewers import Viewers
from medianest.system.model import CacheFigures

log = logging.getLogger(__name__)

AT_ONCE = 4  # details asked for at the same time
TOO_OLD = "This is not for your age."
UNKNOWN = "Nothing is known of this title yet, and the service that knows does not answer."

Manager = Callable[[], Awaitable[Overseerr]]  # raises Conflict when none is connected


class Titles:
    """Built with the slice."""

    def __init__(
        self, repository: MediaRepository, viewers: Viewers, browsing: Browsing, looks: PlexLooks, manager: Manager,
        signer: PictureSigner, events: EventBus,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._viewers = viewers
        self._browsing = browsing
        self._looks = looks
        self._manager = manager
        self._signer = signer
        self._events = events
        self._details = AnswerCache("titles", 300, service="overseerr", most=2000)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def title(self, key: TitleKey, by: User | None) -> Title:
        """All of a title, as `by` may see it; None is MediaNest itself.

        Raises:
            NotAllowed: it is above the limit of a child.
            UpstreamFailed: nothing is known of it and nobody answers.
            NotFound: it is nowhere, and there is no request manager to ask.
        """
        before = await self._repository.find(key)
        fresh, is_stale = await self._fresh(key, before)
        look = await self._looks.of(fresh)
        if fresh.is_whole or look is not None:
            found = settle(fresh, before, look, now=datetime.now(UTC))
            await self._keep(found, before)
            fresh = found.title
        if not is_within(fresh.certification, limit_of(by)):
            raise NotAllowed(TOO_OLD, code="above_rating_limit")
        return await self._shown(replace(fresh, is_stale=is_stale), by)

    async def known(self, keys: Collection[TitleKey], by: User | None) -> dict[TitleKey, Title]:
        """What is remembered, without a call to anybody; pictures are signed for `by`."""
        found = await self._repository.known(keys)
        return {key: self._with_pictures(one.title, by) for key, one in found.items()}

    async def remember(self, title: Title) -> None:
        """Keep what is known of a title."""
        before = await self._repository.find(title.key)
        await self._keep(Remembered(title=title, server_id=before.server_id if before else None), before)

    async def in_plex(self, key: TitleKey) -> Availability:
        """How much of it Plex has, by its numbers; unknown when Plex can not say. What is new is remembered."""
        before = await self._repository.find(key)
        title = before.title if before else Title(media_type=key.media_type, tmdb_id=key.tmdb_id, title="")
        try:
            await self._looks.refresh()
        except MediaNestError:
            return Availability.UNKNOWN
        look = await self._looks.of(title)
        if look is None:
            return Availability.UNKNOWN
        if before is not None:
            found = settle(before.title, before, look, now=datetime.now(UTC))
            await self._keep(found, before)
            return found.title.availability if look.entry else Availability.NONE
        if look.entry is None:
            return Availability.NONE
        return Availability.AVAILABLE if key.media_type is MediaType.MOVIE else Availability.PARTIAL

    async def certifications(self, keys: Collection[TitleKey], *, patience_s: float) -> dict[TitleKey, str | None]:
        """Age ratings: those that are known, and of the others what can be asked for in that time."""
        found = await self._repository.certifications(keys)
        missing = [key for key in keys if key not in found]
        tasks = {key: asyncio.create_task(self._learn(key), name="age rating") for key in missing}
        if tasks:
            await asyncio.wait(tasks.values(), timeout=patience_s)
        for key, task in tasks.items():
            if task.done() and not task.cancelled() and task.exception() is None:
                found[key] = task.result()
            else:
                task.cancel()
        return found

    async def look_again(self) -> str:
        """The recurring look: whether something that was still missing has arrived in Plex."""
        try:
            await self._looks.refresh()
        except Conflict:
            return "Plex is not connected."
        arrived = 0
        for before in await self._repository.open():
            entry = self._looks.entry(before.title)
            if entry is None or (before.title.media_type is MediaType.TV and before.title.plex_rating_key):
                continue
            look = await self._looks.of(before.title)
            if look is not None:
                found = settle(before.title, before, look, now=datetime.now(UTC))
                arrived += found.title.availability is not before.title.availability
                await self._keep(found, before)
        return f"{arrived} titles have arrived since the last look."

    # the request manager

    async def _fresh(self, key: TitleKey, before: Remembered | None) -> tuple[Title, bool]:
        """The newest details that can be had, and whether they are old ones."""
        try:
            kept = await self._details.get(key, lambda: self._ask(key))
        except (MediaNestError, TimeoutError) as error:
            if before is not None and not isinstance(error, NotFound):
                return before.title, not isinstance(error, Conflict)
            found = await self._looks.title(key)
            if found is not None:
                return found, not isinstance(error, Conflict)
            if isinstance(error, Conflict):
                raise NotFound("Nothing is known of this title here.") from error
            raise
        return kept.value, kept.trouble is not None

    async def _ask(self, key: TitleKey) -> Title:
        client = await self._manager()
        async with self._turns:
            details = await (client.movie if key.media_type is MediaType.MOVIE else client.tv)(key.tmdb_id)
        return title_of(details, at=datetime.now(UTC))

    async def _learn(self, key: TitleKey) -> str | None:
        """The age rating of a title of which nothing is known; remembered for the next time."""
        title = (await self._details.get(key, lambda: self._ask(key))).value
        await self._keep(Remembered(title=title), await self._repository.find(key))
        return title.certification

    # remembering and showing

    async def _keep(self, found: Remembered, before: Remembered | None) -> None:
        if before is not None and found == before:
            return
        title, now = found.title, datetime.now(UTC)
        await self._repository.put(
            replace(title, poster=None, backdrop=None),
            at=now,
            missing_since=found.missing_since,
            server_id=found.server_id,
        )
        if before is not None and before.title.availability is not title.availability:
            await self._events.publish(
                TitleAvailabilityChanged(
                    media_type=title.media_type, tmdb_id=title.tmdb_id, availability=title.availability
                )
            )

    def _with_pictures(self, title: Title, by: User | None) -> Title:
        if by is None:
            return title
        return replace(
            title,
            poster=self._signer.address(Source.TMDB, title.poster_path, "poster", by.id),
            backdrop=self._signer.address(Source.TMDB, title.backdrop_path, "backdrop", by.id),
        )

    async def _shown(self, title: Title, by: User | None) -> Title:
        title = self._with_pictures(title, by)
        if title.plex_rating_key is None or by is None:
            return title
        try:
            viewer = await self._viewers.of(by)
            is_shared = await self._browsing.sees(title.plex_rating_key, viewer)
        except MediaNestError:
            return title
        if not is_shared:
            return replace(title, is_shared=False)
        return replace(
            title,
            plex_url=web_link(self._viewers.plex_app_url, viewer.machine_id, title.plex_rating_key),
            plex_app_url=app_link(viewer.machine_id, title.plex_rating_key),
        )

    # upkeep

    def forget(self) -> None:
        """The request manager is another one."""
        self._details.forget()

    def figures(self) -> tuple[CacheFigures, ...]:
        return (self._details.figures,)

    async def close(self) -> None:
        await self._details.close()


def key_of(media_type: MediaType, tmdb_id: int) -> TitleKey:
    """The key of a title; raises `NotFound` for a number that no title has."""
    if not 0 < tmdb_id < 2**31:
        raise NotFound("There is no such title.")
    return TitleKey(media_type, tmdb_id)
