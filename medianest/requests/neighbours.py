"""What this slice needs of others, in as few words as it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from medianest.accounts.model import User
from medianest.media.model import Availability, MediaType, Title, TitleKey

PersonOf = Callable[[int], Awaitable[User]]  # raises NotFound


class Titles(Protocol):
    """What is known of films and series; `MediaService`."""

    async def title(self, media_type: MediaType, tmdb_id: int, by: User) -> Title:
        """All of a title; raises `NotFound`, `NotAllowed` for a child, `UpstreamFailed`."""
        ...

    async def known(self, keys: Sequence[TitleKey]) -> Mapping[TitleKey, Title]:
        """What the database knows, without a call to anybody."""
        ...

    async def in_plex(self, key: TitleKey) -> Availability:
        """Whether Plex has it."""
        ...
