"""What stands in the libraries of the server: films, shows, seasons, episodes and collections, as rows of its answers."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "artist": 8, "photo": 13, "collection": 18}
TYPES = {number: name for name, number in NUMBERS.items()}


@dataclass(eq=False)
class Item:
    """One thing in a library; `files` are paths as the server sees them, `seen` is who got how far, in milliseconds."""

    rating_key: str
    type: str
    library: str
    title: str
    added_at: int
    year: int | None = None
    summary: str = ""
    guid: str = ""
    guids: tuple[str, ...] = ()
    rating: str = ""
    genres: tuple[str, ...] = ()
    score: float | None = None
    index: int | None = None
    parent: Item | None = None
    duration_ms: int | None = 3_600_000
    files: list[str] = field(default_factory=list)
    updated_at: int = 0
    picture: bytes | None = None
    members: list[str] = field(default_factory=list)  # of a collection, in its own order
    member_type: str = ""
    sort: int = 0  # of a collection: 0 release date, 1 title, 2 own order
    seen: dict[str, int] = field(default_factory=dict)
    seen_at: dict[str, int] = field(default_factory=dict)
    views: dict[str, int] = field(default_factory=dict)  # when somebody watched it to its end, seconds since 1970

    @property
    def thumb(self) -> str:
        """The picture's path; its last number changes with the picture."""
        return f"/library/metadata/{self.rating_key}/thumb/{self.updated_at or self.added_at}"

    @property
    def top(self) -> Item:
        """The show of an episode or season, else itself."""
        return self.parent.top if self.parent else self

    def is_below(self, other: Item) -> bool:
        """Whether this is an episode or season of `other`."""
        return self.parent is not None and (self.parent is other or self.parent.is_below(other))


def row(item: Item, section_title: str, section_uuid: str, *, with_guids: bool, account: str = "") -> dict[str, Any]:
    """server: an entry of `Metadata`. Keys are text, what is not known is not there at all."""
    key = f"/library/metadata/{item.rating_key}"
    found: dict[str, Any] = {
        "ratingKey": item.rating_key,
        "key": key if item.type in ("movie", "episode") else f"{key}/children",
        "guid": item.guid,
        "type": item.type,
        "title": item.title,
        "librarySectionTitle": section_title,
        "librarySectionID": int(item.library),  # a number in lists
        "librarySectionKey": f"/library/sections/{item.library}",
        "librarySectionUUID": section_uuid,
        "addedAt": item.added_at,
        "updatedAt": item.updated_at or item.added_at,
        "thumb": item.thumb,
    }
    optional = {
        "year": item.year, "summary": item.summary, "contentRating": item.rating, "audienceRating": item.score,
        "index": item.index,
    }  # fmt: skip
    found |= {name: value for name, value in optional.items() if value not in (None, "")}
    if item.type in ("movie", "episode"):
        if item.duration_ms is not None:
            found["duration"] = item.duration_ms
        if item.seen.get(account):
            found |= {"viewOffset": item.seen[account], "lastViewedAt": item.seen_at[account]}
        if item.views.get(account):
            found |= {"viewCount": 1, "lastViewedAt": item.views[account]}
        found["Media"] = [_media(item, number, file) for number, file in enumerate(item.files)]
    if item.type in ("movie", "show"):
        found["art"] = item.thumb.replace("/thumb/", "/art/")
    if item.parent:
        found |= _parents(item)
    if item.genres:
        found["Genre"] = [{"tag": genre} for genre in item.genres]
    if with_guids and item.guids:  # unmatched: no Guid
        found["Guid"] = [{"id": guid} for guid in item.guids]
    return found


def collection_row(item: Item, section_title: str) -> dict[str, Any]:
    """server: a collection; `childCount` is text, and it may stand in `Directory`."""
    return {
        "ratingKey": item.rating_key, "key": f"/library/collections/{item.rating_key}/children", "guid": item.guid,
        "type": "collection", "title": item.title, "subtype": item.member_type, "summary": item.summary,
        "librarySectionTitle": section_title, "librarySectionID": int(item.library), "addedAt": item.added_at,
        "updatedAt": item.updated_at or item.added_at, "childCount": str(len(item.members)),
        "collectionSort": str(item.sort), "smart": False,
        "thumb": item.thumb if item.picture else f"/library/collections/{item.rating_key}/composite/{item.added_at}",
    }  # fmt: skip


def _media(item: Item, number: int, file: str) -> dict[str, Any]:
    media_id = int(item.rating_key) * 10 + number
    kind = file.rpartition(".")[2]
    part = {"id": media_id, "key": f"/library/parts/{media_id}/0/file.{kind}", "file": file, "size": 1000}
    return {"id": media_id, "videoResolution": "1080", "container": kind, "Part": [part]}


def _parents(item: Item) -> dict[str, Any]:
    parent = item.parent
    assert parent is not None
    found: dict[str, Any] = {
        "parentRatingKey": parent.rating_key, "parentKey": f"/library/metadata/{parent.rating_key}",
        "parentTitle": parent.title, "parentThumb": parent.thumb,
    }  # fmt: skip
    if parent.index is not None:
        found["parentIndex"] = parent.index
    if parent.parent:
        show = parent.parent
        found |= {
            "grandparentRatingKey": show.rating_key, "grandparentKey": f"/library/metadata/{show.rating_key}",
            "grandparentTitle": show.title, "grandparentThumb": show.thumb,
        }  # fmt: skip
    return found


def png(colour: tuple[int, int, int], width: int = 64, height: int = 0) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height = height or width
    rows = (b"\x00" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def colour_of(key: str) -> tuple[int, int, int]:
    """A colour of its own for each item, so that two posters are not one picture."""
    mixed = zlib.crc32(key.encode())
    return mixed & 0xFF, mixed >> 8 & 0xFF, mixed >> 16 & 0xFF
