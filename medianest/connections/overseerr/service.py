"""Which Overseerr or Seerr people's requests go to, how it answers, and a client for it. `connecting.py` changes it."""

from __future__ import annotations

import asyncio
import time

import msgspec
from msgspec.structs import replace

from medianest.accounts.model import User
from medianest.connections.model import ServiceChecked
from medianest.connections.overseerr.checking import NAMES, check_overseerr
from medianest.connections.overseerr.model import (
    OWNER_ID,
    OverseerrCheck,
    OverseerrConnection,
    OverseerrConnectionChanged,
    OverseerrOptions,
    OverseerrStatus,
)
from medianest.connections.overseerr.people import OverseerrPeople
from medianest.connections.overseerr.secrets import OverseerrSecrets
from medianest.connections.repository import ConfigRepository, StoredConfig
from medianest.errors import Conflict, UpstreamFailed
from medianest.events import EventBus
from medianest.integrations.breaker import GuardedClient
from medianest.integrations.http import HttpClient
from medianest.integrations.overseerr import Overseerr
from medianest.integrations.overseerr_answers import OverseerrUser
from medianest.settings import Settings
from medianest.system.model import HealthProblem, Severity

NAME = "overseerr"
FROM_SETTINGS = "overseerr_from_settings"  # what was learned of the server that the settings name
CHECK = "overseerr_check"
FAILURES_TOLD = 2  # one failed check may be a restart
KEPT_S = 30.0
NOT_CONNECTED = "No Overseerr or Seerr is connected yet."
UNREACHABLE = "overseerr_unreachable"


class OverseerrService:
    """The one Overseerr connection, and a client for it.

    Args:
        http: under the breaker, for everything that people wait for.
        bare_http: without it, for checks: they are how a server that was down is found again.
    """

    def __init__(
        self,
        settings: Settings,
        repository: ConfigRepository[OverseerrOptions],
        http: GuardedClient,
        bare_http: HttpClient,
        people: OverseerrPeople,
        secrets: OverseerrSecrets,
        events: EventBus,
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._http = http
        self._bare_http = bare_http
        self._people = people
        self._secrets = secrets
        self._events = events
        self._kept: OverseerrConnection | None = None
        self._kept_until = 0.0
        self._is_other = False
        self._loading = asyncio.Lock()
        events.subscribe(OverseerrConnectionChanged, self._forget)

    # what other slices ask

    async def connection(self) -> OverseerrConnection | None:
        """The server, None while there is none."""
        if time.monotonic() >= self._kept_until:
            async with self._loading:
                if time.monotonic() >= self._kept_until:
                    self._kept = await self._load()
                    self._kept_until = time.monotonic() + KEPT_S
        return self._kept

    async def client(self) -> Overseerr:
        """The server by its own key.

        Raises:
            Conflict: none is connected.
            UpstreamFailed: its key is missing or unreadable, or another installation answers: its numbers are not ours.
        """
        connection = await self.connection()
        if connection is None:
            raise Conflict(NOT_CONNECTED, code="overseerr_not_connected")
        if self._is_other:
            found = await self.last_check()
            raise UpstreamFailed(found.text if found else "Another Overseerr answers.", code="overseerr_other_server")
        key = await self.api_key()
        if not key:
            raise UpstreamFailed("Overseerr's key is missing. Type it anew.", code="overseerr_no_key")
        return Overseerr(self._http, connection.url, key)

    async def user_id_of(self, user: User) -> int | None:
        """The number of `user` there, made when Plex vouches for them; None for those who can have none.

        Raises:
            UpstreamFailed: it could not be asked.
        """
        return await self._people.number_of(await self.client(), user)

    async def default_user_id(self) -> int:
        """In whose name people without an account there ask; the owner unless somebody else is chosen."""
        connection = await self.connection()
        if connection is None:
            raise Conflict(NOT_CONNECTED, code="overseerr_not_connected")
        return connection.default_user_id

    async def people(self) -> tuple[OverseerrUser, ...]:
        """Everybody there. Raises UpstreamFailed."""
        return await self._people.all(await self.client())

    async def webhook_secret(self) -> str:
        """What Overseerr sends along as `Authorization`; made with the first question."""
        return await self._secrets.webhook()

    async def renew_webhook_secret(self) -> str:
        """Another secret; the old one opens nothing from now on."""
        return await self._secrets.renew_webhook()

    # the connection and its key

    @property
    def is_fixed(self) -> bool:
        """Whether the address comes from the settings, so that the pages can not change it."""
        return bool(self._settings.overseerr_url)

    @property
    def public_url(self) -> str:
        """Where other programs find MediaNest; empty when nobody said."""
        return self._settings.public_url

    @property
    def fixed_key(self) -> str:
        """The key of the settings; it goes to the address of the settings and nowhere else."""
        return self._settings.overseerr_api_key if self.is_fixed else ""

    @property
    def sources(self) -> dict[str, str]:
        """Where what the settings name comes from, by `url` and `key`."""
        found, names = self._settings.sources, (("url", "overseerr_url"), ("key", "overseerr_api_key"))
        return {short: found[name] for short, name in names if name in found}

    @property
    def row_name(self) -> str:
        """Under which name what is known of the present server is kept."""
        return FROM_SETTINGS if self.is_fixed else NAME

    async def api_key(self) -> str | None:
        """None without one, or when it can not be read any more."""
        return self.fixed_key or await self._secrets.key(self.row_name)

    async def status(self) -> OverseerrStatus:
        connection = await self.connection()
        if connection is None:
            return OverseerrStatus(is_connected=False)
        return OverseerrStatus(
            is_connected=True,
            url=connection.url,
            kind=connection.kind,
            title=connection.title,
            version=connection.version,
            has_key=connection.has_key,
            is_from_settings=connection.is_from_settings,
            default_user_id=connection.default_user_id,
            connected_at=connection.connected_at,
        )

    async def _forget(self, _event: OverseerrConnectionChanged) -> None:
        self._kept_until = 0.0
        self._is_other = False
        self._people.forget()
        self._http.breaker.reset()

    async def _load(self) -> OverseerrConnection | None:
        stored = await self.stored()
        url = self._settings.overseerr_url or (stored.url if stored else "")
        if not url:
            return None
        options = stored.options if stored else OverseerrOptions()
        check = await self._read_check()
        self._is_other = bool(check and check.url == url and check.code == "overseerr_other_server")
        return OverseerrConnection(
            url=url,
            kind=options.kind,
            version=options.version,
            title=options.title or NAMES.get(options.kind, "Overseerr"),
            default_user_id=options.default_user_id or OWNER_ID,
            default_user_name=options.default_user_name or options.owner_name,
            owner_name=options.owner_name,
            has_key=bool(self.fixed_key or (stored and stored.secrets)),
            is_from_settings=self.is_fixed,
            is_key_from_settings=bool(self.fixed_key),
            connected_at=options.connected_at,
        )

    async def stored(self) -> StoredConfig[OverseerrOptions] | None:
        """The row of the present server; what was kept of another address is none."""
        stored = await self._repository.find(self.row_name)
        if stored is not None and self.is_fixed and stored.url != self._settings.overseerr_url:
            return None
        return stored

    # how it answers

    async def test(self) -> OverseerrCheck:
        """Ask the server now, keep the answer, and follow what it says of itself.

        Raises:
            Conflict: none is connected.
        """
        connection = await self.connection()
        if connection is None:
            raise Conflict(NOT_CONNECTED, code="overseerr_not_connected")
        stored, key, before = await self.stored(), await self.api_key(), await self.last_check()
        options = stored.options if stored else OverseerrOptions()
        client = Overseerr(self._bare_http, connection.url, key or "")
        found = await check_overseerr(
            client, has_key=bool(key), born=options.born, default_user_id=options.default_user_id
        )
        if found.code:
            found = replace(found, failures=(before.failures if before else 0) + 1)
        (self._http.breaker.failed if found.code == UNREACHABLE else self._http.breaker.succeeded)()
        if found.is_good:
            await self._follow(connection.url, stored, found)
        await self.keep(found)
        if (found.code == "overseerr_other_server") != self._is_other:
            self._kept_until = 0.0
        await self._events.publish(ServiceChecked(service=NAME))
        return found

    async def keep(self, found: OverseerrCheck) -> None:
        """Make `found` the newest answer."""
        await self._repository.put_setting(CHECK, msgspec.json.encode(found).decode(), at=found.at)

    async def _follow(self, url: str, stored: StoredConfig[OverseerrOptions] | None, found: OverseerrCheck) -> None:
        """Keep what the server says of itself: a new version, or Seerr in the place of Overseerr."""
        before = stored.options if stored else OverseerrOptions(connected_at=found.at)
        after = replace(
            before,
            kind=found.kind,
            version=found.version or before.version,
            title=found.title,
            born=found.born,
            owner_name=found.owner_name,
        )
        if stored is None or after != before:
            await self._repository.put(
                self.row_name,
                url=url,
                secrets=stored.secrets if stored else None,
                options=after,
                by=before.connected_by,
                at=found.at,
            )
            self._kept_until = 0.0

    async def last_check(self) -> OverseerrCheck | None:
        """The newest answer at the present address."""
        connection, found = await self.connection(), await self._read_check()
        return found if found and connection and found.url == connection.url else None

    async def _read_check(self) -> OverseerrCheck | None:
        kept = await self._repository.setting(CHECK)
        try:
            return msgspec.json.decode(kept, type=OverseerrCheck) if kept else None
        except msgspec.DecodeError:
            return None

    async def check(self) -> str:
        """The recurring test."""
        if await self.connection() is None:
            return NOT_CONNECTED
        found = await self.test()
        return found.text or f"{NAMES[found.kind]} answers in {found.took_ms} ms."

    async def problems(self) -> tuple[HealthProblem, ...]:
        """For the health list: it has not answered twice in a row, or something about the connection is wrong."""
        advice = "Open the page Overseerr and press Test to see what is wrong."
        if await self._repository.is_damaged(self.row_name):
            text = "What is stored of the connection to Overseerr can not be read."
            return (_problem("overseerr_connection_unreadable", text, "Connect it again."),)
        connection = await self.connection()
        if connection is None:
            return ()
        if connection.has_key and await self.api_key() is None:
            text = "The stored key of Overseerr can not be read: it is damaged, or was stored with another secret key."
            return (_problem("overseerr_key_unreadable", text, "Type the key anew on the page Overseerr."),)
        found = await self.last_check()
        if found is None or found.is_good or (found.code == UNREACHABLE and found.failures < FAILURES_TOLD):
            return ()
        return (_problem(found.code, found.text, advice),)


def _problem(code: str, text: str, advice: str) -> HealthProblem:
    severity = Severity.WARNING if code == "overseerr_default_user_gone" else Severity.ERROR
    return HealthProblem(code=code, severity=severity, text=text, advice=advice)
