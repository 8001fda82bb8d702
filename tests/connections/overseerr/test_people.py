"""Who is who at Overseerr: by the Plex number, then by its e-mail; imported when missing; never guessed while it is down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from medianest.accounts.model import User
from medianest.accounts.repository import AccountRepository
from medianest.app import Application
from medianest.database import fetch
from medianest.errors import UpstreamFailed
from medianest.integrations.http import Unreachable
from tests.connections.overseerr.conftest import SignIn
from tests.overseerr import OverseerrWorld, Person


async def person(application: Application, name: str, plex_id: int | None = None, email: str = "") -> User:
    now = datetime.now(UTC)
    rows = await fetch(
        "INSERT INTO users (username, username_key, display_name, role, state, created_at, is_child, email) "
        "VALUES ({}, {}, {}, 'user', 'active', {}, {}, {}) RETURNING id",
        name, name, name, now, False, email or None,
    )  # fmt: skip
    user_id = int(rows[0]["id"])
    if plex_id is not None:
        await fetch(
            "INSERT INTO plex_accounts (user_id, plex_id, username, email, is_owner, linked_at) "
            "VALUES ({}, {}, {}, {}, {}, {})",
            user_id, plex_id, name, email or None, False, now,
        )  # fmt: skip
    return await AccountRepository().get(user_id)


async def test_people_are_matched_and_whoever_is_missing_is_imported(
    fixed_house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    await admin(fixed_house)
    service = fixed_house.connections.overseerr
    overseerr.people[9] = Person(9, "only-mail@example.org", None, username="mail")
    frida = await person(fixed_house, "frida", 1002, "another@example.org")
    by_mail = await person(fixed_house, "mail", 4711, "Only-Mail@example.org")
    finn = await person(fixed_house, "finn", 1003, "finn@example.org")
    assert [await service.user_id_of(one) for one in (frida, by_mail, finn)] == [2, 9, 10]
    assert overseerr.people[10].plex_id == 1003
    charlie = await person(fixed_house, "charlie", 1004)
    pretender = await person(fixed_house, "pretender", 5555, "olive@example.org")
    local = await person(fixed_house, "local", email="olive@example.org")
    seen = len(overseerr.calls)
    assert await service.user_id_of(local) is None, "an address that Plex does not vouch for is nobody's"
    assert len(overseerr.calls) == seen
    for one in (charlie, pretender):
        assert await service.user_id_of(one) is None
    seen = len(overseerr.calls)
    assert await service.user_id_of(charlie) is None
    assert len(overseerr.calls) <= seen + 1, "who can not be imported is not tried at every request"
    assert overseerr.takedowns == []


async def test_while_it_is_down_nobody_is_taken_for_somebody_else(
    fixed_house: Application, admin: SignIn, overseerr: OverseerrWorld
) -> None:
    await admin(fixed_house)
    frida = await person(fixed_house, "frida", 1002)
    overseerr.off()
    with pytest.raises(Unreachable):
        await fixed_house.connections.overseerr.user_id_of(frida)
    overseerr.on()
    overseerr.faults.add("/api/v1/user", "html")
    with pytest.raises(UpstreamFailed):
        await fixed_house.connections.overseerr.user_id_of(frida)
    assert await fixed_house.connections.overseerr.user_id_of(frida) == 2
