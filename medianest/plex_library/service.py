"""What pages and other slices ask of our library in Plex."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from medianest.accounts.model import Caller
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict
from medianest.integrations.plex_links import web_link
from medianest.plex_library.finding import Finding
from medianest.plex_library.mapping import NO_LIBRARY, save_mapping, saved_mapping
from medianest.plex_library.model import (
    LibraryMapping,
    LibraryStatus,
    ListCollection,
    MissingReason,
    PlaceState,
    SavedMapping,
)
from medianest.plex_library.repository.collections import CollectionRepository
from medianest.plex_library.repository.places import PlaceRepository
from medianest.plex_library.repository.work import WorkTable
from medianest.plex_library.upkeep import LibraryUpkeep
from medianest.system.audit import record
from medianest.system.model import HealthProblem, Severity

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos

LIKELY = {
    MissingReason.MAPPING: "Plex most likely sees another folder than MediaNest. Open the page Plex and run the test of "
    "the library there.",
    MissingReason.PASSED_OVER: "Plex has other videos of this library, but not these: it may not be allowed to read them, "
    "or passes their names over. Run the test of the library on the page Plex.",
    MissingReason.KIND: "The videos are of another kind than the Plex library. Shows need a library of type TV, films "
    "one of type Films, sound one of type Music; choose one on the page Plex.",
}


class PlexLibraryService:
    """Answers pages and the health list. `plex_app_url` begins the links to Plex."""

    def __init__(
        self,
        connections: ConnectionService,
        filed: FiledVideos,
        places: PlaceRepository,
        collections: CollectionRepository,
        scans: WorkTable,
        finding: Finding,
        upkeep: LibraryUpkeep,
        *,
        our_root: Path,
        plex_app_url: str,
    ) -> None:
        self._connections = connections
        self._filed = filed
        self._places = places
        self._collections = collections
        self._scans = scans
        self._finding = finding
        self._upkeep = upkeep
        self._our_root = our_root
        self._plex_app_url = plex_app_url

    async def problems(self) -> tuple[HealthProblem, ...]:
        """For the health list: videos that Plex does not show."""
        waits = await self._scans.waiting_reason()
        if waits.startswith(NO_LIBRARY):
            advice = "Open the page Plex: it says which folders Plex has, and lets you name ours."
            return (HealthProblem(code="plex_no_library", severity=Severity.WARNING, text=waits, advice=advice),)
        reasons = await self._places.missing_reasons()
        if not reasons:
            return ()
        count, worst = sum(reasons.values()), next(iter(reasons))
        what = "One video lies" if count == 1 else f"{count} videos lie"
        return (
            HealthProblem(
                code="plex_library_missing",
                severity=Severity.WARNING,
                text=f"{what} in the library, but Plex does not show {'it' if count == 1 else 'them'}.",
                advice=LIKELY[MissingReason(worst)],
            ),
        )

    # what pages ask

    async def collection(self, download_id: int) -> ListCollection | None:
        """The collection of a playlist; the caller has made sure that the person may see the list."""
        row = await self._collections.of_list(download_id)
        if row is None or (row.rating_key is None and await self._connections.plex() is None):
            return None
        link = web_link(self._plex_app_url, row.server_id, row.rating_key) if row.server_id and row.rating_key else None
        return ListCollection(
            state=row.state,
            title=row.title,
            reason=row.reason,
            members=row.members,
            wanted=row.wanted,
            plex_url=link if row.members else None,
            changed_at=row.changed_at,
        )

    async def try_again(self, download_id: int) -> None:
        """Make the collection of a list anew after it was given up.

        Raises:
            Conflict: it was not given up.
        """
        if not await self._collections.try_again(download_id, datetime.now(UTC)):
            raise Conflict("There is nothing to try again: the collection was not given up.")
        self._upkeep.wake()
        await self._filed.announce_list(download_id)

    async def mapping(self) -> LibraryMapping:
        """How our folder and the server's are one; asks the server.

        Raises:
            Conflict, UpstreamFailed: there is none, or it does not answer.
        """
        return await self._finding.mapping()

    async def saved_mapping(self) -> LibraryMapping:
        """What is set, for when the server does not answer."""
        saved = await saved_mapping()
        return LibraryMapping(
            our_root=str(self._our_root), server_root=saved.server_root, saved=saved, libraries=(), target=None
        )

    async def change_mapping(self, mapping: SavedMapping, *, by: Caller, address: str) -> None:
        """Keep another mapping; what waits or is missing is looked for with it. Raises `Invalid`."""
        before = await saved_mapping()
        await save_mapping(mapping)
        await record(
            "plex.library_changed",
            mapping.server_root or "found by itself",
            actor_id=by.user.id,
            actor_name=by.user.username,
            address=address,
            before={"server_root": before.server_root, "section": before.section},
            after={"server_root": mapping.server_root, "section": mapping.section},
        )
        await self._upkeep.look_again()

    async def status(self) -> LibraryStatus:
        """How much is found, and why work waits."""
        counts = await self._places.counts()
        return LibraryStatus(
            found=counts.get(PlaceState.FOUND, 0),
            waiting=counts.get(PlaceState.WAITING, 0),
            missing=counts.get(PlaceState.MISSING, 0),
            reason=await self._scans.waiting_reason(),
        )
