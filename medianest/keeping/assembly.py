"""Puts the parts of keeping together; the application calls it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from medianest.accounts.model import User
from medianest.connections.service import ConnectionService
from medianest.downloads.filing import Library
from medianest.downloads.repository.history import HistoryRepository
from medianest.keeping.adopting import Adopting
from medianest.keeping.archive import ArchiveImport
from medianest.keeping.model import WorkKind
from medianest.keeping.moving import Moving
from medianest.keeping.repository.adopted import AdoptedRepository
from medianest.keeping.repository.candidates import CandidateRepository
from medianest.keeping.repository.history import HistoryListRepository
from medianest.keeping.repository.marks import MarkRepository
from medianest.keeping.repository.plans import PlanRepository
from medianest.keeping.repository.settings import KeepingSettingsRepository
from medianest.keeping.repository.work import WorkRepository
from medianest.keeping.retention import Retention, Tell
from medianest.keeping.service import KeepingService
from medianest.keeping.watched import Access, Watched
from medianest.keeping.work import LibraryWorks, Worker
from medianest.settings import Settings

if TYPE_CHECKING:
    from medianest.downloads.filed import FiledVideos


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """What the application needs of it."""

    service: KeepingService
    retention: Retention
    works: LibraryWorks
    moving: Moving
    archive: ArchiveImport


def build_keeping(
    settings: Settings,
    connections: ConnectionService,
    filed: FiledVideos,
    *,
    owner: str,
    access_of: Callable[[User | None], Awaitable[Access]],
    person_of: Callable[[int], Awaitable[User]],
    tell: Tell,
    tell_plex: Callable[[], Awaitable[object]],
) -> Keeping:
    """Build it; nothing is asked or started yet.

    Args:
        owner: name of this process and run.
        access_of: opens the Plex server for somebody.
        tell: puts a sentence before a person.
        tell_plex: has Plex look at what was filed or deleted.
    """
    library = Library(settings.library_dir, settings.staging_dir)
    rules, marks, plans = KeepingSettingsRepository(), MarkRepository(), PlanRepository()
    retention = Retention(
        rules, CandidateRepository(), plans, HistoryRepository(owner), library, filed, tell=tell, tell_plex=tell_plex
    )
    watched = Watched(connections, marks, access_of, person_of)
    lists = HistoryListRepository(settings.plex_app_url)
    service = KeepingService(lists, marks, plans, rules, retention, watched)
    adopted, moving = AdoptedRepository(), Moving(settings.library_dir, settings.staging_dir)
    workers: dict[WorkKind, Worker] = {
        WorkKind.ADOPT: Adopting(settings.library_dir, adopted, tell_plex),
        WorkKind.MOVE: moving,
    }
    works = LibraryWorks(WorkRepository(owner), workers)
    return Keeping(service=service, retention=retention, works=works, moving=moving, archive=ArchiveImport(adopted))
