"""Changes the connection to Overseerr or Seerr. Nothing is saved before the server has answered."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec.structs import replace

from medianest.accounts.model import Caller
from medianest.connections.addresses import read_address
from medianest.connections.model import ServiceChecked
from medianest.connections.overseerr.checking import check_overseerr
from medianest.connections.overseerr.model import (
    OverseerrChange,
    OverseerrCheck,
    OverseerrConnectionChanged,
    OverseerrOptions,
)
from medianest.connections.overseerr.secrets import OverseerrSecrets
from medianest.connections.overseerr.service import NAME, NOT_CONNECTED, OverseerrService
from medianest.connections.repository import ConfigRepository
from medianest.errors import Conflict, Invalid
from medianest.events import EventBus
from medianest.integrations.http import HttpClient
from medianest.integrations.overseerr import Overseerr
from medianest.logs import redactor
from medianest.settings import Settings
from medianest.system.audit import record

PORT = 5055
# what is wrong with the key; everything else is wrong with the address
KEY_CODES = frozenset(("overseerr_no_key", "overseerr_key_refused"))


class OverseerrConnecting:
    """What the page and the API of the connection do."""

    def __init__(
        self,
        settings: Settings,
        service: OverseerrService,
        repository: ConfigRepository[OverseerrOptions],
        secrets: OverseerrSecrets,
        http: HttpClient,
        events: EventBus,
    ) -> None:
        self._settings = settings
        self._service = service
        self._repository = repository
        self._secrets = secrets
        self._http = http
        self._events = events

    async def connect(self, change: OverseerrChange, *, by: Caller, address: str) -> OverseerrCheck:
        """Take the server at an address; a key left out stays, and one of the settings counts always.

        Raises:
            Conflict: the settings name another address.
            Invalid: what is there does not fit, in a sentence for the field.
        """
        url = read_address(change.url, "url", server="Overseerr", default_port=PORT)
        if self._service.is_fixed and url != self._settings.overseerr_url:
            raise Conflict(
                "MEDIANEST_OVERSEERR_URL names the server. Change it there, or take it out and restart MediaNest.",
                code="overseerr_from_settings",
            )
        typed = (change.api_key or "").strip()
        present = await self._service.connection()
        if not typed and not self._service.fixed_key and (present is None or present.url != url):
            sentence = "The key of this server is needed: it stands in its settings, under General."
            raise Invalid(sentence, fields={"api_key": sentence})
        key = self._service.fixed_key or typed or await self._service.api_key() or ""
        if key:
            redactor.learn(key)
        url, found = await self._find(url, key)
        if found.code:
            field = "api_key" if found.code in KEY_CODES else "url"
            raise Invalid(found.text, code=found.code, fields={field: found.text})
        before = await self._service.stored()
        is_other = before is not None and before.options.born != found.born
        now = datetime.now(UTC)
        kept = before.options if before and not is_other else OverseerrOptions(connected_at=now)
        options = replace(
            kept,
            kind=found.kind,
            version=found.version,
            title=found.title,
            born=found.born,
            owner_name=found.owner_name,
            connected_by=by.user.id,
        )
        if change.default_user_id is not None:
            options = await self._with_user(options, change.default_user_id, url, key)
        row = self._service.row_name
        stored_key = "" if self._service.fixed_key else key
        await self._repository.put(
            row,
            url=url,
            secrets=self._secrets.sealed(stored_key, row) if stored_key else None,
            options=options,
            by=by.user.id,
            at=now,
        )
        await self._service.keep(found)
        await self._changed(
            "overseerr.connected", found.title, by=by, address=address,
            before={"url": before.url} if before else {}, after={"url": url, "kind": found.kind}, is_other=is_other,
        )  # fmt: skip
        return found

    async def _find(self, url: str, key: str) -> tuple[str, OverseerrCheck]:
        """The server at `url`, or at its root: people copy the address of a page."""
        found = await check_overseerr(Overseerr(self._http, url, key), has_key=bool(key))
        parts = urlsplit(url)
        if found.is_overseerr is False and parts.path and not self._service.is_fixed:
            root = f"{parts.scheme}://{parts.netloc}"
            there = await check_overseerr(Overseerr(self._http, root, key), has_key=bool(key))
            if there.is_overseerr:
                return root, there
        return url, found

    async def _with_user(self, options: OverseerrOptions, number: int, url: str, key: str) -> OverseerrOptions:
        people = await Overseerr(self._http, url, key).users()
        person = next((one for one in people if one.id == number), None)
        if person is None:
            sentence = "Choose one of the people in the list."
            raise Invalid(sentence, fields={"default_user_id": sentence})
        return replace(options, default_user_id=person.id, default_user_name=person.name)

    async def choose_user(self, number: int, *, by: Caller, address: str) -> None:
        """In whose name people without an account there ask from now on.

        Raises:
            Conflict: none is connected.
            Invalid: there is no such person.
            UpstreamFailed: the people could not be read.
        """
        connection, stored = await self._service.connection(), await self._service.stored()
        if connection is None:
            raise Conflict(NOT_CONNECTED, code="overseerr_not_connected")
        options = stored.options if stored else OverseerrOptions()
        options = await self._with_user(options, number, connection.url, await self._service.api_key() or "")
        await self._repository.put(
            self._service.row_name,
            url=connection.url,
            secrets=stored.secrets if stored else None,
            options=options,
            by=by.user.id,
            at=datetime.now(UTC),
        )
        await self._changed(
            "overseerr.changed", connection.title, by=by, address=address,
            before={"asks_for_others": connection.default_user_name},
            after={"asks_for_others": options.default_user_name},
        )  # fmt: skip

    async def accept(self, *, by: Caller, address: str) -> OverseerrCheck:
        """Another installation that answers is the right one: its numbers count from now on.

        Raises:
            Conflict: none is connected.
        """
        stored = await self._service.stored()
        if stored is None:
            raise Conflict(NOT_CONNECTED, code="overseerr_not_connected")
        options = replace(stored.options, born="", default_user_id=None, default_user_name="")
        await self._repository.put(
            stored.name, url=stored.url, secrets=stored.secrets, options=options, by=by.user.id, at=datetime.now(UTC)
        )
        found = await self._service.test()
        await self._changed(
            "overseerr.connected", found.title, by=by, address=address,
            before={"installed": stored.options.born}, after={"installed": found.born}, is_other=True,
        )  # fmt: skip
        return found

    async def renew_webhook_secret(self, *, by: Caller, address: str) -> None:
        """Another secret for the webhook: whoever knew the old one gets in no more."""
        await self._service.renew_webhook_secret()
        await record(
            "overseerr.webhook_secret_changed", "webhook", actor_id=by.user.id, actor_name=by.user.username,
            address=address,
        )  # fmt: skip

    async def disconnect(self, *, by: Caller, address: str) -> None:
        """Let the server go; what people asked for stays here.

        Raises:
            Conflict: the settings name the server.
        """
        if self._service.is_fixed:
            raise Conflict(
                "MEDIANEST_OVERSEERR_URL names the server. Take it out and restart MediaNest.",
                code="overseerr_from_settings",
            )
        stored = await self._repository.find(NAME)
        if stored is None:
            return
        await self._repository.remove(NAME)
        await self._changed(
            "overseerr.disconnected", stored.options.title or "Overseerr", by=by, address=address,
            before={"url": stored.url},
        )  # fmt: skip

    async def _changed(
        self, action: str, target: str, *, by: Caller, address: str, before: dict[str, str] | None = None,
        after: dict[str, str] | None = None, is_other: bool = False,
    ) -> None:  # fmt: skip
        await record(
            action,
            target,
            actor_id=by.user.id,
            actor_name=by.user.username,
            address=address,
            before=before,
            after=after,
        )
        await self._events.publish(OverseerrConnectionChanged(is_other_server=is_other))
        await self._events.publish(ServiceChecked(service=NAME))
