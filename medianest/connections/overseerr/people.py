"""Who is who there: by the Plex account, then by its e-mail; whoever is missing is imported, once in a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from medianest.accounts.model import Identity, User
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import OverseerrUser
from medianest.integrations.overseerr_failures import KeyRefused, ServerError

log = logging.getLogger(__name__)

KEPT_S = 300.0
READ_AGAIN_S = 10.0  # for somebody who is missing: they may just have been added there
TRIED_AGAIN_S = 900.0  # who can not be imported (no e-mail, no share) is not tried at every request

IdentityOf = Callable[[int], Awaitable[Identity]]


class OverseerrPeople:
    """The people of the connected server, read at most every five minutes.

    Args:
        identity_of: by what a person of ours is known elsewhere.
    """

    def __init__(self, identity_of: IdentityOf) -> None:
        self._identity_of = identity_of
        self._people: tuple[OverseerrUser, ...] = ()
        self._read_at = -KEPT_S
        self._tried: dict[int, float] = {}  # Plex number → when an import was tried
        self._reading = asyncio.Lock()

    def forget(self) -> None:
        """The server is another one: read everything again."""
        self._read_at, self._tried = -KEPT_S, {}

    async def all(self, client: Overseerr) -> tuple[OverseerrUser, ...]:
        """Everybody there. Raises UpstreamFailed."""
        async with self._reading:
            if time.monotonic() - self._read_at > KEPT_S:
                await self._read(client)
            return self._people

    async def number_of(self, client: Overseerr, user: User) -> int | None:
        """The number of `user` there; None when they have no account and can not be given one.

        Raises:
            UpstreamFailed: it could not be asked. Not to be taken for None: the request would go out in a wrong name.
        """
        identity = await self._identity_of(user.id)
        if identity.plex_id is None and not identity.email:
            return None
        if (found := match(await self.all(client), identity)) is not None:
            return found
        async with self._reading:
            if time.monotonic() - self._read_at > READ_AGAIN_S:
                await self._read(client)
            found = match(self._people, identity)
            if found is None and identity.plex_id is not None and self._may_import(identity.plex_id):
                await self._import(client, identity.plex_id)
                found = match(self._people, identity)
        return found

    def _may_import(self, plex_id: int) -> bool:
        return time.monotonic() - self._tried.get(plex_id, -TRIED_AGAIN_S) >= TRIED_AGAIN_S

    async def _import(self, client: Overseerr, plex_id: int) -> None:
        """Make an account there; those without an e-mail or a share are skipped, silently."""
        self._tried[plex_id] = time.monotonic()
        try:
            if plex_id not in {one.plex_id for one in await client.plex_users()}:
                return
            await client.import_users((plex_id,))
        except (KeyRefused, ServerError) as error:  # its own trouble with Plex: the chosen user asks then
            log.warning("Nobody could be imported to Overseerr: %s", error.message)
            return
        await self._read(client)

    async def _read(self, client: Overseerr) -> None:
        self._people, self._read_at = await client.users(), time.monotonic()


def match(people: tuple[OverseerrUser, ...], identity: Identity) -> int | None:
    """The Plex number first; an e-mail counts only where no other Plex account stands beside it."""
    if identity.plex_id is not None:
        for one in people:
            if one.plex_id == identity.plex_id:
                return one.id
    email = identity.email.lower()
    for one in people:
        if email and one.email == email and one.plex_id is None:
            return one.id
    return None
