"""The connection to the Plex server, and PINs: sign-ins that somebody has to allow at Plex."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from medianest.events import Event


class PlexConnectionChanged(Event, frozen=True):
    """The server, its address or the token is another one now, or none."""


class ServiceChecked(Event, frozen=True):
    """A service was just asked by this process how it is."""

    is_relayed = False

    service: str


class ServiceStatusChanged(Event, frozen=True):
    """A service went down or is back; `is_up` is None when it is not connected any more."""

    service: str  # plex or overseerr
    is_up: bool | None


class ServiceState(msgspec.Struct, frozen=True, kw_only=True):
    """How a service is, for buttons that depend on it. `text` is for everybody; empty when it is up.

    `is_up` is None while it was never asked. `code` is stable, `since` is when it went down or came back.
    """

    name: str
    is_connected: bool
    is_up: bool | None
    since: datetime | None = None
    code: str = ""
    text: str = ""

    @property
    def is_usable(self) -> bool:
        """Whether it is worth asking: connected, and not known to be down."""
        return self.is_connected and self.is_up is not False


class PinPurpose(StrEnum):
    SIGN_IN = "sign_in"
    LINK = "link"
    CONNECT = "connect"  # the owner connects the server, under the second client identifier


class PinState(StrEnum):
    PENDING = "pending"
    HELD = "held"  # allowed; the token is stored, the work with it is not finished
    AUTHORIZED = "authorized"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


OPEN_STATES = frozenset((PinState.PENDING, PinState.HELD))


class PinReason(StrEnum):
    """Why a PIN still waits, or why MediaNest gave it up; who finishes a PIN may have more words."""

    NONE = ""
    PLEX_BUSY = "plex_busy"
    PLEX_BLOCKED = "plex_blocked"
    PLEX_UNREACHABLE = "plex_unreachable"
    UNREADABLE = "secret_unreadable"


class HeldPin(msgspec.Struct, frozen=True, kw_only=True):
    """A PIN as the browser that began it knows it.

    `token` is there for the one caller who may work with it now. `auth_url` is Plex's sign-in page for a strong PIN,
    the page to type the code otherwise.
    """

    id: UUID
    purpose: PinPurpose
    user_id: int | None
    code: str
    is_strong: bool
    state: PinState
    reason: str
    next_path: str
    is_remembered: bool
    expires_at: datetime
    auth_url: str
    token: str | None = None
    result_user_id: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def seconds_left(self) -> int:
        """Until the PIN ends, for a countdown."""
        return max(0, round((self.expires_at - datetime.now(UTC)).total_seconds()))


class PlexOwner(msgspec.Struct, frozen=True, kw_only=True):
    """The Plex account whose token connects."""

    id: int
    username: str
    title: str
    thumb: str | None = None


class PlexConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The Plex server of this house; its token is asked for apart."""

    machine_id: str
    name: str
    url: str
    version: str
    is_from_settings: bool  # the address; it can not be changed in the pages then
    has_token: bool
    is_token_from_settings: bool
    connected_at: datetime | None = None
    connected_by: int | None = None
    owner: PlexOwner | None = None


class PlexOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a connection beside address and token."""

    machine_id: str
    name: str = "Plex"
    version: str = ""
    connected_at: datetime | None = None
    connected_by: int | None = None
    owner: PlexOwner | None = None
    is_token_ours: bool = False  # came from a PIN of ours, so that it may be ended


class PlexCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How the connection answered. `is_…` is None where it could not be asked; `code` is empty when all is well."""

    at: datetime
    url: str
    code: str = ""
    text: str = ""
    is_reachable: bool = False
    is_ours: bool | None = None
    is_token_good: bool | None = None
    is_known_at_plex: bool | None = None
    libraries: int | None = None
    version: str = ""
    took_ms: int = 0
    failures: int = 0  # one after another

    @property
    def is_good(self) -> bool:
        return not self.code


class OfferedServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server of the owner's, to choose from."""

    machine_id: str
    name: str
    addresses: tuple[str, ...]


class PlexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The connection as the API shows it; the token never is."""

    is_connected: bool
    url: str = ""
    name: str = ""
    machine_id: str = ""
    version: str = ""
    has_token: bool = False
    is_from_settings: bool = False
    connected_at: datetime | None = None


class PlexChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address and, when it changes, a token; a token left out stays."""

    url: str
    token: str | None = None


class ServerAccess(msgspec.Struct, frozen=True, kw_only=True):
    """How the server is read for somebody: `key` is the same for all who see the same.

    `is_own` is False where it is the owner's token: what was watched is the owner's then, and nobody else's.
    """

    key: str
    token: str
    is_own: bool = True
