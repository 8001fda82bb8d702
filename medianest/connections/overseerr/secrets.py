"""The key of the server and the secret of its webhook, sealed in the database."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime

import msgspec

from medianest.connections.overseerr.model import OverseerrOptions
from medianest.connections.repository import ConfigRepository
from medianest.errors import Unavailable
from medianest.logs import redactor
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

WEBHOOK = "overseerr_webhook"


class StoredKey(msgspec.Struct):
    """What is sealed in the column `secrets`."""

    key: str


class OverseerrSecrets:
    """Seals and opens what is secret about the connection; each row's secret opens in its own row only."""

    def __init__(self, repository: ConfigRepository[OverseerrOptions], vault: Vault) -> None:
        self._repository = repository
        self._vault = vault

    async def key(self, row: str) -> str | None:
        """The key kept in `row`; None without one, or when it can not be read any more."""
        stored = await self._repository.find(row)
        return (self._opened(stored.secrets, row) or None) if stored and stored.secrets else None

    async def webhook(self) -> str:
        """The webhook's secret, made with the first question; the same on all instances.

        Raises:
            Unavailable: it can neither be read nor made.
        """
        for _attempt in range(2):
            if found := await self.key(WEBHOOK):
                return found
            sealed = self.sealed(secrets.token_urlsafe(32), WEBHOOK)
            if not await self._repository.put_once(
                WEBHOOK, secrets=sealed, options=OverseerrOptions(), at=datetime.now(UTC)
            ):
                # another instance was faster, or what stands there can not be read any more
                if found := await self.key(WEBHOOK):
                    return found
                await self._repository.remove(WEBHOOK)
        if found := await self.key(WEBHOOK):
            return found
        raise Unavailable("The webhook's secret can not be kept.", code="secret_unreadable")

    async def renew_webhook(self) -> str:
        """Another secret; the old one opens nothing from now on."""
        await self._repository.remove(WEBHOOK)
        return await self.webhook()

    def sealed(self, text: str, row: str) -> str:
        """`text` as it may stand in `row`."""
        redactor.learn(text)
        return self._vault.seal(msgspec.json.encode(StoredKey(text)).decode(), _place(row))

    def _opened(self, sealed: str, row: str) -> str | None:
        try:
            key = msgspec.json.decode(self._vault.open(sealed, _place(row)), type=StoredKey).key
        except (SealBroken, msgspec.DecodeError) as error:
            log.error("A secret of Overseerr can not be read (%s); connect it again", type(error).__name__)
            return None
        redactor.learn(key)
        return key


def _place(row: str) -> str:
    return f"integration_configs.secrets:{row}"
