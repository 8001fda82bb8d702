"""Searching by words: ten entries, nothing opened, and words stay words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.downloads.worker.driver import WorkerProcess


def test_a_search_names_ten_videos_and_opens_none(tmp_path: Path) -> None:
    with WorkerProcess(tmp_path, program=("tests.downloads.worker.with_searches",)) as worker:
        worker.send("search", words="stone oven")
        entries = worker.wait_for("found")["entries"]
        assert len(entries) == 10
        assert entries[0] | {
            "url": "https://www.youtube.com/watch?v=video-00001", "title": "stone oven 1", "duration_s": 60,
            "site": "youtube", "video_id": "video-00001", "live_status": None, "uploader": "Ana",
        } == entries[0]  # fmt: skip
        # words that look like something else are words all the same
        for words in ("https://example.org/x", "ytsearch100:x", "--exec touch /tmp/x", "file:///etc/passwd", "a:b"):
            worker.send("search", words=words, max_items=2)
            assert [one["title"] for one in worker.wait_for("found")["entries"]] == [f"{words} 1", f"{words} 2"]


@pytest.mark.parametrize(
    "order", [{"words": ""}, {"words": "x", "max_items": 500}, {"words": "x", "prefix": "gvsearch"}]
)
def test_nothing_but_words_can_be_ordered(worker: WorkerProcess, order: dict[str, object]) -> None:
    worker.send("search", **order)
    failed = worker.wait_for("found")
    assert (failed["event"], failed["class"]) == ("failed", "engine_error")
