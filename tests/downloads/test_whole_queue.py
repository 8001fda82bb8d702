"""Acts on everything at once, and the speed that all downloads share."""

from __future__ import annotations

from pathlib import Path

import pytest

from medianest.accounts.model import Quotas, User
from medianest.database import fetch
from medianest.downloads.bandwidth import LOWEST_SHARE_BYTES_S, share_of
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.errors import Invalid, QuotaExceeded
from tests.downloads.running_queue import Queue, make_user

State = DownloadState


async def states() -> dict[int, str]:
    return {row["id"]: row["state"] for row in await fetch("SELECT id, state FROM download_queue")}


async def test_all_of_ones_own_is_paused_and_goes_on_and_an_administrator_means_everybodys(
    queue: Queue, ana: User, ben: User, owner: User
) -> None:
    running = await queue.add("http://site.test/slow?id=a&seconds=60", ana)
    await queue.wait_for(running, ana, State.DOWNLOADING)
    await queue.settings(owner, is_paused=True)
    waiting = await queue.add("http://site.test/video?id=b", ana)
    bens = await queue.add("http://site.test/video?id=c", ben)
    shown = await queue.parts.whole.show(ana)
    assert (shown.is_paused, shown.can_pause, shown.can_resume, shown.can_cancel) == (True, 2, 0, 2)
    assert (await queue.parts.whole.act("pause", ana)).changed == 2
    assert await states() == {running.id: "paused", waiting.id: "paused", bens.id: "queued"}
    await queue.wait(running, ana, lambda _one: queue.dispatcher.running == ())  # its worker is gone
    assert (await queue.parts.whole.act("pause", owner)).changed == 1
    assert (await queue.parts.whole.show(owner)).can_resume == 3
    assert (await queue.parts.whole.act("resume", ben)).changed == 1
    assert (await queue.parts.whole.act("resume", owner)).changed == 2
    assert set((await states()).values()) == {"queued"}
    with pytest.raises(Invalid):
        await queue.parts.whole.act("explode", ana)


async def test_cancel_all_stops_ones_own_with_its_lists_and_leaves_what_others_share(
    queue: Queue, ana: User, ben: User, owner: User
) -> None:
    long = await queue.add("http://site.test/list?n=6&each=slow&prefix=l", ana)
    await queue.wait(long, ana, lambda one: one.is_list and one.progress.items_total == 6)
    shared = await queue.add("http://site.test/slow?id=s", ana)
    assert (await queue.add("http://site.test/slow?id=s", ben)).id == shared.id
    bens = await queue.add("http://site.test/slow?id=b", ben)
    assert (await queue.parts.whole.show(ana)).can_cancel == 1
    assert (await queue.parts.whole.act("cancel", ana)).changed == 6
    assert (await queue.service.get(long.id, ana)).state is State.CANCELLED
    for one, person in ((shared, ana), (bens, ben)):
        await queue.wait_for(one, person, State.DOWNLOADING)
    assert (await queue.parts.whole.act("cancel", owner)).changed == 0  # an administrator too stops only their own


async def test_all_that_failed_is_tried_again_within_the_share(queue: Queue, ben: User, tmp_path: Path) -> None:
    ana = await make_user("ana", quotas=Quotas(downloads_per_hour=2))
    ids = []
    for number in range(4):
        marker = tmp_path / str(number)
        url = f"http://site.test/fail?class=gone&times=1&marker={marker}&id=g{number}"
        ids.append((await queue.ended(await queue.add(url, ana), ana)).id)
    bens = await queue.ended(await queue.add("http://site.test/fail?class=gone", ben), ben)
    assert (await queue.parts.whole.show(ana)).can_retry == 4
    acted = await queue.parts.whole.act("retry", ana)
    assert acted.changed == 2
    assert acted.note
    assert acted.note.startswith("2 are left: You have used your 2 downloads")
    assert [(await queue.ended(one, ana)).state for one in ids[:2]] == [State.COMPLETED] * 2
    with pytest.raises(QuotaExceeded):
        await queue.parts.whole.act("retry", ana)
    assert (await queue.service.get(bens.id, ben)).reason_code is ReasonCode.GONE


def test_the_speed_is_divided_among_those_that_run() -> None:
    assert [share_of(3_000_000, running) for running in (0, 1, 3)] == [3_000_000, 3_000_000, 1_000_000]
    assert share_of(10_000, 10) == LOWEST_SHARE_BYTES_S
