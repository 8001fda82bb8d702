"""Looking at a list again and again: only what is new is read, tabs are told apart, a mix ends somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site
from tests.site.channels import write

WITH_CHANNELS = ("tests.site.channel_worker",)


@pytest.fixture(scope="module")
def follower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    with WorkerProcess(tmp_path_factory.mktemp("follower"), program=WITH_CHANNELS) as running:
        yield running


def look(worker: WorkerProcess, url: str, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The head and the entries."""
    before = len(worker.events)
    worker.send("follow", url=url, **more)
    worker.wait_for("list_end")
    head = next(event for event in worker.events[before:] if event["event"] == "list")
    return head, [one for event in worker.events[before:] if event["event"] == "entries" for one in event["entries"]]


def test_the_tabs_of_a_channel_are_told_apart_and_each_stops_at_what_is_known(
    follower: WorkerProcess, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "ana.json"
    videos = [f"v{number}" for number in range(100)]
    write(file, videos=[*videos], shorts=["s1", "s0"], streams=[{"id": "up", "live_status": "is_upcoming"}, "l0"])
    url = site.url(f"/channel/ana?file={file}")
    head, entries = look(follower, url)
    assert (head["info"]["kind"], head["info"]["title"], head["is_cut"], len(entries)) == (
        "channel",
        "Channel ana",
        False,
        104,
    )
    tabs = {entry["video_id"]: (entry["tab"], entry["is_short"]) for entry in entries}
    assert (tabs["v0"], tabs["s0"], tabs["l0"]) == (("videos", False), ("shorts", True), ("streams", False))
    assert {entry["live_status"] for entry in entries if entry["video_id"] == "up"} == {"is_upcoming"}
    assert entries[0]["key"] == entries[0]["identity"] == "growingclip:v0"

    known = [entry["key"] for entry in entries]
    write(
        file,
        videos=["new", *videos],
        shorts=["s1", "s0"],
        streams=[
            {"id": "up", "live_status": "is_upcoming"},
            {"id": "members", "availability": "subscriber_only"},
            "l0",
        ],
    )
    site.forget()
    head, entries = look(follower, url, known=known, stop_after=3)
    assert head["is_cut"]
    assert [entry["video_id"] for entry in entries] == ["new", "v0", "v1", "v2", "s1", "s0", "up", "members", "l0"]
    assert [entry["video_id"] for entry in entries if entry["is_for_members"]] == ["members"]
    assert len(site.asked("/channel/ana/videos")) == 1  # not its second page, let alone the fourth


def test_a_mix_without_an_end_is_cut(follower: WorkerProcess, site: Site) -> None:
    head, entries = look(follower, site.url("/channel/any/mix"), max_items=65)
    assert (len(entries), head["is_capped"]) == (65, True)
    assert len(site.asked("/channel/any/mix")) <= 3


def test_a_feed_tells_its_own_ids_and_days(follower: WorkerProcess, site: Site, tmp_path: Path) -> None:
    file = tmp_path / "feed.json"
    write(file, items=["b", {"id": "a", "date": "Sat, 14 Mar 2026 10:00:00 GMT"}])
    head, entries = look(follower, site.url(f"/growing/show.xml?file={file}"))
    assert (head["info"]["kind"], head["info"]["title"]) == ("playlist", "show")
    assert [(entry["key"], entry["published_on"]) for entry in entries] == [
        ("guid:b", "2026-03-15"),
        ("guid:a", "2026-03-14"),
    ]
    assert all(entry["identity"].startswith("url:") for entry in entries)


def test_a_single_video_and_a_site_in_trouble_are_said_so(follower: WorkerProcess, site: Site) -> None:
    for path, cause in (("/page/jsonld/one", "single_video"), ("/status/429", "rate_limited"), ("/status/404", "gone")):
        follower.send("follow", url=site.url(path))
        assert follower.wait_for("failed")["class"] == cause
