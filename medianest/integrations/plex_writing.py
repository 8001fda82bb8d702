"""What MediaNest changes on the Plex server with the owner's token: scans of one folder, and collections.

What Plex answers is in `plex-media-server` only; its document is wrong in places, which the comments name.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from medianest.errors import UpstreamFailed
from medianest.integrations.http import Answer, HttpClient
from medianest.integrations.plex_answers import as_int, as_object, as_text, plex_headers, rows
from medianest.integrations.plex_server import ServerRefused

TYPE_NUMBERS = {"movie": 1, "show": 2, "season": 3, "episode": 4, "track": 10, "collection": 18}
PAGE_ROWS = 200
KEYS_A_CALL = 100  # a longer list of members is cut off by some servers
OWN_ORDER = 2
NOT_FOUND = frozenset((400, 404))  # what a server says of an item that it does not have


class PlexBusy(UpstreamFailed):
    """The server has too much to do or is starting: ask again later."""

    default_code = "plex_busy"


class PlexSaidNo(UpstreamFailed):
    """The server took the call for wrong (4xx): the same call will not do better."""

    default_code = "plex_said_no"


class FoundFile(msgspec.Struct, frozen=True, kw_only=True):
    """An item with a file; `path` as the server sees it, `added_at` in seconds since 1970."""

    rating_key: str
    type: str
    section: str
    path: str
    added_at: int


class PlexCollection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection; `sort` 2 is an order of its own."""

    rating_key: str
    section: str
    title: str
    summary: str
    sort: int


class PlexWriting:
    """Calls one server with the owner's token."""

    def __init__(self, http: HttpClient, url: str, client_id: str, token: str, machine_id: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._headers = plex_headers(client_id, token)
        self._machine_id = machine_id

    async def is_ours(self, *, timeout_s: float = 10.0) -> bool:
        """Whether the server at the address is the one that is connected."""
        answer = await self._call("GET", "/identity", timeout_s=timeout_s)
        return as_text(_container(answer).get("machineIdentifier")) == self._machine_id

    # scans

    async def refresh(self, section: str, folder: str) -> str:
        """Have one folder looked into; the activity's number comes back where the server names it.

        The answer is 200 for every folder, also for one outside of the library: whether it helped shows only later.
        """
        answer = await self._call("GET", f"/library/sections/{_key(section)}/refresh", {"path": folder})
        return answer.headers.get("x-plex-activity", "")

    async def is_scanning(self, section: str, activity: str = "") -> bool:
        """Whether the scan goes on: the one activity, or any of the library where it has no number."""
        found = _container(await self._call("GET", "/activities"))
        for row in rows(found, "Activity"):
            if activity and as_text(row.get("uuid")) == activity:
                return True
            context = row.get("Context")
            is_ours = isinstance(context, dict) and as_text(context.get("librarySectionID")) == section
            if not activity and is_ours and as_text(row.get("type")).startswith("library.update"):
                return True
        return False

    async def files(
        self, section: str, type: str, *, title: str = "", newest_first: bool = True
    ) -> AsyncIterator[tuple[FoundFile, ...]]:
        """The files of a library, page by page; `title` narrows it to names that contain it."""
        start = 0
        while True:
            query = {"type": str(TYPE_NUMBERS[type]), "X-Plex-Container-Size": str(PAGE_ROWS)}
            query |= {"X-Plex-Container-Start": str(start)}
            query |= {"sort": "addedAt:desc"} if newest_first else {}
            query |= {"title": title} if title else {}
            found = _container(await self._call("GET", f"/library/sections/{_key(section)}/all", query))
            page = rows(found, "Metadata")
            yield tuple(file for row in page for file in _files(row, type, section))
            start += len(page)
            if not page or start >= as_int(found.get("totalSize"), start):
                return

    async def existing(self, rating_keys: Sequence[str]) -> frozenset[str]:
        """Those of the items that are still there."""
        found: set[str] = set()
        for start in range(0, len(rating_keys), KEYS_A_CALL):
            keys = ",".join(_key(key) for key in rating_keys[start : start + KEYS_A_CALL])
            answer = await self._call("GET", f"/library/metadata/{keys}", accepts=NOT_FOUND)
            if answer.status == 200:
                found |= {as_text(row.get("ratingKey")) for row in _items(_container(answer))}
        return frozenset(found)

    # collections

    async def collection(self, rating_key: str) -> PlexCollection | None:
        """A collection by its number; None when it is gone."""
        answer = await self._call("GET", f"/library/metadata/{_key(rating_key)}", accepts=NOT_FOUND)
        found = _items(_container(answer)) if answer.status == 200 else ()
        return _collection(found[0]) if found and as_text(found[0].get("type")) == "collection" else None

    async def collection_named(self, section: str, title: str) -> PlexCollection | None:
        """The first collection of a library with exactly this title; titles are not unique."""
        start = 0
        while True:
            query = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(PAGE_ROWS)}
            found = _container(await self._call("GET", f"/library/sections/{_key(section)}/collections", query))
            page = _items(found)
            for row in page:
                if as_text(row.get("title")) == title:
                    return _collection(row)
            start += len(page)
            if not page or start >= as_int(found.get("totalSize"), start):
                return None

    async def members(self, rating_key: str) -> tuple[str, ...]:
        """What a collection holds, in its order."""
        keys: list[str] = []
        while True:
            query = {"X-Plex-Container-Start": str(len(keys)), "X-Plex-Container-Size": str(PAGE_ROWS)}
            found = _container(await self._call("GET", f"/library/collections/{_key(rating_key)}/children", query))
            page = _items(found)
            keys += [as_text(row.get("ratingKey")) for row in page]
            if not page or len(keys) >= as_int(found.get("totalSize"), len(keys)):
                return tuple(keys)

    async def create_collection(self, section: str, type: str, title: str, members: Sequence[str]) -> str:
        """Make a collection with at most 100 members of one type; its number. Making it twice makes two.

        Raises:
            PlexSaidNo: a member is of another type or library, or gone.
        """
        query = {"type": str(TYPE_NUMBERS[type]), "smart": "0", "sectionId": section, "title": title}
        found = _items(_container(await self._call("POST", "/library/collections", query | self._uri(members))))
        if not found:
            raise UpstreamFailed("Plex made the collection, but did not say its number.", code="unreadable")
        return as_text(found[0].get("ratingKey"))

    async def add_members(self, rating_key: str, members: Sequence[str]) -> None:
        """Put items at the end, as many calls as it needs."""
        for start in range(0, len(members), KEYS_A_CALL):
            uri = self._uri(members[start : start + KEYS_A_CALL])
            await self._call("PUT", f"/library/collections/{_key(rating_key)}/items", uri)

    async def remove_member(self, rating_key: str, member: str) -> None:
        """Take one item out; one that is not in it is fine. The document names PUT, what works is DELETE."""
        path = f"/library/collections/{_key(rating_key)}/items/{_key(member)}"
        await self._call("DELETE", path, accepts=NOT_FOUND)

    async def move_member(self, rating_key: str, member: str, after: str | None) -> None:
        """Put a member behind another, or first; only in a collection with its own order."""
        path = f"/library/collections/{_key(rating_key)}/items/{_key(member)}/move"
        await self._call("PUT", path, {"after": after} if after else {})

    async def use_own_order(self, rating_key: str) -> None:
        path = f"/library/metadata/{_key(rating_key)}/prefs"
        await self._call("PUT", path, {"collectionSort": str(OWN_ORDER)})

    async def name_collection(self, section: str, rating_key: str, title: str, summary: str) -> None:
        """Title and summary; locked, so that a refresh of metadata leaves them."""
        query = {"type": str(TYPE_NUMBERS["collection"]), "id": rating_key, "title.value": title, "title.locked": "1"}
        query |= {"summary.value": summary, "summary.locked": "1"}
        await self._call("PUT", f"/library/sections/{_key(section)}/all", query)

    async def set_poster(self, rating_key: str, picture: bytes, media_type: str) -> None:
        path = f"/library/metadata/{_key(rating_key)}/posters"
        await self._call("POST", path, content=picture, media_type=media_type)

    async def delete_collection(self, rating_key: str) -> None:
        """Take a collection away; its members stay in the library. One that is gone already is fine."""
        await self._call("DELETE", f"/library/collections/{_key(rating_key)}", accepts=NOT_FOUND)

    def _uri(self, members: Sequence[str]) -> dict[str, str]:
        keys = ",".join(_key(member) for member in members[:KEYS_A_CALL])
        return {"uri": f"server://{self._machine_id}/com.plexapp.plugins.library/library/metadata/{keys}"}

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accepts: frozenset[int] = frozenset(),
        content: bytes | None = None,
        media_type: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        headers = self._headers | ({"Content-Type": media_type} if media_type else {})
        answer = await self._http.request(
            method, self._url + path, headers=headers, params=query or None, content=content, timeout_s=timeout_s
        )
        if answer.status in (200, 201, 204) or answer.status in accepts:
            return answer
        if answer.status in (401, 403):
            raise ServerRefused(f"The Plex server at {answer.host} does not take this token.")
        if answer.status in (429, 503):
            raise PlexBusy(f"The Plex server at {answer.host} is busy.")
        if answer.status < 500:
            raise PlexSaidNo(f"The Plex server at {answer.host} did not accept a change ({answer.status}).")
        raise UpstreamFailed(f"The Plex server at {answer.host} answered with an error ({answer.status}).")


def _container(answer: Answer) -> Mapping[str, Any]:
    return as_object(as_object(answer.json(), answer.host).get("MediaContainer"), answer.host)


def _items(container: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Collections may stand in `Directory`."""
    return rows(container, "Metadata") or rows(container, "Directory")


def _files(row: Mapping[str, Any], type: str, section: str) -> list[FoundFile]:
    return [
        FoundFile(
            rating_key=as_text(row.get("ratingKey")),
            type=type,
            section=section,
            path=as_text(part.get("file")),
            added_at=as_int(row.get("addedAt")),
        )
        for media in rows(row, "Media")
        for part in rows(media, "Part")
    ]


def _collection(row: Mapping[str, Any]) -> PlexCollection:
    return PlexCollection(
        rating_key=as_text(row.get("ratingKey")),
        section=as_text(row.get("librarySectionID")),
        title=as_text(row.get("title")),
        summary=as_text(row.get("summary")),
        sort=as_int(row.get("collectionSort"), -1),
    )


def _key(key: str) -> str:
    """A number of an item or library; anything else would lead to another path.

    Raises:
        PlexSaidNo: it is none.
    """
    if not (key.isascii() and key.isdigit()):
        raise PlexSaidNo("Plex named an item in a way that can not be asked for.", code="unreadable")
    return key
