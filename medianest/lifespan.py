"""Starts what the application lives on, and stops it in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from medianest import database
from medianest.database.filesystems import is_network_file_system
from medianest.database.migration import migrate
from medianest.settings import Settings

if TYPE_CHECKING:
    from medianest.app import Application

log = logging.getLogger(__name__)

STOP_S = 10.0  # for each part; what does not end by then is left to the end of the process


@contextlib.asynccontextmanager
async def open_database(settings: Settings, engine: database.Engine | None = None) -> AsyncIterator[tuple[str, ...]]:
    """Connect, bring the schema up to date and close again at the end; yields the migrations applied."""
    import medianest.accounts.tables
    import medianest.connections.tables
    import medianest.downloads.tables
    import medianest.engine.tables
    import medianest.keeping.tables
    import medianest.media.tables
    import medianest.plex_library.tables
    import medianest.requests.tables
    import medianest.subscriptions.tables
    import medianest.system.tables  # noqa: F401  # every table must be known before it is bound

    if not settings.is_postgres:
        folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if is_network_file_system(folder):
            log.warning("The database lies on a network share. Move the data folder to a local disk, or use Postgres.")
    engine = engine or database.engine_from_url(settings.database_url)
    await engine.start_connection_pool()
    try:
        database.bind(engine)
        yield await migrate(engine, backups=settings.data_dir / "backups")
    finally:
        await engine.close_connection_pool()


@contextlib.asynccontextmanager
async def running(application: Application) -> AsyncIterator[str | None]:
    """Everything the pages need is up inside; yields the setup code while nobody is set up."""
    settings = application.settings
    async with open_database(settings, application.engine):
        setup_code = await _first_administrator(application)
        await application.secret_keys.start()
        await application.security.start()
        await application.relay.start()
        await application.engine_parts.service.start()
        await application.downloads.dispatcher.start()
        await application.subscriptions.checker.start()
        await application.requests.sender.start()
        await application.requests.hints.start()
        await application.plex_library.worker.start()
        await application.keeping.works.start()
        # not on the way to the first page: loading the scheduler takes a while
        scheduling = asyncio.create_task(application.scheduler.start(), name="scheduler start")
        scheduling.add_done_callback(_say_what_failed)
        try:
            yield setup_code
        finally:
            scheduling.cancel()
            for name, stop in (
                ("live sockets", application.hub.close),
                ("scheduler", application.scheduler.stop),
                ("test of the Plex library", application.plex_library.probe.stop),
                ("work in Plex", application.plex_library.worker.stop),
                ("work on the library", application.keeping.works.stop),
                ("request hints", application.requests.hints.stop),
                ("requests", application.requests.sender.stop),
                ("watch over yt-dlp", application.engine_parts.watch.stop),
                ("updates of yt-dlp", application.engine_parts.updates.stop),
                ("subscriptions", application.subscriptions.checker.stop),
                ("downloads", application.downloads.dispatcher.stop),
                ("workers", application.downloads.pool.stop),
                ("event relay", application.relay.stop),
                ("calls for films and series", application.media.close),
                ("calls to Plex and Overseerr", application.connections.close),
                ("calls for pictures", application.people_pictures.close),
            ):
                began = time.monotonic()
                try:
                    await asyncio.wait_for(stop(), STOP_S)
                except Exception:
                    log.exception("Stopping the %s failed", name)
                log.debug("Stopped the %s in %.2f s", name, time.monotonic() - began)


def _say_what_failed(start: asyncio.Task[None]) -> None:
    # nobody waits for it, and without a scheduler nothing would ever be cleaned or looked at again
    if not start.cancelled() and (error := start.exception()) is not None:
        log.error("The scheduler could not be started, so no recurring job runs", exc_info=error)


async def _first_administrator(application: Application) -> str | None:
    settings = application.settings
    if settings.admin_username and settings.admin_password:
        await application.accounts.make_first_admin_from_settings(settings.admin_username, settings.admin_password)
    return await application.accounts.setup_code_or_none()
