"""People's pictures: uploaded ones, and those at Plex, which MediaNest fetches so that no browser asks another host.

Uploaded ones are kept in the database, where every instance finds them. Files under generated names in
`<data folder>/people/` are copies: `u…` of what was uploaded, `p…` of what came from the address at Plex that the name was
made from. What is no picture by its content is neither kept nor handed out.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import secrets
import time
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from medianest.accounts.model import User
from medianest.accounts.pictures_repository import PictureRepository
from medianest.errors import Conflict, Invalid, NotFound, UpstreamFailed
from medianest.integrations.http import HttpClient, Reach
from medianest.system.audit import record

log = logging.getLogger(__name__)

LARGEST_BYTES = 1_000_000
NAME = re.compile(r"[pu][0-9a-f]{32}")
FETCH_S = 10.0
NOT_AGAIN_S = 600.0  # after a picture could not be fetched
MOST_HOPS = 4
KEPT_S = 24 * 3600  # an unused file, for pages that still show it
NONE = "This person has no picture."


def plex_picture_name(thumb: str | None) -> str | None:
    """The name of the file for an address at Plex: another address is another picture."""
    return f"p{hashlib.sha256(thumb.encode()).hexdigest()[:32]}" if thumb else None


def picture_type(content: bytes) -> str | None:
    """The media type by the content; None for what is no picture that is shown."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n") and content[12:16] == b"IHDR":
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and content[12:15] == b"VP8":
        return "image/webp"
    return None


class PeoplePictures:
    """Built once in `app.py`; known to handlers as `people_pictures`."""

    def __init__(self, repository: PictureRepository, data_dir: Path, plex_tv_url: str) -> None:
        self._repository = repository
        self._folder = data_dir / "people"
        self._plex_origin = _origin(plex_tv_url)
        self._owner = HttpClient(Reach.OWNER, timeout_s=FETCH_S, largest_bytes=LARGEST_BYTES)
        self._public = HttpClient(Reach.PUBLIC, timeout_s=FETCH_S, largest_bytes=LARGEST_BYTES)
        self._failed: dict[str, float] = {}  # name → not again before (monotonic)
        self._fetching: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        await self._owner.close()
        await self._public.close()

    async def read(self, user_id: int) -> tuple[bytes, str]:
        """Content and media type of somebody's picture.

        Raises:
            NotFound: there is none, or it can not be had now.
        """
        found = await self._repository.of(user_id)
        if found is None or not found.picture or not NAME.fullmatch(found.picture):
            raise NotFound(NONE)
        content = await asyncio.to_thread(self._from_disk, found.picture)
        if content is None and found.picture.startswith("u"):
            content = await self._uploaded(found.picture)
        elif content is None and found.picture == plex_picture_name(found.thumb):
            content = await self._from_plex(found.picture, found.thumb or "")
        media_type = picture_type(content) if content else None
        if content is None or media_type is None:
            raise NotFound(NONE)
        return content, media_type

    async def upload(self, user: User, content: bytes, *, is_of_plex: bool, address: str = "") -> str:
        """Take a picture that somebody chose; gives its name.

        Raises:
            Conflict: the picture follows their Plex account.
            Invalid: it is too large, or no picture.
        """
        if is_of_plex:
            raise Conflict("Your picture follows your Plex account. Change it at Plex.")
        if len(content) > LARGEST_BYTES:
            text = "This picture is larger than 1 MB. Choose a smaller one."
            raise Invalid(text, fields={"picture": text})
        if picture_type(content) is None:
            text = "Choose a picture: a PNG, JPEG or WebP file." if content else "Choose a picture first."
            raise Invalid(text, fields={"picture": text})
        name = f"u{secrets.token_hex(16)}"
        await self._change(user, name, "account.picture_changed", address, content)
        return name

    async def remove(self, user: User, *, is_of_plex: bool, address: str = "") -> None:
        """Back to the initial."""
        if is_of_plex:
            raise Conflict("Your picture follows your Plex account. Change it at Plex.")
        await self._change(user, None, "account.picture_removed", address)

    async def _uploaded(self, name: str) -> bytes | None:
        content = await self._repository.content(name)
        if content is not None:
            await asyncio.to_thread(self._to_disk, name, content)
        return content

    async def _change(
        self, user: User, name: str | None, action: str, address: str, content: bytes | None = None
    ) -> None:
        await self._repository.put(user.id, name, content)
        if user.picture:
            await asyncio.to_thread(self._delete, user.picture)
        await record(action, user.username, actor_id=user.id, actor_name=user.username, address=address)

    async def forget(self, name: str | None) -> None:
        """Delete the file of somebody who is gone."""
        if name:
            await asyncio.to_thread(self._delete, name)

    async def clean(self) -> str:
        """Delete files that are nobody's picture."""
        used, before = await self._repository.names(), time.time() - KEPT_S
        removed = await asyncio.to_thread(self._delete_unused, used, before)
        return f"Removed {removed} pictures that nobody has any more."

    # Plex

    async def _from_plex(self, name: str, thumb: str) -> bytes | None:
        if time.monotonic() < self._failed.get(name, 0.0):
            return None
        async with self._fetching.setdefault(name, asyncio.Lock()):
            content = await asyncio.to_thread(self._from_disk, name)  # another call may have fetched it meanwhile
            if content is None and time.monotonic() >= self._failed.get(name, 0.0):
                content = await self._fetched(thumb)
                if content is None:
                    self._failed = {one: at for one, at in self._failed.items() if at > time.monotonic()}
                    self._failed[name] = time.monotonic() + NOT_AGAIN_S
                else:
                    await asyncio.to_thread(self._to_disk, name, content)
        self._fetching.pop(name, None)
        return content

    async def _fetched(self, url: str) -> bytes | None:
        """The picture at an address that Plex named. Only plex.tv itself may lie in the owner's network."""
        try:
            for _hop in range(MOST_HOPS):
                client = self._owner if _origin(url) == self._plex_origin else self._public
                answer = await client.request("GET", url, headers={"Accept": "image/png, image/jpeg, image/webp"})
                target = answer.headers.get("location")
                if not (300 <= answer.status < 400 and target):
                    is_picture = answer.status == 200 and picture_type(answer.content) is not None
                    return answer.content if is_picture else None
                url = urljoin(url, target)
        except (UpstreamFailed, ValueError) as error:
            log.info("A picture at Plex could not be fetched (%s)", type(error).__name__)
        return None

    # files; these block

    def _from_disk(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def _to_disk(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self._folder / f".{name}.{os.getpid()}.part"
        partial.write_bytes(content)
        partial.replace(self._folder / name)

    def _delete(self, name: str) -> None:
        if NAME.fullmatch(name):
            (self._folder / name).unlink(missing_ok=True)

    def _delete_unused(self, used: frozenset[str], before: float) -> int:
        removed = 0
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            if path.name not in used and path.is_file() and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                removed += 1
        return removed


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
