"""What the owner's token may change: scans, collections, titles, posters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.plex import scanning
from tests.plex.items import NUMBERS, TYPES, Item, collection_row
from tests.plex.traffic import Answer, Call

if TYPE_CHECKING:
    from tests.plex.library import MediaLibrary

MOST_KEYS = 100
OWN_ORDER = 2


class Writer:
    """Makes one change of the owner's; None where there is no such thing, a number for another refusal."""

    def __init__(self, server: MediaLibrary, call: Call, machine_id: str) -> None:
        self.server, self.call, self.machine_id = server, call, machine_id

    def change(self) -> dict[str, Any] | Answer | int | None:
        """What the call asks for."""
        match self.call.method, self.call.path.strip("/").split("/"):
            case "GET" | "POST", ["library", "sections", key, "refresh"] if key in self.server.sections:
                return self.refresh(key)
            case "POST", ["library", "collections"]:
                return self.create()
            case "PUT", ["library", "collections", key, "items"]:
                return self.add(key)
            case "DELETE", ["library", "collections", key, "items", member]:  # server: PUT, as the document says, fails
                return self.take_out(key, member)
            case "PUT", ["library", "collections", key, "items", member, "move"]:
                return self.move(key, member)
            case "PUT", ["library", "metadata", key, "prefs"]:
                return self.set_sort(key)
            case "PUT", ["library", "sections", key, "all"] if key in self.server.sections:
                return self.edit(key)
            case "POST", ["library", "metadata", key, "posters"]:
                return self.set_poster(key)
            case "DELETE", ["library", "metadata" | "collections", key] if key in self.server.items:
                self.server.remove(key)
                return {"size": 0}
        return None

    def refresh(self, key: str) -> Answer:
        """server: always 200 and empty, even for a folder outside every Location; newer ones name the activity."""
        scan = scanning.begin(self.server, key, self.call.query.get("path", ""))
        return Answer(b"", "text/html", 200, {"X-Plex-Activity": scan.uuid})

    def create(self) -> dict[str, Any] | int:
        """server: titles are not unique, so creating twice makes two; one section and one type per collection."""
        query = self.call.query
        section, kind = query.get("sectionId", ""), TYPES.get(int(query.get("type") or 0), "")
        if section not in self.server.sections or not query.get("title") or query.get("smart") != "0":
            return 400
        members = self._named(section, kind)
        if members is None:
            return 400
        made = self.server.new_item("collection", section, query["title"])
        made.guid, made.member_type, made.members = f"collection://{made.rating_key}", kind, members
        return self._shown(made)

    def add(self, key: str) -> dict[str, Any] | int | None:
        collection = self._collection(key)
        if collection is None:
            return None
        members = self._named(collection.library, collection.member_type)
        if members is None:
            return 400
        collection.members += [one for one in members if one not in collection.members]
        return self._shown(collection)

    def take_out(self, key: str, member: str) -> dict[str, Any] | None:
        """server: one whose last member goes vanishes."""
        collection = self._collection(key)
        if collection is None or member not in collection.members:
            return None
        collection.members.remove(member)
        if not collection.members:
            self.server.remove(key)
            return {"size": 0}
        return self._shown(collection)

    def move(self, key: str, member: str) -> dict[str, Any] | int | None:
        """server: without `after` it becomes the first; only in a collection that has its own order."""
        collection, after = self._collection(key), self.call.query.get("after")
        if collection is None or member not in collection.members:
            return None
        if collection.sort != OWN_ORDER or (after is not None and after not in collection.members):
            return 400
        collection.members.remove(member)
        place = 0 if after is None else collection.members.index(after) + 1
        collection.members.insert(place, member)
        return self._shown(collection)

    def set_sort(self, key: str) -> dict[str, Any] | int | None:
        """server: 0 release date, 1 title, 2 own order."""
        collection, sort = self._collection(key), self.call.query.get("collectionSort", "")
        if collection is None:
            return None
        if sort not in ("0", "1", "2"):
            return 400
        collection.sort = int(sort)
        return {"size": 0}

    def edit(self, section: str) -> dict[str, Any] | int | None:
        """server: title and summary; 18 is the type of a collection."""
        query = self.call.query
        item = self.server.items.get(query.get("id", ""))
        if item is None or item.library != section:
            return None
        if query.get("type") != str(NUMBERS[item.type]):
            return 400
        item.title = query.get("title.value", item.title)
        item.summary = query.get("summary.value", item.summary)
        return {"size": 0}

    def set_poster(self, key: str) -> dict[str, Any] | int | None:
        """server: the body is the picture; its address changes with it."""
        item = self.server.items.get(key)
        if item is None:
            return None
        if not self.call.content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"RIFF")):
            return 400
        item.picture, item.updated_at = self.call.content, max(int(time.time()), item.updated_at + 1)
        return {"size": 0}

    def _collection(self, key: str) -> Item | None:
        item = self.server.items.get(key)
        return item if item is not None and item.type == "collection" else None

    def _named(self, section: str, kind: str) -> list[str] | None:
        """The keys in `uri`, at most about 100; None when one does not fit the section or the type."""
        head, _, keys = self.call.query.get("uri", "").partition("/library/metadata/")
        named = [key for key in keys.split(",") if key]
        if head != f"server://{self.machine_id}/com.plexapp.plugins.library" or not 0 < len(named) <= MOST_KEYS:
            return None
        found = [self.server.items.get(key) for key in named]
        if any(item is None or item.library != section or item.type != kind for item in found):
            return None
        return named

    def _shown(self, collection: Item) -> dict[str, Any]:
        title = self.server.sections[collection.library].title
        return {"size": 1, "Metadata": [collection_row(collection, title)]}
