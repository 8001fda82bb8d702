"""Puts the parts of the engine together; the application calls it once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version

import msgspec

from medianest.engine.fetching import Fetcher
from medianest.engine.installing import Installer
from medianest.engine.model import LinkTried
from medianest.engine.proving import Trials
from medianest.engine.repository import EngineRepository
from medianest.engine.service import EngineService
from medianest.engine.showing import EngineBoard
from medianest.engine.updating import EngineUpdates
from medianest.engine.watching import EngineWatch
from medianest.engine_folder import EngineFolder, engines_folder
from medianest.events import EventBus
from medianest.integrations.yt_dlp_releases import ReleasePages
from medianest.programs import Programs
from medianest.settings import Settings


class EngineParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the application needs of it. Stop the watch first, then the updates."""

    service: EngineService
    updates: EngineUpdates
    board: EngineBoard
    watch: EngineWatch


def build_engine(
    settings: Settings,
    events: EventBus,
    *,
    owner: str,
    command: Sequence[str],
    environment: Callable[[], Mapping[str, str]],
    programs: Programs,
    trials: Trials,
    renew: Callable[[], None],
    worker_problem: Callable[[], str],
) -> EngineParts:
    """Build it and have it listen to links that were tried; nothing is started or fetched yet.

    Args:
        owner: name of this process, `<instance>/<run>/…`.
        command: starts our own executable, without a sub-command.
        trials: runs one version in a real worker.
        renew: has workers load the chosen version from their next start on.
        worker_problem: what the newest worker said about the version it runs with.
    """
    instance = owner.partition("/")[0]
    root = engines_folder(settings.data_dir)
    folder, repository = EngineFolder(root), EngineRepository(instance)
    fetcher = Fetcher(ReleasePages(settings.engine_url), root.parent / "incoming")
    installer = Installer(folder, trials, command, environment, renew)
    service = EngineService(
        folder, repository, installer, trials, events, inside=_inside(), worker_problem=worker_problem
    )
    updates = EngineUpdates(instance, service, repository, fetcher, installer, events)
    watch = EngineWatch(repository, service.current, service.probe_before, service.go_back_for)
    events.subscribe(LinkTried, watch.on_link_tried)
    board = EngineBoard(service, updates, repository, folder, programs)
    return EngineParts(service=service, updates=updates, board=board, watch=watch)


def _inside() -> str:
    try:
        return version("yt-dlp")
    except PackageNotFoundError:
        return ""
