"""Carries events between the processes that share one Postgres, and picks the leader among them.

One connection of its own LISTENs and holds the leader's advisory lock. On SQLite there is one process (the data folder
is locked), which always leads: `NoRelay`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from typing import Any

import msgspec

from medianest.database import fetch
from medianest.events import Event, EventBus

log = logging.getLogger(__name__)

CHANNEL = "medianest_events"
LEADER_LOCK = 6378_0002
LARGEST_PAYLOAD_BYTES = 7900  # Postgres refuses 8000
POLL_S = 0.5


class RelayResumed(Event, frozen=True):
    """The connection was down: events may have been missed, so lists must be read again."""

    is_relayed = False


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What travels: the sender's run, the event's class name, its fields."""

    sender: str
    kind: str
    fields: msgspec.Raw


class NoRelay:
    """For the only process there is."""

    is_leader = True

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class PostgresRelay:
    """LISTENs for events of other processes and publishes ours.

    Args:
        url: address of the database; the connection is not one of the pool.
        events: bus of this process; a tap on it sends what is published here.
    """

    def __init__(self, url: str, events: EventBus) -> None:
        self._url = url
        self._events = events
        self._run = uuid.uuid4().hex
        self._kinds: dict[str, type[Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[str] = asyncio.Queue()
        self.is_leader = False
        self._resumes = False
        events.tap(self._send)

    async def start(self) -> None:
        """Connect in the background; the application works without it until then."""
        self._kinds = {kind.__name__: kind for kind in _subclasses(Event)}
        self._task = asyncio.create_task(self._keep_connected(), name="event relay")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.is_leader = False

    async def _send(self, event: Event) -> None:
        if not event.is_relayed:
            return
        payload = msgspec.json.encode(
            Envelope(self._run, type(event).__name__, msgspec.Raw(msgspec.json.encode(event)))
        )
        if len(payload) > LARGEST_PAYLOAD_BYTES:
            log.warning("Event %s is too large to be passed on", type(event).__name__)
            return
        await fetch("SELECT pg_notify({}, {})", CHANNEL, payload.decode())

    async def _keep_connected(self) -> None:
        delay = 0.5
        while True:
            try:
                await self._listen()
                delay = 0.5
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("The database's event connection is down (%s); trying again in %.1f s", error, delay)
            self.is_leader = False
            self._resumes = True
            await asyncio.sleep(delay)
            delay = min(delay * 2, 10.0)

    async def _listen(self) -> None:
        import asyncpg

        connection: Any = await asyncpg.connect(self._url, timeout=10)
        try:
            closed = asyncio.Event()
            connection.add_termination_listener(lambda _connection: closed.set())
            await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, payload: self._inbox.put_nowait(payload))
            if self._resumes:
                await self._events.deliver(RelayResumed())
            while not closed.is_set():
                if not self.is_leader:
                    self.is_leader = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", LEADER_LOCK))
                with contextlib.suppress(TimeoutError):
                    await self._deliver(await asyncio.wait_for(self._inbox.get(), POLL_S))
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=2)

    async def _deliver(self, payload: str) -> None:
        try:
            envelope = msgspec.json.decode(payload, type=Envelope)
            kind = self._kinds.get(envelope.kind)
            if envelope.sender != self._run and kind is not None:
                await self._events.deliver(msgspec.json.decode(envelope.fields, type=kind))
        except msgspec.MsgspecError:  # a different version of MediaNest on the same database
            log.warning("An event of another process could not be read")


def _subclasses(kind: type[Event]) -> set[type[Event]]:
    return {kind}.union(*(_subclasses(child) for child in kind.__subclasses__()))
