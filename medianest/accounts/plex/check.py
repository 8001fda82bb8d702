"""Looks daily whether everybody still has the server, and tells a dead token from access that was taken away.

A dead token (401, twice) means signing in again. Our server missing from two successful reads means suspended. Nothing
else that plex.tv answers changes a row or ends a session.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta

from medianest.accounts.plex.membership import Membership
from medianest.accounts.plex.model import PlexAccount
from medianest.accounts.plex.people import PlexPeople
from medianest.accounts.plex.repository import Due, PlexAccountRepository
from medianest.accounts.sessions import Sessions
from medianest.connections.model import PlexConnection
from medianest.connections.service import ConnectionService
from medianest.errors import UpstreamFailed
from medianest.integrations.plex_tv import AddressBlocked, PlexBusy, PlexTv, TokenDead
from medianest.system.audit import record
from medianest.vault import SealBroken

log = logging.getLogger(__name__)

CONFIRM_MISSING = timedelta(minutes=10)
CONFIRM_DEAD = timedelta(minutes=1)
MOST_FAILURES = 3  # one after another: plex.tv is away, and the rest waits for the next round
PAUSE_S = 0.5  # plex.tv counts calls

FINE, GONE, DEAD, DOUBTFUL, FAILED = "fine", "suspended", "token dead", "in doubt", "not answered"


class PlexCheck:
    """The job `check_plex_people`, every quarter of an hour, and the weekly `ping_plex`."""

    def __init__(
        self,
        repository: PlexAccountRepository,
        people: PlexPeople,
        sessions: Sessions,
        connections: ConnectionService,
        *,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._repository = repository
        self._people = people
        self._sessions = sessions
        self._connections = connections
        self._membership = Membership(connections)
        self._pause_s = pause_s

    async def run(self) -> str:
        """Look at everybody who is due; a sentence about it."""
        connection = await self._connections.plex()
        if connection is None:
            return "Plex is not connected, so nobody was looked at."
        now = datetime.now(UTC)
        due = await self._repository.due(at=now, confirm_missing=CONFIRM_MISSING, confirm_dead=CONFIRM_DEAD)
        results: Counter[str] = Counter()
        failures = 0
        for number, one in enumerate(due):
            if number:
                await asyncio.sleep(self._pause_s)
            try:
                results[await self._look(one, connection)] += 1
                failures = 0
            except (UpstreamFailed, SealBroken) as error:
                results[FAILED] += 1
                log.info("The Plex access of %s could not be looked at (%s)", one.username, error.code)
                failures += isinstance(error, UpstreamFailed)
                if failures >= MOST_FAILURES or isinstance(error, PlexBusy | AddressBlocked):
                    break
        if not results:
            return "Nobody was due."
        return "Looked at Plex access: " + ", ".join(f"{count} {words}" for words, count in results.items()) + "."

    async def _look(self, one: Due, connection: PlexConnection) -> str:
        account = one.account
        try:
            finding = await self._membership.read(self._people.token_of(account), connection, is_sign_in=False)
        except TokenDead:
            return await self._token_refused(one)
        if finding.refusal is not None:
            return await self._server_missing(one)
        await self._people.came(account.user_id, finding)
        return FINE

    async def _token_refused(self, one: Due) -> str:
        now = datetime.now(UTC)
        since = await self._repository.refused(one.account, at=now)
        if now - since < CONFIRM_DEAD or not await self._repository.token_died(one.account, at=now):
            return DOUBTFUL
        # who has a password is not known by Plex alone, and keeps what the password opened
        if not one.has_password:
            await self._sessions.end(one.account.user_id, "Plex ended the sign-in")
        await record("account.plex_token_died", one.username, actor_id=None, actor_name="MediaNest")
        return DEAD

    async def _server_missing(self, one: Due) -> str:
        now = datetime.now(UTC)
        since = await self._repository.missing(one.account, at=now)
        # who runs MediaNest is not locked out by Plex
        if one.is_suspended or one.is_admin or now - since < CONFIRM_MISSING:
            return DOUBTFUL
        if not await self._people.suspend(one.account, one.username):
            return DOUBTFUL
        await self._sessions.end(one.account.user_id, "the Plex server is no longer shared")
        return GONE

    async def ping(self) -> str:
        """Keep tokens alive that nobody uses; what plex.tv answers changes nothing."""
        if await self._connections.plex() is None:
            return "Plex is not connected, so nothing was done."
        reached, accounts = 0, await self._repository.with_tokens()
        plex_tv = await self._connections.plex_tv()
        for account in accounts:
            reached += await self._pinged(account, plex_tv)
            await asyncio.sleep(self._pause_s)
        owner = await self._connections.plex_token()
        if owner:
            try:
                await (await self._connections.background_plex_tv()).ping(owner)
            except UpstreamFailed as error:
                log.info("The owner's Plex token could not be kept alive (%s)", error.code)
        return f"Told plex.tv that {reached} of {len(accounts)} sign-ins are in use."

    async def _pinged(self, account: PlexAccount, plex_tv: PlexTv) -> bool:
        try:
            await plex_tv.ping(self._people.token_of(account))
        except (UpstreamFailed, SealBroken):
            return False
        return True
