"""The connection to Overseerr or Seerr: which one, how it answers, and in whose name people without an account there ask."""

from __future__ import annotations

from datetime import datetime

import msgspec

from medianest.events import Event

OWNER_ID = 1  # who the key stands for: always the first account


class OverseerrConnectionChanged(Event, frozen=True):
    """The address, the key or what goes with them is another now, or none. `is_other_server`: numbers there begin anew."""

    is_other_server: bool = False


class OverseerrConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The server; its key is asked for apart. `kind` is overseerr, seerr, or empty while it has never answered."""

    url: str
    kind: str
    version: str
    title: str
    default_user_id: int
    default_user_name: str
    owner_name: str
    has_key: bool
    is_from_settings: bool  # the address; it can not be changed in the pages then
    is_key_from_settings: bool
    connected_at: datetime | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return "Seerr" if self.kind == "seerr" else "Overseerr"


class OverseerrOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a connection beside address and key. `born` tells one installation from another."""

    kind: str = ""
    version: str = ""
    title: str = ""
    born: str = ""  # when its first account was made: no other number of its own is told
    owner_name: str = ""
    default_user_id: int | None = None
    default_user_name: str = ""
    connected_at: datetime | None = None
    connected_by: int | None = None


class OverseerrCheck(msgspec.Struct, frozen=True, kw_only=True):
    """How the server answered. `is_…` is None where it could not be asked; `code` is empty when all is well."""

    at: datetime
    url: str
    code: str = ""
    text: str = ""
    is_reachable: bool = False
    is_overseerr: bool | None = None
    is_initialized: bool | None = None
    is_key_good: bool | None = None
    is_ours: bool | None = None
    kind: str = ""
    version: str = ""
    title: str = ""
    born: str = ""
    owner_name: str = ""
    took_ms: int = 0
    failures: int = 0  # one after another

    @property
    def is_good(self) -> bool:
        return not self.code


class OverseerrStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The connection as the API shows it; the key never is."""

    is_connected: bool
    url: str = ""
    kind: str = ""
    title: str = ""
    version: str = ""
    has_key: bool = False
    is_from_settings: bool = False
    default_user_id: int | None = None
    connected_at: datetime | None = None


class OverseerrChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address and, when it changes, a key; a key or a person left out stays."""

    url: str
    api_key: str | None = None
    default_user_id: int | None = None
