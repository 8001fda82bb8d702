"""Whether the library is what the script says: on the disk, in the database, and in Plex."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.soak import week_script
from tests.soak.week_script import BAD, GOOD, REFUSED, SONGS, TAKEN_OUT
from tests.soak.week_town import THERE, Town

LENGTH_WITHIN_S = 0.35


def same(what: str, found: set[str], stated: set[str]) -> None:
    """Raises AssertionError with what is missing and what is too much."""
    assert found == stated, f"{what}: missing are {sorted(stated - found)}, too much are {sorted(found - stated)}"


def check_disk(town: Town, day: int) -> int:
    """Exactly the stated files, each video whole; how many files."""
    library = town.server.library_dir
    everything = [path for path in library.rglob("*") if not path.is_dir()]
    found = {path.relative_to(library).as_posix() for path in everything}
    staged = {one for one in found if one.startswith(".medianest/")}
    same("files of the library", found - staged, week_script.files(day))
    same("files that are still unfinished", staged, {".medianest/.plexignore"})
    for path, length_s in week_script.media(day).items():
        measured = _length_s(library / path)
        assert abs(measured - length_s) < LENGTH_WITHIN_S, f"{path} is {measured} s long and not {length_s} s"
    empty = [path for path in library.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert all(".medianest" in path.parts for path in empty), f"empty folders: {empty}"
    return len(week_script.files(day))


def _length_s(path: Path) -> float:
    """Seconds of a video that plays from its beginning to its end."""
    played = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (played.returncode, played.stderr) == (0, ""), f"{path.name} does not play: {played.stderr}"
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return float(told.stdout)


def check_rows(town: Town, day: int) -> None:
    """The history and the queue say the same as the disk, and the database is sound."""
    rows = town.rows("SELECT video_id, files, filed_at, deleted_at FROM download_history")
    there = [one for one in rows if one["filed_at"] and not one["deleted_at"]]
    paths = [file["path"] for one in there for file in json.loads(one["files"])]
    assert len(paths) == len(set(paths)), f"a file has two records: {sorted(paths)}"
    same("files of the history", set(paths), week_script.own_files(day))
    assert [json.loads(one["files"])[0]["path"] for one in there if _is_no_media(one)] == [], "media comes first"
    deleted = {one["video_id"] for one in rows if one["deleted_at"]}
    same("deleted videos", deleted, {one.name for one in week_script.gone(day)})
    assert len(rows) == len(there) + len(deleted), f"records that are neither there nor deleted: {rows}"
    _check_queue(town, day)
    with closing(sqlite3.connect(town.server.data_dir / "medianest.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def _is_no_media(one: dict[str, Any]) -> bool:
    return not str(json.loads(one["files"])[0]["path"]).endswith(".mp4")


def _check_queue(town: Town, day: int) -> None:
    queue = town.rows("SELECT id, url, kind, state, reason_code, owner, history_id FROM download_queue")
    ended = {one["url"].replace(town.site.url(""), ""): (one["state"], one["reason_code"]) for one in queue}
    refused = REFUSED if day >= 3 else {}
    for link, how in refused.items():
        assert ended[link] == how, f"{link} ended as {ended[link]} and not as {how}"
    others = [one for one in queue if one["url"].replace(town.site.url(""), "") not in refused]
    wrong = [one for one in others if one["state"] != "completed" or one["owner"]]
    assert not wrong, f"downloads that have not ended well: {wrong}"
    videos = [one["history_id"] for one in others if one["kind"] == "video" and one["history_id"]]
    records = town.rows("SELECT id FROM download_history WHERE id NOT IN (SELECT history_id FROM download_queue "
                        "WHERE history_id IS NOT NULL)")  # fmt: skip
    assert not records, f"records without a download: {records}"
    assert len(videos) >= len(week_script.media(day)), videos


def check_plex(town: Town, day: int) -> int:
    """Plex has each file under the path it was told, and we know it by its number there; how many videos."""
    server = town.plex.server
    items = {
        file.removeprefix(f"{THERE}/"): one
        for one in (*server.of_library(town.shows, "episode"), *server.of_library(town.films, "movie"))
        for file in one.files
    }
    stated = week_script.media(day)
    same("videos in Plex", set(items), set(stated))
    for one in (*week_script.kept(day), *week_script.gone(day)):
        assert f"{THERE}/{one.show}" in server.scanned, f"Plex was never told of {one.show}"
    folders = {f"{THERE}/{one.show}" for one in (*week_script.kept(day), *week_script.gone(day))}
    film = {f"{THERE}/{week_script.FILM_FOLDER}"} if week_script.film(day) else set()
    same("folders that Plex was asked to look into", set(server.scanned), folders | film)
    places = town.rows(
        "SELECT p.path, p.state, p.rating_key, p.server_id, h.plex_rating_key, h.video_id FROM plex_places p "
        "JOIN download_history h ON h.id = p.history_id"
    )
    for place in places:
        if place["path"] in stated:
            key = items[place["path"]].rating_key
            told = (place["state"], place["rating_key"], place["plex_rating_key"], place["server_id"])
            assert told == ("found", key, key, town.plex.machine_id), f"{place} is {key} in Plex"
        else:
            assert (place["state"], place["plex_rating_key"]) == ("removed", None), place
    same("places in Plex", {one["path"] for one in places if one["state"] == "found"}, set(stated))
    if day >= 1:
        [songs] = server.collections()
        members = [server.items[key].files[0].removeprefix(f"{THERE}/") for key in songs.members]
        assert members == [f"{one.stem}.mp4" for one in SONGS], f"the playlist in Plex: {members}"
        assert songs.title == "songs", songs.title
    return len(stated)


def check_engine(town: Town) -> None:
    """The good yt-dlp came, the bad one came and was taken back by itself, and did not come again."""
    updates = town.rows("SELECT way, version, from_version FROM engine_updates WHERE outcome = 'changed' ORDER BY id")
    ways = [(one["way"], one["version"]) for one in updates]
    assert ways == [("daily", GOOD), ("daily", BAD), ("automatic_rollback", GOOD)], ways
    assert (town.server.data_dir / "engines" / "yt-dlp" / "current").read_text().strip() == GOOD


def check_sites(town: Town) -> None:
    """What was taken out was not asked for again, though the list goes on showing it."""
    asked = [one.path for one in town.site.requests if f"/{TAKEN_OUT.name}" in one.path]
    assert asked == [], f"what Ben took out was asked for again: {asked}"
    assert town.site.asked("/growing/news.xml"), "the list was not looked at any more"
