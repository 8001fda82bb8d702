"""Traps of what the owner may change on the stand-in: scans with a real look into folders, and collections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.plex import PlexWorld

VIDEOS = ("Ana - s2026e031501 - Rice [a].mp4", "Ana - s2026e031502 - Soup [b].mp4")


@pytest.fixture
def ask(plex: PlexWorld) -> Any:
    headers = {"accept": "application/json", "x-plex-token": plex.owner.token()}
    with httpx.Client(base_url=plex.server_url, headers=headers, trust_env=False) as client:

        def call(path: str, method: str = "GET", **more: Any) -> Any:
            return client.request(method, path, **more)

        yield call


def show(root: Path) -> Path:
    season = root / "Ana" / "Season 2026"
    season.mkdir(parents=True)
    (root / "Ana" / "tvshow.nfo").write_text(
        '<tvshow><title>Cooking with Ana</title><uniqueid type="youtube">UC1</uniqueid></tvshow>'
    )
    for name in VIDEOS:
        (season / name).write_bytes(b"video")
        title = name.split(" - ")[2].split(" [")[0]
        (season / name).with_suffix(".nfo").write_text(f"<episodedetails><title>{title}</title></episodedetails>")
    return season


def test_a_scan_looks_into_the_folder_and_takes_its_time(plex: PlexWorld, ask: Any, tmp_path: Path) -> None:
    season = show(tmp_path)
    key = plex.server.add_library("YouTube", "show", tmp_path, path="/data/yt")
    (season / "Ana - no number.mp4").write_bytes(b"video")
    (tmp_path / ".medianest").mkdir()
    (tmp_path / ".medianest" / "Ana - s2026e010101.mp4").write_bytes(b"video")
    plex.server.scan_s = 0.3
    answer = ask(f"/library/sections/{key}/refresh", params={"path": "/data/yt/Ana"})
    assert (answer.status_code, answer.content) == (200, b"")
    running = ask("/activities").json()["MediaContainer"]["Activity"]
    assert running[0]["Context"] == {"librarySectionID": key}
    assert answer.headers["x-plex-activity"] == running[0]["uuid"]
    assert not plex.server.of_library(key)
    plex.server.scans[0].ends_at = 0
    assert ask("/activities").json()["MediaContainer"] == {"size": 0}
    found = plex.server.of_library(key, "episode")
    assert [(item.title, item.index, item.files) for item in found] == [
        ("Rice", 31501, [f"/data/yt/Ana/Season 2026/{VIDEOS[0]}"]),
        ("Soup", 31502, [f"/data/yt/Ana/Season 2026/{VIDEOS[1]}"]),
    ]
    assert found[0].top.guid == "tv.plex.agents.nfo.series://show/youtube_UC1"
    assert ask(f"/library/sections/{key}/refresh", params={"path": "/elsewhere"}).status_code == 200
    plex.server.scan_s = 0
    for name in VIDEOS:
        (season / name).unlink()
    ask(f"/library/sections/{key}/refresh", params={"path": "/data/yt/Ana"})
    ask("/identity")
    ask("/library/sections")
    assert not plex.server.of_library(key)


def test_a_collection_is_made_ordered_edited_and_goes_with_its_last_member(
    plex: PlexWorld, ask: Any, tmp_path: Path
) -> None:
    show(tmp_path)
    key = plex.server.add_library("YouTube", "show", tmp_path)
    ask(f"/library/sections/{key}/refresh", params={"path": str(tmp_path)})
    ask("/library/sections")
    rice, soup = (item.rating_key for item in plex.server.of_library(key, "episode"))
    uri = f"server://{plex.machine_id}/com.plexapp.plugins.library/library/metadata/"
    values = {"type": "4", "smart": "0", "sectionId": key, "title": "Dinner", "uri": uri + rice}
    made = [ask("/library/collections", "POST", params=values).json()["MediaContainer"]["Metadata"][0] for _ in "ab"]
    assert (made[0]["childCount"], len(plex.server.collections(key))) == ("1", 2)
    here = f"/library/collections/{made[0]['ratingKey']}"
    for wrong in ({"type": "1"}, {"sectionId": "1"}, {"uri": uri}, {"uri": uri + ",".join(["1"] * 101)}):
        assert ask("/library/collections", "POST", params=values | wrong).status_code == 400
    assert ask(f"{here}/items", "PUT", params={"uri": uri + soup}).status_code == 200
    assert ask(f"{here}/items/{soup}/move", "PUT").status_code == 400
    assert ask(f"/library/metadata/{made[0]['ratingKey']}/prefs", "PUT", params={"collectionSort": "2"}).is_success
    assert ask(f"{here}/items/{soup}/move", "PUT").is_success
    assert plex.server.members(plex.server.items[made[0]["ratingKey"]]) == ["Soup", "Rice"]
    edit = {"type": "18", "id": made[0]["ratingKey"], "title.value": "Supper", "summary.value": "All of it"}
    assert ask(f"/library/sections/{key}/all", "PUT", params=edit).is_success
    assert ask(f"/library/metadata/{made[0]['ratingKey']}/posters", "POST", content=b"<html>").status_code == 400
    assert ask(f"/library/metadata/{made[0]['ratingKey']}/posters", "POST", content=b"\xff\xd8\xff rest").is_success
    shown = ask(f"/library/metadata/{made[0]['ratingKey']}").json()["MediaContainer"]["Metadata"][0]
    assert (shown["title"], shown["childCount"], "/thumb/" in shown["thumb"]) == ("Supper", "2", True)
    refused = httpx.put(f"{plex.server_url}{here}/items", headers={"x-plex-token": plex.server_token(plex.friend)})
    assert refused.status_code == 403
    assert ask(f"{here}/items/{rice}", "PUT").status_code == 404
    for member in (rice, soup):
        assert ask(f"{here}/items/{member}", "DELETE").is_success
    assert ask(here + "/children").status_code == 404
