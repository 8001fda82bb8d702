"""From the pasted link to the file in the library, with workers that follow a script, on both engines."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree as ET

import pytest

from medianest.accounts.model import User
from medianest.downloads.child import Child, group_is_there
from medianest.downloads.model import (
    DownloadFinished,
    DownloadProgressed,
    DownloadState,
    NewDownload,
    ReasonCode,
)
from medianest.errors import Conflict, Invalid, NotFound
from tests.downloads.running_queue import Queue

State = DownloadState
VIDEO = "http://site.test/video?id=rice&title=Perfect+rice"
SLOW = "http://site.test/slow?id=slow"


async def test_a_pasted_link_ends_up_in_the_library(queue: Queue, ana: User) -> None:
    download, is_new = await queue.service.add(NewDownload(url=VIDEO), by=ana)
    assert is_new
    assert (download.state, download.title, download.position) == (State.QUEUED, VIDEO, 1)
    done = await queue.ended(download, ana)
    assert (done.state, done.title, done.uploader, done.duration_s) == (State.COMPLETED, "Perfect rice", "Ana", 20)
    assert queue.files() == [
        "Ana/Season 2026/Ana - s2026e031501 - Perfect rice [rice].jpg",
        "Ana/Season 2026/Ana - s2026e031501 - Perfect rice [rice].mp4",
        "Ana/Season 2026/Ana - s2026e031501 - Perfect rice [rice].nfo",
        "Ana/fanart.jpg",
        "Ana/poster.jpg",
        "Ana/tvshow.nfo",
    ]
    assert [file.path.rpartition(".")[2] for file in done.files] == ["mp4", "jpg", "nfo"]
    assert done.files[0].size_bytes == 1000
    assert done.thumbnail is not None
    assert done.thumbnail.startswith("/pictures/")
    episode = ET.parse(queue.library / "Ana/Season 2026/Ana - s2026e031501 - Perfect rice [rice].nfo").getroot()
    assert (episode.findtext("season"), episode.findtext("episode")) == ("2026", "31501")
    assert not list((queue.staging / "jobs").iterdir())
    assert any(isinstance(event, DownloadFinished) for event in queue.seen)
    assert any("Filed as" in line for line in await queue.service.log(done.id, ana))


async def test_progress_is_told_at_once_and_at_most_twice_a_second(queue: Queue, ana: User) -> None:
    download = await queue.add("http://site.test/slow?id=p&seconds=0.3", ana)
    await queue.ended(download, ana)
    told = [event for event in queue.seen if isinstance(event, DownloadProgressed)]
    assert len(told) == 1
    assert (told[0].progress.percent, told[0].people) == (25.0, (ana.id,))


async def test_adding_what_is_there_gives_the_existing_one_and_joins_it(queue: Queue, ana: User, ben: User) -> None:
    first = await queue.add(VIDEO, ana)
    await queue.ended(first, ana)
    with pytest.raises(NotFound):
        await queue.service.get(first.id, ben)
    again, is_new = await queue.service.add(NewDownload(url=VIDEO), by=ben)
    assert (again.id, is_new) == (first.id, False)
    assert (await queue.service.get(first.id, ben)).state is State.COMPLETED


async def test_a_file_that_somebody_took_away_is_fetched_again_under_its_number(queue: Queue, ana: User) -> None:
    first = await queue.ended(await queue.add(VIDEO, ana), ana)
    (queue.library / first.files[0].path).unlink()
    second, is_new = await queue.service.add(NewDownload(url=VIDEO), by=ana)
    assert is_new
    done = await queue.ended(second, ana)
    assert done.files[0].path == first.files[0].path
    assert (queue.library / done.files[0].path).exists()


async def test_twenty_people_pasting_one_link_at_once_make_one_download(still_queue: Queue, ana: User) -> None:
    added = await asyncio.gather(*(still_queue.service.add(NewDownload(url=VIDEO), by=ana) for _ in range(20)))
    assert len({download.id for download, _is_new in added}) == 1
    assert sum(is_new for _download, is_new in added) == 1


async def test_two_links_to_one_video_are_downloaded_once(queue: Queue, ana: User) -> None:
    first = await queue.add("http://site.test/slow?id=same&seconds=0.6", ana)
    second = await queue.add("http://site.test/slow?id=same&seconds=0.6&other=1", ana)
    one, two = await queue.ended(first, ana), await queue.ended(second, ana)
    assert {one.state, two.state} == {State.COMPLETED}
    assert sorted(filter(None, (one.reason_code, two.reason_code))) == [ReasonCode.ALREADY_THERE]
    assert one.files == two.files
    assert len([name for name in queue.files() if name.endswith(".mp4")]) == 1


async def test_cancel_ends_the_worker_and_try_again_goes_on(queue: Queue, ana: User) -> None:
    download = await queue.add(SLOW, ana)
    await queue.wait(download, ana, lambda found: found.progress.percent is not None)
    cancelled = await queue.service.cancel(download.id, ana)
    assert cancelled.state is State.CANCELLED
    assert cancelled.progress.percent == 25.0
    while queue.dispatcher.running:
        await asyncio.sleep(0.01)
    part = queue.staging / "jobs" / str(download.id) / "media.x.mp4.part"
    size = part.stat().st_size
    await asyncio.sleep(0.2)
    assert part.stat().st_size == size
    with pytest.raises(Conflict):
        await queue.service.cancel(download.id, ana)
    again = await queue.service.retry(download.id, ana)
    assert again.state in (State.QUEUED, State.DOWNLOADING)
    await queue.wait_for(download, ana, State.DOWNLOADING)
    await queue.service.cancel(download.id, ana)


async def test_pause_keeps_the_part_and_resume_goes_on_from_it(queue: Queue, ana: User) -> None:
    download = await queue.add("http://site.test/slow?id=p&seconds=1", ana)
    await queue.wait(download, ana, lambda found: found.progress.percent is not None)
    assert (await queue.service.pause(download.id, ana)).state is State.PAUSED
    await asyncio.sleep(0.3)
    assert (await queue.service.get(download.id, ana)).state is State.PAUSED
    await queue.service.resume(download.id, ana)
    assert (await queue.ended(download, ana)).state is State.COMPLETED


async def test_two_workers_never_write_one_part_however_soon_it_is_resumed(
    queue: Queue, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = queue.parts.pool
    discard = pool.discard

    async def slowly(child: Child) -> None:
        await asyncio.sleep(0.5)
        await discard(child)

    monkeypatch.setattr(pool, "discard", slowly)
    download = await queue.add("http://site.test/slow?id=soon&seconds=1", ana)
    await queue.wait(download, ana, lambda found: found.progress.percent is not None)
    (first,) = pool._busy
    await queue.service.pause(download.id, ana)
    await queue.service.resume(download.id, ana)
    await queue.wait_for(download, ana, State.DOWNLOADING)
    assert not group_is_there(first.pid)
    assert (await queue.ended(download, ana)).state is State.COMPLETED


async def test_remove_takes_row_part_and_file_away(queue: Queue, ana: User) -> None:
    running = await queue.add(SLOW, ana)
    done = await queue.ended(await queue.add(VIDEO, ana), ana)
    await queue.wait(running, ana, lambda found: found.progress.percent is not None)
    await queue.service.remove(running.id, ana)
    await queue.service.remove(done.id, ana)
    while queue.dispatcher.running:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert queue.files() == []
    assert not (queue.staging / "jobs" / str(running.id)).exists()
    with pytest.raises(NotFound):
        await queue.service.get(done.id, ana)


async def test_what_two_people_share_stays_for_the_other(queue: Queue, ana: User, ben: User) -> None:
    done = await queue.ended(await queue.add(VIDEO, ana), ana)
    await queue.add(VIDEO, ben)
    await queue.service.remove(done.id, ana)
    assert (await queue.service.get(done.id, ben)).files
    assert queue.files()
    with pytest.raises(NotFound):
        await queue.service.get(done.id, ana)


async def test_what_was_removed_can_be_asked_for_again(queue: Queue, ana: User) -> None:
    done = await queue.ended(await queue.add(VIDEO, ana), ana)
    await queue.service.remove(done.id, ana)
    again = await queue.ended(await queue.add(VIDEO, ana), ana)
    assert (again.state, again.reason_code) == (State.COMPLETED, None)
    assert again.files[0].path == done.files[0].path


async def test_a_film_gets_a_folder_of_its_own(queue: Queue, ana: User) -> None:
    done = await queue.ended(await queue.add("http://site.test/video?id=f1&title=A+talk", ana, as_film=True), ana)
    assert done.state is State.COMPLETED
    assert queue.files() == [
        "Videos/A talk (2026) [f1]/A talk (2026) [f1].mp4",
        "Videos/A talk (2026) [f1]/fanart.jpg",
        "Videos/A talk (2026) [f1]/movie.nfo",
        "Videos/A talk (2026) [f1]/poster.jpg",
    ]


async def test_only_as_many_run_as_the_owner_allows(queue: Queue, owner: User) -> None:
    await queue.settings(owner, concurrent_downloads=2)
    for number in range(4):
        await queue.add(f"http://site.test/slow?id=n{number}", owner)
    while (await queue.service.counts(owner)).speed_bytes_s < 200.0:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # time for a third to begin, if one would
    counts = await queue.service.counts(owner)
    assert (counts.active, counts.waiting) == (2, 2)
    assert counts.speed_bytes_s == 200.0


async def test_a_paused_queue_starts_nothing(queue: Queue, owner: User) -> None:
    await queue.settings(owner, is_paused=True)
    download = await queue.add(VIDEO, owner)
    await asyncio.sleep(0.4)
    assert (await queue.service.get(download.id, owner)).state is State.QUEUED
    await queue.settings(owner, is_paused=False)
    assert (await queue.ended(download, owner)).state is State.COMPLETED


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "-rf", "http://127.0.0.2/x", "http://10.0.0.1/", "", "http://a b/"]
)
async def test_a_link_that_can_not_be_one_is_refused_at_once(still_queue: Queue, ana: User, url: str) -> None:
    with pytest.raises(Invalid):
        await still_queue.service.add(NewDownload(url=url), by=ana)


async def test_the_line_can_be_put_in_another_order(still_queue: Queue, ana: User) -> None:
    rows = [await still_queue.add(f"http://site.test/video?id=l{number}", ana) for number in range(4)]
    await still_queue.service.change(rows[3].id, ana, position=1)
    await still_queue.service.change(rows[0].id, ana, position=3)
    found, total = await still_queue.service.list(ana, "waiting")
    assert total == 4
    assert [(one.id, one.position) for one in found] == [
        (rows[3].id, 1), (rows[1].id, 2), (rows[0].id, 3), (rows[2].id, 4),
    ]  # fmt: skip
    await still_queue.service.change(rows[2].id, ana, priority="high")
    found, _total = await still_queue.service.list(ana, "waiting")
    assert (found[0].id, found[0].priority) == (rows[2].id, "high")
