"""Puts the parts of the download queue together; the application calls it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from medianest.accounts.model import User
from medianest.addresses import AllowedAddresses
from medianest.database.filesystems import own_folders
from medianest.downloads.allowance import Allowance
from medianest.downloads.announcer import Announcer
from medianest.downloads.approvals import Approvals
from medianest.downloads.belongings import PersonBelongings
from medianest.downloads.board import ProgressBoard
from medianest.downloads.cookies.repository import CookieRepository
from medianest.downloads.cookies.service import CookieService
from medianest.downloads.cookies.store import CookieStore
from medianest.downloads.dispatcher import Dispatcher, DispatcherRules
from medianest.downloads.endings import JobTools
from medianest.downloads.feeds.repository import FeedRepository
from medianest.downloads.feeds.service import Feeds
from medianest.downloads.filed import FiledVideos
from medianest.downloads.filing import Library
from medianest.downloads.jobs import DownloadJobs
from medianest.downloads.pauses import SitePauses
from medianest.downloads.pictures import PictureStore
from medianest.downloads.pool import PoolRules, WorkerPool
from medianest.downloads.previews import Previews
from medianest.downloads.reasons import RetryRules
from medianest.downloads.recovery import Owner
from medianest.downloads.repository.belongings import BelongingsRepository
from medianest.downloads.repository.claims import ClaimRepository
from medianest.downloads.repository.cleaning import CleaningRepository
from medianest.downloads.repository.expansion import ExpansionRepository
from medianest.downloads.repository.filed import FiledRepository
from medianest.downloads.repository.history import HistoryRepository
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.pauses import PauseRepository
from medianest.downloads.repository.quotas import QuotaRepository
from medianest.downloads.repository.settings import QueueSettingsRepository
from medianest.downloads.repository.states import DownloadStates
from medianest.downloads.repository.whole import WholeRepository
from medianest.downloads.searching import VideoSearch
from medianest.downloads.service import DownloadService
from medianest.downloads.showing import Showing
from medianest.downloads.trials import Trials
from medianest.downloads.whole import WholeQueueService
from medianest.engine.model import EngineChanged
from medianest.engine_folder import engines_folder
from medianest.events import EventBus
from medianest.programs import Programs
from medianest.settings import Settings
from medianest.vault import Vault

LARGEST_FILE_BYTES = 512 * 1024**3
WORKER_MEMORY_BYTES = 4 * 1024**3


class Downloads(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the application needs of the queue. Stop the dispatcher first, then the pool."""

    service: DownloadService
    approvals: Approvals
    belongings: PersonBelongings
    filed: FiledVideos
    dispatcher: Dispatcher
    pool: WorkerPool
    trials: Trials
    pictures: PictureStore
    pauses: SitePauses
    cookies: CookieService
    whole: WholeQueueService
    feeds: Feeds
    jobs: DownloadJobs


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Every time and number of the queue; tests have shorter ones."""

    retries: RetryRules = RetryRules()
    dispatcher: DispatcherRules = DispatcherRules()
    pool: PoolRules = PoolRules()


def build_downloads(
    settings: Settings,
    events: EventBus,
    *,
    owner: str,
    command: Sequence[str],
    environment: Callable[[], Mapping[str, str]],
    programs: Programs,
    person: Callable[[int], Awaitable[User]],
    rules: Rules = Rules(),  # noqa: B008  # frozen
) -> Downloads:
    """Build the queue; nothing is opened or started yet.

    Args:
        owner: name of this process and run, as `recovery.Owner` reads it.
        command: starts a worker.
        person: gives whoever has this id, with their rights.
    """
    name = Owner.parse(owner)
    if name is None:
        raise ValueError(f"{owner!r} is no name of an owner")
    lists, states, history = DownloadLists(), DownloadStates(), HistoryRepository(owner)
    board, announcer = ProgressBoard(events), Announcer(events, lists)
    showing = Showing(lists, board, settings.plex_app_url)
    own = own_folders(settings.data_dir, settings.database_url)
    library, pictures = Library(settings.library_dir, settings.staging_dir, own), PictureStore(settings.data_dir)
    temp = settings.data_dir / "temp" / name.run
    pool = WorkerPool(command, environment, configure(settings, programs), temp, rules.pool)
    queue_settings = QueueSettingsRepository()
    pauses = SitePauses(PauseRepository(), rules.retries, announcer, events)
    cookie_rows = CookieRepository()
    cookie_store = CookieStore(cookie_rows, Vault(settings.secret_key))
    allowance = Allowance(QuotaRepository())
    tools = JobTools(
        claims=ClaimRepository(owner),
        expansion=ExpansionRepository(owner),
        history=history,
        library=library,
        pictures=pictures,
        pool=pool,
        announcer=announcer,
        board=board,
        events=events,
        pauses=pauses,
        cookies=cookie_store,
        rules=rules.retries,
        allowance=allowance,
        person=person,
    )
    allowed = AllowedAddresses.parse(settings.allow_private_downloads.to_text())

    async def max_items() -> int:
        return (await queue_settings.get()).max_list_items

    service = DownloadService(
        lists=lists,
        states=states,
        history=history,
        settings=queue_settings,
        previews=Previews(pool, pictures, temp, pauses, cookie_store),
        library=library,
        board=board,
        announcer=announcer,
        events=events,
        allowed=allowed,
        showing=showing,
        allowance=allowance,
        videos=VideoSearch(pool),
    )
    whole = WholeQueueService(WholeRepository(), pauses, PauseRepository(), queue_settings, service, announcer)
    events.subscribe(EngineChanged, whole.on_engine_changed)
    return Downloads(
        service=service,
        approvals=Approvals(lists, states, showing, announcer),
        belongings=PersonBelongings(BelongingsRepository(), states, history, library, announcer),
        filed=FiledVideos(FiledRepository(), pictures, announcer),
        dispatcher=Dispatcher(name, tools, queue_settings, rules.dispatcher),
        pool=pool,
        trials=Trials(command, environment, configure(settings, programs), temp),
        pictures=pictures,
        pauses=pauses,
        cookies=CookieService(cookie_rows, cookie_store, pauses, announcer, events),
        whole=whole,
        feeds=Feeds(
            pool, pauses, pictures, FeedRepository(), allowed, cookies=cookie_store.of, max_items=max_items, folder=temp
        ),
        jobs=DownloadJobs(CleaningRepository(), library, pictures),
    )


def configure(settings: Settings, programs: Programs) -> Callable[[], Awaitable[dict[str, Any]]]:
    """What a worker is told first."""

    async def configuration() -> dict[str, Any]:
        javascript = await programs.javascript()
        return {
            "op": "configure",
            "allow": settings.allow_private_downloads.to_text(),
            "ffmpeg": await programs.path("ffmpeg"),
            "ffprobe": await programs.path("ffprobe"),
            "js_runtimes": javascript,
            "cache_dir": str(settings.data_dir / "cache" / "yt-dlp"),
            "engines": str(engines_folder(settings.data_dir)),
            "sponsorblock_url": settings.sponsorblock_url,
            "limits": {
                # deno and node reserve far more addresses than they use: a wall there would stop them at once
                "memory_bytes": None if javascript else WORKER_MEMORY_BYTES,
                "file_size_bytes": LARGEST_FILE_BYTES,
            },
        }

    return configuration
