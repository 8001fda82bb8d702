"""Each kind of trouble has its class, and a worker goes on after it."""

from __future__ import annotations

import pytest

from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site, clips


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/status/404", "gone"),
        ("/status/410", "gone"),
        ("/status/403", "forbidden"),
        ("/status/401", "needs_sign_in"),
        ("/status/429", "rate_limited"),
        ("/status/500", "transient"),
        ("/status/503", "transient"),
        ("/status/451", "geo_blocked"),
        ("/page/plain/x", "unsupported"),
        ("/page/iframe/x", "unsupported"),
        ("/redirect-loop", "unsupported"),
        ("/hls-live/low.m3u8", "live"),
        ("/disguised/a.mp4", "suspicious_file"),
        ("/disguised/b.mp4?always=1", "suspicious_file"),
        ("/web-page-as-video/c.mp4", "suspicious_file"),
        ("/hls-disguised/d.m3u8", "suspicious_file"),
        ("/clip/forbidden.mp4?fail=2&fail_status=403", "forbidden"),
        ("/clip/gone.mp4?fail=2&fail_status=404", "gone"),
    ],
)
def test_trouble_has_its_class(worker: WorkerProcess, site: Site, path: str, kind: str) -> None:
    failed = worker.fetch(site.url(path), kind)
    assert (failed["event"], failed.get("class")) == ("failed", kind)
    assert failed["detail"]
    assert worker.fetch(site.url("/clip/after.mp4"), f"after-{kind}")["event"] == "done"


def test_the_wait_that_a_site_asks_for_is_handed_on(worker: WorkerProcess, site: Site) -> None:
    assert worker.extract(site.url("/status/429?retry_after=30"))["retry_after_s"] == 30
    assert worker.extract(site.url("/status/429"))["retry_after_s"] is None
    assert (
        worker.extract(site.url("/status/503?retry_after=Wed,%2021%20Oct%202015%2007:28:00%20GMT"))["retry_after_s"]
        == 1
    )


def test_what_an_address_carries_behind_its_question_mark_is_not_told(worker: WorkerProcess, site: Site) -> None:
    failed = worker.extract(site.url("/page/plain/x?token=geheim"))
    assert "geheim" not in failed["detail"]


def test_a_refused_connection_is_a_passing_fault(worker: WorkerProcess) -> None:
    assert worker.extract("http://127.0.0.1:9/clip.mp4")["class"] == "transient"


def test_a_name_that_does_not_exist_is_a_passing_fault(worker: WorkerProcess) -> None:
    assert worker.extract("http://does-not-exist.invalid/clip.mp4")["class"] == "transient"


def test_a_busy_moment_of_the_site_is_waited_out(worker: WorkerProcess, site: Site) -> None:
    assert worker.fetch(site.url("/clip/busy.mp4?fail=2&fail_status=503"), "busy")["event"] == "done"


def test_a_cut_connection_goes_on_where_it_broke(worker: WorkerProcess, site: Site) -> None:
    path = "/clip/cut.mp4?length=4&size=600000&cut_first=300000&cut_on=2"
    done = worker.fetch(site.url(path), "cut")
    assert done["event"] == "done"
    assert (worker.staging("cut") / "media.mp4.mp4").read_bytes() == clips.clip(4, 600_000).read_bytes()
    ranges = [request.range for request in site.asked("/clip/cut.mp4")]
    assert ranges[:2] == [None, None]
    assert ranges[2] is not None
    assert int(ranges[2].removeprefix("bytes=").rstrip("-")) >= 200_000


@pytest.mark.parametrize(("kind", "more"), [("whole", 0), ("longer", 5000)])
def test_a_part_that_has_all_bytes_already_is_no_dead_end(
    worker: WorkerProcess, site: Site, kind: str, more: int
) -> None:
    content = clips.clip().read_bytes()
    worker.staging(kind).mkdir(parents=True)
    # as a worker leaves it that was killed before it gave the file its name
    (worker.staging(kind) / "media.mp4.mp4.part").write_bytes(content + b"x" * more)
    done = worker.fetch(site.url(f"/clip/{kind}-part.mp4"), kind)
    assert done["event"] == "done", done
    assert (worker.staging(kind) / "media.mp4.mp4").read_bytes() == content
    assert [request.status for request in site.asked(f"/clip/{kind}-part.mp4")].count(416) == 1


def test_a_site_without_range_is_fetched_too(worker: WorkerProcess, site: Site) -> None:
    assert worker.fetch(site.url("/clip/whole.mp4?no_range=1"), "whole")["event"] == "done"


def test_a_full_disk_is_told_apart(worker: WorkerProcess, site: Site) -> None:
    """/dev/full answers every write as a full disk does."""
    staging = worker.staging("full")
    staging.mkdir(parents=True)
    (staging / "media.mp4.mp4.part").symlink_to("/dev/full")
    assert worker.fetch(site.url("/clip/full.mp4"), "full")["class"] == "disk_full"


@pytest.mark.parametrize(
    "options",
    [
        {"postprocessors": [{"key": "Exec", "exec_cmd": "touch pwned"}]},
        {"exec_cmd": "touch pwned"},
        {"external_downloader": "sh"},
        {"cookiesfrombrowser": ["firefox"]},
        {"cookiefile": "/etc/passwd"},
        {"outtmpl": "/tmp/pwned"},
        {"paths": {"home": "/tmp"}},
        {"proxy": "http://127.0.0.1:1"},
        {"enable_file_urls": True},
        {"plugin_dirs": ["/tmp"]},
        {"quality": "bestvideo+bestaudio"},
        {"quality": 1},
        {"max_height": "720"},
        {"audio_only": "yes"},
    ],
)
def test_options_outside_the_list_are_refused(worker: WorkerProcess, site: Site, options: dict[str, object]) -> None:
    worker.send("extract", url=site.url("/clip/x.mp4"), staging=str(worker.staging("options")), options=options)
    failed = worker.wait_for("video")
    assert (failed["event"], failed["class"]) == ("failed", "engine_error")
    assert site.requests == []


def test_an_unknown_order_does_not_end_the_worker(worker: WorkerProcess, site: Site) -> None:
    worker.send("dance")
    assert worker.wait_for()["class"] == "engine_error"
    assert worker.fetch(site.url("/clip/still.mp4"), "still")["event"] == "done"
