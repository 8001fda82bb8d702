"""A child's download waits for a yes, and nothing the child can do begins it."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from medianest.accounts.model import Permission, Quotas, User
from medianest.database import fetch
from medianest.downloads.model import DownloadCreated, DownloadState, NewDownload, ReasonCode
from medianest.errors import Conflict, NotAllowed, NotFound, QuotaExceeded
from tests.downloads.running_queue import Queue, make_user

State = DownloadState
VIDEO = "http://site.test/video?id=rice"


@pytest.fixture
async def child(ana: User) -> User:
    return await make_user("mia", is_child=True)


@pytest.fixture
async def parent(ana: User) -> User:
    return await make_user("eva", permissions=(Permission.DOWNLOAD, Permission.MANAGE_REQUESTS))


async def test_a_childs_download_waits_and_begins_with_a_yes(queue: Queue, child: User, parent: User) -> None:
    asked, is_new = await queue.service.add(NewDownload(url=VIDEO), by=child)
    assert is_new
    assert (asked.state, asked.reason_code, asked.can_retry, asked.can_pause) == (
        *(State.WAITING, ReasonCode.APPROVAL),
        *(False, False),
    )
    await asyncio.sleep(0.5)  # several rounds of the dispatcher
    assert (await queue.service.get(asked.id, child)).state is State.WAITING
    [approval], total = await queue.approvals.list(parent, limit=50, offset=0)
    assert (approval.download.id, approval.asked_by, total) == (asked.id, "mia", 1)
    assert any(isinstance(event, DownloadCreated) and event.for_approvers for event in queue.seen)
    approved = await queue.approvals.approve(asked.id, parent, address="192.0.2.5")
    assert approved.state is not State.WAITING
    assert (await queue.ended(asked, child)).state is State.COMPLETED
    assert await queue.approvals.list(parent, limit=50, offset=0) == ((), 0)
    with pytest.raises(NotFound):  # approved, it is the child's alone again
        await queue.service.get(asked.id, parent)
    [row] = await fetch("SELECT * FROM audit_logs WHERE action = 'download.approved'")
    assert (row["actor_name"], row["address"]) == ("eva", "192.0.2.5")


async def test_no_button_of_the_child_is_a_way_around_the_yes(queue: Queue, child: User) -> None:
    asked = await queue.add(VIDEO, child)
    for verb in (queue.service.pause, queue.service.resume, queue.service.retry):
        with pytest.raises(Conflict):
            await verb(asked.id, child)
    await queue.service.cancel(asked.id, child)
    again = await queue.service.retry(asked.id, child)
    assert (again.state, again.reason_code) == (State.WAITING, ReasonCode.APPROVAL)
    with pytest.raises(Conflict):
        await queue.service.change(asked.id, child, position=1)
    await asyncio.sleep(0.4)
    assert (await queue.service.get(asked.id, child)).state is State.WAITING


async def test_a_no_ends_it_with_the_reason(still_queue: Queue, child: User, parent: User) -> None:
    asked = await still_queue.add(VIDEO, child)
    declined = await still_queue.approvals.decline(asked.id, "  Too late   today ", parent)
    assert (declined.state, declined.reason_code) == (State.CANCELLED, ReasonCode.DECLINED)
    seen = await still_queue.service.get(asked.id, child)
    assert seen.reason == "eva said no: Too late today"
    with pytest.raises(Conflict):
        await still_queue.approvals.approve(asked.id, await make_user("boss", is_admin=True))
    again = await still_queue.service.retry(asked.id, child)
    assert again.reason_code is ReasonCode.APPROVAL


async def test_only_whoever_may_approve_sees_it_and_says_so(still_queue: Queue, child: User, ana: User) -> None:
    asked = await still_queue.add(VIDEO, child)
    with pytest.raises(NotFound):
        await still_queue.approvals.approve(asked.id, ana)
    with pytest.raises(NotAllowed):
        await still_queue.approvals.approve(asked.id, child)
    assert await still_queue.approvals.list(ana, limit=50, offset=0) == ((), 0)
    with pytest.raises(NotFound):
        await still_queue.service.get(asked.id, ana)


async def test_an_approver_can_say_yes_and_no_and_nothing_else(still_queue: Queue, child: User, parent: User) -> None:
    asked = await still_queue.add(VIDEO, child)
    assert (await still_queue.service.get(asked.id, parent)).id == asked.id
    for verb in (still_queue.service.cancel, still_queue.service.pause, still_queue.service.remove):
        with pytest.raises(NotFound):
            await verb(asked.id, parent)


async def test_two_approvers_at_once_approve_once(still_queue: Queue, child: User, parent: User, owner: User) -> None:
    asked = await still_queue.add(VIDEO, child)
    answers = await asyncio.gather(
        *(still_queue.approvals.approve(asked.id, by) for by in (parent, owner, owner)), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in answers) == 1
    assert len(await fetch("SELECT id FROM audit_logs WHERE action = 'download.approved'")) == 1


async def test_a_grown_up_who_pastes_the_same_link_has_it_begin(still_queue: Queue, child: User, ana: User) -> None:
    asked = await still_queue.add(VIDEO, child)
    full = msgspec.structs.replace(ana, quotas=Quotas(downloads_per_hour=0))
    with pytest.raises(QuotaExceeded):
        await still_queue.add(VIDEO, full)
    taken = await still_queue.add(VIDEO, ana)
    assert (taken.id, taken.state, taken.requested_by) == (asked.id, State.QUEUED, ana.id)
    assert (await still_queue.service.get(asked.id, child)).state is State.QUEUED


async def test_what_a_child_asked_for_counts_and_a_no_gives_it_back(
    still_queue: Queue, child: User, parent: User
) -> None:
    child = msgspec.structs.replace(child, quotas=Quotas(downloads_per_hour=1))
    asked = await still_queue.add(VIDEO, child)
    with pytest.raises(QuotaExceeded):
        await still_queue.add(VIDEO + "2", child)
    await still_queue.approvals.decline(asked.id, "", parent)
    await still_queue.add(VIDEO + "2", child)
