"""What the server says about its libraries: lists, items, hubs, pictures. Each token sees its own libraries only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.plex.items import TYPES, Item, collection_row, colour_of, png, row
from tests.plex.people import Account, Library
from tests.plex.traffic import Answer, Call

if TYPE_CHECKING:
    from tests.plex.library import MediaLibrary

MOST_ROWS = 1000
LARGEST_PICTURE_PX = 2000


class Reader:
    """Answers one call for one account; None where there is nothing, which is a 404."""

    def __init__(self, server: MediaLibrary, account: Account, call: Call) -> None:
        self.server, self.account, self.call = server, account, call
        self.sections = server.visible(account)

    def section_list(self) -> dict[str, Any]:
        """server: libraries; keys are text, and the list is missing when it is empty."""
        busy = {scan.library for scan in self.server.scans}
        rows = [_section(library, is_busy=library.key in busy) for library in self.sections.values()]
        return listed("Directory", rows, allowSync=False, title1="Plex Library")

    def all_of(self, library: Library) -> dict[str, Any] | int:
        """server: `/all` without a size is a 400, and at most 1000; unknown filters are ignored."""
        if self.size is None or self.size > MOST_ROWS:
            return 400
        query = self.call.query
        kind = TYPES.get(int(query["type"])) if query.get("type", "").isdigit() else library.type
        found = self.server.of_library(library.key, kind or "nothing")
        if "title" in query:
            found = [item for item in found if query["title"].casefold() in item.title.casefold()]
        if "genre" in query:
            found = [item for item in found if query["genre"] in item.genres]
        if "year" in query:
            found = [item for item in found if str(item.year) in query["year"].split(",")]
        if "contentRating" in query:
            found = [item for item in found if item.rating in query["contentRating"].split(",")]
        if query.get("unwatched") == "1":
            found = [item for item in found if not item.seen.get(self.account.key)]
        return self.page(self.sorted(found))

    def genres_of(self, library: Library) -> dict[str, Any]:
        names = sorted({genre for item in self.server.of_library(library.key) for genre in item.genres})
        return listed("Directory", [{"fastKey": "", "key": name, "title": name, "type": "genre"} for name in names])

    def collections_of(self, library: Library) -> dict[str, Any]:
        return self.page(self.sorted(self.server.of_library(library.key, "collection")))

    def metadata(self, keys: str) -> dict[str, Any] | None:
        """server: a comma list is allowed, only what is found comes; `Guid` is always there."""
        found = [item for key in keys.split(",") if (item := self.item(key))]
        if not found:
            return None
        return listed("Metadata", [self.row(item, with_guids=True) for item in found])

    def children(self, key: str) -> dict[str, Any] | None:
        """server: seasons of a show, episodes of a season, members of a collection; a show adds "All episodes"."""
        item = self.item(key)
        if item is None:
            return None
        if item.type == "collection":
            return self.page([one for member in item.members if (one := self.item(member))])
        children = [one for one in self.server.items.values() if one.parent is item]
        answer = self.page(sorted(children, key=lambda one: one.index or 0), parentTitle=item.title)
        if item.type == "show" and children:
            answer["Directory"] = [{"key": f"/library/metadata/{key}/allLeaves", "title": "All episodes"}]
        return answer

    def search(self) -> dict[str, Any] | int:
        """server: hubs, the empty ones too; `limit` per hub, 3 when left out; people and genres stand in `Directory`."""
        words = self.call.query.get("query", "").strip().casefold()
        if not words:
            return 400
        limit = int(self.call.query.get("limit") or 3)
        hubs = []
        for kind in ("movie", "show", "episode", "artist", "collection"):
            found = [item for item in self.everything(kind) if words in item.title.casefold()]
            rows = [self.row(item) | {"score": f"{len(words) / len(item.title):.5f}"} for item in found[:limit]]
            hubs.append(listed("Metadata", rows, type=kind, hubIdentifier=kind, title=kind, more=len(found) > limit))
        tags = sorted({tag for item in self.everything("movie") for tag in item.genres if words in tag.casefold()})
        people = [{"tag": tag, "tagType": 1, "score": "0.2"} for tag in tags[:limit]]
        hubs.append(listed("Directory", people, type="genre", hubIdentifier="genre", title="genre", more=False))
        return listed("Hub", hubs)

    def recently_added(self) -> dict[str, Any]:
        found = [item for kind in ("movie", "season", "episode") for item in self.everything(kind)]
        return self.page(sorted(found, key=lambda item: item.added_at, reverse=True))

    def on_deck(self) -> dict[str, Any]:
        """server: what the account has begun, the latest first."""
        key = self.account.key
        found = [item for item in self.server.items.values() if item.seen.get(key) and item.library in self.sections]
        return self.page(sorted(found, key=lambda item: item.seen_at[key], reverse=True))

    def picture(self, key: str) -> Answer | None:
        """server: a poster or background in full size."""
        item = self.item(key)
        if item is None:
            return None
        return Answer(item.picture or png(colour_of(key), 200, 300), "image/png")

    def transcoded(self) -> Answer | int | None:
        """server: a picture by its path, which must begin with one slash, in the size asked for."""
        query = self.call.query
        path, width, height = query.get("url", ""), query.get("width", ""), query.get("height", "")
        if not path.startswith("/") or path.startswith("//") or not (width.isdigit() and height.isdigit()):
            return 400
        if not 0 < int(width) <= LARGEST_PICTURE_PX or not 0 < int(height) <= LARGEST_PICTURE_PX:
            return 400
        parts = path.split("/")
        if parts[1:3] in (["library", "metadata"], ["library", "collections"]) and self.item(parts[3]) is None:
            return None
        return Answer(png(colour_of(parts[3] if len(parts) > 3 else path), int(width), int(height)), "image/png")

    # the manners of lists

    @property
    def size(self) -> int | None:
        """server: pages by header or query."""
        given = self._paging("size")
        return int(given) if given.isdigit() else None

    def page(self, items: list[Item], **head: Any) -> dict[str, Any]:
        """server: with a size the body has `size, totalSize, offset`; size 0 gives just the count."""
        if self.size is None:
            return listed("Metadata", [self.row(item) for item in items], **head)
        start = int(self._paging("start") or 0)
        rows = [self.row(item) for item in items[start : start + self.size]]
        return listed("Metadata", rows, totalSize=len(items), offset=start, **head)

    def sorted(self, items: list[Item]) -> list[Item]:
        name, _, way = self.call.query.get("sort", "titleSort").partition(":")
        keys = {
            "addedAt": lambda item: item.added_at,
            "year": lambda item: item.year or 0,
            "originallyAvailableAt": lambda item: item.year or 0,
            "audienceRating": lambda item: item.score or 0,
            "rating": lambda item: item.score or 0,
        }
        found: list[Item] = sorted(items, key=keys.get(name, lambda item: item.title.casefold()))
        return found[::-1] if way.startswith("desc") else found

    def item(self, key: str) -> Item | None:
        """An item that this account may see; absent and not shared are one."""
        item = self.server.items.get(key)
        return item if item is not None and item.library in self.sections else None

    def everything(self, kind: str) -> list[Item]:
        return [item for item in self.server.items.values() if item.type == kind and item.library in self.sections]

    def row(self, item: Item, *, with_guids: bool | None = None) -> dict[str, Any]:
        library = self.sections[item.library]
        if item.type == "collection":
            return collection_row(item, library.title)
        wanted = self.call.query.get("includeGuids") == "1" if with_guids is None else with_guids
        found = row(item, library.title, uuid_of(library), with_guids=wanted, account=self.account.key)
        if item.type in ("show", "season"):
            below = [one for one in self.server.items.values() if one.type == "episode" and one.is_below(item)]
            found |= {"leafCount": len(below), "viewedLeafCount": 0}
            if item.type == "show":
                found["childCount"] = sum(one.parent is item for one in self.server.items.values())
        return found

    def _paging(self, name: str) -> str:
        """`start` or `size` of the page."""
        header = f"x-plex-container-{name}"
        return self.call.headers.get(header) or self.call.query.get(f"X-Plex-Container-{name.title()}", "")


def listed(name: str, rows: list[dict[str, Any]], **head: Any) -> dict[str, Any]:
    """server: a list key is missing when size is 0."""
    return {"size": len(rows), **head} | ({name: rows} if rows else {})


def uuid_of(library: Library) -> str:
    return f"00000000-0000-4000-8000-{int(library.key):012d}"


def _section(library: Library, *, is_busy: bool) -> dict[str, Any]:
    return {
        "key": library.key, "type": library.type, "title": library.title, "agent": library.agent,
        "scanner": "Plex Movie", "language": "en-US", "uuid": uuid_of(library),
        "refreshing": is_busy, "hidden": 0, "scannedAt": 1700000000, "contentChangedAt": 123456,
        "Location": [{"id": int(library.key), "path": library.path}],
    }  # fmt: skip
