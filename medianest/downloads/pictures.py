"""Pictures of rows and previews: kept once under the hash of what they hold, handed out to signed-in people."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from medianest.errors import NotFound

LARGEST_BYTES = 10 * 1024 * 1024
NAME = re.compile(r"[0-9a-f]{64}\.jpg")


def type_of(start: bytes) -> str | None:
    """The media type by the first bytes; None for what is no picture that we show."""
    if start.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return None


class PictureStore:
    """Files under `<data folder>/pictures/ab/<sha256>.jpg`. Its methods block."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir / "pictures"

    def keep(self, path: Path) -> str | None:
        """Take the picture at `path` in; gives its name, None when it is no picture or too large."""
        try:
            if path.stat().st_size > LARGEST_BYTES:
                return None
            content = path.read_bytes()
            if type_of(content[:16]) is None:
                return None
            name = hashlib.sha256(content).hexdigest() + ".jpg"
            target = self._path(name)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                partial = target.with_suffix(f".{os.getpid()}.part")
                partial.write_bytes(content)
                partial.replace(target)
            else:
                target.touch()  # the nightly cleaning leaves the new ones alone
        except OSError:
            return None
        return name

    def read(self, name: str) -> tuple[bytes, str]:
        """Content and media type; raises `NotFound` for any name that is not one of ours."""
        if not NAME.fullmatch(name):
            raise NotFound("There is no such picture.")
        try:
            content = self._path(name).read_bytes()
        except OSError as error:
            raise NotFound("There is no such picture.") from error
        media_type = type_of(content[:16])
        if media_type is None:
            raise NotFound("There is no such picture.")
        return content, media_type

    def path_of(self, name: str | None) -> str | None:
        """Where the picture of that name lies; None when there is none."""
        if name is None or not NAME.fullmatch(name) or not self._path(name).is_file():
            return None
        return str(self._path(name))

    def older_than(self, at: float) -> list[str]:
        """Names of pictures that nobody touched since `at` (seconds since 1970)."""
        found = []
        for path in self.root.glob("??/*.jpg"):
            try:
                if NAME.fullmatch(path.name) and path.stat().st_mtime < at:
                    found.append(path.name)
            except OSError:
                continue
        return found

    def remove(self, name: str) -> None:
        if NAME.fullmatch(name):
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.root / name[:2] / name
