"""Who may call what: one line for every route. A new route fails `test_matrix.py` until its line stands in `matrix_table.py`.

People: `all` strangers too; `person` whoever is signed in; `adult` no child profile; `admin` administrators; or the name of a
permission: administrators and whoever has it. Keys: the scopes that open the route for an administrator's key.
A stranger is sent to the sign-in page, or gets 401 by the API; everybody else who is refused gets 403.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.security.matrix_table import TABLE

DEFAULT_PERMISSIONS = frozenset(("request_films", "request_shows", "download", "follow"))
CHILD_PERMISSIONS = DEFAULT_PERMISSIONS - {"follow"}
SCOPES = ("read", "requests", "downloads", "widgets", "metrics", "admin")
KINDS = ("nobody", "child", "user", "admin", *(f"key:{scope}" for scope in SCOPES))


class Entry(NamedTuple):
    """One line of the table."""

    method: str
    path: str
    people: str
    keys: frozenset[str]

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def permission(self) -> str:
        """The permission that opens it, empty when none does."""
        return "" if self.people in ("all", "person", "adult", "admin") else self.people

    def allows(self, kind: str) -> bool:
        """Whether somebody of `kind` may call it."""
        if self.people == "all" or kind == "admin":
            return True
        if kind.startswith("key:"):
            return kind.removeprefix("key:") in self.keys
        if kind == "nobody" or self.people == "admin":
            return False
        if self.permission:
            return self.permission in (CHILD_PERMISSIONS if kind == "child" else DEFAULT_PERMISSIONS)
        return self.people == "person" or kind == "user"


def entries() -> dict[tuple[str, str], Entry]:
    """The table by method and path."""
    found = {}
    for line in TABLE.splitlines():
        if line and not line.startswith("#"):
            method, path, people, *keys = line.split()
            assert (method, path) not in found, f"{method} {path} stands twice in the table"
            assert set(keys) <= set(SCOPES), line
            found[method, path] = Entry(method, path, people, frozenset(keys))
    return found
