"""Where our videos stand in Plex: folders to be looked into, what was found, and playlists as collections."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from medianest.events import Event


class PlaceState(StrEnum):
    WAITING = "waiting"  # Plex has not shown it yet
    FOUND = "found"
    MISSING = "missing"  # Plex looked twice and does not have it
    REMOVED = "removed"  # taken out of the library here


class MissingReason(StrEnum):
    """Why Plex most likely does not have a video."""

    MAPPING = "mapping"  # it sees another folder
    PASSED_OVER = "passed_over"  # it has others of the folder: name or rights
    KIND = "kind"  # a film in a library of shows, sound in one of films, and so on


class CollectionState(StrEnum):
    PENDING = "pending"
    CREATING = "creating"
    ADDING = "adding"
    UPDATING = "updating"
    COMPLETED = "completed"
    FAILED = "failed"


class ListCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A playlist's collection as its page shows it."""

    state: CollectionState
    title: str
    reason: str
    members: int
    wanted: int
    plex_url: str | None
    changed_at: datetime

    @property
    def is_working(self) -> bool:
        """Whether it changes by itself soon."""
        return self.state in (CollectionState.CREATING, CollectionState.ADDING, CollectionState.UPDATING)


class SavedMapping(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner has set; empty means: found by itself."""

    server_root: str = ""
    section: str = ""


class LibraryChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A library of the server that can hold videos. `type` is movie or show."""

    key: str
    title: str
    type: str
    locations: tuple[str, ...]


class LibraryMapping(msgspec.Struct, frozen=True, kw_only=True):
    """How our library folder and Plex's are one. `trouble` says what is wrong, empty when nothing is known to be."""

    our_root: str
    server_root: str
    saved: SavedMapping
    libraries: tuple[LibraryChoice, ...]
    target: LibraryChoice | None
    trouble: str = ""

    @property
    def is_guessed(self) -> bool:
        return not self.saved.server_root


class LibraryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How much is found, how much is not."""

    found: int = 0
    waiting: int = 0
    missing: int = 0
    reason: str = ""  # why work waits


class ProbeState(StrEnum):
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """The newest test with a video of our own: filed, found, taken away again."""

    state: ProbeState
    at: datetime
    text: str = ""
    advice: str = ""
    library: str = ""
    took_s: int = 0
    instance: str = ""  # whose test it is while it runs


class CollectionChanged(Event, frozen=True):
    """A playlist's collection is in another state."""

    download_id: int
    state: CollectionState
