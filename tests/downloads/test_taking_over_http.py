"""Choosing what is taken, by plain forms and by the API: what is kept, what is refused, what the pages offer."""

from __future__ import annotations

import httpx
import pytest

from medianest.app import Application
from medianest.database import fetch
from tests.accounts.people.house import owner
from tests.harness.application import Visit, csrf_of

VIDEO = "http://site.test/video?id="


@pytest.fixture(autouse=True)
def once(database_kind: str) -> None:
    if database_kind == "postgres":
        pytest.skip("the same on either engine")


@pytest.fixture
async def ada(application: Application, visit: Visit) -> httpx.AsyncClient:
    client, _person = await owner(application, visit)
    return client


async def send(ada: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """A plain form, as a browser without script sends it."""
    token = csrf_of((await ada.get("/downloads")).text)
    return await ada.post(path, data={"_csrf": token, **fields}, headers={"Accept": "text/html"})


async def test_a_form_asks_for_what_was_chosen_and_an_open_choice_follows_the_defaults(ada: httpx.AsyncClient) -> None:
    links = f"{VIDEO}a\n{VIDEO}b"
    answer = await send(
        ada, "/downloads", url=links, quality="480", layout="film", subtitles="de, en", sponsorblock="cut", live="replay",
        audio_format="",
    )  # fmt: skip
    assert answer.status_code in (200, 303), answer.text
    items = (await ada.get("/api/v1/downloads")).json()["items"]
    assert [one["url"] for one in items] == [f"{VIDEO}b", f"{VIDEO}a"]
    for one in items:
        assert (one["quality"], one["as_film"]) == ("480", True)
        chosen = {name: value for name, value in one["wishes"].items() if value is not None}
        assert chosen == {"layout": "film", "subtitles": "de,en", "sponsorblock": "cut", "live": "replay"}
    await send(ada, "/downloads", url=f"{VIDEO}none", subtitles="-")
    newest = (await ada.get("/api/v1/downloads")).json()["items"][0]
    assert newest["wishes"]["subtitles"] == ""


async def test_what_is_no_choice_is_refused_and_what_was_typed_stays(ada: httpx.AsyncClient) -> None:
    refused = await send(ada, "/downloads", url=f"{VIDEO}x", subtitles="--exec rm", sponsorblock="cut")
    assert refused.status_code in (400, 422)
    assert "languages with commas" in refused.text
    assert 'value="--exec rm"' in refused.text
    assert '<option value="cut" selected>' in refused.text
    for wrong in ({"sponsorblock": "everything"}, {"layout": "../.."}, {"subtitles": "en;rm"}, {"live": 1}):
        answer = await ada.post("/api/v1/downloads", json={"url": f"{VIDEO}y", **wrong})
        assert answer.status_code in (400, 422), (wrong, answer.text)
    assert (await ada.get("/api/v1/downloads")).json()["total"] == 0


async def test_the_owners_defaults_are_kept_and_a_box_that_is_not_ticked_is_off(ada: httpx.AsyncClient) -> None:
    page = (await ada.get("/downloads/settings")).text
    assert 'name="has_taken"' in page
    fields = {
        "has_taken": "1", "concurrent_downloads": "3", "max_list_items": "1000", "max_height": "1080", "night_from": "23",
        "night_until": "7", "free_space_floor_gb": "2", "subtitle_languages": "en, de", "automatic_subtitles": "true",
        "subtitle_place": "embedded", "sponsorblock": "mark", "picture_place": "both", "audio_format": "mp3",
        "video_layout": "film", "list_layout": "season", "live": "record", "record_hours": "3", "record_gb": "1,5",
    }  # fmt: skip
    assert (await send(ada, "/downloads/settings", **fields)).status_code in (200, 303)
    kept = (await ada.get("/api/v1/queue-settings")).json()
    wanted = {
        "subtitle_languages": "en,de", "automatic_subtitles": True, "subtitle_place": "embedded", "chapters": False,
        "sponsorblock": "mark", "picture_place": "both", "audio_format": "mp3", "video_layout": "film",
        "list_layout": "season", "live": "record", "record_hours": 3, "record_bytes": 1_610_612_736,
    }  # fmt: skip
    assert {name: kept[name] for name in wanted} == wanted
    refused = await send(ada, "/downloads/settings", **{**fields, "record_hours": "99", "record_gb": "much"})
    assert refused.status_code in (400, 422)
    assert (await ada.get("/api/v1/queue-settings")).json()["record_hours"] == 3
    seasons = await ada.put("/api/v1/queue-settings", json={**kept, "video_layout": "season"})
    assert seasons.status_code in (400, 422)
    assert "no season" in seasons.text
    # a form of before that knows none of these leaves them alone
    old = {
        name: fields[name] for name in ("concurrent_downloads", "max_list_items", "max_height", "free_space_floor_gb")
    }
    assert (await send(ada, "/downloads/settings", **old)).status_code in (200, 303)
    assert (await ada.get("/api/v1/queue-settings")).json()["sponsorblock"] == "mark"


async def test_a_refused_broadcast_offers_to_record_it_or_to_wait(ada: httpx.AsyncClient) -> None:
    made = (await ada.post("/api/v1/downloads", json={"url": f"{VIDEO}live"})).json()["id"]
    for verb in ("record", "replay", "finish"):
        assert (await ada.post(f"/api/v1/downloads/{made}/{verb}")).status_code == 409
    await fetch("UPDATE download_queue SET state = 'failed', reason_code = 'live' WHERE id = {}", made)
    page = (await ada.get(f"/downloads/{made}")).text
    assert f"/downloads/{made}/record" in page
    assert f"/downloads/{made}/replay" in page
    assert (await send(ada, f"/downloads/{made}/replay")).status_code in (200, 303)
    told = (await ada.get(f"/api/v1/downloads/{made}")).json()
    assert told["wishes"]["live"] == "replay"
    await fetch("UPDATE download_queue SET state = 'downloading', reason_code = 'recording' WHERE id = {}", made)
    assert f"/downloads/{made}/finish" in (await ada.get(f"/downloads/{made}")).text
    assert (await ada.post(f"/api/v1/downloads/{made}/finish")).status_code == 200


async def test_what_is_inside_a_file_stands_on_its_page_and_in_the_api(ada: httpx.AsyncClient) -> None:
    made = (await ada.post("/api/v1/downloads", json={"url": f"{VIDEO}f"})).json()["id"]
    rows = await fetch(
        "INSERT INTO download_history (identity, title, uploader, url, site, video_id, files, size_bytes, created_at, filed_at, "
        "container, video_codec, audio_codec, width, height, fps, bit_depth, bitrate_bits_s, subtitles) VALUES "
        "('tube:f', 'F', '', 'u', 'tube', 'f', '[]', 5, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', "
        "'mp4', 'vp9', 'opus', 1920, 1080, 29.97, 8, 2500000, 'en,de') RETURNING id"
    )
    await fetch("UPDATE download_queue SET state = 'completed', history_id = {} WHERE id = {}", rows[0]["id"], made)
    media = (await ada.get(f"/api/v1/downloads/{made}")).json()["media"]
    assert (media["height"], media["subtitles"], media["direct_play"]) == (1080, ["en", "de"], "no")
    page = (await ada.get(f"/downloads/{made}")).text
    for words in ("Has to be converted", "VP9 and Opus in MP4", "29.97 a second", "2.5 Mbit/s", "English, German"):
        assert words in page
