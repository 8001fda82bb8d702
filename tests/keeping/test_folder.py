"""The library folder: what lies there is taken in, another tool's list counts as had, and the whole of it can move."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import fetch
from medianest.downloads.repository.expansion import ExpansionRepository
from medianest.keeping.model import WorkKind
from medianest.keeping.moving import Moving
from medianest.keeping.reading import media_in, read_nfo, read_video
from tests.harness.application import Visit
from tests.keeping.shelf import NOW, Shelf
from tests.security.cast import add_person, headers_of, session_headers

NFO = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<episodedetails><title>Perfect &lt;rice&gt;</title><showtitle>Kitchen</showtitle><season>2026</season><episode>31501</episode>
<aired>2026-03-15</aired><runtime>2</runtime><uniqueid type="youtube" default="true">dQw4w9WgXcQ</uniqueid></episodedetails>"""
SHOW = '<tvshow><title>Kitchen</title><uniqueid type="youtube" default="true">UCkitchen</uniqueid></tvshow>'


def lay(library: Path) -> None:
    """A library that another program, or an older MediaNest, has left."""
    season = library / "Kitchen" / "Season 2026"
    season.mkdir(parents=True)
    (library / "Kitchen" / "tvshow.nfo").write_text(SHOW)
    stem = "Kitchen - s2026e031501 - Perfect rice [dQw4w9WgXcQ]"
    for ending, text in ((".mp4", "media"), (".nfo", NFO), (".jpg", "j"), (".en.srt", "1")):
        (season / (stem + ending)).write_text(text)
    (season / "Some talk [abcdefghijk].mkv").write_text("more")
    (season / "holiday.mp4").write_text("nobody knows")
    (season / "Bomb [aaaaaaaaaaa].mp4").write_text("x")
    (season / "Bomb [aaaaaaaaaaa].nfo").write_text('<!DOCTYPE a [<!ENTITY b "c">]><a><title>&b;</title></a>')
    (library / ".medianest" / "jobs" / "1").mkdir(parents=True)
    (library / ".medianest" / "jobs" / "1" / "half [bbbbbbbbbbb].mp4").write_text("x")


async def test_what_lies_in_the_folder_is_taken_in_after_a_dry_run(
    application: Application, visit: Visit, shelf: Shelf
) -> None:
    lay(shelf.library)
    known = await shelf.put("Known")
    client = visit(application, headers=await headers_of(application, "admin"))
    works = application.keeping.works
    before = shelf.files()
    assert (await client.post("/downloads/folder/adopt", data={"act": "try"})).status_code == 303
    await works.finished()
    page = (await client.get("/downloads/folder")).text
    assert "3 of 5 videos would be taken into the history; 1 were known, 0 are there twice, 1 have neither" in page
    assert "? Kitchen/Season 2026/holiday.mp4" in page
    assert len(await fetch("SELECT id FROM download_history")) == 1

    begun = await client.post("/api/v1/library-work", json={"kind": "adopt"})
    assert (begun.status_code, begun.json()["state"]) == (202, "running")
    await works.finished()
    rows = {row["video_id"]: row for row in await fetch("SELECT * FROM download_history WHERE id <> {}", known)}
    assert set(rows) == {"dQw4w9WgXcQ", "abcdefghijk", "aaaaaaaaaaa"}
    rice = rows["dQw4w9WgXcQ"]
    assert (rice["identity"], rice["title"], rice["season"], rice["episode"]) == (
        "youtube:dQw4w9WgXcQ", "Perfect <rice>", 2026, 31501,
    )  # fmt: skip
    assert rice["duration_s"] == 120
    assert "Perfect rice [dQw4w9WgXcQ].en.srt" in str(rice["files"])
    assert rows["aaaaaaaaaaa"]["title"] == "Bomb"
    shows = await fetch("SELECT id, folder FROM library_shows")
    assert [one["folder"] for one in shows] == ["Kitchen"]
    assert {row["show_id"] for row in rows.values()} == {shows[0]["id"]}
    assert len(await fetch("SELECT history_id FROM video_marks WHERE origin = 'adopted'")) == 3
    assert len(await fetch("SELECT history_id FROM plex_places")) == 4
    assert shelf.files() == before

    await client.post("/downloads/folder/adopt")
    await works.finished()
    assert (await works.last(WorkKind.ADOPT)).message.startswith("0 of 5 videos were taken")  # type: ignore[union-attr]
    # a video that was deleted and lies there again
    await fetch("UPDATE download_history SET deleted_at = {} WHERE video_id = 'abcdefghijk'", NOW)
    await client.post("/downloads/folder/adopt")
    await works.finished()
    assert await fetch("SELECT id FROM download_history WHERE video_id = 'abcdefghijk' AND deleted_at IS NULL")


def test_strange_files_are_passed_over(tmp_path: Path) -> None:
    lay(tmp_path)
    (tmp_path / "link [ccccccccccc].mp4").symlink_to("/etc/hostname")
    names = [path.name for path in media_in(tmp_path)]
    assert len(names) == 4
    assert not [name for name in names if "half" in name or "link" in name]
    assert read_nfo(tmp_path / "Kitchen/Season 2026/Bomb [aaaaaaaaaaa].nfo") is None
    (tmp_path / "big.nfo").write_bytes(b"<a>" + b" " * 300_000 + b"</a>")
    assert read_nfo(tmp_path / "big.nfo") is None
    (tmp_path / "Talk [short].mp4").write_text("x")
    assert read_video(tmp_path, tmp_path / "Talk [short].mp4") is None


async def test_videos_of_another_tools_list_count_as_had(application: Application, visit: Visit) -> None:
    client = visit(application, headers=await headers_of(application, "admin"))
    lines = "\ufeffyoutube dQw4w9WgXcQ\nyoutube dQw4w9WgXcQ\r\nvimeo 123\n\nnonsense\n"
    sent = await client.post("/downloads/folder/archive", files={"archive": ("archive.txt", lines, "text/plain")})
    assert sent.status_code == 200, sent.text
    assert "2 videos were noted as had." in sent.text
    assert "nonsense" in sent.text
    again = await client.post("/api/v1/library-work/archive", json={"text": "vimeo 123\nvimeo 124"})
    assert again.json() == {"added": 1, "known": 1, "unread": []}
    for bad in ("", "x" * 10, "youtube a b", "youtube x\n" * 40_001, "vimeo " + "1" * 1_000_000):
        assert (await client.post("/api/v1/library-work/archive", json={"text": bad})).status_code in (400, 413)
    shown = (await client.get("/api/v1/history", params={"state": "had"})).json()["items"]
    assert [one["video_id"] for one in shown] == ["124", "123", "dQw4w9WgXcQ"]
    there = await ExpansionRepository("x")._already_there(["youtube:dQw4w9WgXcQ", "youtube:other"])
    assert list(there) == ["youtube:dQw4w9WgXcQ"]
    shelved = await application.downloads.feeds.shelved(["vimeo:123"])
    assert shelved["vimeo:123"].is_deleted  # what subscriptions do not take


async def test_the_library_moves_and_the_old_folder_is_cleared_after_the_owner_switched(
    application: Application, visit: Visit, shelf: Shelf, tmp_path: Path
) -> None:
    await shelf.put("One")
    await shelf.put("Two", show="Garden")
    (shelf.library / ".medianest").mkdir()
    (shelf.library / ".medianest" / "half.part").write_text("stays")
    files = shelf.files()
    user = await add_person("admin")
    client = visit(application, headers=await session_headers(application, user))
    new = tmp_path / "large" / "youtube"
    for wrong in ("", "relative", str(shelf.library / "inside"), str(tmp_path), "/proc/x", str(tmp_path / "data")):
        (tmp_path / "data" / "something").write_text("x")
        answer = await client.post("/downloads/folder/move", data={"target": wrong})
        assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (400, True), wrong
    application.keeping.moving._look_s = 0.05
    works = application.keeping.works
    assert (await client.post("/downloads/folder/move", data={"target": str(new)})).status_code == 303
    assert (await client.post("/downloads/folder/adopt")).status_code == 409  # one at a time

    async def copied() -> list[str]:
        while (work := await works.last(WorkKind.MOVE)) is None or work.step != "switch":
            await asyncio.sleep(0.02)
        return Shelf(new).files()

    assert [name for name in await copied() if not name.startswith(".")] == files
    assert "Set MEDIANEST_LIBRARY_DIR" in (await client.get("/downloads/folder/work")).text
    await shelf.put("Three")  # filed meanwhile, and one deleted
    (shelf.library / next(name for name in files if "Two" in name and name.endswith(".mp4"))).unlink()
    await asyncio.sleep(0.3)
    await works.stop()  # MediaNest stops …
    assert len(shelf.files()) == 13
    assert not any("Two" in name and name.endswith(".mp4") for name in Shelf(new).files())

    (new / "Kitchen" / "Season 2026" / ".left.moving").write_text("of a kill")
    switched = create_app(
        msgspec.structs.replace(application.settings, library_dir=new, staging_dir=new / ".medianest")
    )
    await switched.keeping.works.take_over()  # … and starts with the new folder
    await switched.keeping.works.finished()
    done = await switched.keeping.works.last(WorkKind.MOVE)
    assert done is not None
    assert (done.state, "were removed" in done.message) == ("done", True), done
    assert len([name for name in Shelf(new).files() if not name.rpartition("/")[2].startswith(".")]) == 13
    assert shelf.files() == []
    assert (shelf.library / ".medianest" / "half.part").exists()


async def test_a_killed_move_goes_on_and_a_stopped_one_ends(
    application: Application, visit: Visit, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medianest.keeping import moving

    for number in range(6):
        await shelf.put(f"V{number}")
    user = await add_person("admin")
    client = visit(application, headers=await session_headers(application, user))
    new, works, real, copies = tmp_path / "new", application.keeping.works, moving._copy_verified, []

    def killed(source: Path, target: Path) -> None:
        copies.append(target)
        if len(copies) == 5:
            raise asyncio.CancelledError
        real(source, target)

    monkeypatch.setattr(moving, "_copy_verified", killed)
    await client.post("/api/v1/library-work", json={"kind": "move", "target": str(new)})
    await works.finished()
    assert (await works.last(WorkKind.MOVE)).state == "running"  # type: ignore[union-attr]
    assert len([name for name in Shelf(new).files() if not name.startswith(".")]) == 4
    monkeypatch.setattr(moving, "_copy_verified", real)
    await fetch("UPDATE library_work SET owner = 'dead', lease_until = {}", NOW - timedelta(hours=1))
    application.keeping.moving._look_s = 0.05
    await works.take_over()
    while (await works.last(WorkKind.MOVE)).step != "switch":  # type: ignore[union-attr]
        await asyncio.sleep(0.02)
    assert len([name for name in Shelf(new).files() if not name.startswith(".")]) == 25
    assert (await client.request("DELETE", "/api/v1/library-work?kind=move")).status_code == 204
    await works.finished()
    assert (await works.last(WorkKind.MOVE)).state == "stopped"  # type: ignore[union-attr]
    assert len(shelf.files()) == 25
    assert (await client.request("DELETE", "/api/v1/library-work?kind=move")).status_code == 409


async def test_a_disk_that_is_too_small_or_lies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from medianest.errors import Invalid
    from medianest.keeping import moving

    library = tmp_path / "library"
    library.mkdir()
    (library / "a.mp4").write_bytes(b"a" * 1000)
    mover = Moving(library, library / ".medianest")
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(10, 9, 1))
    with pytest.raises(Invalid, match=r"1\.1 GB more"):
        await mover.check(str(tmp_path / "new"))
    monkeypatch.setattr(moving.os, "fsync", lambda descriptor: moving.os.ftruncate(descriptor, 10))
    with pytest.raises(moving.CanNotMove):
        moving._copy_verified(library / "a.mp4", tmp_path / "new" / "a.mp4")
    assert list((tmp_path / "new").iterdir()) == []
