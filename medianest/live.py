"""The WebSocket hub: tells open pages and API clients what changed, each only what they may see.

Messages carry names and numbers, never HTML: a page fetches the fragment, so that one path renders and one authorises.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from medianest import __version__
from medianest.accounts.model import AccountNoticeMade, Caller, Permission, SessionsEnded
from medianest.connections.model import ServiceStatusChanged
from medianest.database.relay import RelayResumed
from medianest.downloads.holding import QueueChanged
from medianest.downloads.model import (
    Download,
    DownloadCreated,
    DownloadLeft,
    DownloadProgressed,
    DownloadRemoved,
    DownloadStateChanged,
)
from medianest.engine.model import EngineUpdateMoved
from medianest.events import EventBus
from medianest.requests.model import RequestCreated, RequestStatusChanged
from medianest.subscriptions.model import SubscriptionChanged, SubscriptionsChanged

log = logging.getLogger(__name__)

QUEUE_SIZE = 64
CLOSED_SESSION_ENDED = 4401
CLOSED_TOO_SLOW = 1013
CLOSED_RESTART = 1012
RECHECK_S = 60.0


class Socket(Protocol):
    """What the hub needs of an accepted WebSocket."""

    async def send_data(self, data: str | bytes, mode: Any = "text") -> None: ...
    async def receive_data(self, mode: Any) -> str | bytes: ...
    async def close(self, code: int = 1000, reason: str | None = None) -> None: ...


class Connection:
    """One open socket with its bounded queue."""

    def __init__(self, caller: Caller) -> None:
        self.user_id = caller.user.id
        self.is_admin = caller.user.is_admin
        self.may_approve = caller.user.may(Permission.MANAGE_REQUESTS)
        self.session_id = str(caller.session_id)
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_SIZE)
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def close(self, code: int) -> None:
        if not self.closed.done():
            self.closed.set_result(code)


def message(event: str, subject: int | None, data: dict[str, Any]) -> bytes:
    """One message as it goes over the wire."""
    return msgspec.json.encode({"event": event, "id": subject, "data": data})


class LiveHub:
    """Every open socket of this process.

    Args:
        active: gives the running downloads a caller may see, sent after the handshake.
        is_live: tells whether a session is still good; asked every minute, since a socket outlives its token.
    """

    def __init__(
        self,
        events: EventBus,
        *,
        active: Callable[[Caller], Awaitable[tuple[Download, ...]]],
        is_live: Callable[[Caller], Awaitable[bool]],
    ) -> None:
        self._connections: set[Connection] = set()
        self._active = active
        self._is_live = is_live
        self._is_closing = False
        events.subscribe(DownloadCreated, self._on_created)
        events.subscribe(DownloadStateChanged, self._on_state_changed)
        events.subscribe(DownloadProgressed, self._on_progressed)
        events.subscribe(DownloadRemoved, self._on_removed)
        events.subscribe(DownloadLeft, self._on_left)
        events.subscribe(RequestCreated, self._on_request_created)
        events.subscribe(RequestStatusChanged, self._on_request_changed)
        events.subscribe(SubscriptionChanged, self._on_subscription_changed)
        events.subscribe(SubscriptionsChanged, self._on_subscriptions_changed)
        events.subscribe(SessionsEnded, self._on_sessions_ended)
        events.subscribe(AccountNoticeMade, self._on_account_notice)
        events.subscribe(ServiceStatusChanged, self._on_service_changed)
        events.subscribe(QueueChanged, self._on_queue_changed)
        events.subscribe(EngineUpdateMoved, self._on_engine_moved)
        events.subscribe(RelayResumed, self._on_relay_resumed)

    def __len__(self) -> int:
        return len(self._connections)

    async def serve(self, socket: Socket, caller: Caller) -> None:
        """Keep an accepted socket until either side ends it."""
        connection = Connection(caller)
        # joined before the state is read: what changes in between is in the queue
        self._connections.add(connection)
        tasks: list[asyncio.Future[Any]] = [
            asyncio.create_task(self._send(socket, connection, caller)),
            asyncio.create_task(_until_gone(socket)),
            asyncio.create_task(self._recheck(connection, caller)),
        ]
        if self._is_closing:
            connection.close(CLOSED_RESTART)
        try:
            await asyncio.wait([*tasks, connection.closed], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connections.discard(connection)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if connection.closed.done():
                with suppress(Exception):  # the other side may be gone already
                    await asyncio.wait_for(socket.close(connection.closed.result()), 1)
            connection.closed.cancel()

    async def close(self) -> None:
        """End every socket: first step of a stop, so that the server does not wait for them."""
        self._is_closing = True
        for connection in tuple(self._connections):
            connection.close(CLOSED_RESTART)
        for _try in range(20):
            if not self._connections:
                return
            await asyncio.sleep(0.05)

    async def _send(self, socket: Socket, connection: Connection, caller: Caller) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        await socket.send_data(message("hello", None, {"version": __version__, "now": now}).decode())
        for download in await self._active(caller):
            await socket.send_data(message("download.state_changed", download.id, _state(download)).decode())
            await socket.send_data(
                message("download.progress", download.id, _numbers(download.progress, None)).decode()
            )
        while True:
            await socket.send_data((await connection.queue.get()).decode())

    async def _recheck(self, connection: Connection, caller: Caller) -> None:
        # once at the beginning: the session may have ended while the handshake went on
        while True:
            if not await self._is_live(caller):
                connection.close(CLOSED_SESSION_ENDED)
            await asyncio.sleep(RECHECK_S)

    def _publish(self, people: tuple[int, ...], text: bytes, *, for_approvers: bool = False) -> None:
        def sees(one: Connection) -> bool:
            return one.is_admin or one.user_id in people or (for_approvers and one.may_approve)

        self._queue_for([one for one in self._connections if sees(one)], text)

    def _queue_for(self, connections: Sequence[Connection], text: bytes) -> None:
        for connection in connections:
            try:
                connection.queue.put_nowait(text)
            except asyncio.QueueFull:
                connection.close(CLOSED_TOO_SLOW)

    async def _on_created(self, event: DownloadCreated) -> None:
        text = message("download.created", event.download_id, {"parent_id": event.parent_id})
        self._publish(event.people, text, for_approvers=event.for_approvers)

    async def _on_state_changed(self, event: DownloadStateChanged) -> None:
        data = {"state": event.state, "reason_code": event.reason_code, "parent_id": event.parent_id}
        text = message("download.state_changed", event.download_id, data)
        self._publish(event.people, text, for_approvers=event.for_approvers)

    async def _on_progressed(self, event: DownloadProgressed) -> None:
        if self._connections:
            data = _numbers(event.progress, event.parent_id)
            self._publish(event.people, message("download.progress", event.download_id, data))

    async def _on_removed(self, event: DownloadRemoved) -> None:
        self._publish(event.people, message("download.removed", event.download_id, {"parent_id": event.parent_id}))

    async def _on_left(self, event: DownloadLeft) -> None:
        # gone for the one who took it off the list, an administrator's view stays
        text = message("download.removed", event.download_id, {"parent_id": None})
        self._queue_for([one for one in self._connections if one.user_id == event.user_id and not one.is_admin], text)

    async def _on_request_created(self, event: RequestCreated) -> None:
        self._publish(event.people, message("request.created", event.request_id, {}), for_approvers=True)

    async def _on_request_changed(self, event: RequestStatusChanged) -> None:
        data = {"status": event.status, "reason_code": event.reason_code}
        self._publish(event.people, message("request.status_changed", event.request_id, data), for_approvers=True)

    async def _on_subscription_changed(self, event: SubscriptionChanged) -> None:
        self._publish((event.user_id,), message("subscription.changed", event.subscription_id, {}))

    async def _on_subscriptions_changed(self, event: SubscriptionsChanged) -> None:
        self._publish((event.user_id,), message("subscriptions.changed", None, {}))

    async def _on_account_notice(self, event: AccountNoticeMade) -> None:
        text = message("notification.created", event.notice_id, {"code": event.code})
        self._queue_for([one for one in self._connections if one.user_id == event.user_id], text)

    async def _on_service_changed(self, event: ServiceStatusChanged) -> None:
        text = message("service.status_changed", None, {"service": event.service, "is_up": event.is_up})
        self._queue_for(tuple(self._connections), text)

    async def _on_queue_changed(self, event: QueueChanged) -> None:
        del event
        self._queue_for(tuple(self._connections), message("queue.changed", None, {}))

    async def _on_engine_moved(self, event: EngineUpdateMoved) -> None:
        text = message("system.message", None, {"topic": "engine", "step": event.step})
        self._queue_for([one for one in self._connections if one.is_admin], text)

    async def _on_sessions_ended(self, event: SessionsEnded) -> None:
        for connection in tuple(self._connections):
            if connection.session_id in event.session_ids:
                connection.close(CLOSED_SESSION_ENDED)

    async def _on_relay_resumed(self, event: RelayResumed) -> None:
        # something may have been missed: a reconnect makes every page read its lists again
        for connection in tuple(self._connections):
            connection.close(CLOSED_RESTART)


async def _until_gone(socket: Socket) -> None:
    """Read and drop what the other side sends; ends when it leaves."""
    with suppress(Exception):
        while True:
            await socket.receive_data("text")


def _state(download: Download) -> dict[str, Any]:
    return {"state": download.state, "reason_code": download.reason_code, "parent_id": download.parent_id}


def _numbers(progress: Any, parent_id: int | None) -> dict[str, Any]:
    numbers: dict[str, Any] = msgspec.to_builtins(progress)
    return {**numbers, "parent_id": parent_id}
