"""What a webhook says is only a hint: the request it names is read anew, a moment later, outside the call that brought it."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import msgspec

from medianest.errors import MediaNestError
from medianest.media.model import MediaType, TitleKey
from medianest.requests.sync import Sync

log = logging.getLogger(__name__)

MOST_WAITING = 500
LARGEST_ID = 2**53


class HookMedia(msgspec.Struct, frozen=True):
    """Every value of a webhook is a string."""

    media_type: str = ""
    tmdbId: str | int = ""  # noqa: N815  # their key


class HookRequest(msgspec.Struct, frozen=True):
    request_id: str | int = ""


class Hook(msgspec.Struct, frozen=True):
    """The part of the default body that is used; everything else in it is passed over. Absent parts are null."""

    notification_type: str
    media: HookMedia | None = None
    request: HookRequest | None = None


class Hints:
    """Collects what was named and has the sync look at it: each once, however often it is named meanwhile."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync
        self._requests: dict[int, None] = {}
        self._titles: dict[TitleKey, None] = {}
        self._woken = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    def take(self, hook: Hook) -> bool:
        """Whether it named something that is looked at now."""
        number = _number(hook.request.request_id) if hook.request else None
        tmdb_id = _number(hook.media.tmdbId) if hook.media else None
        if len(self._requests) + len(self._titles) >= MOST_WAITING:  # polling finds the rest
            return False
        if number is not None:
            self._requests[number] = None
        elif tmdb_id is not None and hook.media is not None and hook.media.media_type in tuple(MediaType):
            self._titles[TitleKey(MediaType(hook.media.media_type), tmdb_id)] = None
        else:
            return False
        self._woken.set()
        return True

    async def start(self) -> None:
        self._loop = asyncio.create_task(self._run(), name="request hints")

    async def stop(self) -> None:
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
        self._loop = None

    async def drain(self) -> None:
        """Look at everything that was named."""
        while self._requests or self._titles:
            try:
                if self._requests:
                    number = next(iter(self._requests))
                    del self._requests[number]
                    await self._sync.hint(number)
                else:
                    key = next(iter(self._titles))
                    del self._titles[key]
                    await self._sync.hint_title(key)
            except MediaNestError as error:
                log.info("A hint of Overseerr could not be followed (%s); polling will", error.code)

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.drain()
            except Exception:
                log.exception("A hint of Overseerr could not be followed")


def _number(value: str | int) -> int | None:
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        return None
    return int(text) if 0 < int(text) < LARGEST_ID else None
