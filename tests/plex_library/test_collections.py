"""A playlist becomes a collection in Plex: all its videos in order, title, summary, poster; kept, mended, never twice."""

from __future__ import annotations

import pytest

from medianest.accounts.model import User
from medianest.database import fetch
from medianest.downloads.model import Download
from medianest.plex_library.model import CollectionState, ListCollection
from tests.plex.items import Item
from tests.plex_library.conftest import House

LIST = "http://site.test/list?n=5&title=Cooking"
State = CollectionState


async def downloaded(house: House, owner: User, link: str = LIST) -> Download:
    return await house.queue.ended(await house.queue.add(link, owner), owner)


async def collection(house: House, parent: Download, state: CollectionState = State.COMPLETED) -> ListCollection:
    """As the list's page shows it, once it is in this state and nothing is to be done."""

    async def reached() -> ListCollection | None:
        found = await house.service.collection(parent.id)
        return found if found is not None and found.state is state else None

    await house.until(reached)
    await house.until_quiet()
    found = await house.service.collection(parent.id)
    assert found is not None
    assert found.state is state, found
    return found


def titles(house: House, made: Item) -> list[str]:
    return house.plex.server.members(made)


async def order(house: House, parent: Download, owner: User) -> list[str]:
    """The titles of the list in its own order."""
    items, _total = await house.queue.service.items(parent.id, owner, limit=100)
    return [item.title for item in items]


async def test_a_playlist_is_a_collection_with_all_its_videos_in_order(house: House, owner: User) -> None:
    parent = await downloaded(house, owner)
    shown = await collection(house, parent)
    (made,) = house.plex.server.collections()
    assert titles(house, made) == await order(house, parent, owner)
    assert (made.title, made.sort, made.member_type, made.library) == (parent.title, 2, "episode", "4")
    assert parent.url in made.summary
    assert made.picture is not None
    assert (shown.members, shown.wanted) == (5, 5)
    assert shown.plex_url is not None
    assert shown.plex_url.endswith(f"%2Flibrary%2Fmetadata%2F{made.rating_key}")
    # a second look changes nothing
    writes = [call for call in house.plex.server.calls if call.method in ("POST", "PUT", "DELETE")]
    await house.upkeep.look_again()
    await house.until_quiet()
    assert [call for call in house.plex.server.calls if call.method in ("POST", "PUT", "DELETE")] == writes


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_long_playlist_is_put_in_by_hundreds(house: House, owner: User) -> None:
    house.plex.server.scan_s = 0.5
    await house.stop()
    parent = await downloaded(house, owner, "http://site.test/list?n=130&title=Long")
    again = House(house.queue, house.plex, run="again")
    await again.start()
    try:
        await collection(again, parent)
        (made,) = house.plex.server.collections()
        assert titles(house, made) == await order(house, parent, owner) + [
            item.title for item in (await house.queue.service.items(parent.id, owner, limit=100, offset=100))[0]
        ]
        keys = [call.query["uri"].count(",") + 1 for call in house.plex.server.calls if "uri" in call.query]
        assert max(keys) <= 100
        assert sum(keys) == 130
    finally:
        await again.stop()


async def test_what_the_owner_adds_stays_and_order_title_and_a_vanished_collection_are_mended(
    house: House, owner: User
) -> None:
    parent = await downloaded(house, owner)
    await collection(house, parent)
    (made,) = house.plex.server.collections()
    foreign = house.plex.server.add_show("4", "Guest", seasons={1: 1})
    guest = next(item for item in house.plex.server.of_library("4", "episode") if item.top is foreign)
    made.members.insert(0, guest.rating_key)
    made.members.append(made.members.pop(1))
    made.title = "Renamed in Plex"
    await house.upkeep.look_again()
    await house.until_quiet()
    assert (made.title, sorted(made.members)[-1]) == (parent.title, guest.rating_key)
    assert [title for title in titles(house, made) if title != guest.title] == await order(house, parent, owner)
    house.plex.server.remove(made.rating_key)
    await house.upkeep.look_again()
    await house.until(house.plex.server.collections)
    await house.until_quiet()
    (anew,) = house.plex.server.collections()
    assert anew.rating_key != made.rating_key
    assert titles(house, anew) == await order(house, parent, owner)


async def test_a_video_that_is_removed_leaves_the_collection_and_a_list_takes_it_along(
    house: House, owner: User
) -> None:
    parent = await downloaded(house, owner)
    await collection(house, parent)
    items, _total = await house.queue.service.items(parent.id, owner)
    await house.queue.service.remove(items[2].id, owner)
    (made,) = house.plex.server.collections()
    await house.until(lambda: len(made.members) == 4)
    await house.until_quiet()
    await house.queue.service.remove(parent.id, owner)
    await house.until(lambda: not house.plex.server.collections())
    await house.until(lambda: fetch("SELECT 1 AS one WHERE NOT EXISTS (SELECT 1 FROM plex_collections)"))


@pytest.mark.parametrize("fault", ["off", "lost answer", "500 in the middle"])
async def test_a_collection_is_made_once_whatever_happens_in_between(house: House, owner: User, fault: str) -> None:
    plex = house.plex
    await house.connections.service.plex()  # known from before
    match fault:
        case "off":
            plex.turn_off()
        case "lost answer":  # it was made, the word of it came half
            plex.faults.add("/library/collections", "truncated", 1, method="POST")
        case _:
            plex.faults.add("/library/metadata", "status", 2, status=500, method="PUT")
    parent = await downloaded(house, owner)
    table = "plex_scans" if fault == "off" else "plex_collections"
    await house.until(lambda: fetch(f"SELECT 1 AS one FROM {table} WHERE attempts > 0 AND owner IS NULL"))
    plex.turn_on()

    async def is_made() -> bool:
        house.calm()
        await house.worker.hurry()
        found = await house.service.collection(parent.id)
        return found is not None and found.state is State.COMPLETED

    await house.until(is_made)
    await collection(house, parent)
    (made,) = plex.server.collections()
    assert titles(house, made) == await order(house, parent, owner)
    assert made.title == parent.title


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_what_plex_refuses_again_and_again_is_given_up_cleaned_up_and_tried_again_by_hand(
    house: House, owner: User
) -> None:
    plex = house.plex
    plex.faults.add("/library/sections/4/all", "status", None, status=400, method="PUT")
    parent = await downloaded(house, owner)

    async def is_given_up() -> bool:
        await fetch(
            "UPDATE plex_collections SET due_at = created_at, attempts = 3 WHERE attempts = 1 AND owner IS NULL"
        )
        house.worker.wake()
        found = await house.service.collection(parent.id)
        is_due = await fetch("SELECT id FROM plex_collections WHERE due_at IS NOT NULL")  # a video found meanwhile
        return found is not None and found.state is State.FAILED and not is_due

    await house.until(is_given_up)
    shown = await collection(house, parent, State.FAILED)
    assert "did not accept" in shown.reason
    assert not plex.server.collections()
    plex.faults.clear()
    await house.service.try_again(parent.id)
    await collection(house, parent)
    assert len(plex.server.collections()) == 1
