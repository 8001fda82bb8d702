"""The share of the speed that the server gives: kept to, changed while a download runs, and taken back."""

from __future__ import annotations

import time

from medianest.downloads.worker.pace import Pace
from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site


def hook(done: int, file: str = "a.part") -> dict[str, object]:
    return {"status": "downloading", "tmpfilename": file, "downloaded_bytes": done}


def test_what_was_on_the_disk_before_costs_nothing_and_a_change_ends_the_waiting() -> None:
    pace = Pace()
    pace.set(1000)
    began = time.monotonic()
    pace.on_hook(hook(10_000_000))  # an earlier try left it
    pace.on_hook(hook(10, "b.part"))
    pace.on_hook({"status": "finished", "tmpfilename": "b.part", "downloaded_bytes": 10**9})
    pace.set(None)
    pace.on_hook(hook(10**9, "b.part"))
    assert time.monotonic() - began < 5


def test_a_download_keeps_to_its_share_and_goes_on_at_full_speed_when_it_may(
    own_worker: WorkerProcess, site: Site
) -> None:
    size = 3_000_000
    own_worker.send("pace", bytes_s=300_000)
    assert own_worker.extract(site.url(f"/clip/slow.mp4?size={size}&length=1"))["event"] == "video"
    began = time.monotonic()
    own_worker.send("download")
    first = own_worker.wait_for("progress")
    while own_worker.wait_for("progress", "done")["event"] == "progress" and time.monotonic() - began < 3:
        pass
    slow = own_worker.partials()
    assert 0 < slow < size // 2, (slow, first)
    own_worker.send("pace", bytes_s=None)
    while (event := own_worker.wait_for("progress", "done"))["event"] == "progress":
        pass
    assert event["event"] == "done", event
    assert event["size_bytes"] > size // 2
