"""Puts the parts of our library in Plex together; the application calls it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from medianest.connections.model import PlexConnectionChanged, ServiceStatusChanged
from medianest.connections.service import ConnectionService
from medianest.downloads.model import DownloadFinished, DownloadRemoved, DownloadStateChanged
from medianest.events import EventBus
from medianest.plex_library.check import LibraryChecks
from medianest.plex_library.collecting import Collecting
from medianest.plex_library.finding import Finding, FindingRules
from medianest.plex_library.probe import LibraryProbe
from medianest.plex_library.repository.collections import CollectionRepository
from medianest.plex_library.repository.places import PlaceRepository
from medianest.plex_library.repository.work import WorkTable
from medianest.plex_library.service import PlexLibraryService
from medianest.plex_library.upkeep import LibraryUpkeep
from medianest.plex_library.worker import PlexWorker
from medianest.settings import Settings

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos


class PlexLibrary(msgspec.Struct, frozen=True, kw_only=True):
    """What the application needs of it."""

    service: PlexLibraryService
    upkeep: LibraryUpkeep
    worker: PlexWorker
    probe: LibraryProbe
    checks: LibraryChecks


def build_plex_library(
    settings: Settings,
    events: EventBus,
    connections: ConnectionService,
    filed: FiledVideos,
    owner: str,
    rules: FindingRules | None = None,
) -> PlexLibrary:
    """Build it and have it listen to downloads; nothing is started or called yet.

    Args:
        owner: name of this process, as in the queue: `<instance>/<run>/…`.
        rules: times; by the settings when left out.
    """
    rules = rules or FindingRules(quiet_s=settings.plex_scan_delay_s)
    places, rows = PlaceRepository(), CollectionRepository()
    scans = WorkTable("plex_scans", "folder", owner, rules.lease_s)
    lists = WorkTable("plex_collections", "download_id", owner, rules.lease_s)
    our_root = str(settings.library_dir)

    upkeep = LibraryUpkeep(connections, filed, places, rows, rules)
    finding = Finding(connections, places, filed, upkeep.want_lists, our_root, rules)
    service = PlexLibraryService(
        connections,
        filed,
        places,
        rows,
        scans,
        finding,
        upkeep,
        our_root=settings.library_dir,
        plex_app_url=settings.plex_app_url,
    )
    collecting = Collecting(connections, rows, places, filed, events)
    instance = owner.partition("/")[0]
    probe = LibraryProbe(connections, finding, settings.library_dir, instance)

    async def begin() -> None:
        await probe.clean()
        await upkeep.catch_up()

    worker = PlexWorker(connections, scans, lists, finding, collecting, begin, instance)
    upkeep.worker = worker
    events.subscribe(DownloadFinished, upkeep.on_finished)
    events.subscribe(DownloadStateChanged, upkeep.on_state_changed)
    events.subscribe(DownloadRemoved, upkeep.on_removed)
    events.subscribe(PlexConnectionChanged, upkeep.on_connection_changed)
    events.subscribe(ServiceStatusChanged, upkeep.on_service_changed)
    checks = LibraryChecks(connections, finding, probe)
    return PlexLibrary(service=service, upkeep=upkeep, worker=worker, probe=probe, checks=checks)
