"""Every route of MediaNest: pages, the API, probes and the live socket."""

from __future__ import annotations

from typing import Any

from litestar import WebSocket, websocket
from litestar.di import NamedDependency

from medianest.accounts.api import AuthApi, MeApi, SetupApi
from medianest.accounts.keys.api import KeyApi
from medianest.accounts.keys.pages import KeyPages
from medianest.accounts.model import Scope
from medianest.accounts.pages import SetupPages, SignInPages, sign_out
from medianest.accounts.people.api import DefaultRightsApi, UserApi
from medianest.accounts.people.pages import DefaultRightsPages, OwnAccountPages, PeoplePages
from medianest.accounts.picture_pages import PicturePages, person_picture
from medianest.accounts.plex.api import PlexPinApi
from medianest.accounts.plex.link_pages import PlexLinkPages
from medianest.accounts.plex.pages import PlexSignInPages
from medianest.accounts.second_factor.api import SecondFactorApi
from medianest.accounts.second_factor.pages import SecondStepPages, TwoStepPages
from medianest.accounts.settings_pages import SettingsPages
from medianest.connections.api import PlexConnectionApi
from medianest.connections.overseerr.api import OverseerrApi
from medianest.connections.overseerr.pages import OverseerrPages
from medianest.connections.pages import PlexPages
from medianest.connections.pin_pages import PlexPinPages
from medianest.connections.service_pages import ServicePages
from medianest.downloads.api import DownloadApi, QueueSettingsApi
from medianest.downloads.cookies.api import CookieApi
from medianest.downloads.cookies.pages import CookiePages
from medianest.downloads.pages import DownloadPages, QueueSettingsPages, picture
from medianest.downloads.queue_api import QueueApi
from medianest.downloads.queue_pages import WholeQueuePages
from medianest.engine.api import EngineApi
from medianest.engine.pages import EnginePages
from medianest.home.pages import HomePages
from medianest.keeping.api import HistoryApi, KeepingApi
from medianest.keeping.pages import HistoryPages, KeepingPages
from medianest.keeping.work_api import LibraryWorkApi
from medianest.keeping.work_pages import LibraryWorkPages
from medianest.live import LiveHub
from medianest.media.api import LibraryApi, MediaApi, SearchApi
from medianest.media.library_pages import LibraryPages
from medianest.media.pages import MediaPages
from medianest.media.picture_pages import media_picture
from medianest.plex_library.pages import PlexLibraryPages, retry_collection
from medianest.requests.api import RequestApi, overseerr_webhook
from medianest.requests.pages import RequestPages
from medianest.subscriptions.api import SubscriptionApi
from medianest.subscriptions.pages import SubscriptionPages
from medianest.system.api import Probes, SystemApi
from medianest.system.audit_log.api import AuditApi
from medianest.system.audit_log.pages import AuditPages
from medianest.system.pages import SystemPages
from medianest.system.security.api import SecurityApi
from medianest.system.security.pages import SecurityPages
from medianest.web.errors import nowhere
from medianest.web.openapi import reader
from medianest.web.static_files import static_file


@websocket("/api/v1/live", opt={"scope": (Scope.READ, Scope.REQUESTS, Scope.DOWNLOADS)})
async def live(socket: WebSocket[Any, Any, Any], hub: NamedDependency[LiveHub]) -> None:
    """Live events for pages and API clients; see `live.py`."""
    await socket.accept()
    await hub.serve(socket, socket.scope["state"]["caller"])


ROUTES: list[Any] = [
    SecondStepPages,
    TwoStepPages,
    SecondFactorApi,
    SetupPages,
    SignInPages,
    PlexSignInPages,
    sign_out,
    HomePages,
    MediaPages,
    LibraryPages,
    media_picture,
    RequestPages,
    DownloadPages,
    SubscriptionPages,
    QueueSettingsPages,
    HistoryPages,
    KeepingPages,
    LibraryWorkPages,
    WholeQueuePages,
    CookiePages,
    picture,
    SettingsPages,
    PicturePages,
    PlexLinkPages,
    person_picture,
    OwnAccountPages,
    PeoplePages,
    DefaultRightsPages,
    KeyPages,
    PlexPages,
    PlexPinPages,
    PlexLibraryPages,
    retry_collection,
    PlexConnectionApi,
    OverseerrPages,
    OverseerrApi,
    ServicePages,
    EnginePages,
    SystemPages,
    AuditPages,
    SecurityPages,
    SetupApi,
    AuthApi,
    PlexPinApi,
    MeApi,
    UserApi,
    DefaultRightsApi,
    KeyApi,
    SearchApi,
    MediaApi,
    LibraryApi,
    RequestApi,
    overseerr_webhook,
    DownloadApi,
    SubscriptionApi,
    QueueSettingsApi,
    HistoryApi,
    KeepingApi,
    LibraryWorkApi,
    QueueApi,
    CookieApi,
    EngineApi,
    SystemApi,
    AuditApi,
    SecurityApi,
    Probes,
    live,
    reader,
    static_file,
    nowhere,
]
