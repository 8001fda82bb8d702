"""Builds every object and says who listens to what. The only place that knows all slices."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, WebSocket, websocket
from litestar.config.compression import CompressionConfig
from litestar.di import NamedDependency, Provide
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from medianest.accounts.api import AuthApi, MeApi, SetupApi
from medianest.accounts.limits import Limits
from medianest.accounts.model import Caller
from medianest.accounts.pages import SettingsPages, SetupPages, SignInPages, sign_out
from medianest.accounts.repository import AccountRepository
from medianest.accounts.service import AccountService
from medianest.accounts.tokens import TokenMaker
from medianest.database import Engine, engine_from_url
from medianest.database.relay import NoRelay, PostgresRelay
from medianest.events import EventBus
from medianest.instance import host_key, instance_id, start_ticks
from medianest.live import LiveHub
from medianest.programs import Programs
from medianest.resources import resource_path
from medianest.scheduler import Job, Scheduler
from medianest.settings import Settings
from medianest.system.api import Probes, SystemApi
from medianest.system.pages import SystemPages
from medianest.system.repository import ScheduledRunRepository
from medianest.system.service import SystemService
from medianest.web.auth import AuthMiddleware
from medianest.web.cookies import SessionCookies
from medianest.web.errors import ErrorAnswers
from medianest.web.guards import requires_csrf_token, requires_sign_in
from medianest.web.headers import SecurityHeadersMiddleware
from medianest.web.openapi import openapi_config, reader
from medianest.web.outermost import Outermost
from medianest.web.same_origin import SameOriginMiddleware
from medianest.web.static_files import StaticFiles, static_file
from medianest.web.templating import Templates
from medianest.web.urls import Urls

LARGEST_BODY_BYTES = 1024 * 1024
SMALLEST_COMPRESSED_BYTES = 1000


@dataclass(frozen=True)
class Application:
    """Everything that lives as long as the process; `lifespan.py` starts and stops it."""

    settings: Settings
    engine: Engine
    events: EventBus
    accounts: AccountService
    system: SystemService
    scheduler: Scheduler
    relay: PostgresRelay | NoRelay
    hub: LiveHub
    asgi: Any


def create_app(settings: Settings) -> Application:
    """Build MediaNest for `settings`; nothing is opened or started yet."""
    run_id = uuid.uuid4().hex
    owner = "/".join((instance_id(settings.data_dir), run_id, host_key(), str(os.getpid()), start_ticks(os.getpid())))
    events = EventBus()
    relay = PostgresRelay(settings.database_url, events) if settings.is_postgres else NoRelay()
    tokens = TokenMaker(settings.secret_key)
    accounts = AccountService(AccountRepository(), tokens, Limits(), events)
    programs = Programs(settings.data_dir)
    runs = ScheduledRunRepository()
    system = SystemService(settings, programs, runs)
    urls = Urls(settings.base_path)
    static_files = StaticFiles(resource_path("static"), urls)
    templates = Templates(resource_path("templates"), urls, static_files)

    def jobs() -> tuple[Job, ...]:
        return (
            Job(
                name="clean_sessions",
                title="Forget ended sessions",
                schedule="Every hour",
                call=accounts.clean_sessions,
                every_s=3600,
            ),
            Job(
                name="clean_records",
                title="Remove old records",
                schedule="Every night",
                call=system.clean_records,
                at_hour=3,
            ),
            Job(
                name="clean_logs",
                title="Remove old log files",
                schedule="Every night",
                call=system.clean_logs,
                at_hour=3,
            ),
        )

    scheduler = Scheduler(jobs(), runs, relay, events, owner)
    hub = LiveHub(events, active=_nothing, is_live=accounts.is_live)
    given = {
        "accounts": accounts, "system": system, "scheduler": scheduler, "urls": urls, "static_files": static_files, "hub": hub,
        "session_cookies": SessionCookies(tokens.fingerprint, urls),
    }  # fmt: skip
    application = LeanLitestar(
        route_handlers=[
            SetupPages,
            SignInPages,
            sign_out,
            SettingsPages,
            SystemPages,
            SetupApi,
            AuthApi,
            MeApi,
            SystemApi,
            Probes,
            live,
            reader,
            static_file,
        ],
        dependencies={
            "caller": Provide(provide_caller, sync_to_thread=False),
            **{name: given_as(value) for name, value in given.items()},
        },
        guards=[requires_sign_in, requires_csrf_token],
        middleware=[
            SecurityHeadersMiddleware(),
            AuthMiddleware(accounts, given["session_cookies"]),
            SameOriginMiddleware(),
        ],
        exception_handlers={Exception: ErrorAnswers(templates, urls)},
        template_config=templates.config(),
        openapi_config=openapi_config(urls),
        compression_config=CompressionConfig(
            backend="gzip", gzip_compress_level=4, minimum_size=SMALLEST_COMPRESSED_BYTES
        ),
        request_max_body_size=LARGEST_BODY_BYTES,
        logging_config=None,
    )
    return Application(
        settings=settings,
        engine=engine_from_url(settings.database_url),
        events=events,
        accounts=accounts,
        system=system,
        scheduler=scheduler,
        relay=relay,
        hub=hub,
        asgi=Outermost(application, settings.base_path),
    )


async def _nothing(caller: Caller) -> tuple[()]:
    return ()


class LeanLitestar(Litestar):
    """Litestar without its plug-ins for pydantic and attrs: loading pydantic would cost a third of the start."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The person signed in; the guards have made sure there is one."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def given_as(value: Any) -> Provide:
    """A dependency that is one object for the whole process."""
    return Provide(lambda: value, sync_to_thread=False, use_cache=True)


@websocket("/api/v1/live")
async def live(socket: WebSocket[Any, Any, Any], hub: NamedDependency[LiveHub]) -> None:
    """Live events for pages and API clients; see `live.py`."""
    await socket.accept()
    await hub.serve(socket, socket.scope["state"]["caller"])
