"""The rules of API keys: who may have which, what a key opens, and how it ends."""

from __future__ import annotations

import re
import secrets
import string
import time
import uuid
from datetime import UTC, datetime, timedelta

from medianest.accounts.devices import Devices
from medianest.accounts.keys.model import LIFETIMES_DAYS, ApiKey, MadeApiKey, NewApiKey
from medianest.accounts.keys.repository import KeyRepository
from medianest.accounts.limits import Limits, network_of
from medianest.accounts.model import Caller, NoticeCode, Scope, SessionsEnded, User
from medianest.accounts.tokens import hashed
from medianest.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn, TooMany
from medianest.events import EventBus
from medianest.system.audit import record

PREFIX = "mnk_"
RANDOM_CHARACTERS = 43  # of 62: 256 bits
ALPHABET = string.ascii_letters + string.digits
FORM = re.compile(rf"{PREFIX}[{ALPHABET}]{{{RANDOM_CHARACTERS}}}")
LONGEST_NAME = 60
MOST_KEYS = 50
USED_EVERY = timedelta(minutes=1)
WRONG_PER_ADDRESS = 50  # in a quarter of an hour
MOST_SHUT = 10_000
WRONG = (
    "This API key is not good: it has ended, was revoked, or is not complete. Make a new one under Settings, API keys."
)
TOO_MANY = "Too many calls with wrong API keys came from here. Put a good key in, or wait until {until}."
NOT_FOR_CHILDREN = "A child profile has no API keys."
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://medianest.invalid/api-keys")


def session_id_of(key_id: int) -> uuid.UUID:
    """What stands for a session in the sockets that were opened with a key."""
    return uuid.uuid5(NAMESPACE, str(key_id))


class KeyService:
    """Built once in `app.py`."""

    def __init__(self, keys: KeyRepository, limits: Limits, events: EventBus, devices: Devices) -> None:
        self._devices = devices
        self._keys = keys
        self._limits = limits
        self._events = events
        self._shut: dict[str, tuple[float, TooMany]] = {}  # networks that are over their limit, until when

    def choices(self, user: User) -> tuple[Scope, ...]:
        """The scopes that a person's keys may have."""
        if user.is_child:
            return ()
        return tuple(scope for scope in Scope if scope is not Scope.ADMIN or user.is_admin)

    async def list(self, user: User) -> tuple[ApiKey, ...]:
        return await self._keys.list(user.id, at=_now())

    async def make(self, new: NewApiKey, *, by: User, address: str = "") -> MadeApiKey:
        """Make a key; the answer is the only place where it stands in full.

        Raises:
            Invalid: with the fields that do not fit.
            NotAllowed: child profiles have none.
            Conflict: there are fifty already.
        """
        if by.is_child:
            raise NotAllowed(NOT_FOR_CHILDREN, code="no_keys_for_children")
        name = " ".join(new.name.split())
        fields = self._wrong_fields(name, new, by)
        if fields:
            raise Invalid("The key was not made: something does not fit yet.", fields=fields)
        now = _now()
        key = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
        expires_at = None if new.expires_in_days is None else now + timedelta(days=new.expires_in_days)
        scopes = tuple(scope for scope in Scope if scope in new.scopes)
        made = await self._keys.add(
            by.id, name, hashed(key), key[-4:], scopes, at=now, expires_at=expires_at, most=MOST_KEYS
        )
        if made == "full":
            raise Conflict(f"You have {MOST_KEYS} keys already. Revoke one that nothing uses.", code="too_many_keys")
        if isinstance(made, str):
            text = "You have a key of this name already. Choose another name."
            raise Invalid(text, code="name_taken", fields={"name": text})
        await record(
            "api_key.made",
            name,
            actor_id=by.id,
            actor_name=by.username,
            address=address,
            after={"scopes": list(scopes), "expires_at": expires_at},
        )
        await self._devices.tell(by.id, NoticeCode.API_KEY, name, address)
        return MadeApiKey(**{field: getattr(made, field) for field in ApiKey.__struct_fields__}, key=key)

    def _wrong_fields(self, name: str, new: NewApiKey, by: User) -> dict[str, str]:
        fields: dict[str, str] = {}
        if not name:
            fields["name"] = "Give it a name that says what uses it."
        elif len(name) > LONGEST_NAME or not name.isprintable():
            fields["name"] = f"At most {LONGEST_NAME} characters."
        if not new.scopes:
            fields["scopes"] = "Choose at least one thing that the key opens."
        elif set(new.scopes) - set(self.choices(by)):
            fields["scopes"] = "Only an administrator's key can open administration."
        if new.expires_in_days is not None and new.expires_in_days not in LIFETIMES_DAYS:
            fields["expires_in_days"] = "A key is good for 30 days, 90 days, a year (365), or without end."
        return fields

    async def revoke(self, key_id: int, *, by: User, address: str = "") -> None:
        """End a key at once, its open sockets too; raises `NotFound` for somebody else's."""
        name = await self._keys.revoke(by.id, key_id, at=_now())
        if name is None:
            raise NotFound("This key does not exist. It may have been revoked already.")
        await self._events.publish(SessionsEnded(user_id=by.id, session_ids=(str(session_id_of(key_id)),)))
        await record("api_key.revoked", name, actor_id=by.id, actor_name=by.username, address=address)

    async def caller(self, key: str, *, address: str = "") -> Caller:
        """The person behind a key; every key costs the same: one hash and one look into an index.

        Raises:
            NotSignedIn: the key is not good (any more), or its person is suspended.
            TooMany: besides, many wrong ones came from this address. Good keys from there work all the same.
        """
        now = _now()
        found = await self._keys.find(hashed(key if FORM.fullmatch(key) else ""), at=now)
        if found is None or found.user.is_child:
            await self._count_wrong(network_of(address))
            raise NotSignedIn(WRONG, code="wrong_api_key")
        if found.last_used_at is None or now - found.last_used_at > USED_EVERY:
            await self._keys.used(found.id, address, at=now, not_since=now - USED_EVERY)
        return Caller(
            user=found.user,
            preferences=found.preferences,
            session_id=session_id_of(found.id),
            csrf_token="",
            is_cookie=False,
            scopes=found.scopes,  # the routes look at the person as well, who may be no administrator any more
        )

    async def _count_wrong(self, network: str) -> None:
        """Count over all instances; once a network is over the limit, no write is spent on it until it opens again."""
        shut = self._shut.get(network)
        if shut and shut[0] > time.monotonic():
            raise TooMany(shut[1].message, retry_after_s=round(shut[0] - time.monotonic()))
        try:
            await self._limits.hit(f"api key address {network}", WRONG_PER_ADDRESS, TOO_MANY)
        except TooMany as error:
            if len(self._shut) >= MOST_SHUT:
                self._shut.clear()
            self._shut[network] = (time.monotonic() + error.retry_after_s, error)
            raise

    async def is_live(self, caller: Caller) -> bool:
        """Whether the key behind a socket is still good."""
        ids = await self._keys.live_ids(caller.user.id, at=_now())
        return caller.session_id in {session_id_of(one) for one in ids}

    async def end_sockets(self, user_id: int) -> None:
        """Close what a person's keys hold open: for whoever suspends them or changes what they may."""
        ids = await self._keys.live_ids(user_id, at=_now())
        if ids:
            await self._events.publish(
                SessionsEnded(user_id=user_id, session_ids=tuple(str(session_id_of(one)) for one in ids))
            )


def _now() -> datetime:
    return datetime.now(UTC)
