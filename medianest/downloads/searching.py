"""Finding videos by words, at YouTube: one search for all who ask the same at once, remembered for a minute."""

from __future__ import annotations

import asyncio
import time

import msgspec

from medianest.downloads.child import WorkerDied
from medianest.downloads.model import FoundVideo
from medianest.downloads.pool import WorkerPool
from medianest.downloads.previews import refusal
from medianest.downloads.reports import Failed, ListEntry
from medianest.errors import Unavailable, UpstreamFailed

KEPT_S = 60.0
MOST_KEPT = 200
MOST_FOUND = 10
LONGEST_WORDS = 200
TIME_S = 30.0


class VideoSearch:
    """Searches through the download process, which alone speaks to sites."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._kept: dict[str, tuple[float, tuple[FoundVideo, ...]]] = {}
        self._searching: dict[str, asyncio.Task[tuple[FoundVideo, ...]]] = {}

    async def find(self, words: str) -> tuple[FoundVideo, ...]:
        """The first ten videos for `words`.

        Raises:
            UpstreamFailed, Invalid, Unavailable: a sentence about why there are none.
        """
        words = " ".join(words.replace("\0", " ").split())[:LONGEST_WORDS]
        if not words:
            return ()
        key = words.casefold()
        at, known = self._kept.get(key, (0.0, ()))
        if at and time.monotonic() - at < KEPT_S:
            return known
        task = self._searching.get(key)
        if task is None:
            task = asyncio.create_task(self._find(key, words), name="video search")
            self._searching[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: str, task: asyncio.Task[tuple[FoundVideo, ...]]) -> None:
        self._searching.pop(key, None)
        if not task.cancelled():
            task.exception()  # seen: the one who asked may have left meanwhile

    async def _find(self, key: str, words: str) -> tuple[FoundVideo, ...]:
        try:
            async with asyncio.timeout(TIME_S):
                found = await self._ask(words)
        except TimeoutError as error:
            raise UpstreamFailed("YouTube takes very long to answer. Try again in a while.", code="slow") from error
        except WorkerDied as error:
            raise Unavailable("Videos can not be searched right now. Try once more.") from error
        if len(self._kept) >= MOST_KEPT:
            del self._kept[min(self._kept, key=lambda one: self._kept[one][0])]
        self._kept[key] = (time.monotonic(), found)
        return found

    async def _ask(self, words: str) -> tuple[FoundVideo, ...]:
        child = await self._pool.acquire()
        is_well = False
        try:
            await child.send({"op": "search", "words": words, "max_items": MOST_FOUND})
            event = await child.receive(TIME_S)
            is_well = event.get("event") in ("found", "failed")
            if event.get("event") == "failed":
                raise refusal(msgspec.convert(event, Failed, strict=False))
            if not is_well:
                raise WorkerDied("The download process gave another answer than what it found.")
        finally:
            if is_well:
                self._pool.release(child)
            else:
                await self._pool.discard(child)
        entries = msgspec.convert(event.get("entries") or [], list[ListEntry], strict=False)
        return tuple(
            FoundVideo(
                url=entry.url,
                title=(entry.title or entry.url)[:300],
                uploader=(entry.uploader or "")[:200],
                duration_s=entry.whole_duration_s,
                video_id=entry.video_id or "",
            )
            for entry in entries[:MOST_FOUND]
            if entry.url.startswith(("https://", "http://"))
        )
