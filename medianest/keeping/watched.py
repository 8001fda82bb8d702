"""When videos were watched, as Plex says: for whoever asked for one, or for the owner where that person is not in Plex."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from medianest.accounts.model import User
from medianest.connections.service import ConnectionService
from medianest.errors import MediaNestError, NotAllowed, NotFound
from medianest.keeping.repository.marks import MarkRepository

log = logging.getLogger(__name__)

AT_ONCE = 100  # items of one call


class Access(Protocol):
    """What opens the server for one person."""

    @property
    def token(self) -> str: ...


class Watched:
    """Asked once a night, before the rules are applied."""

    def __init__(
        self, connections: ConnectionService, marks: MarkRepository, access_of: Callable[[User | None], Awaitable[Access]],
        person_of: Callable[[int], Awaitable[User]],
    ) -> None:  # fmt: skip
        self._connections = connections
        self._marks = marks
        self._access_of = access_of
        self._person_of = person_of

    async def look(self) -> int:
        """Ask Plex about every video it has; how many of them were watched.

        Raises:
            UpstreamFailed: it does not answer; what was known stays.
        """
        connection = await self._connections.plex()
        if connection is None or not connection.has_token:
            return 0
        theirs: dict[int | None, dict[str, int]] = {}
        for history_id, person, key in await self._marks.in_plex(connection.machine_id):
            theirs.setdefault(person, {})[key] = history_id
        watched = 0
        for person, videos in theirs.items():
            try:
                token = (await self._access(person)).token
            except MediaNestError as error:  # Plex ended their sign-in: what they watched can not be known
                log.info("What person %s watched is not known: %s", person, error.message)
                continue
            watched += await self._ask(token, videos)
        return watched

    async def _access(self, person: int | None) -> Access:
        try:
            user = await self._person_of(person) if person is not None else None
        except (NotFound, NotAllowed):
            user = None
        return await self._access_of(user)

    async def _ask(self, token: str, videos: Mapping[str, int]) -> int:
        media = await self._connections.plex_media()
        keys: Sequence[str] = list(videos)
        watched = 0
        for start in range(0, len(keys), AT_ONCE):
            for item in await media.several(token, keys[start : start + AT_ONCE]):
                if item.rating_key not in videos:
                    continue
                is_watched = item.view_count > 0 and 0 < item.viewed_at_s < 2**33
                at = datetime.fromtimestamp(item.viewed_at_s, UTC) if is_watched else None
                await self._marks.watched(videos[item.rating_key], at)
                watched += is_watched
        return watched
