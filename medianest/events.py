"""Facts that one slice publishes and others listen to.

An event is a fact, in the past tense, and holds ids. The bus knows nothing of the web, so that the download dispatcher
and the scheduler publish as well. With several instances on one Postgres, `database/relay.py` carries every event whose
class says `is_relayed` to the other processes.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar

import msgspec

log = logging.getLogger(__name__)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all events. Subclasses name what happened and hold ids and plain values only."""

    is_relayed: ClassVar[bool] = True


E = TypeVar("E", bound=Event)
Listener = Callable[[Any], Awaitable[None]]


class EventBus:
    """Hands each published event to the listeners of its class, in the order they subscribed.

    A listener that fails is logged and stops nobody else. Publish after the transaction has committed, never inside it.
    """

    def __init__(self) -> None:
        self._listeners: dict[type[Event], list[Listener]] = defaultdict(list)
        self._taps: list[Listener] = []

    def subscribe(self, kind: type[E], listener: Callable[[E], Awaitable[None]]) -> None:
        """Call `listener` with every event of exactly the class `kind`."""
        self._listeners[kind].append(listener)

    def tap(self, listener: Callable[[Event], Awaitable[None]]) -> None:
        """Call `listener` with every event published by this process, whatever its class."""
        self._taps.append(listener)

    async def publish(self, event: Event) -> None:
        """Tell the listeners of this process, and by the taps the other processes."""
        await self.deliver(event)
        for tap in self._taps:
            await self._call(tap, event)

    async def deliver(self, event: Event) -> None:
        """Tell the listeners of this process only: for events that came from another one."""
        for listener in self._listeners.get(type(event), ()):
            await self._call(listener, event)

    async def _call(self, listener: Listener, event: Event) -> None:
        try:
            await listener(event)
        except Exception:
            log.exception("A listener of %s failed", type(event).__name__)
