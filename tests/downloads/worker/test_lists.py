"""Playlists and channels: named, not opened."""

from __future__ import annotations

from pathlib import Path

from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site


def test_a_feed_is_a_list_whose_pages_are_not_opened(worker: WorkerProcess, site: Site) -> None:
    first, entries = worker.entries(site.url("/feed/pages/ana.xml?items=5"))
    assert (first["info"]["kind"], first["info"]["title"], first["is_capped"]) == ("playlist", "ana", False)
    assert [entry["title"] for entry in entries] == [f"ana {number}" for number in range(1, 6)]
    assert entries[0]["url"] == site.url("/page/jsonld/ana-1?items=5")
    assert site.asked("/page/") == []


def test_a_feed_of_files_keeps_the_titles_of_its_items(worker: WorkerProcess, site: Site) -> None:
    _, entries = worker.entries(site.url("/feed/enclosures/ana.xml?items=2"))
    assert [(entry["title"], entry["url"]) for entry in entries] == [
        ("ana 1", site.url("/clip/ana-1.mp4?items=2")),
        ("ana 2", site.url("/clip/ana-2.mp4?items=2")),
    ]


def test_items_with_one_id_for_all_stay_apart(worker: WorkerProcess, site: Site) -> None:
    _, entries = worker.entries(site.url("/list/tracks.xspf?items=3"))
    assert len({entry["url"] for entry in entries}) == 3
    assert {entry["video_id"] for entry in entries} == {None}
    assert worker.fetch(entries[2]["url"], "track")["event"] == "done"


def test_several_videos_on_one_page_can_each_be_fetched(worker: WorkerProcess, site: Site) -> None:
    _, entries = worker.entries(site.url("/page/several/three"))
    assert [entry["url"] for entry in entries] == [site.url(f"/clip/three-{number}.mp4") for number in (1, 2, 3)]


def test_a_long_list_is_cut_and_says_so(worker: WorkerProcess, site: Site) -> None:
    first, entries = worker.entries(site.url("/feed/pages/long.xml?items=300"), max_items=250)
    assert len(entries) == 250
    assert first["is_capped"]


def test_a_list_of_exactly_the_limit_is_not_cut(worker: WorkerProcess, site: Site) -> None:
    first, entries = worker.entries(site.url("/feed/pages/exact.xml?items=20"), max_items=20)
    assert (len(entries), first["is_capped"]) == (20, False)


def test_entries_come_in_pieces_of_a_hundred(worker: WorkerProcess, site: Site) -> None:
    before = len(worker.events)
    worker.entries(site.url("/feed/pages/pieces.xml?items=250"))
    pieces = [len(event["entries"]) for event in worker.events[before:] if event["event"] == "entries"]
    assert pieces == [100, 100, 50]


def test_a_preview_of_a_list_shows_three_items_and_their_number(
    worker: WorkerProcess, site: Site, tmp_path: Path
) -> None:
    worker.send("preview", url=site.url("/feed/pages/ana.xml?items=12"), picture=str(tmp_path / "p"), max_items=10)
    preview = worker.wait_for("preview")
    assert [entry["title"] for entry in preview["entries"]] == ["ana 1", "ana 2", "ana 3"]
    assert (preview["items_total"], preview["is_capped"], preview["picture"]) == (10, True, None)


def test_a_page_that_never_ends_is_given_up(worker: WorkerProcess, site: Site) -> None:
    failed = worker.extract(site.url("/feed/endless/e.xml"))
    assert (failed["event"], failed["class"]) == ("failed", "unsupported")
    assert site.bytes_sent("/feed/endless/") < 100 * 1024**2
