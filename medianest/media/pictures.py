"""Posters and backgrounds, fetched by MediaNest: a browser learns neither a token nor where Plex is.

An address names a place at Plex, TMDB or YouTube and is signed for the person it was made for (`signing.py`); the hosts are
fixed. Only what is a PNG, JPEG or WebP by its first bytes is kept or handed out. Files lie in `<data>/cache/pictures/` under
a hash of our own; the least recently used go when there are too many.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from medianest.errors import MediaNestError, NotFound
from medianest.integrations.http import HttpClient, Reach
from medianest.integrations.plex_media import is_picture_path
from medianest.media.signing import NONE, SIZES, PictureSigner, Size, Source
from medianest.media.viewers import Viewers

log = logging.getLogger(__name__)

LARGEST_BYTES = 4 * 1024 * 1024
CAP_BYTES = 500 * 1024 * 1024
FETCH_S = 10.0
WAIT_S = 12.0
AT_ONCE = 4  # calls for pictures to one service: Plex scales each of them
NOT_AGAIN_S = 60.0  # after a picture could not be had
TOUCH_S = 3600.0
YOUTUBE_IMAGES_URL = "https://i.ytimg.com"
TMDB_PATH = re.compile(r"/[A-Za-z0-9_-]{1,100}\.(?:jpg|jpeg|png|webp)")
VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{6,20}")
NAME = re.compile(r"[0-9a-f]{64}")


def picture_type(content: bytes) -> str | None:
    """The media type by the content; None for what is no picture that is shown."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:15] == b"VP8":
        return "image/webp"
    return None


class MediaPictures:
    """Built once in the slice's assembly.

    Args:
        tmdb_url: where the film database keeps its pictures; `is_tmdb_named`: the owner's settings say so, and it may lie
            in their own network.
    """

    def __init__(
        self, viewers: Viewers, signer: PictureSigner, folder: Path, tmdb_url: str, *, is_tmdb_named: bool,
        cap_bytes: int = CAP_BYTES,
    ) -> None:  # fmt: skip
        self._viewers = viewers
        self._signer = signer
        self._folder = folder
        self._tmdb_url = tmdb_url.rstrip("/")
        reach = Reach.OWNER if is_tmdb_named else Reach.PUBLIC
        self._tmdb = HttpClient(reach, timeout_s=FETCH_S, largest_bytes=LARGEST_BYTES)
        self._public = HttpClient(Reach.PUBLIC, timeout_s=FETCH_S, largest_bytes=LARGEST_BYTES)
        self._cap_bytes = cap_bytes
        self._written = 0  # bytes since the last cleaning
        self._fetching: dict[str, asyncio.Task[bytes | None]] = {}
        self._failed: dict[str, float] = {}
        self._turns = {source: asyncio.Semaphore(AT_ONCE) for source in Source}
        self._fetch: dict[Source, Callable[[str, Size], Awaitable[bytes]]] = {
            Source.PLEX: self._from_plex,
            Source.TMDB: self._from_tmdb,
            Source.YOUTUBE: self._from_youtube,
        }

    async def read(
        self, source: Source, size: str, signature: str, name: str, user_id: int
    ) -> tuple[bytes, str] | None:
        """Content and media type of a picture; None when it can not be had now.

        Raises:
            NotFound: the address was not made for this person.
        """
        path = self._signer.path(source, size, signature, name, user_id)
        key = hashlib.sha256("\0".join((source.value, size, await self._machine(source), path)).encode()).hexdigest()
        content = await asyncio.to_thread(self._from_disk, key)
        if content is None and time.monotonic() >= self._failed.get(key, 0.0):
            task = self._fetching.get(key)
            if task is None:
                task = asyncio.create_task(self._fetched(key, source, path, SIZES[size]), name="fetch a picture")
                self._fetching[key] = task
                task.add_done_callback(lambda _done: self._fetching.pop(key, None))
            try:
                async with asyncio.timeout(WAIT_S):
                    content = await asyncio.shield(task)
            except TimeoutError:
                content = None
        media_type = picture_type(content) if content else None
        return (content, media_type) if content and media_type else None

    async def _machine(self, source: Source) -> str:
        """Paths of one server mean other pictures on another."""
        if source is not Source.PLEX:
            return ""
        try:
            return (await self._viewers.connection()).machine_id
        except MediaNestError as error:
            raise NotFound(NONE) from error

    async def _fetched(self, key: str, source: Source, path: str, size: Size) -> bytes | None:
        kept = await asyncio.to_thread(self._from_disk, key)
        if kept is not None:  # it came between the reader's look and this one
            return kept
        try:
            async with self._turns[source]:
                content = await self._fetch[source](path, size)
            if picture_type(content) is None:
                raise NotFound(NONE)
        except MediaNestError as error:
            log.debug("A picture could not be fetched (%s)", error.code)
            now = time.monotonic()
            self._failed = {one: at for one, at in self._failed.items() if at > now}
            self._failed[key] = now + NOT_AGAIN_S
            return None
        await asyncio.to_thread(self._to_disk, key, content)
        self._written += len(content)
        if self._written > self._cap_bytes // 4:
            await asyncio.to_thread(self._clean)
        return content

    async def _from_plex(self, path: str, size: Size) -> bytes:
        if not is_picture_path(path):
            raise NotFound(NONE)
        # the picture was offered to whoever has its address: fetched once, with the owner's token, for all of them
        owner = await self._viewers.of(None)
        media = await self._viewers.media(owner.machine_id)
        return await media.picture(owner.token, path, width=size.width, height=size.height)

    async def _from_tmdb(self, path: str, size: Size) -> bytes:
        if not TMDB_PATH.fullmatch(path):
            raise NotFound(NONE)
        return await self._downloaded(self._tmdb, f"{self._tmdb_url}/t/p/{size.tmdb}{path}")

    async def _from_youtube(self, path: str, _size: Size) -> bytes:
        if not VIDEO_ID.fullmatch(path):
            raise NotFound(NONE)
        return await self._downloaded(self._public, f"{YOUTUBE_IMAGES_URL}/vi/{path}/mqdefault.jpg")

    @staticmethod
    async def _downloaded(client: HttpClient, url: str) -> bytes:
        answer = await client.request("GET", url, headers={"Accept": "image/webp, image/jpeg, image/png"})
        if answer.status != 200:
            raise NotFound(NONE)
        return answer.content

    async def clean(self) -> str:
        """Remove the least recently used pictures until the rest is small enough."""
        removed, left = await asyncio.to_thread(self._clean)
        return f"Removed {removed} pictures; {left // 1_000_000} MB are kept."

    async def close(self) -> None:
        for task in list(self._fetching.values()):
            task.cancel()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)
        await self._tmdb.close()
        await self._public.close()

    # files; these block

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key

    def _from_disk(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            content = path.read_bytes()
            if time.time() - path.stat().st_mtime > TOUCH_S:
                os.utime(path)
        except OSError:
            return None
        return content

    def _to_disk(self, key: str, content: bytes) -> None:
        path = self._path(key)
        partial = path.with_name(f".{key}.{os.getpid()}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            log.warning("A picture could not be kept (%s)", error.strerror)

    def _clean(self) -> tuple[int, int]:
        self._written = 0
        found = []
        for path in self._folder.glob("??/*"):
            try:
                about = path.stat()
            except OSError:
                continue
            if not NAME.fullmatch(path.name) and time.time() - about.st_mtime > TOUCH_S:
                path.unlink(missing_ok=True)  # left by a process that was killed
            elif NAME.fullmatch(path.name):
                found.append((about.st_mtime, about.st_size, path))
        total, removed = sum(size for _at, size, _path in found), 0
        for _at, size, path in sorted(found, key=lambda one: one[0]):
            if total <= self._cap_bytes:
                break
            path.unlink(missing_ok=True)
            total, removed = total - size, removed + 1
        return removed, total
