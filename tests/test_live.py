"""The live hub: who hears what, and what happens to those who can not keep up."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from msgspec.structs import replace

from medianest.accounts.model import Caller, Permission, Preferences, Role, SessionsEnded, User, UserState
from medianest.connections.model import ServiceStatusChanged
from medianest.database.relay import RelayResumed
from medianest.downloads.model import (
    Download,
    DownloadCreated,
    DownloadLeft,
    DownloadProgressed,
    DownloadRemoved,
    DownloadState,
    DownloadStateChanged,
    Progress,
)
from medianest.events import EventBus
from medianest.live import QUEUE_SIZE, LiveHub
from medianest.requests.model import ReasonCode, RequestCreated, RequestStatus, RequestStatusChanged


class FakeSocket:
    """An accepted socket: keeps what it was sent; `is_stuck` takes nothing more."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.closed_with: int | None = None
        self.is_stuck = False
        self._gone = asyncio.Event()

    async def send_data(self, data: str | bytes, mode: Any = "text") -> None:
        while self.is_stuck:
            await asyncio.sleep(0.01)
        self.sent.append(json.loads(data))

    async def receive_data(self, mode: Any) -> str:
        await self._gone.wait()
        raise ConnectionError

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed_with = code

    def leave(self) -> None:
        self._gone.set()

    def events(self) -> list[tuple[str, int]]:
        return [(one["event"], one["id"]) for one in self.sent if one["event"] != "hello"]


def person(user_id: int, role: Role = Role.USER) -> Caller:
    user = User(
        id=user_id,
        username=f"p{user_id}",
        display_name="P",
        role=role,
        state=UserState.ACTIVE,
        created_at=datetime.now(UTC),
    )
    return Caller(user=user, preferences=Preferences(), session_id=uuid4(), csrf_token="", is_cookie=True)


class Room:
    """A hub with its bus and the sockets in it."""

    def __init__(self) -> None:
        self.bus = EventBus()
        self.hub = LiveHub(self.bus, active=self._active, is_live=self._is_live)
        self.tasks: list[asyncio.Task[None]] = []

    async def _active(self, caller: Caller) -> tuple[Download, ...]:
        return ()

    async def _is_live(self, caller: Caller) -> bool:
        return True

    async def enter(self, caller: Caller) -> FakeSocket:
        socket = FakeSocket()
        self.tasks.append(asyncio.create_task(self.hub.serve(socket, caller)))
        while not socket.sent:
            await asyncio.sleep(0.005)
        return socket

    async def settle(self) -> None:
        await asyncio.sleep(0.05)

    async def end(self) -> None:
        await self.hub.close()
        await asyncio.gather(*self.tasks)


async def test_everybody_hears_that_a_service_went_down_or_is_back() -> None:
    room = Room()
    ada, ben = await room.enter(person(1, Role.ADMIN)), await room.enter(person(2))
    await room.bus.publish(ServiceStatusChanged(service="overseerr", is_up=False))
    await room.settle()
    for socket in (ada, ben):
        message = {"event": "service.status_changed", "id": None, "data": {"service": "overseerr", "is_up": False}}
        assert socket.sent[1:] == [message]
    await room.end()


def changed(download_id: int, *people: int) -> DownloadStateChanged:
    return DownloadStateChanged(download_id=download_id, parent_id=None, people=people, state=DownloadState.COMPLETED)


async def test_the_first_message_says_hello_with_version_and_time() -> None:
    room = Room()
    socket = await room.enter(person(1))
    assert socket.sent[0]["event"] == "hello"
    assert set(socket.sent[0]["data"]) == {"version", "now"}
    await room.end()


async def test_a_person_hears_of_their_own_downloads_and_an_administrator_of_all() -> None:
    room = Room()
    ada, ben = await room.enter(person(1)), await room.enter(person(2))
    owner = await room.enter(person(3, Role.ADMIN))
    await room.bus.publish(DownloadCreated(download_id=7, parent_id=None, people=(1,)))
    await room.bus.publish(
        DownloadProgressed(download_id=7, parent_id=None, people=(1,), progress=Progress(percent=5.0))
    )
    await room.bus.publish(changed(7, 1))
    await room.bus.publish(DownloadRemoved(download_id=7, parent_id=None, people=(1,)))
    await room.settle()
    told = [("download.created", 7), ("download.progress", 7), ("download.state_changed", 7), ("download.removed", 7)]
    assert ada.events() == told
    assert owner.events() == told
    assert ben.events() == []
    await room.end()


async def test_who_takes_a_shared_download_off_their_list_is_the_only_one_told() -> None:
    room = Room()
    ada, ben = await room.enter(person(1)), await room.enter(person(2))
    owner = await room.enter(person(3, Role.ADMIN))
    await room.bus.publish(DownloadLeft(download_id=7, user_id=1))
    await room.settle()
    assert ada.events() == [("download.removed", 7)]
    assert ben.events() == owner.events() == []
    await room.end()


async def test_requests_are_told_to_who_waits_for_them_and_to_who_may_say_yes() -> None:
    room = Room()
    ada, ben, owner = await room.enter(person(1)), await room.enter(person(2)), await room.enter(person(3, Role.ADMIN))
    eva = person(4)
    eva = replace(eva, user=replace(eva.user, permissions=(Permission.MANAGE_REQUESTS,)))
    approver = await room.enter(eva)
    await room.bus.publish(RequestCreated(request_id=7, people=(1,)))
    status = RequestStatus.DECLINED
    await room.bus.publish(
        RequestStatusChanged(request_id=7, people=(1,), status=status, reason_code=ReasonCode.DECLINED)
    )
    await room.settle()
    for socket in (ada, owner, approver):
        assert socket.events() == [("request.created", 7), ("request.status_changed", 7)]
    assert ada.sent[-1]["data"] == {"status": "declined", "reason_code": "declined"}
    assert ben.events() == []
    await room.end()


async def test_a_client_that_can_not_keep_up_is_closed_and_holds_nobody_up() -> None:
    room = Room()
    slow, quick = await room.enter(person(1)), await room.enter(person(1))
    slow.is_stuck = True
    for number in range(QUEUE_SIZE + 10):
        await room.bus.publish(changed(number, 1))
        await asyncio.sleep(0)
    await room.settle()
    assert slow.closed_with == 1013
    assert len(quick.events()) == QUEUE_SIZE + 10
    slow.is_stuck = False
    await room.end()


async def test_ended_sessions_lose_their_sockets_and_others_keep_theirs() -> None:
    room = Room()
    ada, ben = person(1), person(2)
    first, second = await room.enter(ada), await room.enter(ben)
    await room.bus.publish(SessionsEnded(user_id=1, session_ids=(str(ada.session_id),)))
    await room.settle()
    assert first.closed_with == 4401
    assert second.closed_with is None
    await room.end()


async def test_after_a_gap_between_the_instances_every_page_is_asked_to_come_again() -> None:
    room = Room()
    socket = await room.enter(person(1))
    await room.bus.publish(RelayResumed())
    await room.settle()
    assert socket.closed_with == 1012
    await room.end()


async def test_a_client_that_leaves_is_forgotten() -> None:
    room = Room()
    socket = await room.enter(person(1))
    socket.leave()
    await room.settle()
    assert len(room.hub) == 0
    await room.end()
