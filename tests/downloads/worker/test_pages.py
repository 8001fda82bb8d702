"""Every kind of page, through real yt-dlp and ffmpeg."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site, clips


def probe(path: str) -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters", "-of", "json", path]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)
    return told


def test_a_direct_clip_arrives_byte_for_byte_with_its_facts_read_from_the_file(
    worker: WorkerProcess, site: Site
) -> None:
    done = worker.fetch(site.url("/clip/one.mp4"), "direct")
    assert done["event"] == "done", done
    media = Path(done["files"]["media"])
    assert media == worker.staging("direct") / "media.mp4.mp4"
    assert media.read_bytes() == clips.clip().read_bytes()
    assert {key: done[key] for key in ("ext", "media_type", "width", "height", "vcodec", "acodec")} == {
        "ext": "mp4",
        "media_type": "video/mp4",
        "width": 320,
        "height": 180,
        "vcodec": "h264",
        "acodec": "aac",
    }
    assert done["size_bytes"] == media.stat().st_size
    assert done["files"]["picture"] is None
    assert worker.staging("direct").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("suffix", ["webm", "mkv"])
def test_other_containers_are_kept_as_they_are(worker: WorkerProcess, site: Site, suffix: str) -> None:
    done = worker.fetch(site.url(f"/clip/one.{suffix}"), suffix)
    assert (done["ext"], done["width"], done["height"]) == (suffix, 320, 180)


def test_a_page_with_json_ld_tells_title_uploader_and_day(worker: WorkerProcess, site: Site) -> None:
    url = site.url("/page/jsonld/rice?title=Perfect%20rice&uploader=Ana&date=2025-12-31T08:00:00Z")
    info = worker.extract(url)["info"]
    wanted = {
        "kind": "video",
        "site": "generic",
        "title": "Perfect rice",
        "uploader": "Ana",
        "published_on": "2025-12-31",
        "duration_s": 2,
        "description": "About rice",
    }
    assert {key: info[key] for key in wanted} == wanted


def test_tags_are_embedded_without_encoding_and_without_season_or_episode(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/jsonld/tags?title=Perfect%20rice&uploader=Ana"), "tags")
    told = probe(done["files"]["media"])
    tags = told["format"]["tags"]
    assert (tags["title"], tags["artist"], tags["date"]) == ("Perfect rice", "Ana", "20260315")
    assert "season_number" not in tags
    assert "episode_sort" not in tags
    assert told["streams"][0]["codec_name"] == "h264"


def test_tags_can_be_left_out(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/jsonld/plain"), "no-tags", embed_metadata=False)
    assert Path(done["files"]["media"]).read_bytes() == clips.clip().read_bytes()


def test_a_page_with_a_video_element_gives_its_picture_and_subtitles(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/html5/a"), "html5", subtitle_languages=["en", "de"])
    subtitles = done["files"]["subtitles"]
    assert [one["language"] for one in subtitles] == ["en"]
    assert Path(subtitles[0]["path"]).read_text().startswith("WEBVTT")
    picture = probe(done["files"]["picture"])["streams"][0]
    row = probe(done["files"]["row_picture"])["streams"][0]
    assert (picture["codec_name"], picture["width"], picture["height"]) == ("mjpeg", 1280, 720)
    assert (row["width"], row["height"]) == (320, 180)
    assert Path(done["files"]["row_picture"]).stat().st_size <= 20 * 1024


def test_subtitles_are_not_fetched_unasked(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/html5/b"), "no-subtitles")
    assert done["files"]["subtitles"] == []
    assert site.asked("/subtitles/") == []


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_pictures_become_jpeg(worker: WorkerProcess, site: Site, suffix: str) -> None:
    done = worker.fetch(site.url(f"/page/jsonld/{suffix}?picture={suffix}"), f"picture-{suffix}")
    assert probe(done["files"]["picture"])["streams"][0]["codec_name"] == "mjpeg"


def test_a_drawing_with_scripts_is_no_picture(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/jsonld/svg?picture=svg"), "svg")
    assert site.asked("/picture/svg.svg")
    assert done["files"]["picture"] is None


def test_open_graph_works(worker: WorkerProcess, site: Site) -> None:
    assert worker.fetch(site.url("/page/opengraph/og"), "og")["event"] == "done"


def test_hls_takes_the_better_variant_and_comes_out_as_mp4(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/hls/show/master.m3u8"), "hls")
    assert (done["ext"], done["height"], done["vcodec"]) == ("mp4", 360, "h264")
    assert probe(done["files"]["media"])["format"]["format_name"].startswith("mov,mp4")
    assert "processing" in [event["event"] for event in worker.events]


def test_a_height_that_is_asked_for_is_not_exceeded(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/hls/small/master.m3u8"), "small", max_height=200)
    assert done["height"] == 180


@pytest.mark.parametrize("kind", ["dash", "dash-segments"])
def test_picture_and_sound_that_come_apart_are_merged(worker: WorkerProcess, site: Site, kind: str) -> None:
    done = worker.fetch(site.url(f"/{kind}/show/manifest.mpd"), kind)
    codecs = {stream["codec_type"]: stream["codec_name"] for stream in probe(done["files"]["media"])["streams"]}
    assert codecs == {"video": "h264", "audio": "aac"}
    assert {"event": "processing", "step": "merge"} in worker.events


def test_sound_alone_is_taken_without_encoding(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/clip/song.mp4"), "sound", audio_only=True)
    assert (done["ext"], done["media_type"]) == ("m4a", "audio/mp4")
    assert [stream["codec_name"] for stream in probe(done["files"]["media"])["streams"]] == ["aac"]


def test_sound_alone_of_a_stream_fetches_no_picture(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/dash/song/manifest.mpd"), "dash-sound", audio_only=True)
    assert done["ext"] == "m4a"
    assert site.asked("/dash/song/picture.mp4") == []


def test_progress_comes_at_once_and_at_most_four_times_a_second(worker: WorkerProcess, site: Site) -> None:
    before = len(worker.events)
    done = worker.fetch(site.url("/clip/slow.mp4?length=4&size=600000&throttle=300000"), "slow")
    assert done["event"] == "done"
    progress = [event for event in worker.events[before:] if event["event"] == "progress"]
    assert 3 <= len(progress) <= 10
    assert progress[0]["percent"] < 40
    assert [event["percent"] for event in progress] == sorted(event["percent"] for event in progress)
    assert progress[-1]["total_bytes"] == done["size_bytes"]
    assert progress[-1]["speed_bytes_s"] == pytest.approx(300_000, rel=0.3)


def test_a_speed_limit_holds(worker: WorkerProcess, site: Site) -> None:
    before = len(worker.events)
    worker.fetch(site.url("/clip/limited.mp4?length=4&size=600000"), "limited", rate_limit_bytes_s=300_000)
    speeds = [event["speed_bytes_s"] for event in worker.events[before:] if event["event"] == "progress"]
    assert speeds[-1] is not None
    assert speeds[-1] < 400_000


def test_a_link_is_opened_once_for_both_phases(worker: WorkerProcess, site: Site) -> None:
    worker.fetch(site.url("/page/opengraph/once"), "once")
    assert len(site.asked("/page/opengraph/once")) == 1
    assert len(site.asked("/clip/once.mp4")) == 1


def test_a_found_video_can_be_left(worker: WorkerProcess, site: Site) -> None:
    worker.extract(site.url("/clip/left.mp4"), "left")
    worker.send("skip")
    assert worker.wait_for("idle")["event"] == "idle"
    worker.send("download")
    assert worker.wait_for("done")["class"] == "engine_error"


def test_a_preview_shows_picture_and_title_and_fetches_no_video(
    worker: WorkerProcess, site: Site, tmp_path: Path
) -> None:
    worker.send("preview", url=site.url("/page/opengraph/look"), picture=str(tmp_path / "look"), max_items=10)
    preview = worker.wait_for("preview")
    assert (preview["info"]["title"], preview["items_total"], preview["entries"]) == ("look", None, [])
    assert preview["picture"] == str(tmp_path / "look.jpg")
    assert 0 < (tmp_path / "look.jpg").stat().st_size <= 20 * 1024
    assert site.asked("/clip/") == []


def test_names_that_a_site_chooses_never_reach_the_file_system(worker: WorkerProcess, site: Site) -> None:
    _, entries = worker.entries(site.url("/feed/hostile/h.xml"))
    assert len(entries) >= 15
    for number, entry in enumerate(entries):
        done = worker.fetch(entry["url"], f"hostile-{number}", embed_metadata=False)
        assert done["event"] == "done", (entry["title"], done)
        assert [path.name for path in worker.staging(f"hostile-{number}").glob("media*")] == ["media.mp4.mp4"]
    assert not list(worker.folder.rglob("pwned"))
