"""Every rule about people: first administrator, sign-in, sessions, preferences, rescue from the console."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import available_timezones

import msgspec

from medianest.accounts.limits import Limits
from medianest.accounts.model import (
    AdministratorMade,
    Caller,
    Preferences,
    PreferencesChange,
    PreferencesChanged,
    Role,
    Session,
    SessionsEnded,
    Tokens,
    User,
    UserState,
)
from medianest.accounts.passwords import check_password, hash_password, is_password, is_weak_hash
from medianest.accounts.repository import AccountRepository, username_key
from medianest.accounts.tables import SessionRow
from medianest.accounts.tokens import ACCESS_S, TokenMaker, hashed, new_refresh_secret, read_refresh, refresh_token
from medianest.database import UniqueViolation, fetch, transaction
from medianest.errors import Conflict, Invalid, NotFound, NotSignedIn
from medianest.events import EventBus
from medianest.system.audit import record

IDLE = timedelta(days=30)
IDLE_REMEMBERED = timedelta(days=90)
GRACE = timedelta(seconds=10)  # two tabs that wake together use the same refresh token
SEEN_EVERY = timedelta(minutes=1)
SESSIONS_KEPT = timedelta(days=7)
CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no 0 O 1 I
USERNAME = re.compile(r"[^\x00-\x1f\x7f/\\<>\"'`&;%:]{2,64}")
WRONG = "The name or the password is not right."


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sign-in comes from."""

    address: str = ""
    user_agent: str = ""

    @property
    def name(self) -> str:
        """`Firefox on Windows`, as far as the browser says."""
        agent = self.user_agent
        browser = next(
            (name for mark, name in BROWSERS if mark in agent),
            "App" if agent and not agent.startswith("Mozilla") else "Browser",
        )
        system = next((name for mark, name in SYSTEMS if mark in agent), "")
        return f"{browser} on {system}" if system else browser


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


class AccountService:
    """Built once in `app.py`."""

    def __init__(self, accounts: AccountRepository, tokens: TokenMaker, limits: Limits, events: EventBus) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._limits = limits
        self._events = events
        self._is_set_up = False

    # the first administrator

    async def is_set_up(self) -> bool:
        """Whether there is an administrator; once true it is not asked again."""
        self._is_set_up = self._is_set_up or await self._accounts.has_admin()
        return self._is_set_up

    async def setup_code_or_none(self) -> str | None:
        """The one-time code, made when there is none yet; None once an administrator exists."""
        if await self.is_set_up():
            return None
        code = "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(2))
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ('setup_code', {}, {}) ON CONFLICT (key) DO NOTHING",
            code,
            datetime.now(UTC),
        )
        rows = await fetch("SELECT value FROM system_settings WHERE key = 'setup_code'")
        return str(rows[0]["value"]) if rows else None

    async def setup_code(self) -> str:
        """The code for the console; raises `Conflict` once an administrator exists."""
        code = await self.setup_code_or_none()
        if code is None:
            raise Conflict("There is an administrator already, so there is no setup code any more. Sign in instead.")
        return code

    async def make_first_admin(self, code: str, username: str, password: str, device: Device) -> Tokens:
        """Make the first administrator and sign them in.

        Raises:
            NotFound: there is one already.
            TooMany, Invalid: too many tries; wrong code, name or password.
        """
        if await self.is_set_up():
            raise NotFound("MediaNest is set up already. Sign in instead.")
        await self._limits.setup(device.address)
        wanted = await self.setup_code_or_none() or ""
        sent = re.sub(r"[\s-]", "", code).upper()
        if not hmac.compare_digest(sent.encode(), wanted.replace("-", "").encode()):
            text = "This is not the setup code. It stands in the first lines that MediaNest printed."
            raise Invalid(text, code="wrong_setup_code", fields={"code": text})
        user = await self._add_admin(username, password, consumes=wanted)
        await record(
            "account.first_administrator_made",
            user.username,
            actor_id=user.id,
            actor_name=user.username,
            address=device.address,
        )
        await self._events.publish(AdministratorMade(user_id=user.id))
        return await self._open_session(user, device, is_remembered=False)

    async def make_first_admin_from_settings(self, username: str, password: str) -> None:
        """The unattended first start: nothing happens when there is an administrator already."""
        if await self.is_set_up():
            return
        wanted = await self.setup_code_or_none()
        try:
            user = await self._add_admin(username, password, consumes=wanted or "")
        except (NotFound, Conflict):  # another process that starts at the same time made it
            return
        await record("account.first_administrator_made", user.username, actor_id=None, actor_name="settings")

    async def _add_admin(self, username: str, password: str, *, consumes: str | None) -> User:
        name = check_username(username)
        check_password(password, name)
        stored = await hash_password(password)
        try:
            async with transaction():
                # taking the code away is the gate: of several calls at once, one finds it
                if consumes is not None and not await fetch(
                    "DELETE FROM system_settings WHERE key = 'setup_code' AND value = {} RETURNING key", consumes
                ):
                    raise NotFound("MediaNest is set up already. Sign in instead.")
                return await self._accounts.add(name, stored, Role.ADMIN, at=datetime.now(UTC))
        except UniqueViolation as error:
            text = "Somebody has this name already. Choose another one."
            raise Conflict(text) from error

    # signing in and out

    async def sign_in(self, username: str, password: str, device: Device, *, is_remembered: bool = False) -> Tokens:
        """Check the password and open a session.

        Raises:
            TooMany: before anything is hashed.
            NotSignedIn: name or password is wrong, or the person is suspended; the same words for all.
        """
        key = username_key(username)[:100]
        await self._limits.sign_in(key, device.address)
        found = await self._accounts.find(username) if len(username) <= 200 else None
        user, stored = found if found else (None, None)
        fits = await is_password(password[:2000], stored)
        if user is None or not fits or user.state is not UserState.ACTIVE:
            await record("account.sign_in_failed", key, actor_id=None, actor_name=key, address=device.address)
            raise NotSignedIn(WRONG, code="wrong_credentials")
        await self._limits.signed_in(key)
        if stored and is_weak_hash(stored):
            await self._accounts.set_password(user.id, await hash_password(password))
        return await self._open_session(user, device, is_remembered=is_remembered)

    async def _open_session(self, user: User, device: Device, *, is_remembered: bool) -> Tokens:
        now, secret = datetime.now(UTC), new_refresh_secret()
        session = await self._accounts.add_session(
            SessionRow(
                id=uuid4(),
                user_id=user.id,
                refresh_hash=hashed(secret),
                is_remembered=is_remembered,
                device_name=device.name,
                user_agent=device.user_agent[:300],
                address=device.address,
                created_at=now,
                last_used_at=now,
                expires_at=now + (IDLE_REMEMBERED if is_remembered else IDLE),
            )
        )
        return self._give(user.id, session, refresh_token(session.id, secret))

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
        return await self._caller(claims.session_id, is_cookie=is_cookie, address=address) if claims else None

    async def _caller(self, session_id: UUID, *, is_cookie: bool, address: str = "") -> Caller | None:
        now = datetime.now(UTC)
        found = await self._accounts.who(session_id, at=now)
        if found is None:
            return None
        user, preferences, session = found
        if now - session.last_used_at > SEEN_EVERY:
            await self._accounts.seen(user.id, session_id, at=now, address=address or session.address)
        csrf = self._tokens.csrf(session_id)
        return Caller(user=user, preferences=preferences, session_id=session_id, csrf_token=csrf, is_cookie=is_cookie)

    async def is_live(self, caller: Caller) -> bool:
        """Whether the session behind a socket is still good."""
        return await self._accounts.who(caller.session_id, at=datetime.now(UTC)) is not None

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
        now, secret = datetime.now(UTC), new_refresh_secret()
        state = await self._accounts.rotation(session_id)
        if state is None:
            raise NotSignedIn("Please sign in again.")
        expires = now + (IDLE_REMEMBERED if state["is_remembered"] else IDLE)
        is_first = await self._accounts.rotate(session_id, hashed(old), hashed(secret), at=now, expires_at=expires)
        if not is_first:
            await self._refuse_reuse(session_id, hashed(old), now)
        found = await self._accounts.who(session_id, at=now)
        if found is None:
            raise NotSignedIn("Please sign in again.")
        user, _preferences, session = found
        return self._give(user.id, session, refresh_token(session_id, secret) if is_first else None)

    async def _refuse_reuse(self, session_id: UUID, old_hash: str, now: datetime) -> None:
        """Return for the second tab, raise and end the session for a copy."""
        state = await self._accounts.rotation(session_id)
        if state is None:
            raise NotSignedIn("Please sign in again.")
        is_previous = state["previous_hash"] == old_hash and state["rotated_at"] is not None
        if is_previous and now - state["rotated_at"] <= GRACE:
            return
        if state["expires_at"] > now:
            await self._end(state["user_id"], "refresh token used twice", only=session_id)
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

    async def sign_out(self, caller: Caller, *, everywhere: bool = False) -> None:
        await self._end(caller.user.id, "signed out", only=None if everywhere else caller.session_id)

    async def _end(self, user_id: int, reason: str, *, only: UUID | None = None, but: UUID | None = None) -> None:
        ended = await self._accounts.revoke(user_id, reason, at=datetime.now(UTC), only=only, but=but)
        if ended:
            await self._events.publish(SessionsEnded(user_id=user_id, session_ids=tuple(str(one) for one in ended)))

    # devices, preferences, password

    async def sessions(self, user: User) -> tuple[Session, ...]:
        return await self._accounts.sessions(user.id, at=datetime.now(UTC))

    async def end_session(self, session_id: UUID, *, by: User) -> None:
        """End one device; raises `NotFound` for somebody else's."""
        if session_id not in {session.id for session in await self.sessions(by)}:
            raise NotFound("This device is signed out already.")
        await self._end(by.id, "ended by the person", only=session_id)

    async def end_other_sessions(self, caller: Caller) -> None:
        await self._end(caller.user.id, "ended by the person", but=caller.session_id)

    async def change_preferences(self, change: PreferencesChange, *, by: User) -> Preferences:
        """Change what is set in `change`; raises `Invalid` with the fields that do not fit."""
        values = {k: v for k, v in msgspec.structs.asdict(change).items() if v is not msgspec.UNSET}
        check_preferences(values)
        preferences = msgspec.structs.replace(await self._accounts.preferences(by.id), **values)
        await self._accounts.save_preferences(by.id, preferences)
        await self._events.publish(PreferencesChanged(user_id=by.id))
        return preferences

    async def change_password(self, caller: Caller, current: str, new: str, *, address: str = "") -> None:
        """Set a new password; every other device is signed out.

        Raises:
            Invalid: the present password is wrong, or the new one is too weak.
        """
        await self._limits.sign_in(username_key(caller.user.username), address)
        if not await is_password(current[:2000], await self._accounts.password_hash(caller.user.id)):
            text = "This is not your present password."
            raise Invalid(text, code="wrong_password", fields={"current_password": text})
        try:
            check_password(new, caller.user.username)
        except Invalid as error:
            raise Invalid(error.message, code=error.code, fields={"new_password": error.message}) from error
        await self._accounts.set_password(caller.user.id, await hash_password(new))
        await self._limits.signed_in(username_key(caller.user.username))
        await self._end(caller.user.id, "password changed", but=caller.session_id)
        await record(
            "account.password_changed",
            caller.user.username,
            actor_id=caller.user.id,
            actor_name=caller.user.username,
            address=address,
        )

    # the console

    async def create_admin(self, username: str, password: str) -> User:
        """A further administrator, from the console."""
        user = await self._add_admin(username, password, consumes=None)
        await fetch("DELETE FROM system_settings WHERE key = 'setup_code'")
        await record("account.administrator_made", user.username, actor_id=None, actor_name="console")
        return user

    async def reset_password(self, username: str, password: str) -> None:
        """A new password from the console; ends every session of that person."""
        found = await self._accounts.find(username)
        if found is None:
            raise NotFound(f"There is nobody called {username}.")
        check_password(password, username)
        await self._accounts.set_password(found[0].id, await hash_password(password))
        await self._end(found[0].id, "password reset from the console")
        await self.unlock(username)
        await record("account.password_reset", found[0].username, actor_id=None, actor_name="console")

    async def unlock(self, username: str) -> None:
        """Forget the failed sign-ins of a name, and of every address."""
        await self._limits.signed_in(username_key(username))
        await fetch("DELETE FROM rate_limits WHERE key LIKE 'sign-in address %'")

    async def clean_sessions(self) -> str:
        """Delete sessions that ended more than a week ago."""
        removed = await self._accounts.clean_sessions(before=datetime.now(UTC) - SESSIONS_KEPT)
        return f"Removed {removed} ended sessions."


def check_username(username: str) -> str:
    """The name without spaces around it; raises `Invalid` when it can not be one."""
    name = username.strip()
    if not USERNAME.fullmatch(name):
        text = "A name has 2 to 64 characters, without / \\ < > \" ' & ; % : and the like."
        raise Invalid(text, fields={"username": text})
    return name


def check_preferences(values: dict[str, object]) -> None:
    """Raise `Invalid` with a sentence for each value that can not be."""
    problems = {}
    if values.get("time_zone") and values["time_zone"] not in available_timezones():
        problems["time_zone"] = "This time zone is not known. Take one from the list, such as Europe/Berlin."
    if "page_size" in values and not 10 <= int(str(values["page_size"])) <= 100:
        problems["page_size"] = "Choose from 10 to 100 lines."
    if "default_quality" in values and values["default_quality"] not in QUALITIES:
        problems["default_quality"] = "This quality does not exist."
    if problems:
        raise Invalid("Some of it does not fit yet.", fields=problems)


QUALITIES = ("default", "best", "2160", "1440", "1080", "720", "480", "360")
