"""An update from beginning to end: real pages on loopback, a real compiler process, real workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.app import Application
from medianest.database import fetch
from medianest.engine.model import Channel, EngineChanged, EngineUpdateMoved, Outcome, Way
from medianest.engine_folder import CURRENT
from medianest.events import Event
from tests.engine.conftest import INSIDE, NEWER, NEWEST, folder_of, pretend, update
from tests.release import Releases, program, real_program
from tests.release.server import NIGHTLY, SUMS

pytestmark = [pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True), pytest.mark.timeout_s(120)]


async def test_a_newer_release_is_checked_compiled_tried_and_runs_from_then_on(
    house: Application, pages: Releases, owner: User
) -> None:
    seen: list[Event] = []

    async def see(event: Event) -> None:
        seen.append(event)

    house.events.tap(see)
    old = await house.downloads.pool.acquire()  # a worker in the middle of something
    idle = await house.downloads.pool.acquire()
    house.downloads.pool.release(idle)
    assert old.version == INSIDE
    pages.publish(NEWER, real_program(NEWER))
    ended = await update(house, owner)
    assert (ended.outcome, ended.version, ended.from_version, ended.by) == (Outcome.CHANGED, NEWER, INSIDE, "Ada")

    folder = folder_of(house)
    assert (folder.root / CURRENT).read_text() == f"{NEWER}\n"
    assert sorted(path.name for path in folder.root.iterdir()) == [NEWER, CURRENT]
    assert sorted(path.name for path in folder.path(NEWER).iterdir()) == ["engine.json", "yt_dlp", "yt_dlp_ejs"]
    assert list(folder.path(NEWER).glob("yt_dlp/__pycache__/YoutubeDL.*.pyc"))
    facts = json.loads((folder.path(NEWER) / "engine.json").read_text())
    assert (facts["channel"], facts["version"]) == ("stable", NEWER)
    current = await house.engine_parts.service.current()
    assert (current.version, current.is_inside, current.problem) == (NEWER, False, "")

    # what ran goes on with its version and ends after that; the next one has the new one
    assert old.is_alive
    assert not idle.is_alive
    house.downloads.pool.release(old)
    assert not old.is_alive
    new = await house.downloads.pool.acquire()
    assert (new.version, new.engine_problem) == (NEWER, "")
    assert Path(new.engine_path) == folder.path(NEWER) / "yt_dlp"
    house.downloads.pool.release(new)
    await house.downloads.pool.stop()

    assert EngineChanged(version=NEWER, from_version=INSIDE) in seen
    steps = [event.step for event in seen if isinstance(event, EngineUpdateMoved)]
    assert list(dict.fromkeys(steps)) == ["looking", "fetching", "unpacking", "compiling", "trying", "choosing", ""]
    (line,) = await fetch("SELECT action, actor_name, before, after FROM audit_logs WHERE action = 'engine.updated'")
    assert (line["actor_name"], json.loads(line["after"])) == ("Ada", {"version": NEWER})

    # nothing newer: nothing is fetched
    fetched = pages.fetched("yt-dlp")
    again = await update(house, owner)
    assert (again.outcome, pages.fetched("yt-dlp")) == (Outcome.CURRENT, fetched)
    assert NEWER in again.text

    # back by the button: the version inside, whose newer one does not come again by itself
    assert "again" in await house.engine_parts.service.go_back(by=owner)
    assert (await house.engine_parts.service.current()).version == INSIDE
    assert "taken back" in await house.engine_parts.updates.update_daily()
    assert (await house.engine_parts.service.current()).version == INSIDE


async def test_what_only_shows_when_everything_is_imported_is_seen_before_any_download_runs_with_it(
    house: Application, pages: Releases, owner: User
) -> None:
    changes = {"yt_dlp/extractor/ted.py": "import a_new_dependency_of_theirs\n"}
    pages.publish(NEWER, real_program(NEWER, changes))
    ended = await update(house, owner)
    assert (ended.outcome, ended.code) == (Outcome.REFUSED, "trial_failed")
    assert "a_new_dependency_of_theirs" in ended.text
    assert (await house.engine_parts.service.current()).is_inside
    assert list(folder_of(house).root.iterdir()) == []


async def test_the_daily_look_follows_the_channel_and_keeps_quiet_when_nothing_is_new(
    house: Application, pages: Releases, owner: User
) -> None:
    updates, service = house.engine_parts.updates, house.engine_parts.service
    pages.publish("2026.08.01", program("2026.08.01"))
    assert "newer" in await updates.update_daily()
    pages.publish("2027.01.15.232839", program("2027.01.15.232839"), repository=NIGHTLY, sums="")
    await service.set_channel(Channel.OFF, by=owner)
    asked = len(pages.asked)
    assert await updates.update_daily() == "Updates are off."
    assert len(pages.asked) == asked
    assert (await house.engine_parts.board.report()).history == ()
    await service.set_channel(Channel.NIGHTLY, by=owner)
    with pytest.raises(Exception, match="no sum"):
        await updates.update_daily()
    (record,) = (await house.engine_parts.board.report()).history
    assert (record.way, record.outcome, record.code) == (Way.DAILY, Outcome.REFUSED, "sum_missing")
    assert all(NIGHTLY in path for path in pages.asked[asked:])
    assert pages.fetched("yt-dlp") == 0
    problems = [problem.code for problem in await house.engine_parts.board.problems()]
    assert problems == ["engine_update_failed"]
    # the next quiet look is worth a line, the ones after it are not
    pages.newest[NIGHTLY] = INSIDE
    for _day in range(2):
        assert "newest" in await updates.update_daily()
    assert [one.outcome for one in (await house.engine_parts.board.report()).history][:-1] == [Outcome.CURRENT]
    assert await house.engine_parts.board.problems() == []


async def test_two_files_in_the_drop_folder_are_taken_like_a_release(
    house: Application, pages: Releases, owner: User
) -> None:
    pretend(house, NEWER)
    drop = Path(house.engine_parts.updates.drop_folder)
    drop.mkdir(parents=True)
    content = program("2026.12.01")
    release = pages.publish("2026.12.01", content)
    (drop / "yt-dlp").write_bytes(content)
    refused = await update(house, owner)
    assert refused.code == "sums_missing"
    (drop / "yt-dlp").write_bytes(content)
    (drop / SUMS).write_bytes(release.files[SUMS])
    refused = await update(house, owner)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "older")
    # put aside: it does not stand in the way of the next one
    assert sorted(path.name for path in drop.iterdir()) == ["SHA2-256SUMS.refused", "yt-dlp.refused"]
    assert pages.asked == []
    assert folder_of(house).named() == NEWER


async def test_a_release_is_taken_by_file_and_the_last_two_versions_stay(
    house: Application, pages: Releases, owner: User
) -> None:
    for one in ("2026.11.30", NEWER):
        pretend(house, one)
    content = real_program(NEWEST)
    sums = pages.publish(NEWEST, content).files[SUMS].decode()
    await house.engine_parts.updates.begin_file(content, sums, by=owner)
    with pytest.raises(Exception, match="already"):
        await house.engine_parts.updates.begin_update(by=owner)
    await house.engine_parts.updates.wait()
    report = await house.engine_parts.board.report()
    assert (report.history[0].way, report.history[0].outcome) == (Way.FILE, Outcome.CHANGED)
    assert (report.current.version, report.previous, report.current.channel) == (NEWEST, NEWER, "")
    assert sorted(folder_of(house).versions()) == [NEWER, NEWEST]
    assert pages.asked == []
