"""Finding videos by words."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from medianest.accounts.model import Permission, User
from medianest.errors import NotAllowed, UpstreamFailed
from tests.downloads.running_queue import Queue


async def test_words_find_videos_with_addresses_that_can_be_downloaded(still_queue: Queue, ana: User) -> None:
    found = await still_queue.service.search_videos("  stone \n oven ", ana)
    assert [(one.title, one.url, one.uploader, one.duration_s) for one in found] == [
        ("stone oven", "https://videos.example/1", "Ana", 61),
        ("stone oven", "https://videos.example/2", "Ana", 61),
    ]
    assert await still_queue.service.search_videos(" ", ana) == ()


async def test_many_who_search_at_once_cause_one_search(still_queue: Queue, ana: User) -> None:
    found = await asyncio.gather(*(still_queue.service.search_videos("Oven", ana) for _ in range(5)))
    assert len({id(one) for one in found}) == 1
    assert await still_queue.service.search_videos("oven", ana) is found[0]
    assert still_queue.parts.pool.size == 1


async def test_a_search_that_fails_says_so(still_queue: Queue, ana: User) -> None:
    with pytest.raises(UpstreamFailed, match=r"did not answer"):
        await still_queue.service.search_videos("fail", ana)


async def test_who_may_not_download_does_not_search(still_queue: Queue, ana: User) -> None:
    nobody = replace(ana, permissions=(Permission.FOLLOW,))
    with pytest.raises(NotAllowed):
        await still_queue.service.search_videos("oven", nobody)
