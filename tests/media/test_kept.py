"""Answers kept in memory: one call for all, old copies while a service fails or is slow."""

from __future__ import annotations

import asyncio

import pytest

from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations.failures import Unreachable
from medianest.media import kept
from medianest.media.kept import AnswerCache


class Service:
    """Counts its calls; `error` is raised, `gate` is waited for."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def ask(self) -> int:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.calls


@pytest.fixture
def service() -> Service:
    return Service()


def old(cache: AnswerCache) -> None:
    for copy in cache._copies.values():
        copy.at -= 600
    cache._failed.clear()


async def test_all_who_ask_at_once_cause_one_call(service: Service) -> None:
    cache = AnswerCache("t", 60, service="plex")
    found = await asyncio.gather(*(cache.get("a", service.ask) for _ in range(20)))
    assert {one.value for one in found} == {1}
    assert (await cache.get("a", service.ask)).value == 1
    assert service.calls == 1
    assert (cache.figures.hits, cache.figures.misses, cache.figures.kept) == (1, 20, 1)


async def test_an_old_copy_is_given_with_its_age_while_the_service_fails(service: Service) -> None:
    cache = AnswerCache("t", 60, service="plex")
    await cache.get("a", service.ask)
    old(cache)
    service.error = Unreachable("192.0.2.7 is away.")
    found = await cache.get("a", service.ask)
    assert (found.value, found.age_s) == (1, 600)
    assert found.trouble is not None
    assert found.trouble.message == "Plex does not answer right now."  # no address
    await cache.get("a", service.ask)
    assert service.calls == 2  # not asked again at once


async def test_without_a_copy_the_failure_is_told_in_plain_words(service: Service) -> None:
    service.error = Unreachable("192.0.2.7 did not answer in time.", code="timed_out")
    with pytest.raises(UpstreamFailed, match=r"The request service takes very long to answer\."):
        await AnswerCache("t", 60, service="overseerr").get("a", service.ask)


async def test_what_is_not_there_any_more_is_no_reason_for_an_old_copy(service: Service) -> None:
    cache = AnswerCache("t", 60, service="plex")
    await cache.get("a", service.ask)
    old(cache)
    service.error = NotFound("It is gone.")
    for _ in range(2):
        with pytest.raises(NotFound):
            await cache.get("a", service.ask)


async def test_a_slow_service_keeps_nobody_and_fills_the_copy_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "WITHOUT_COPY_S", 0.05)
    monkeypatch.setattr(kept, "WITH_COPY_S", 0.02)
    cache = AnswerCache("t", 60, service="plex")
    service.gate = asyncio.Event()
    with pytest.raises(UpstreamFailed) as raised:
        await cache.get("a", service.ask)
    assert raised.value.code == "slow"
    service.gate.set()
    await asyncio.sleep(0.01)
    assert (await cache.get("a", service.ask)).value == 1
    old(cache)
    service.gate.clear()
    found = await cache.get("a", service.ask)
    assert (found.value, found.trouble and found.trouble.code) == (1, "slow")
    await cache.close()


async def test_an_answer_that_was_asked_before_the_service_changed_is_not_kept(service: Service) -> None:
    cache = AnswerCache("t", 60, service="plex")
    service.gate = asyncio.Event()
    waiting = asyncio.create_task(cache.get("a", service.ask))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    cache.forget()
    service.gate.set()
    assert (await waiting).value == 1
    assert (await cache.get("a", service.ask)).value == 2


async def test_only_so_many_are_kept(service: Service) -> None:
    cache = AnswerCache("t", 60, service="plex", most=3)
    for key in "abcde":
        await cache.get(key, service.ask)
    assert cache.figures.kept == 3
