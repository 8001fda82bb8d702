"""An administrator links a Plex account, and lets it go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.errors import Conflict
from medianest.integrations.plex_tv import PlexPerson
from tests.accounts.plex.conftest import Door, Enter, row_of
from tests.harness.application import Visit, csrf_of, sign_in
from tests.plex import Account, PlexWorld

Doors = Callable[..., Door]


@pytest.fixture
async def admin(house: Application, visit: Visit) -> httpx.AsyncClient:
    client = visit(house)
    await sign_in(client)
    return client


async def post(client: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    token = csrf_of((await client.get("/settings")).text)
    return await client.post(path, data={"_csrf": token, **form})


async def link(client: httpx.AsyncClient, plex: PlexWorld, account: Account, **form: str) -> httpx.Response:
    """All the way; the page at the end."""
    begun = await post(client, "/settings/plex/link", **form)
    assert begun.status_code == 303
    given = httpx.QueryParams(begun.headers["location"].partition("#?")[2])
    if given:
        plex.allow(given["code"], account)
        back = await client.get(httpx.URL(given["forwardUrl"]).raw_path.decode())
        assert back.headers["location"] == "/settings/plex/waiting"
    else:
        assert begun.headers["location"] == "/settings/plex/waiting"
        plex.allow(next(pin.code for pin in plex.pins.values()), account)
    return await client.get("/settings/plex/waiting", follow_redirects=True)


@pytest.mark.parametrize("way", ["", "code"])
async def test_the_owner_links_their_account_and_signs_in_with_it(
    house: Application, admin: httpx.AsyncClient, enter: Enter, plex: PlexWorld, way: str
) -> None:
    assert "Link with Plex" in (await admin.get("/settings/plex")).text
    page = await link(admin, plex, plex.owner, way=way)
    assert "You can sign in with Plex from now on" in page.text
    row = await row_of(plex.owner)
    assert (row["is_owner"], row["role"], row["display_name"]) == (True, "admin", "Olive")
    me = await (await enter(house, plex.owner)).me()
    assert (me["username"], me["role"]) == ("Ada", "admin")
    assert "account.plex_linked" in [one["action"] for one in await fetch("SELECT action FROM audit_logs")]


async def test_an_account_that_is_somebody_elses_is_refused(
    house: Application, admin: httpx.AsyncClient, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    page = await link(admin, plex, plex.friend)
    assert "belongs to another person here" in page.text
    assert (await row_of(plex.friend))["user_id"] == (await browser.me())["id"]


async def test_one_without_the_server_and_a_second_one_are_refused(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld
) -> None:
    assert "is not shared with that account" in (await link(admin, plex, plex.stranger)).text
    await link(admin, plex, plex.owner)
    assert "another account is linked to you" in (await link(admin, plex, plex.friend)).text
    assert not await row_of(plex.friend)


async def test_it_is_let_go_only_by_whoever_has_a_password(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld
) -> None:
    await link(admin, plex, plex.owner)
    await fetch("UPDATE users SET password_hash = NULL")
    refused = await post(admin, "/settings/plex/unlink")
    assert refused.status_code == 409
    assert "You sign in with Plex only" in refused.text
    await fetch("UPDATE users SET password_hash = 'x'")
    assert (await post(admin, "/settings/plex/unlink")).headers["location"] == "/settings/plex?note=unlinked"
    assert not await row_of(plex.owner)
    assert (await post(admin, "/settings/plex/unlink")).status_code == 404


async def test_a_link_is_finished_by_who_began_it(
    house: Application, admin: httpx.AsyncClient, visit: Visit, door: Doors, plex: PlexWorld
) -> None:
    await house.accounts.create_admin("Grace", "another-Horse-8-staple")
    grace = visit(house)
    await sign_in(grace, "grace", "another-Horse-8-staple")
    begun = await post(admin, "/settings/plex/link")
    given = httpx.QueryParams(begun.headers["location"].partition("#?")[2])
    plex.allow(given["code"], plex.owner)
    back = httpx.URL(given["forwardUrl"]).raw_path.decode()
    secret = {name: value for name, value in admin.cookies.items() if name.endswith("_plex")}
    grace.cookies.update(secret)
    assert (await grace.get(back)).status_code == 403
    assert (await grace.get("/settings/plex/waiting")).headers["location"] == "/settings/plex"
    stranger = door(house, cookies=secret)
    assert (await stranger.waiting()).headers["location"] == "/sign-in"  # no sign-in comes of a link
    assert not await row_of(plex.owner)


async def test_people_who_do_not_run_the_server_have_no_such_page(
    house: Application, enter: Enter, plex: PlexWorld
) -> None:
    browser = await enter(house, plex.friend)
    assert (await browser.client.get("/settings/plex")).status_code == 403
    page = (await browser.client.get("/settings")).text
    assert "/settings/plex" not in page
    assert "follow your Plex account" in page


async def test_the_connections_owner_is_linked_once(
    house: Application, admin: httpx.AsyncClient, plex: PlexWorld
) -> None:
    person = PlexPerson(id=plex.owner.id, username="olive", title="Olive", email=None, thumb=None)
    me: dict[str, Any] = (await admin.get("/api/v1/me")).json()["user"]
    await house.plex_accounts.sign_in.link_owner(me["id"], person)
    await house.plex_accounts.sign_in.link_owner(me["id"], person)  # again is no harm
    assert (await row_of(plex.owner))["is_owner"]
    assert await house.plex_accounts.sign_in.is_linked(me["id"])
    other = await house.accounts.create_admin("Grace", "another-Horse-8-staple")
    with pytest.raises(Conflict, match="somebody else"):
        await house.plex_accounts.sign_in.link_owner(other.id, person)
