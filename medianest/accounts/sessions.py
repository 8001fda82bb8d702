"""Sessions: one row for each signed-in device, a short access token, and a refresh token that changes with each use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec

from medianest.accounts.devices import Devices
from medianest.accounts.model import Caller, Device, Session, SessionsEnded, Tokens, User
from medianest.accounts.repository import AccountRepository
from medianest.accounts.tables import SessionRow
from medianest.accounts.tokens import ACCESS_S, TokenMaker, hashed, read_refresh, refresh_token
from medianest.database import transaction
from medianest.errors import NotSignedIn
from medianest.events import EventBus
from medianest.system.audit import record

IDLE = timedelta(days=30)
IDLE_REMEMBERED = timedelta(days=90)
LONGEST = timedelta(days=90)  # however much it is used
LONGEST_REMEMBERED = timedelta(days=365)
GRACE = timedelta(seconds=10)  # two tabs that wake together use the same refresh token
SEEN_EVERY = timedelta(minutes=1)


def _end(now: datetime, began: datetime, *, is_remembered: bool) -> datetime:
    """When a session used just now ends: after its idle time, at its longest in any case."""
    idle, longest = (IDLE_REMEMBERED, LONGEST_REMEMBERED) if is_remembered else (IDLE, LONGEST)
    return min(now + idle, began + longest)


class Sessions:
    """Opens, finds, renews and ends them."""

    def __init__(self, accounts: AccountRepository, tokens: TokenMaker, events: EventBus, devices: Devices) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._events = events
        self._devices = devices

    async def open(self, user: User, device: Device, *, is_remembered: bool, method: str = "password") -> Tokens:
        """Begin a session; a device the person has not used before is told to them.

        Args:
            method: `password` or `plex`: how the person came in.
        """
        now, session_id = datetime.now(UTC), uuid4()
        secret = self._tokens.refresh_secret(session_id)
        row = SessionRow(
            id=session_id,
            user_id=user.id,
            refresh_hash=hashed(secret),
            is_remembered=is_remembered,
            device_name=device.name,
            user_agent=device.user_agent[:300],
            address=device.address,
            created_at=now,
            last_used_at=now,
            expires_at=_end(now, now, is_remembered=is_remembered),
            method=method,
        )
        async with transaction():
            session = await self._accounts.add_session(row)
            await self._accounts.seen(user.id, session.id, at=now, address=session.address)
            arrival = await self._devices.arrive(user.id, device, at=now)
        await self._devices.announce(user, arrival)
        given = self._give(user.id, session, refresh_token(session.id, secret))
        return msgspec.structs.replace(given, device_token=arrival.token)

    def _give(self, user_id: int, session: Session, refresh: str | None) -> Tokens:
        return Tokens(
            access_token=self._tokens.access(user_id, session.id),
            expires_in=ACCESS_S,
            refresh_token=refresh,
            session=session,
        )

    async def caller(self, access_token: str, *, is_cookie: bool, address: str = "") -> Caller | None:
        """The person behind an access token, None when it or its session is no longer good."""
        claims = self._tokens.read_access(access_token)
        if claims is None:
            return None
        caller = await self._caller(claims.session_id, is_cookie=is_cookie, address=address)
        return caller if caller and caller.user.id == claims.user_id else None

    async def _caller(self, session_id: UUID, *, is_cookie: bool, address: str = "") -> Caller | None:
        now = datetime.now(UTC)
        found = await self._accounts.who(session_id, at=now)
        if found is None:
            return None
        user, preferences, session, open_notices = found
        if now - session.last_used_at > SEEN_EVERY:
            await self._accounts.seen(user.id, session_id, at=now, address=address or session.address)
        csrf = self._tokens.csrf(session_id)
        return Caller(
            user=user,
            preferences=preferences,
            session_id=session_id,
            csrf_token=csrf,
            is_cookie=is_cookie,
            open_notices=open_notices,
        )

    async def is_live(self, caller: Caller) -> bool:
        """Whether the session behind a socket is still good."""
        found = await self._accounts.who(caller.session_id, at=datetime.now(UTC))
        return found is not None and not found[0].must_change_password

    async def renew(self, token: str) -> Tokens:
        """Give a new access token and, to the first who asks, a new refresh token.

        A second use within ten seconds (another tab) gets an access token only; later the session ends, since somebody
        has a copy.

        Raises:
            NotSignedIn: the token is not good any more.
        """
        read = read_refresh(token)
        if read is None:
            raise NotSignedIn("Please sign in again.")
        session_id, old = read
        now, secret = datetime.now(UTC), self._tokens.refresh_secret(session_id)
        state = await self._accounts.rotation(session_id)
        if state is None:
            raise NotSignedIn("Please sign in again.")
        expires = _end(now, state["created_at"], is_remembered=state["is_remembered"])
        is_first = await self._accounts.rotate(session_id, hashed(old), hashed(secret), at=now, expires_at=expires)
        if not is_first:
            await self._refuse_reuse(session_id, old, now)
        found = await self._accounts.who(session_id, at=now)
        if found is None:
            raise NotSignedIn("Please sign in again.")
        user, session = found[0], found[2]
        return self._give(user.id, session, refresh_token(session_id, secret) if is_first else None)

    async def _refuse_reuse(self, session_id: UUID, old: str, now: datetime) -> None:
        """Return for the second tab; raise for all else, and end the session for a copy.

        What we never made is only refused: who knows the number of a session can not sign its person out with it.
        """
        state = await self._accounts.rotation(session_id)
        if state is None:
            raise NotSignedIn("Please sign in again.")
        is_previous = state["previous_hash"] == hashed(old) and state["rotated_at"] is not None
        if is_previous and now - state["rotated_at"] <= GRACE:
            return
        if state["expires_at"] > now and (is_previous or self._tokens.is_ours(session_id, old)):
            await self.end(state["user_id"], "refresh token used twice", only=session_id)
            await record("account.session_reused", str(session_id), actor_id=state["user_id"], actor_name="")
        raise NotSignedIn("Please sign in again.")

    async def renewed_caller(self, token: str, address: str) -> tuple[Caller, Tokens] | None:
        """For the page that comes with an old access token and a good refresh token: shown all the same."""
        try:
            tokens = await self.renew(token)
        except NotSignedIn:
            return None
        caller = await self._caller(tokens.session.id, is_cookie=True, address=address)
        return (caller, tokens) if caller else None

    async def end(self, user_id: int, reason: str, *, only: UUID | None = None, but: UUID | None = None) -> None:
        ended = await self._accounts.revoke(user_id, reason, at=datetime.now(UTC), only=only, but=but)
        if ended:
            await self._events.publish(SessionsEnded(user_id=user_id, session_ids=tuple(str(one) for one in ended)))
