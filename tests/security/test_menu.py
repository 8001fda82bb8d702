"""The menu shows exactly what a person may open: nobody sees a link that is refused, nobody misses one that is theirs."""

from __future__ import annotations

import re

import pytest

from medianest.accounts.model import Permission
from medianest.app import Application
from tests.harness.application import Visit
from tests.security.cast import somebody

OWNERS = frozenset(
    (
        "/people",
        "/downloads/settings",
        "/system/plex",
        "/system/overseerr",
        "/system/security",
        "/system/audit",
        "/system",
    )
)


def linked(page: str) -> frozenset[str]:
    """The owner's places that a page links to."""
    return OWNERS & frozenset(re.findall(r'href="([^"?#]+)', page))


@pytest.mark.parametrize(
    ("kind", "permission", "theirs"),
    [
        ("user", Permission.MANAGE_USERS, {"/people"}),
        ("user", Permission.MANAGE_SETTINGS, {"/system/plex", "/system/overseerr", "/system/security"}),
        ("user", Permission.MANAGE_REQUESTS, set()),
        ("user", None, set()),
        ("child", None, set()),
        ("admin", None, OWNERS),
    ],
)
async def test_the_menu_shows_what_a_person_may_open_and_nothing_else(
    application: Application, visit: Visit, kind: str, permission: Permission | None, theirs: set[str]
) -> None:
    client = await somebody(application, visit, kind, permissions=permission)
    opened = frozenset([path for path in sorted(OWNERS) if (await client.get(path)).status_code == 200])
    assert opened == theirs
    for place in ("/", "/more"):
        assert linked((await client.get(place)).text) == opened
