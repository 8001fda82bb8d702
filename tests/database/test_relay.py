"""Several processes on one Postgres: events travel between them, and one of them leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from medianest.database import Engine, fetch
from medianest.database.relay import PostgresRelay, RelayResumed
from medianest.downloads.model import DownloadRemoved
from medianest.events import Event, EventBus

pytestmark = pytest.mark.parametrize("database_kind", ["postgres"], indirect=True)


class Peer:
    """One process: its bus, its relay and what it heard."""

    def __init__(self, url: str) -> None:
        self.bus = EventBus()
        self.heard: list[Event] = []
        self.relay = PostgresRelay(url, self.bus)
        self.bus.subscribe(DownloadRemoved, self._hear)
        self.bus.subscribe(RelayResumed, self._hear)

    async def _hear(self, event: Event) -> None:
        self.heard.append(event)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


@pytest.fixture
async def peers(database: Engine) -> AsyncIterator[tuple[Peer, Peer]]:
    url = str(database.url)  # type: ignore[attr-defined]
    first, second = Peer(url), Peer(url)
    await first.relay.start()
    await until(lambda: first.relay.is_leader)
    await second.relay.start()
    asked = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock($1)'"
    )
    while len(await fetch(asked)) < 2:  # the second is connected, and has asked for the lead
        await asyncio.sleep(0.02)
    yield first, second
    await first.relay.stop()
    await second.relay.stop()


async def test_an_event_reaches_the_other_process_once_and_the_own_listeners_once(peers: tuple[Peer, Peer]) -> None:
    first, second = peers
    event = DownloadRemoved(download_id=7, parent_id=None, people=(1, 2))
    await first.bus.publish(event)
    await until(lambda: second.heard == [event])
    await asyncio.sleep(0.2)
    assert first.heard == [event]
    assert second.heard == [event]


async def test_exactly_one_leads_and_the_other_takes_over_when_it_ends(peers: tuple[Peer, Peer]) -> None:
    first, second = peers
    assert (first.relay.is_leader, second.relay.is_leader) == (True, False)
    await first.relay.stop()
    await until(lambda: second.relay.is_leader)


async def test_a_lost_connection_is_made_again_and_the_listeners_are_told(peers: tuple[Peer, Peer]) -> None:
    first, second = peers
    await fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE '%pg_try_advisory_lock%' "
        "AND pid <> pg_backend_pid()"
    )
    await until(lambda: RelayResumed() in first.heard or RelayResumed() in second.heard)
    event = DownloadRemoved(download_id=8, parent_id=None, people=())
    while event not in second.heard:
        await first.bus.publish(event)
        await asyncio.sleep(0.2)
