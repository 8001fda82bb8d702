"""Looking at a list before it is followed: one look for all who ask at once, remembered for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Protocol

from medianest.downloads.feeds.model import Feed, FeedRefused, Shelved, Standing
from medianest.errors import Invalid
from medianest.subscriptions.rules import is_mix

KEPT_S = 600.0
MOST_KEPT = 20
TIME_S = 60.0
# the classes of the worker's protocol that say the link itself is the matter
OF_THE_LINK = ("single_video", "unsupported", "gone", "address_refused", "no_format")
MIX = (
    "This is a mix: the site makes it anew at every look, and it never ends. Follow the channels whose videos you like "
    "in it instead."
)


class FeedReader(Protocol):
    """What the queue offers for lists that are read again and again."""

    def source(self, url: str) -> tuple[str, str, str]: ...

    async def read(
        self,
        url: str,
        *,
        known: Iterable[str] = (),
        stop_after: int = 0,
        wants_picture: bool = False,
        time_s: float = ...,
    ) -> Feed: ...

    async def standing(self, download_ids: Iterable[int]) -> dict[int, Standing]: ...

    async def shelved(self, identities: Iterable[str]) -> dict[str, Shelved]: ...


class Looks:
    """Whole lists by link, in memory."""

    def __init__(self, feeds: FeedReader) -> None:
        self._feeds = feeds
        self._kept: dict[str, tuple[float, Feed]] = {}
        self._looking: dict[str, asyncio.Task[Feed]] = {}

    async def at(self, url: str) -> Feed:
        """The list at `url`, which is in its normal form.

        Raises:
            Invalid: the link is no list, or one that has no end.
            FeedRefused: the site does not show it now.
        """
        if is_mix(url):
            raise Invalid(MIX, code="endless_list")
        kept = self._kept.get(url)
        if kept and time.monotonic() - kept[0] < KEPT_S:
            return kept[1]
        task = self._looking.get(url)
        if task is None:
            task = self._looking[url] = asyncio.create_task(self._look(url), name="look at a list")
            task.add_done_callback(lambda done: self._forget(url, done))
        return await asyncio.shield(task)

    def forget(self, url: str) -> None:
        """The next look asks the site again."""
        self._kept.pop(url, None)

    def _forget(self, url: str, task: asyncio.Task[Feed]) -> None:
        self._looking.pop(url, None)
        if not task.cancelled():
            task.exception()  # seen: the one who asked may have left meanwhile

    async def _look(self, url: str) -> Feed:
        try:
            feed = await self._feeds.read(url, wants_picture=True, time_s=TIME_S)
        except FeedRefused as error:
            if error.failure in OF_THE_LINK:
                raise Invalid(error.message, code=error.failure) from error
            raise
        while len(self._kept) >= MOST_KEPT:
            del self._kept[min(self._kept, key=lambda one: self._kept[one][0])]
        self._kept[url] = (time.monotonic(), feed)
        return feed
