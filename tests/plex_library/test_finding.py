"""After a download: one scan of the folder, the video is found, its number is kept and shown; whatever Plex does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from medianest.accounts.model import User
from medianest.database import fetch
from medianest.downloads.model import DownloadStateChanged
from medianest.plex_library.mapping import save_mapping
from medianest.plex_library.model import SavedMapping
from tests.downloads.running_queue import Queue
from tests.plex import PlexWorld
from tests.plex_library.conftest import QUICK, THERE, House

VIDEO = "http://site.test/video?id=rice&title=Perfect+rice"


def refreshes(plex: PlexWorld) -> list[str]:
    return [call.query["path"] for call in plex.server.calls if call.path.endswith("/refresh")]


async def test_a_video_is_scanned_found_and_leads_to_plex(house: House, queue: Queue, owner: User) -> None:
    house.plex.server.scan_s = 0.2
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    shown = await queue.wait(done, owner, lambda found: found.plex_url is not None)
    item = house.plex.server.find_file(f"{THERE}/{done.files[0].path}")
    assert item is not None
    assert shown.plex_url == (
        f"https://app.plex.tv/desktop/#!/server/{house.plex.machine_id}/details?"
        f"key=%2Flibrary%2Fmetadata%2F{item.rating_key}"
    )
    assert refreshes(house.plex) == [f"{THERE}/Ana"]
    (row,) = await fetch("SELECT plex_rating_key, server_id FROM download_history")
    assert dict(row) == {"plex_rating_key": item.rating_key, "server_id": house.plex.machine_id}
    # the open page learns of it: the last word about this download comes after it was found

    def told() -> list[DownloadStateChanged]:
        found = [one for one in queue.seen if isinstance(one, DownloadStateChanged) and one.download_id == done.id]
        return [one for one in found if one.state == "completed"]

    await house.until(lambda: len(told()) == 2)
    assert not any("X-Plex-Token" in call.query for call in house.plex.server.calls)
    await queue.service.remove(done.id, owner)
    path = f"{THERE}/{done.files[0].path}"
    await house.until(lambda: house.plex.server.catch_up() or house.plex.server.find_file(path) is None)
    assert refreshes(house.plex) == [f"{THERE}/Ana"] * 2


async def test_twenty_files_of_one_show_are_one_scan(queue: Queue, plex: PlexWorld, owner: User) -> None:
    queue.library.mkdir(parents=True, exist_ok=True)
    plex.server.add_library("YouTube", "show", queue.library, path=THERE)
    house = House(queue, plex)
    for number in range(20):
        await queue.ended(await queue.add(f"http://site.test/video?id=v{number}&title=Dish+{number}", owner), owner)
    await house.start()
    try:
        await house.until_quiet()
        assert refreshes(plex) == [f"{THERE}/Ana"]
        assert len(plex.server.of_library("4", "episode")) == 20
        rows = await fetch("SELECT 1 AS one FROM download_history WHERE plex_rating_key IS NOT NULL")
        assert len(rows) == 20
    finally:
        await house.stop()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["off", "slow", "html", "truncated", "401", "429", "500", "other", "restarting"])
async def test_whatever_plex_does_nothing_is_lost(house: House, queue: Queue, owner: User, kind: str) -> None:
    plex = house.plex
    await house.connections.service.plex()  # known from before
    match kind:
        case "off":
            plex.turn_off()
        case "slow":
            plex.faults.add("/", "slow", 3, seconds=0.3, place="server")
        case "html" | "truncated":
            plex.faults.add("/library/sections", kind, None, place="server")
            plex.faults.add("/identity", kind, None, place="server")
        case "401" | "500":
            plex.faults.add("/library", "status", None, status=int(kind), place="server")
        case "429":
            plex.faults.add("/library", "429", None, place="server")
        case "other":
            plex.is_server_replaced = True
        case "restarting":
            plex.server.is_restarting = True
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    if kind != "slow":
        await house.until(lambda: fetch("SELECT 1 AS one FROM plex_scans WHERE attempts > 0 AND owner IS NULL"))
        assert (await queue.service.get(done.id, owner)).plex_url is None
        assert (await house.service.status()).waiting == 1
        assert (await house.service.status()).reason
        assert not await house.service.problems()  # a server that is off does not say that videos are missing
    plex.turn_on()
    plex.faults.clear()
    plex.is_server_replaced = plex.server.is_restarting = False
    house.calm()
    await house.worker.hurry()
    assert (await queue.wait(done, owner, lambda found: found.plex_url is not None)).plex_url


async def test_what_plex_does_not_show_is_scanned_twice_then_told_and_found_later(
    house: House, queue: Queue, owner: User
) -> None:
    plex = house.plex
    (queue.library / ".plexignore").write_text("*\n")
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    problems = await house.until(house.service.problems)
    assert refreshes(plex) == [f"{THERE}/Ana"] * 2
    assert "Plex does not show it" in problems[0].text
    assert "another folder" in problems[0].advice
    (queue.library / ".plexignore").unlink()
    await house.upkeep.look_again()
    await queue.wait(done, owner, lambda found: found.plex_url is not None)
    assert not await house.service.problems()


async def test_a_house_whose_folder_is_in_no_library_is_told_so_and_goes_on_when_it_is_mended(
    house: House, queue: Queue, owner: User
) -> None:
    await save_mapping(SavedMapping(server_root="/nowhere"))
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    problems = await house.until(house.service.problems)
    assert (problems[0].code, "/nowhere" in problems[0].text) == ("plex_no_library", True)
    await save_mapping(SavedMapping(server_root=THERE))
    await house.upkeep.look_again()
    await queue.wait(done, owner, lambda found: found.plex_url is not None)


async def test_a_process_that_is_killed_between_steps_leaves_its_work_to_the_next(
    queue: Queue, plex: PlexWorld, owner: User
) -> None:
    queue.library.mkdir(parents=True, exist_ok=True)
    plex.server.add_library("YouTube", "show", queue.library, path=THERE)
    plex.faults.add("/activities", "hang", 1, place="server")
    first = House(queue, plex)
    await first.start()
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    await first.until(lambda: [call for call in plex.server.calls if call.path == "/activities"])
    # as a kill leaves it: nothing is given back
    far = datetime(2999, 1, 1, tzinfo=UTC)
    await fetch("UPDATE plex_scans SET owner = 'instance/killed/host/1/0', lease_until = {}", far)
    await first.stop()
    second = House(queue, plex, run="two")
    await second.start()
    try:
        await queue.wait(done, owner, lambda found: found.plex_url is not None)
    finally:
        await second.stop()
    assert len(plex.server.of_library("4", "episode")) == 1


async def test_what_was_filed_while_nobody_listened_is_found_at_the_start(
    queue: Queue, plex: PlexWorld, owner: User
) -> None:
    queue.library.mkdir(parents=True, exist_ok=True)
    plex.server.add_library("YouTube", "show", queue.library, path=THERE)
    done = await queue.ended(await queue.add(VIDEO, owner), owner)
    assert not await fetch("SELECT * FROM plex_places")
    house = House(queue, plex)
    await house.start()
    try:
        await queue.wait(done, owner, lambda found: found.plex_url is not None)
        # other numbers after a rematch: seen by the daily look, found again
        old = plex.server.find_file(f"{THERE}/{done.files[0].path}")
        assert old is not None
        plex.server.remove(old.rating_key)
        await fetch("UPDATE plex_places SET checked_at = {}", datetime(2020, 1, 1, tzinfo=UTC))
        assert "1 to be found again" in await house.upkeep.verify()
        shown = await queue.wait(
            done, owner, lambda found: bool(found.plex_url and old.rating_key not in found.plex_url)
        )
        assert shown.plex_url
    finally:
        await house.stop()


async def test_two_processes_do_one_piece_of_work_once(queue: Queue, plex: PlexWorld, owner: User) -> None:
    queue.library.mkdir(parents=True, exist_ok=True)
    plex.server.add_library("YouTube", "show", queue.library, path=THERE)
    houses = [House(queue, plex, run=run) for run in ("one", "two")]
    await asyncio.gather(*(house.start() for house in houses))
    try:
        parent = await queue.ended(await queue.add("http://site.test/list?n=6&title=Cooking", owner), owner)
        await houses[0].until(lambda: [one for one in plex.server.collections() if len(one.members) == 6])
        await houses[0].until_quiet()
        assert len(plex.server.collections()) == 1
        assert QUICK.quiet_s < 1
        assert parent.progress.items_done == 6
    finally:
        await asyncio.gather(*(house.stop() for house in houses))
