"""What this slice needs of others, in as few words as it needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Protocol

from medianest.accounts.model import User
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import OverseerrUser
from medianest.media.model import Availability, MediaType, Title, TitleKey

PersonOf = Callable[[int], Awaitable[User]]  # raises NotFound


class Titles(Protocol):
    """What is known of films and series; `MediaService`."""

    async def title(self, media_type: MediaType, tmdb_id: int, by: User | None) -> Title:
        """All of a title; raises `NotFound`, `NotAllowed` for a child, `UpstreamFailed`."""
        ...

    async def known(self, keys: Collection[TitleKey], by: User | None = None) -> dict[TitleKey, Title]:
        """What the database knows, without a call to anybody; pictures are for `by`."""
        ...

    async def in_plex(self, key: TitleKey) -> Availability:
        """How much of it Plex has; what is new is known from then on, of seasons too."""
        ...


class RequestManager(Protocol):
    """The connection to Overseerr or Seerr; `OverseerrService`."""

    async def client(self) -> Overseerr:
        """The client; raises `Conflict` with the code `overseerr_not_connected`."""
        ...

    async def user_id_of(self, user: User) -> int | None:
        """Their number there, None when they have no account and cannot get one."""
        ...

    async def default_user_id(self) -> int:
        """In whose name people without an account ask."""
        ...

    async def people(self) -> tuple[OverseerrUser, ...]:
        """Everybody there."""
        ...

    async def webhook_secret(self) -> str:
        """What a webhook carries in its Authorization header; empty when none was made."""
        ...
