"""Builds every object and says who listens to what. It, `web_side.py`, `routes.py` and `recurring_jobs.py` alone know all slices."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import Any

from medianest.accounts.devices import Devices
from medianest.accounts.devices_repository import DeviceRepository
from medianest.accounts.everybody import sign_everybody_out
from medianest.accounts.keys.repository import KeyRepository
from medianest.accounts.keys.service import KeyService
from medianest.accounts.limits import Limits
from medianest.accounts.model import Caller, NoticeCode
from medianest.accounts.people.deletion import Deletion
from medianest.accounts.people.model import PersonDeleted
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.people.service import PeopleService
from medianest.accounts.pictures import PeoplePictures
from medianest.accounts.pictures_repository import PictureRepository
from medianest.accounts.plex.assembly import PlexAccounts, build_plex_accounts
from medianest.accounts.repository import AccountRepository
from medianest.accounts.second_factor.repository import SecondFactorRepository
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.second_factor.ticket import Tickets
from medianest.accounts.service import AccountService
from medianest.accounts.sessions import Sessions
from medianest.accounts.tokens import TokenMaker
from medianest.connections.assembly import Connections, build_connections
from medianest.connections.overseerr.model import OverseerrConnectionChanged
from medianest.connections.services import OVERSEERR
from medianest.database import Engine, engine_from_url
from medianest.database.relay import NoRelay, PostgresRelay
from medianest.downloads.assembly import Downloads, build_downloads
from medianest.downloads.holding import CookiesChanged
from medianest.downloads.model import Download
from medianest.engine.assembly import EngineParts, build_engine
from medianest.events import EventBus
from medianest.instance import host_key, instance_id, start_ticks
from medianest.keeping.assembly import Keeping, build_keeping
from medianest.live import LiveHub
from medianest.media.assembly import Media, build_media
from medianest.plex_library.assembly import PlexLibrary, build_plex_library
from medianest.plex_library.model import CollectionChanged
from medianest.processes import own_child_env, own_executable_command
from medianest.programs import Programs
from medianest.recurring_jobs import (
    engine_jobs,
    jobs,
    keeping_jobs,
    media_jobs,
    people_jobs,
    plex_library_jobs,
    request_jobs,
)
from medianest.requests.assembly import Requests, build_requests
from medianest.scheduler import Scheduler
from medianest.settings import Settings
from medianest.subscriptions.assembly import Subscriptions, build_subscriptions
from medianest.system.repository import ScheduledRunRepository
from medianest.system.secret_keys import SecretKeys
from medianest.system.security.model import ProtectionRestored, SecuritySettings
from medianest.system.security.repository import SecurityRepository
from medianest.system.security.service import SecurityService, with_outside
from medianest.system.service import SystemService
from medianest.vault import Vault
from medianest.walls.rules import Rules, Walls
from medianest.web_side import pages


@dataclass(frozen=True)
class Application:
    """Everything that lives as long as the process; `lifespan.py` starts and stops it."""

    settings: Settings
    engine: Engine
    events: EventBus
    accounts: AccountService
    keys: KeyService
    people: PeopleService
    deletion: Deletion
    connections: Connections
    plex_accounts: PlexAccounts
    people_pictures: PeoplePictures
    media: Media
    requests: Requests
    downloads: Downloads
    engine_parts: EngineParts
    plex_library: PlexLibrary
    subscriptions: Subscriptions
    keeping: Keeping
    system: SystemService
    security: SecurityService
    secret_keys: SecretKeys
    scheduler: Scheduler
    relay: PostgresRelay | NoRelay
    hub: LiveHub
    asgi: Any


def create_app(settings: Settings) -> Application:
    """Build MediaNest for `settings`; nothing is opened or started yet."""
    owner = "/".join(
        (instance_id(settings.data_dir), uuid.uuid4().hex, host_key(), str(os.getpid()), start_ticks(os.getpid()))
    )
    events = EventBus()
    relay = PostgresRelay(settings.database_url, events) if settings.is_postgres else NoRelay()
    tokens = TokenMaker(settings.secret_key)
    vault = Vault(settings.secret_key)
    people, limits = AccountRepository(), Limits()
    devices = Devices(DeviceRepository(), events)
    sessions = Sessions(people, tokens, events, devices)
    second_factor = SecondFactor(SecondFactorRepository(), people, sessions, devices, limits, vault)
    accounts = AccountService(people, sessions, limits, events, devices, second_factor, Tickets(settings.secret_key))
    keys = KeyService(KeyRepository(), Limits(), events, devices)
    programs = Programs(settings.data_dir)
    runs = ScheduledRunRepository()
    system = SystemService(settings, programs, runs)
    walls = Walls(Rules.of(with_outside(settings, SecuritySettings()), settings.public_url))
    security = SecurityService(settings, SecurityRepository(), walls, events)
    system.asks_also(security.problems)
    connections = build_connections(settings, vault, events, people.identity)
    system.asks_also(connections.service.problems)
    system.asks_also(connections.overseerr.problems)
    secret_keys = SecretKeys(vault)
    system.asks_also(secret_keys.problems)

    async def on_restored(_event: ProtectionRestored) -> None:
        await sign_everybody_out(people, sessions, "a protection is on again")

    events.subscribe(ProtectionRestored, on_restored)
    downloads = build_downloads(
        settings,
        events,
        owner=owner,
        command=[*own_executable_command(), "_worker"],
        environment=own_child_env,
        programs=programs,
        person=people.get,
    )
    engine = build_engine(
        settings, events, owner=owner, command=own_executable_command(), environment=own_child_env, programs=programs,
        trials=downloads.trials, renew=downloads.pool.renew, worker_problem=lambda: downloads.pool.engine_problem,
    )  # fmt: skip
    system.asks_also(engine.board.problems)
    system.runs_engine(engine.service.version)
    system.asks_also(downloads.pauses.problems)
    system.asks_also(downloads.cookies.problems)
    plex_library = build_plex_library(settings, events, connections.service, downloads.filed, owner)
    system.asks_also(plex_library.service.problems)
    system.asks_also(plex_library.checks.problems)
    people_rows = PeopleRepository()
    looking_after = PeopleService(people_rows, people, sessions, second_factor, devices, limits, events)
    plex_accounts = build_plex_accounts(
        people, sessions, second_factor, Tickets(settings.secret_key), accounts.suspensions, limits, connections.service,
        connections.pins, vault, events,
    )  # fmt: skip
    media = build_media(
        settings, events, connections.service,
        access_of=plex_accounts.tokens.of,
        manager=connections.overseerr.client,
        find_videos=downloads.service.search_videos,
    )  # fmt: skip
    events.subscribe(OverseerrConnectionChanged, media.service.server_changed)
    events.subscribe(CollectionChanged, media.service.library_changed)
    system.shows_caches(media.service.figures)

    async def is_overseerr_down() -> bool:
        return not (await connections.states.state(OVERSEERR)).is_usable

    requests = build_requests(
        events,
        owner=owner,
        titles=media.service,
        manager=connections.overseerr,
        person_of=people.get,
        is_down=is_overseerr_down,
    )
    subscriptions = build_subscriptions(
        events, owner=owner, feeds=downloads.feeds, queue=downloads.service, person_of=people.get
    )

    async def sign_in_changed(event: CookiesChanged) -> None:
        await subscriptions.service.sign_in_changed(event.site)

    events.subscribe(CookiesChanged, sign_in_changed)

    async def tell_what_goes(user_id: int, sentence: str) -> None:
        await devices.tell(user_id, NoticeCode.VIDEOS_GO, sentence)

    keeping = build_keeping(
        settings,
        connections.service,
        downloads.filed,
        owner=owner,
        access_of=plex_accounts.tokens.of,
        person_of=people.get,
        tell=tell_what_goes,
        tell_plex=plex_library.upkeep.catch_up,
    )
    deletion = Deletion(
        people_rows, looking_after, downloads.belongings, requests.belongings, subscriptions.service, events
    )
    connections.owner_link.use(plex_accounts.sign_in.is_linked, plex_accounts.sign_in.link_owner)
    people_pictures = PeoplePictures(PictureRepository(), settings.data_dir, settings.plex_tv_url)

    async def forget_picture(event: PersonDeleted) -> None:
        await people_pictures.forget(event.picture)

    events.subscribe(PersonDeleted, forget_picture)
    recurring = (
        *jobs(accounts, connections, downloads, system),
        *people_jobs(plex_accounts, people_pictures),
        *media_jobs(media),
        *request_jobs(requests.jobs),
        *plex_library_jobs(plex_library),
        *engine_jobs(engine.updates),
        *keeping_jobs(keeping.service),
    )
    scheduler = Scheduler(recurring, runs, relay, events, owner)

    async def active(caller: Caller) -> tuple[Download, ...]:
        return await downloads.service.active(caller.user)

    async def is_live(caller: Caller) -> bool:
        return await (accounts.is_live(caller) if caller.scopes is None else keys.is_live(caller))

    hub = LiveHub(events, active=active, is_live=is_live)
    return Application(
        settings=settings,
        engine=engine_from_url(settings.database_url),
        events=events,
        accounts=accounts,
        keys=keys,
        people=looking_after,
        deletion=deletion,
        connections=connections,
        plex_accounts=plex_accounts,
        people_pictures=people_pictures,
        media=media,
        requests=requests,
        downloads=downloads,
        engine_parts=engine,
        plex_library=plex_library,
        subscriptions=subscriptions,
        keeping=keeping,
        system=system,
        security=security,
        secret_keys=secret_keys,
        scheduler=scheduler,
        relay=relay,
        hub=hub,
        asgi=pages(
            settings,
            tokens,
            accounts,
            keys,
            connections,
            downloads,
            system,
            security,
            walls,
            scheduler,
            hub,
            looking_after,
            deletion,
            plex_accounts,
            people_pictures,
            media,
            requests,
            plex_library,
            engine,
            subscriptions,
            keeping,
        ),
    )
