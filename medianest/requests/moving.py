"""Overseerr is back, or another one: what was kept goes now, and what is under way is asked for at the new one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from medianest.connections.model import ServiceStatusChanged
from medianest.connections.overseerr.model import OverseerrConnectionChanged
from medianest.database import transaction
from medianest.requests.repository.outbox import Kind, Outbox
from medianest.requests.repository.rows import lane_of
from medianest.requests.repository.states import RequestStates
from medianest.requests.sending import Sender
from medianest.requests.sync import Sync

log = logging.getLogger(__name__)


class Moving:
    """Listens to what becomes of the connection."""

    def __init__(self, states: RequestStates, outbox: Outbox, sender: Sender, sync: Sync) -> None:
        self._states = states
        self._outbox = outbox
        self._sender = sender
        self._sync = sync

    async def status_changed(self, event: ServiceStatusChanged) -> None:
        """A service went down or came back."""
        if event.service == "overseerr" and event.is_up:
            await self._sender.hurry()

    async def connection_changed(self, event: OverseerrConnectionChanged) -> None:
        """Another address or key; of another server every number is another's."""
        if event.is_other_server:
            now = datetime.now(UTC)
            async with transaction():
                moved = await self._states.unlink_all()
                for row in moved:
                    await self._outbox.put(Kind.SEND, row.id, lane_of(row.key), now)
            if moved:
                log.info(
                    "%d requests are looked for at the other Overseerr, and asked for where it has none", len(moved)
                )
        self._sync.sweep_next()
        await self._sender.hurry()
