"""What is taken of a video: profiles, subtitles, chapters, SponsorBlock, pictures, containers, broadcasts; with real yt-dlp and ffmpeg."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.worker.driver import WITH_TUBE, WorkerProcess
from tests.site import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(also=("127.0.0.2",)) as running:
        yield running


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[WorkerProcess]:
    folder = tmp_path_factory.mktemp("tube")
    with WorkerProcess(folder, program=WITH_TUBE, sponsorblock_url=site.url("/tube/sponsors")) as running:
        yield running


def probe(path: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json", path]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return told


def streams(told: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in told["streams"] if one["codec_type"] == kind]


def test_facts_are_measured(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/tube/watch/facts?heights=180,360"), "facts", quality="360")
    wanted = {"width": 640, "height": 360, "vcodec": "h264", "acodec": "aac", "fps": 25.0, "bit_depth": 8}
    assert {key: done[key] for key in wanted} == wanted
    assert done["bitrate_bits_s"] > 50_000


def test_a_small_profile_takes_h264_where_it_is_sharp_enough(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/tube/watch/small?heights=180,480,720"), "small", quality="480")
    assert done["height"] == 480


def test_vp9_and_opus_that_come_as_mp4_are_put_into_matroska(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/tube/watch/odd?codec=vp9&suffix=mp4"), "odd")
    assert (done["ext"], done["vcodec"], done["acodec"]) == ("mkv", "vp9", "opus")
    assert "matroska" in probe(done["files"]["media"])["format"]["format_name"]


def test_h264_that_comes_in_an_old_box_is_put_into_mp4(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/clip/old.mov"), "old")
    assert (done["ext"], done["vcodec"]) == ("mp4", "h264")


@pytest.mark.parametrize(
    ("wanted", "ending", "codec"), [("best", "m4a", "aac"), ("mp3", "mp3", "mp3"), ("opus", "opus", "opus")]
)
def test_sound_comes_in_the_wanted_format_with_tags_and_cover(
    worker: WorkerProcess, site: Site, wanted: str, ending: str, codec: str
) -> None:
    url = site.url("/tube/watch/song?artist=Ana&track=Rice%20Song")
    done = worker.fetch(url, f"song-{wanted}", audio_only=True, audio_format=wanted, album="Kitchen", track=7)
    told = probe(done["files"]["media"])
    tags = {
        key.lower(): value
        for key, value in {**told["format"].get("tags", {}), **streams(told, "audio")[0].get("tags", {})}.items()
    }
    assert (done["ext"], streams(told, "audio")[0]["codec_name"]) == (ending, codec)
    assert (tags["title"], tags["artist"], tags["album"]) == ("Rice Song", "Ana", "Kitchen")
    assert tags["track"] == "7"
    assert [one["codec_name"] for one in streams(told, "video")] == ["mjpeg"]


def test_subtitles_lie_beside_or_inside_and_a_machines_only_where_nobody_wrote_any(
    worker: WorkerProcess, site: Site
) -> None:
    url = site.url("/tube/watch/words?subs=en,en-GB,fr&auto=de,de-orig,en")
    wanted = ["en", "de"]
    beside = worker.fetch(url, "beside", subtitle_languages=wanted, automatic_subtitles=True)
    assert [one["language"] for one in beside["files"]["subtitles"]] == ["en", "en-GB", "de"]
    people = worker.fetch(url, "people", subtitle_languages=wanted)
    assert [one["language"] for one in people["files"]["subtitles"]] == ["en", "en-GB"]
    inside = worker.fetch(url, "inside", subtitle_languages=wanted, automatic_subtitles=True, subtitle_place="embedded")
    told = probe(inside["files"]["media"])
    assert inside["files"]["subtitles"] == []
    assert inside["subtitles"] == ["en", "en-GB", "de"]
    assert [one["tags"]["language"] for one in streams(told, "subtitle")][::2] == ["eng", "deu"]
    assert streams(told, "video")[0]["codec_name"] == "h264"


def test_chapters_are_kept_unless_they_are_not_wanted(worker: WorkerProcess, site: Site) -> None:
    url = site.url("/tube/watch/parts?length=6&chapters=0,2,4")
    titles = [one["tags"]["title"] for one in probe(worker.fetch(url, "parts")["files"]["media"])["chapters"]]
    assert titles == ["Chapter 1", "Chapter 2", "Chapter 3"]
    assert probe(worker.fetch(url, "no-parts", chapters=False)["files"]["media"])["chapters"] == []


def test_sponsors_are_marked_cut_or_left(worker: WorkerProcess, site: Site) -> None:
    url = site.url("/tube/watch/ad1?length=6&subs=en")
    marked = worker.fetch(url, "marked", sponsorblock="mark")
    chapters = [(one["tags"]["title"], one["start_time"][:3]) for one in probe(marked["files"]["media"])["chapters"]]
    assert ("Sponsor (SponsorBlock)", "1.5") in chapters
    cut = worker.fetch(url, "cut", sponsorblock="cut", subtitle_languages=["en"])
    assert 4 < cut["duration_s"] < 5.5
    assert "00:01.500 --> 00:02.400\nen 3" in Path(cut["files"]["subtitles"][0]["path"]).read_text()
    site.forget()
    left = worker.fetch(url, "left")
    assert left["duration_s"] == pytest.approx(6, abs=0.2)
    assert site.asked("/tube/sponsors") == []


def test_sponsorblock_that_is_down_costs_nothing_but_the_marks(tmp_path: Path, site: Site) -> None:
    address = site.url("/tube/sponsors", host="127.0.0.2")  # forbidden to this worker: it asks through the guard
    with WorkerProcess(tmp_path, program=WITH_TUBE, sponsorblock_url=address) as worker:
        done = worker.fetch(site.url("/tube/watch/ad1?length=6"), "down", sponsorblock="cut")
        assert done["event"] == "done"
        assert done["duration_s"] == pytest.approx(6, abs=0.2)
        assert "SponsorBlock did not work" in worker.log
    assert not [one for one in site.requests if one.host == "127.0.0.2"]


def test_a_picture_can_be_embedded_and_a_poster_stands_upright(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/tube/watch/face"), "face", picture_place="both")
    told = probe(done["files"]["media"])
    assert [one["codec_name"] for one in streams(told, "video")] == ["h264", "mjpeg"]
    assert done["size_bytes"] == Path(done["files"]["media"]).stat().st_size, "told before the picture was in"
    poster = probe(done["files"]["poster"])["streams"][0]
    assert (poster["width"], poster["height"]) == (600, 900)


def test_a_list_brings_its_face_and_banner(worker: WorkerProcess, site: Site) -> None:
    first = worker.extract(site.url("/tube/list/UC1?channel=UC1&faces=1&ids=a,b"), "faces")
    while worker.wait_for("entries", "list_end")["event"] != "list_end":
        pass
    assert first["info"]["kind"] == "channel"
    assert all(Path(path).is_file() for path in first["pictures"].values())


def test_a_preview_tells_what_each_profile_would_take(worker: WorkerProcess, site: Site, tmp_path: Path) -> None:
    url = site.url("/tube/watch/look?heights=360,720&subs=en&auto=de-orig,fr")
    worker.send("preview", url=url, picture=str(tmp_path / "look"), max_height=480)
    preview = worker.wait_for("preview")
    offers = {(one["quality"], one["audio_only"]): one for one in preview["offers"]}
    best = offers["best", False]
    assert (best["height"], best["container"], best["video_codec"], best["audio_codec"]) == (360, "mp4", "h264", "aac")
    assert best["size_bytes"] > 10_000
    assert ("default", True) in offers
    assert (preview["subtitles"], preview["automatic_subtitles"]) == (["en"], ["de"])


@pytest.mark.parametrize("live", ["is_live", "is_upcoming", "post_live"])
def test_what_is_not_there_yet_can_be_looked_at(worker: WorkerProcess, site: Site, live: str) -> None:
    worker.send("preview", url=site.url(f"/tube/watch/soon?live={live}&release=1900000000"))
    info = worker.wait_for("preview")["info"]
    assert (info["live_status"], info["is_live"], info["release_at"]) == (live, live == "is_live", 1_900_000_000)


def test_a_broadcast_is_refused_unless_it_is_to_be_recorded(worker: WorkerProcess, site: Site) -> None:
    assert worker.fetch(site.url("/tube/watch/show?live=is_live"), "refused")["class"] == "live"


def test_a_recording_ends_at_its_cap_with_a_playable_file(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/tube/watch/show?live=is_live"), "capped", record=True, record_s=2)
    assert done["event"] == "done", done
    assert 1 < done["duration_s"] < 5
    assert (done["ext"], done["vcodec"]) == ("mp4", "h264")
    assert "mp4" in probe(done["files"]["media"])["format"]["format_name"]


def test_a_recording_ends_when_somebody_says_so(worker: WorkerProcess, site: Site) -> None:
    url = site.url("/tube/watch/long?live=is_live")
    assert worker.extract(url, "stopped", record=True)["event"] == "video"
    worker.send("download")
    worker.wait_for("recording")
    while not list(worker.staging("stopped").glob("media.*.part")):
        time.sleep(0.05)
    worker.send("finish")
    done = worker.wait_for("done")
    assert done["event"] == "done", done
    assert done["duration_s"] > 1
    assert probe(done["files"]["media"])["streams"]
    # a late word changes nothing, and the process does its next job
    worker.send("finish")
    assert worker.fetch(site.url("/clip/after.mp4"), "after")["event"] == "done"
