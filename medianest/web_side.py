"""The web side of the application: routes, what handlers are given, guards and middleware."""

from __future__ import annotations

from typing import Any

from litestar.di import Provide

from medianest.accounts.keys.service import KeyService
from medianest.accounts.limits import Limits
from medianest.accounts.model import Caller
from medianest.accounts.people.deletion import Deletion
from medianest.accounts.people.service import PeopleService
from medianest.accounts.pictures import PeoplePictures
from medianest.accounts.plex.assembly import PlexAccounts
from medianest.accounts.service import AccountService
from medianest.accounts.tokens import TokenMaker
from medianest.connections.assembly import Connections
from medianest.downloads.assembly import Downloads
from medianest.downloads.model import QueueCounts
from medianest.engine.assembly import EngineParts
from medianest.keeping.assembly import Keeping
from medianest.live import LiveHub
from medianest.media.assembly import Media
from medianest.plex_library.assembly import PlexLibrary
from medianest.requests.assembly import Requests
from medianest.resources import resource_path
from medianest.routes import ROUTES
from medianest.scheduler import Scheduler
from medianest.settings import Settings
from medianest.subscriptions.assembly import Subscriptions
from medianest.system.audit_log.repository import AuditRepository
from medianest.system.audit_log.service import AuditService
from medianest.system.security.service import SecurityService
from medianest.system.service import SystemService
from medianest.walls.rules import Walls
from medianest.web.auth import AuthMiddleware
from medianest.web.cookies import SessionCookies
from medianest.web.errors import ErrorAnswers
from medianest.web.frame import FrameMiddleware
from medianest.web.guards import (
    limits_acts,
    refuses_impossible_ids,
    refuses_large_forms,
    requires_csrf_token,
    requires_own_password,
    requires_sign_in,
)
from medianest.web.lean import Given, LeanLitestar, provide_caller
from medianest.web.openapi import openapi_config
from medianest.web.outermost import Outermost
from medianest.web.same_origin import SameOriginMiddleware
from medianest.web.static_files import StaticFiles
from medianest.web.templating import Templates
from medianest.web.urls import Urls

LARGEST_BODY_BYTES = 1024 * 1024


def pages(
    settings: Settings,
    tokens: TokenMaker,
    accounts: AccountService,
    keys: KeyService,
    connections: Connections,
    downloads: Downloads,
    system: SystemService,
    security: SecurityService,
    walls: Walls,
    scheduler: Scheduler,
    hub: LiveHub,
    people: PeopleService,
    deletion: Deletion,
    plex_accounts: PlexAccounts,
    people_pictures: PeoplePictures,
    media: Media,
    requests: Requests,
    plex_library: PlexLibrary,
    engine: EngineParts,
    subscriptions: Subscriptions,
    keeping: Keeping,
) -> Outermost:
    """The web side: routes, what handlers are given, guards and middleware."""
    urls = Urls(settings.base_path)
    static_files = StaticFiles(resource_path("static"), urls)
    templates = Templates(resource_path("templates"), urls, static_files)
    templates.environment.globals["protections_off"] = walls.off
    cookies = SessionCookies(tokens.fingerprint, urls, settings.public_url)
    given: dict[str, Any] = {
        "accounts": accounts,
        "devices": accounts.devices,
        "second_factor": accounts.second_factor,
        "keys": keys,
        "people": people,
        "deletion": deletion,
        "connections": connections.service,
        "overseerr": connections.overseerr,
        "overseerr_connecting": connections.overseerr_connecting,
        "service_states": connections.states,
        "plex_connecting": connections.connecting,
        "owner_link": connections.owner_link,
        "pins": connections.pins,
        "plex_sign_in": plex_accounts.sign_in,
        "people_pictures": people_pictures,
        "media": media.service,
        "media_requests": requests.service,
        "inbox": requests.inbox,
        "media_pictures": media.pictures,
        "downloads": downloads.service,
        "approvals": downloads.approvals,
        "whole_queue": downloads.whole,
        "site_pauses": downloads.pauses,
        "site_cookies": downloads.cookies,
        "pictures": downloads.pictures,
        "plex_library": plex_library.service,
        "plex_upkeep": plex_library.upkeep,
        "library_probe": plex_library.probe,
        "library_checks": plex_library.checks,
        "engine": engine.service,
        "engine_updates": engine.updates,
        "engine_board": engine.board,
        "subscriptions": subscriptions.service,
        "keeping": keeping.service,
        "library_works": keeping.works,
        "library_moving": keeping.moving,
        "archive_import": keeping.archive,
        "audit": AuditService(AuditRepository()),
        "system": system,
        "security": security,
        "scheduler": scheduler,
        "hub": hub,
        "urls": urls,
        "static_files": static_files,
        "session_cookies": cookies,
    }

    async def counts(caller: Caller) -> QueueCounts:
        return await downloads.service.counts(caller.user)

    async def requests_waiting(caller: Caller) -> int:
        return await requests.service.menu_count(caller.user)

    return Outermost(
        LeanLitestar(
            route_handlers=ROUTES,
            dependencies={
                "caller": Provide(provide_caller, sync_to_thread=False),
                **{name: Given(value) for name, value in given.items()},
            },
            guards=[
                requires_sign_in,
                requires_own_password,
                refuses_impossible_ids,
                refuses_large_forms,
                requires_csrf_token,
                limits_acts(Limits()),
            ],
            # refused before a session is renewed: the new cookies would be lost with the call
            middleware=[
                SameOriginMiddleware(walls.opens_socket_for),
                AuthMiddleware(accounts, cookies, keys),
                FrameMiddleware(counts, accounts.devices.open_notices, requests_waiting),
            ],
            exception_handlers={Exception: ErrorAnswers(templates, urls)},
            template_config=templates.config(),
            openapi_config=openapi_config(urls),
            request_max_body_size=LARGEST_BODY_BYTES,
            logging_config=None,
        ),
        settings.base_path,
        walls,
    )
