"""A downloaded playlist as a collection in Plex: all its videos in order, title, summary, poster; kept like the list.

Every step is written down before the next one, and each looks at what is there first, so that a process that ends
anywhere in between leaves nothing that the next one does not find and finish.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from medianest.connections.service import ConnectionService
from medianest.errors import UpstreamFailed
from medianest.events import EventBus
from medianest.integrations.http import AnswerTooLarge
from medianest.integrations.plex_writing import KEYS_A_CALL, OWN_ORDER, PlexCollection, PlexSaidNo, PlexWriting
from medianest.plex_library.model import CollectionChanged, CollectionState
from medianest.plex_library.order import moves
from medianest.plex_library.repository.collections import CollectionRepository, StoredCollection
from medianest.plex_library.repository.places import Place, PlaceRepository

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos
    from medianest.downloads.repository.filed import ListFacts

log = logging.getLogger(__name__)

State = CollectionState
Beat = Callable[[], Awaitable[None]]
REFUSALS = 4  # a server that says no so often means it
TITLE_CHARS = 200


class Collecting:
    """Does the work of one playlist."""

    def __init__(
        self,
        connections: ConnectionService,
        rows: CollectionRepository,
        places: PlaceRepository,
        filed: FiledVideos,
        events: EventBus,
    ) -> None:
        self._connections = connections
        self._rows = rows
        self._places = places
        self._filed = filed
        self._events = events

    async def bring_up_to_date(self, collection_id: int, beat: Beat) -> None:
        """Make the collection what its list is.

        Raises:
            Conflict, UpstreamFailed: not now; nothing is lost and nothing is made twice.
        """
        row = await self._rows.get(collection_id)
        if row is None:
            return
        connection = await self._connections.plex()
        machine = connection.machine_id if connection else ""
        facts = await self._filed.list_of(row.download_id)
        plex = await self._connections.plex_writing()
        if not await plex.is_ours():
            raise UpstreamFailed("Another Plex server answers at the address of ours.", code="plex_other_server")
        if row.server_id not in (None, machine):  # numbers of another server mean nothing here
            await self._rows.set_state(row.id, State.PENDING, _now(), rating_key=None, server_id=None, marker=None)
            row = await self._rows.get(collection_id) or row
        if facts is None:
            await self._take_away(plex, row)
            return
        try:
            await self._follow(plex, row, facts, machine, beat)
        except PlexSaidNo as error:
            if row.attempts + 1 < REFUSALS:
                raise
            await self._give_up(plex, row.id, error.message)

    async def _follow(
        self, plex: PlexWriting, row: StoredCollection, facts: ListFacts, machine: str, beat: Beat
    ) -> None:
        videos = await self._filed.videos_of(facts.id)
        members = _of_one_library(videos, await self._places.of(videos))
        row = await self._still_there(plex, row, members)
        if not members:
            if row.rating_key is not None:
                await self._take_away(plex, row, keeps_row=True)
            await self._tell(row, State.PENDING, members=0, wanted=len(videos), title=facts.title[:TITLE_CHARS])
            return
        keys = [place.rating_key or "" for place in members]
        current = await self._there(plex, row, facts, machine, members)
        await self._fill(plex, row, current, keys, beat)
        await self._dress(plex, row, current, facts)
        is_whole = len(keys) == len(videos)
        state = State.COMPLETED if is_whole and facts.has_ended else State.ADDING
        before = await self._rows.get(row.id)
        if before is not None and (before.state, before.members, before.wanted) == (state, len(keys), len(videos)):
            return  # nobody need read it again
        await self._tell(row, state, members=len(keys), wanted=len(videos), marker=None, reason="")
        log.info("The collection “%s” has %d of %d videos", facts.title, len(keys), len(videos))

    async def _still_there(
        self, plex: PlexWriting, row: StoredCollection, members: Sequence[Place]
    ) -> StoredCollection:
        """The kept number is looked up first: a collection that has vanished, or is in another library, is made anew."""
        if row.rating_key is None:
            return row
        found = await plex.collection(row.rating_key)
        is_elsewhere = bool(members) and row.section != members[0].section
        if found is not None and not is_elsewhere:
            return row
        if found is not None:
            await plex.delete_collection(row.rating_key)
        await self._rows.put_members(row.id, ())
        await self._rows.set_state(row.id, State.PENDING, _now(), rating_key=None, poster=None, marker=None)
        return await self._rows.get(row.id) or row

    async def _there(
        self, plex: PlexWriting, row: StoredCollection, facts: ListFacts, machine: str, members: Sequence[Place]
    ) -> PlexCollection:
        """The collection in Plex, made when there is none.

        It is made under a name of its own that is written down before: titles are not unique in Plex, and when the answer
        is lost this name tells whether it was made.
        """
        section, item_type = members[0].section or "", members[0].item_type or ""
        key = row.rating_key
        if key is None:
            if row.marker is not None:
                begun = await plex.collection_named(section, row.marker)
                key = begun.rating_key if begun else None
            if key is None:
                marker = f"MediaNest {secrets.token_hex(8)}"
                await self._tell(
                    row, State.CREATING, marker=marker, section=section, item_type=item_type, server_id=machine,
                    title=facts.title[:TITLE_CHARS],
                )  # fmt: skip
                first = [place.rating_key or "" for place in members[:KEYS_A_CALL]]
                key = await plex.create_collection(section, item_type, marker, first)
            await self._tell(row, State.ADDING, rating_key=key, section=section, item_type=item_type, server_id=machine)
        found = await plex.collection(key)
        if found is None:
            raise UpstreamFailed("The collection was made, but Plex does not show it yet.", code="plex_busy")
        return found

    async def _fill(
        self, plex: PlexWriting, row: StoredCollection, current: PlexCollection, keys: Sequence[str], beat: Beat
    ) -> None:
        """Members and their order; what the owner put in beside them stays where it is."""
        here = await plex.members(current.rating_key)
        missing = [key for key in keys if key not in set(here)]
        if missing and row.state is State.COMPLETED:
            await self._tell(row, State.UPDATING)
        for start in range(0, len(missing), KEYS_A_CALL):
            await plex.add_members(current.rating_key, missing[start : start + KEYS_A_CALL])
            await beat()
        for key in await self._rows.members(row.id) - set(keys):
            if key in here:
                await plex.remove_member(current.rating_key, key)
        await self._rows.put_members(row.id, keys)
        if current.sort != OWN_ORDER:
            await plex.use_own_order(current.rating_key)
        here = await plex.members(current.rating_key)
        if not set(keys) <= set(here):
            raise UpstreamFailed("Plex does not show all videos in the collection yet.", code="plex_busy")
        ours = set(keys)
        for number, (key, after) in enumerate(moves([key for key in here if key in ours], keys)):
            await plex.move_member(current.rating_key, key, after)
            if number % 10 == 9:
                await beat()

    async def _dress(self, plex: PlexWriting, row: StoredCollection, current: PlexCollection, facts: ListFacts) -> None:
        """Title, summary, poster. What Plex does not take of a picture is no reason to give the collection up."""
        title, summary = facts.title[:TITLE_CHARS], _summary(facts)
        if (current.title, current.summary) != (title, summary):
            await plex.name_collection(current.section or row.section or "", current.rating_key, title, summary)
        picture = await self._filed.poster(facts, but=row.poster)
        if picture is not None:
            name, content, media_type = picture
            try:
                await plex.set_poster(current.rating_key, content, media_type)
            except (PlexSaidNo, AnswerTooLarge) as error:
                log.info("Plex did not take the poster of “%s”: %s", title, error)
            await self._rows.set_columns(row.id, poster=name)

    async def _take_away(self, plex: PlexWriting, row: StoredCollection, *, keeps_row: bool = False) -> None:
        """The list is gone, or has nothing left: so is its collection. What stands in the library stays."""
        key = row.rating_key
        if key is None and row.marker is not None and row.section is not None:
            begun = await plex.collection_named(row.section, row.marker)
            key = begun.rating_key if begun else None
        if key is not None:
            await plex.delete_collection(key)
        if keeps_row:
            await self._rows.put_members(row.id, ())
            await self._rows.set_state(row.id, State.PENDING, _now(), rating_key=None, marker=None, poster=None)
        else:
            await self._rows.remove(row.id)

    async def _give_up(self, plex: PlexWriting, collection_id: int, reason: str) -> None:
        """Leave nothing half made behind."""
        row = await self._rows.get(collection_id)
        if row is None:
            return
        log.error("The collection of list %d is given up: %s", row.download_id, reason)
        await self._take_away(plex, row, keeps_row=True)
        await self._tell(row, State.FAILED, reason=reason, members=0)

    async def _tell(self, row: StoredCollection, state: CollectionState, **values: object) -> None:
        """Keep the state, then say so to whoever looks at the list."""
        await self._rows.set_state(row.id, state, _now(), **values)
        await self._events.publish(CollectionChanged(download_id=row.download_id, state=state))
        await self._filed.announce_list(row.download_id)


def _of_one_library(videos: Sequence[int], found: dict[int, Place]) -> list[Place]:
    """The list's videos that Plex has, in order: those of the library with most of them, since a collection has one."""
    places = [found[video] for video in videos if video in found and found[video].rating_key]
    kinds = Counter((place.section, place.item_type) for place in places)
    if not kinds:
        return []
    kind = kinds.most_common(1)[0][0]
    return list({place.rating_key: place for place in places if (place.section, place.item_type) == kind}.values())


def _summary(facts: ListFacts) -> str:
    lines = [f"A playlist by {facts.uploader}." if facts.uploader else "A playlist.", facts.url[:500]]
    return "\n".join(lines)


def _now() -> datetime:
    return datetime.now(UTC)
