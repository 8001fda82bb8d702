"""People as those see them who look after them: with mail, Plex name, state and what was said about them alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from medianest.accounts.model import Permission, RatingLimit, Role, SuspensionCode, User, UserState
from medianest.events import Event

LONGEST_REASON = 300
MOST_REQUESTS = 10_000
MOST_DOWNLOADS = 1_000
MOST_DAYS = 365
MOST_BYTES = 1_000_000 * 1024**3


class PersonKind(StrEnum):
    """How somebody comes in: by Plex, or by a name and password of MediaNest; child profiles are told apart."""

    PLEX = "plex"
    LOCAL = "local"
    CHILD = "child"


class PersonOrder(StrEnum):
    NAME = "name"
    SEEN = "seen"
    NEW = "new"
    ROLE = "role"


class OwnQuotas(msgspec.Struct, frozen=True, kw_only=True):
    """Quotas that were set for one person: None is the default, -1 no limit."""

    requests_limit: int | None = None
    requests_days: int | None = None
    downloads_per_hour: int | None = None
    storage_bytes: int | None = None


class Person(User, frozen=True, kw_only=True):
    """A person as administrators see them. `permissions` and `quotas` are those in effect."""

    email: str | None
    plex_name: str | None
    kind: PersonKind
    own_permissions: tuple[Permission, ...] | None  # None: the default set
    own_quotas: OwnQuotas
    state_code: SuspensionCode | None
    state_reason: str | None
    suspended_until: datetime | None
    has_password: bool
    has_second_factor: bool
    downloads: int
    sessions: int

    @property
    def is_suspended(self) -> bool:
        return self.state is UserState.SUSPENDED


class PeopleFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What of the list is wanted; None is all."""

    words: str = ""
    role: Role | None = None
    state: UserState | None = None
    kind: PersonKind | None = None
    order: PersonOrder = PersonOrder.NAME


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody without a Plex account of their own."""

    username: str
    display_name: str = ""
    is_child: bool = False
    rating_limit: RatingLimit | None = None  # of a child; 12 when nothing is said


class MadePerson(msgspec.Struct, frozen=True, kw_only=True):
    """The new person and the password for the first sign-in: nobody can ever read it again."""

    person: Person
    password: str


class QuotaChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is left out stays; null is the default, -1 no limit."""

    requests_limit: int | msgspec.UnsetType | None = msgspec.UNSET
    requests_days: int | msgspec.UnsetType | None = msgspec.UNSET
    downloads_per_hour: int | msgspec.UnsetType | None = msgspec.UNSET
    storage_bytes: int | msgspec.UnsetType | None = msgspec.UNSET


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """A partial change; what is left out stays. All of it is done, or nothing.

    `permissions`: null is the default set. `suspended` true needs a `reason`; `suspended_until` null is until somebody
    ends it.
    """

    display_name: str | msgspec.UnsetType = msgspec.UNSET
    role: Role | msgspec.UnsetType = msgspec.UNSET
    permissions: tuple[Permission, ...] | msgspec.UnsetType | None = msgspec.UNSET
    quotas: QuotaChange | msgspec.UnsetType = msgspec.UNSET
    is_child: bool | msgspec.UnsetType = msgspec.UNSET
    rating_limit: RatingLimit | msgspec.UnsetType | None = msgspec.UNSET
    suspended: bool | msgspec.UnsetType = msgspec.UNSET
    reason: str = ""
    suspended_until: datetime | None = None


class PersonChanged(Event, frozen=True):
    """Role, rights, quotas, child profile or state of somebody are others now."""

    user_id: int


class PersonDeleted(Event, frozen=True):
    """Nobody is behind this number any more. `picture` is the name of the file of their picture."""

    user_id: int
    picture: str | None
