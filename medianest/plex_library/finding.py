"""Finding filed videos in Plex: one scan of a folder, then looking until its files are there."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from medianest.connections.service import ConnectionService
from medianest.database import transaction
from medianest.errors import UpstreamFailed
from medianest.integrations.plex_writing import FoundFile, PlexWriting
from medianest.plex_library import paths
from medianest.plex_library.mapping import Target, mapping_of, saved_mapping, target_of, type_of
from medianest.plex_library.model import LibraryMapping, MissingReason
from medianest.plex_library.repository.places import Place, PlaceRepository

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos

log = logging.getLogger(__name__)

NEWEST_PAGES = 5
MOST_PAGES = 50  # of a whole library, when a file is not among the newest
MOST_TITLES = 20


class FindingRules(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds: how long a folder must be quiet, how long a scan may take, how often Plex is looked at."""

    quiet_s: float = 20.0
    wait_s: float = 120.0
    longest_s: float = 600.0  # while Plex says that it scans
    first_look_s: float = 1.0
    longest_look_s: float = 10.0
    collection_quiet_s: float = 5.0
    lease_s: float = 60.0


class Finding:
    """Does the work of one folder."""

    def __init__(
        self,
        connections: ConnectionService,
        places: PlaceRepository,
        filed: FiledVideos,
        want_lists: Callable[[tuple[int, ...]], Awaitable[None]],
        our_root: str,
        rules: FindingRules,
    ) -> None:
        self._connections = connections
        self._places = places
        self._filed = filed
        self._want_lists = want_lists
        self._our_root = our_root
        self._rules = rules

    async def mapping(self) -> LibraryMapping:
        """How our folder and the server's are one, by what the server says now.

        Raises:
            Conflict, UpstreamFailed: there is no server, or it does not answer.
        """
        server, token = await self._connections.plex_server(), await self._connections.plex_token()
        sections = await server.sections(token or "")
        return mapping_of(self._our_root, sections, await saved_mapping())

    async def look(self, folder: str, beat: Callable[[], Awaitable[None]]) -> None:
        """Have the folder scanned and find what waits in it; twice, then what is not there is missing.

        Args:
            beat: called often; raises when the work is somebody else's by now.

        Raises:
            Conflict, UpstreamFailed, NoLibrary: not now; nothing is lost.
        """
        plex = await self._ours()
        target = target_of(await self.mapping(), folder)
        waiting = {place.history_id: place for place in await self._places.waiting_in(folder)}
        if not waiting:  # something was taken away
            await plex.refresh(target.library.key, target.folder)
            return
        server_id = await self._server_id()
        for is_last in (False, True):
            activity = await plex.refresh(target.library.key, target.folder)
            if await self._until_there(plex, target, activity, waiting, server_id, beat, is_thorough=is_last):
                return
        reason = await self._likely(folder, target, server_id)
        log.warning("Plex does not have %d video(s) of %s after two scans (%s)", len(waiting), folder, reason)
        await self._places.missing(list(waiting), reason)

    async def _ours(self) -> PlexWriting:
        """The server, when it is the one that is connected."""
        plex = await self._connections.plex_writing()
        if not await plex.is_ours():
            raise UpstreamFailed("Another Plex server answers at the address of ours.", code="plex_other_server")
        return plex

    async def _server_id(self) -> str:
        connection = await self._connections.plex()
        return connection.machine_id if connection else ""

    async def _until_there(
        self, plex: PlexWriting, target: Target, activity: str, waiting: dict[int, Place], server_id: str,
        beat: Callable[[], Awaitable[None]], *, is_thorough: bool,
    ) -> bool:  # fmt: skip
        """Look until every file is there (True) or the time is over. `waiting` loses what was found."""
        rules, began = self._rules, time.monotonic()
        ends, pause_s = began + rules.wait_s, rules.first_look_s
        while True:
            await asyncio.sleep(pause_s)
            await beat()
            is_scanning = await plex.is_scanning(target.library.key, activity)
            await self._note(await self._match(plex, target, waiting.values(), NEWEST_PAGES), waiting, server_id)
            now = time.monotonic()
            if waiting and is_scanning:
                ends = max(ends, min(now + rules.longest_look_s, began + rules.longest_s))
            if not waiting or now >= ends:
                break
            pause_s = min(pause_s * 1.5, rules.longest_look_s)
        if waiting and is_thorough:
            await self._note(await self._match_by_title(plex, target, list(waiting.values())), waiting, server_id)
            if waiting:
                await beat()
                await self._note(await self._match(plex, target, waiting.values(), MOST_PAGES), waiting, server_id)
        return not waiting

    async def _match(
        self, plex: PlexWriting, target: Target, wanted: Iterable[Place], most_pages: int
    ) -> list[tuple[Place, FoundFile]]:
        """Which of the files the library has, among its newest pages."""
        return await _matched(
            plex.files(target.library.key, target.item_type), self._by_path(target, wanted), most_pages
        )

    async def _match_by_title(
        self, plex: PlexWriting, target: Target, wanted: list[Place]
    ) -> list[tuple[Place, FoundFile]]:
        """For what is not among the newest: a file keeps its old date when it comes back."""
        found: list[tuple[Place, FoundFile]] = []
        for place in wanted[:MOST_TITLES]:
            pages = plex.files(target.library.key, target.item_type, title=place.title[:60], newest_first=False)
            found += await _matched(pages, self._by_path(target, [place]), 1)
        return found

    def _by_path(self, target: Target, wanted: Iterable[Place]) -> dict[tuple[str, ...], Place]:
        """The places by the path of their file as the server sees it."""
        return {
            paths.parts_of(paths.join(target.folder, place.path.removeprefix(place.folder + "/"))): place
            for place in wanted
        }

    async def _note(self, found: list[tuple[Place, FoundFile]], waiting: dict[int, Place], server_id: str) -> None:
        """Keep the numbers, and have the lists of these videos looked at: all of it or nothing."""
        if not found:
            return
        now = datetime.now(UTC)
        kept: list[int] = []
        async with transaction():
            for place, file in found:
                if await self._places.found(
                    place.history_id, section=file.section, item_type=file.type, rating_key=file.rating_key,
                    server_id=server_id, now=now,
                ):  # fmt: skip
                    await self._filed.remember(place.history_id, file.rating_key, server_id)
                    kept.append(place.history_id)
            await self._want_lists(await self._filed.lists_with(kept))
        for place, _file in found:
            waiting.pop(place.history_id, None)
        await self._filed.announce(kept)

    async def _likely(self, folder: str, target: Target, server_id: str) -> MissingReason:
        """Why Plex does not have them, as far as that can be told from here."""
        if type_of(folder) != target.library.type:
            return MissingReason.KIND
        knows = await self._places.knows_others_in(target.library.key, server_id)
        return MissingReason.PASSED_OVER if knows else MissingReason.MAPPING


async def _matched(
    pages: AsyncIterator[tuple[FoundFile, ...]], wanted: dict[tuple[str, ...], Place], most_pages: int
) -> list[tuple[Place, FoundFile]]:
    """The files of `wanted` among pages of a library."""
    found: list[tuple[Place, FoundFile]] = []
    left, number = dict(wanted), 0
    async for page in pages:
        for file in page:
            place = left.pop(paths.parts_of(file.path), None)
            if place is not None:
                found.append((place, file))
        number += 1
        if not left or number >= most_pages:
            break
    return found
