"""Who has an account at Plex, and which servers and libraries there are."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

MACHINE_ID = "4ba3c1f0d2e94f0fa1b2c3d4e5f60718293a4b5c"
OTHER_MACHINE_ID = "9f8e7d6c5b4a39281706f5e4d3c2b1a0ffeeddcc"
SERVER_NAME = "Attic"
OTHER_SERVER_NAME = "Somebody else's box"
VERSION = "1.43.0.10467-abcdef012"


@dataclass(frozen=True)
class Library:
    """One section of the server; `key` is a string of digits."""

    key: str
    type: str
    title: str
    agent: str
    path: str


LIBRARIES = (
    Library("1", "movie", "Films", "tv.plex.agents.movie", "/data/films"),
    Library("2", "show", "Shows", "tv.plex.agents.series", "/data/shows"),
    Library("3", "movie", "From the web", "com.plexapp.agents.none", "/data/youtube"),
)
EVERYTHING = frozenset(library.key for library in LIBRARIES)


@dataclass(eq=False)
class Account:
    """One account. `libraries` are those it sees on our server; `is_pending` is an invitation not yet taken."""

    key: str
    id: int
    username: str
    title: str
    email: str | None
    is_owner: bool = False
    is_home: bool = False
    is_managed: bool = False
    is_known: bool = True  # stands in the owner's list of people
    is_pending: bool = False
    own_machine: str = ""
    libraries: frozenset[str] = frozenset()
    kept_libraries: frozenset[str] = frozenset()  # what `restore` gives back
    make_token: Callable[[Account, str], str] = field(default=lambda _account, _client: "", repr=False)

    @property
    def uuid(self) -> str:
        """The word in the addresses of pictures."""
        return uuid.uuid5(uuid.NAMESPACE_OID, self.key).hex[:16]

    def token(self, client: str = "token-made-by-hand") -> str:
        """A living plex.tv token of this account under the client identifier `client`: the same until it dies."""
        return self.make_token(self, client)


def everybody() -> dict[str, Account]:
    """All kinds of account, by the name that `PlexWorld` gives them."""
    one = frozenset(("3",))
    accounts = (
        Account(
            "owner", 1001, "olive", "olive", "olive@example.org",
            is_owner=True, is_home=True, is_known=False, own_machine=MACHINE_ID, libraries=EVERYTHING,
        ),
        Account("friend", 1002, "frida", "frida", "frida@example.org", libraries=EVERYTHING),
        Account("friend_one_library", 1003, "finn", "finn", "finn@example.org", libraries=one),
        Account("child", 1004, "", "Charlie", None, is_home=True, is_managed=True, libraries=one),
        Account("pending", 1005, "penny", "penny", "penny@example.org", is_pending=True, libraries=EVERYTHING),
        Account("stranger", 1006, "stan", "stan", "stan@example.org", is_known=False, own_machine=OTHER_MACHINE_ID),
        Account("nothing_shared", 1007, "nora", "nora", "nora@example.org"),
    )  # fmt: skip
    for account in accounts:
        account.kept_libraries = account.libraries
    return {account.key: account for account in accounts}
