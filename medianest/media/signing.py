"""Addresses of pictures: a path at Plex or TMDB, signed for one person, so that nobody has others fetched through us."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from medianest.errors import NotFound

SIGNATURE_BYTES = 15
NONE = "There is no such picture."


class Source(StrEnum):
    PLEX = "plex"
    TMDB = "tmdb"
    YOUTUBE = "youtube"


class Size(NamedTuple):
    """Pixels, and what TMDB calls such a picture."""

    width: int
    height: int
    tmdb: str


SIZES: Mapping[str, Size] = {
    "poster": Size(300, 450, "w342"),
    "small": Size(120, 180, "w154"),
    "still": Size(480, 270, "w500"),
    "backdrop": Size(1280, 720, "w1280"),
}


class PictureSigner:
    """Makes and reads addresses below `/pictures/`."""

    def __init__(self, secret_key: bytes) -> None:
        self._key = hmac.digest(secret_key, b"addresses of pictures", "sha256")

    def address(self, source: Source, path: str | None, size: str, user_id: int) -> str | None:
        """The address of a picture for somebody; None where there is no picture."""
        if not path or size not in SIZES:
            return None
        name = base64.urlsafe_b64encode(path.encode()).rstrip(b"=").decode()
        return f"/pictures/{source.value}/{size}/{self._signature(source, size, path, user_id)}/{name}"

    def path(self, source: Source, size: str, signature: str, name: str, user_id: int) -> str:
        """The path behind an address.

        Raises:
            NotFound: it was not made for this person.
        """
        try:
            path = base64.urlsafe_b64decode(name.encode() + b"=" * (-len(name) % 4)).decode()
        except (binascii.Error, ValueError) as error:
            raise NotFound(NONE) from error
        right = self._signature(source, size, path, user_id)
        if size not in SIZES or not hmac.compare_digest(right.encode(), signature.encode()):
            raise NotFound(NONE)
        return path

    def _signature(self, source: Source, size: str, path: str, user_id: int) -> str:
        text = "\0".join((source.value, size, str(user_id), path)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, text, "sha256")[:SIGNATURE_BYTES]).decode()
