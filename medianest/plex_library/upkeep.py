"""Keeps rows of what is to be done in Plex in step with downloads: by their events, and by looking now and then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from medianest.connections.model import PlexConnectionChanged, ServiceStatusChanged
from medianest.connections.service import ConnectionService
from medianest.database import fetch, transaction
from medianest.downloads.model import (
    DownloadFinished,
    DownloadKind,
    DownloadRemoved,
    DownloadState,
    DownloadStateChanged,
)
from medianest.errors import UpstreamFailed
from medianest.plex_library import paths
from medianest.plex_library.finding import FindingRules
from medianest.plex_library.model import PlaceState
from medianest.plex_library.repository.collections import CollectionRepository
from medianest.plex_library.repository.places import PlaceRepository

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos
    from medianest.downloads.repository.filed import FiledVideo
    from medianest.plex_library.worker import PlexWorker

SEEN = "plex_library_seen"
OVERLAP = timedelta(hours=1)  # what was filed a moment before the last look is looked at again
PIECE = 500
CHECK_EVERY = timedelta(days=1)
CHECKED_AT_ONCE = 500


class LibraryUpkeep:
    """Writes the work down; `worker` does it."""

    def __init__(
        self,
        connections: ConnectionService,
        filed: FiledVideos,
        places: PlaceRepository,
        collections: CollectionRepository,
        rules: FindingRules,
    ) -> None:
        self._connections = connections
        self._filed = filed
        self._places = places
        self._collections = collections
        self._rules = rules
        self.worker: PlexWorker | None = None

    # what downloads tell

    async def on_finished(self, event: DownloadFinished) -> None:
        """A video lies in the library: written down first, looked for after a while of quiet."""
        video = await self._filed.video(event.history_id)
        if video is not None and video.is_there:
            await self._want(video)
            self.wake()

    async def on_state_changed(self, event: DownloadStateChanged) -> None:
        """A video of a list, or the list, was finished, also without being fetched because it was there already."""
        if event.state is DownloadState.COMPLETED and not event.is_for_pages:  # else our own word, or not yet
            await self.want_list(event.parent_id or event.download_id)

    async def on_removed(self, event: DownloadRemoved) -> None:
        """Files may be gone, and with a list its collection; what exactly is seen by `catch_up`."""
        await self._collections_of_gone(event.parent_id or event.download_id)
        await self.catch_up()

    async def on_connection_changed(self, _event: PlexConnectionChanged) -> None:
        if self.worker is not None:
            await self.worker.hurry()

    async def on_service_changed(self, event: ServiceStatusChanged) -> None:
        """Plex is there again: what waited for it is done at once."""
        if event.service == "plex" and event.is_up and self.worker is not None:
            await self.worker.hurry()

    async def want_list(self, download_id: int) -> None:
        """Have a playlist's collection looked at; anything else has none."""
        facts = await self._filed.list_of(download_id)
        if facts is not None and facts.kind is DownloadKind.PLAYLIST:
            now = datetime.now(UTC)
            await self._collections.want(facts.id, facts.title, now, quiet_s=self._rules.collection_quiet_s)
            self.wake()

    async def want_lists(self, download_ids: tuple[int, ...]) -> None:
        for download_id in download_ids:
            await self.want_list(download_id)

    # what recurring jobs call

    async def catch_up(self) -> str:
        """See what was filed, removed or finished while nobody listened, such as between a commit and a crash."""
        began = datetime.now(UTC)
        since = await self._seen()
        filed = removed = after = 0
        while videos := await self._filed.changed_since(since, after, PIECE):
            places = await self._places.states_of([video.id for video in videos])
            for video in videos:
                state, path = places.get(video.id, (None, ""))
                if video.is_there and (state in (None, PlaceState.REMOVED) or path != video.path):
                    await self._want(video)
                    filed += 1
                elif not video.is_there and state not in (None, PlaceState.REMOVED):
                    await self._gone(video.id, path)
                    removed += 1
            after = videos[-1].id
        for download_id in await self._filed.playlists_since(since):
            if not await self._collections.is_known(download_id):
                await self.want_list(download_id)
        await self._put_seen(began - OVERLAP)
        self.wake()
        return f"{filed} new, {removed} removed."

    async def verify(self) -> str:
        """Once a day for each video: Plex gives other numbers after a rematch or when a file comes back."""
        connection = await self._connections.plex()
        if connection is None or not connection.has_token:
            return "No Plex server is connected."
        strangers = await self._places.of_another_server(connection.machine_id, CHECKED_AT_ONCE)
        now = datetime.now(UTC)
        due = await self._places.to_check(now - CHECK_EVERY, CHECKED_AT_ONCE)
        ours = [place for place in due if place.server_id == connection.machine_id]
        plex = await self._connections.plex_writing()
        if not await plex.is_ours():
            raise UpstreamFailed("Another Plex server answers at the address of ours.", code="plex_other_server")
        there = await plex.existing([place.rating_key or "" for place in ours])
        lost = [*strangers, *(place for place in ours if place.rating_key not in there)]
        async with transaction():
            await self._places.checked([place.history_id for place in ours], now)
            await self._places.lost([place.history_id for place in lost], now)
            for place in lost:
                await self._filed.remember(place.history_id, None, None)
            for folder in {place.folder for place in lost}:
                await self._places.want_scan(folder, now, quiet_s=0)
        self.wake()
        return f"{len(ours)} looked at, {len(lost)} to be found again."

    async def look_again(self) -> str:
        """Look for what is missing, and compare every collection with its list."""
        now = datetime.now(UTC)
        folders = await self._places.missing_folders()
        for folder in folders:
            await self._places.want_scan(folder, now, quiet_s=0)
        await self._collections.look_at_all(now)
        if self.worker is not None:
            await self.worker.hurry()
        return f"{len(folders)} folders are looked into again."

    async def _want(self, video: FiledVideo) -> None:
        now, folder = datetime.now(UTC), paths.show_folder(video.path)
        async with transaction():
            if await self._places.want(video.id, folder, video.path, video.title, now):
                await self._filed.remember(video.id, None, None)
                await self._places.want_scan(folder, now, quiet_s=self._rules.quiet_s)

    async def _gone(self, history_id: int, path: str) -> None:
        now = datetime.now(UTC)
        async with transaction():
            await self._places.removed(history_id)
            await self._filed.remember(history_id, None, None)
            await self._places.want_scan(paths.show_folder(path), now, quiet_s=self._rules.quiet_s)
            await self.want_lists(await self._filed.lists_with([history_id]))

    async def _collections_of_gone(self, download_id: int) -> None:
        """The list is off the queue, or has a video less."""
        row = await self._collections.of_list(download_id)
        if row is not None:
            now = datetime.now(UTC)
            await self._collections.want(download_id, row.title, now, quiet_s=self._rules.collection_quiet_s)

    async def _seen(self) -> datetime:
        rows = await fetch("SELECT value FROM system_settings WHERE key = {}", SEEN)
        try:
            return datetime.fromisoformat(str(rows[0]["value"])) if rows else datetime(2000, 1, 1, tzinfo=UTC)
        except ValueError:
            return datetime(2000, 1, 1, tzinfo=UTC)

    async def _put_seen(self, at: datetime) -> None:
        await fetch(
            "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
            *(SEEN, at.isoformat(), datetime.now(UTC)),
        )

    def wake(self) -> None:
        """Something is due."""
        if self.worker is not None:
            self.worker.wake()
