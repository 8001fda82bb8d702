"""Plex accounts of people, and how a sign-in with Plex goes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from medianest.accounts.model import Tokens
from medianest.connections.model import HeldPin
from medianest.integrations.plex_tv import PlexPerson

BETWEEN = "|"  # in a stored reason, before the name of who was signed in


class Refusal(StrEnum):
    """Why a Plex account does not get in."""

    STRANGER = "stranger"  # the owner does not know them
    PENDING = "pending_invitation"
    NOTHING_SHARED = "nothing_shared"
    NO_ACCESS = "no_access"  # one of the three above: the owner's list could not be asked
    SUSPENDED = "suspended"
    TOKEN_DEAD = "token_dead"  # noqa: S105  # plex.tv took its token back before we were through
    NOT_CONNECTED = "not_connected"
    TAKEN = "taken"  # to be linked, and somebody else's here
    OTHER_LINKED = "other_linked"  # to be linked, by somebody who has another one


class Step(StrEnum):
    """Where a sign-in stands."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """`who` is the Plex name that was signed in; `detail` a sentence about a suspension."""

    code: str
    who: str = ""
    detail: str = ""

    def stored(self) -> str:
        """As it stands in the row of the PIN."""
        return f"{self.code}{BETWEEN}{self.who[:80]}{BETWEEN}{self.detail[:400]}"

    @classmethod
    def read(cls, stored: str) -> Refused:
        code, _, rest = stored.partition(BETWEEN)
        who, _, detail = rest.partition(BETWEEN)
        return cls(code=code, who=who, detail=detail)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of going on with a PIN.

    `tokens` are there for the one call that finished the sign-in; another tab finds it done without them. `trouble` is
    a `PinReason` while plex.tv makes difficulties.
    """

    step: Step
    pin: HeldPin
    tokens: Tokens | None = None
    refused: Refused | None = None
    trouble: str = ""


class PlexAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The Plex account of a person. Tokens are sealed."""

    user_id: int
    plex_id: int
    username: str
    email: str | None
    thumb: str | None
    is_owner: bool
    account_token: str | None
    server_token: str | None
    linked_at: datetime
    checked_at: datetime | None
    missing_since: datetime | None
    refused_at: datetime | None
    token_dead_at: datetime | None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Who a token stands for, and whether our server is shared with them: `refusal` is None then."""

    person: PlexPerson
    refusal: Refusal | None = None
    is_owner: bool = False
    server_token: str = ""


def name_of(person: PlexPerson) -> str:
    """How a person knows the account: managed profiles have no user name."""
    return person.username or person.title or f"Plex {person.id}"
