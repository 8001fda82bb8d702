"""PINs of plex.tv: begun, asked about, and kept in the database, so that a restart or another instance goes on with them.

A PIN belongs to the browser that began it: that browser has a secret in a cookie, of which only the hash is stored. The
one-time word in the return address is made from the secret, so that one person can not finish another's PIN.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from medianest.connections.clients import PlexClients
from medianest.connections.model import HeldPin, PinPurpose, PinReason, PinState
from medianest.connections.repository import PinRepository
from medianest.connections.tables import PlexPinRow
from medianest.errors import UpstreamFailed
from medianest.integrations.plex_tv import AddressBlocked, PinGone, PlexBusy
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

__all__ = ["HeldPin", "PinPurpose", "PinReason", "PinState", "Pins"]

READ_EVERY = timedelta(seconds=1)
WORK_TIME = timedelta(seconds=30)  # who has the token is given this long; then somebody else may try
LONGEST_WAIT_S = 60
LAST_READS = timedelta(minutes=1)  # after its end, for a plex.tv that was away just then
KEPT = timedelta(days=1)


class Pins:
    """The only code that touches stored PINs."""

    def __init__(self, repository: PinRepository, clients: PlexClients, vault: Vault) -> None:
        self._repository = repository
        self._clients = clients
        self._vault = vault

    async def begin(
        self,
        purpose: PinPurpose,
        *,
        is_strong: bool,
        forward_base: str,
        next_path: str = "",
        is_remembered: bool = False,
        user_id: int | None = None,
    ) -> tuple[HeldPin, str]:
        """Ask plex.tv for a PIN; gives it with the secret for the browser's cookie.

        Args:
            is_strong: for Plex's sign-in page, which sends the browser back to `forward_base`; else four characters.
        """
        client = await self._clients.for_purpose(purpose)
        made = await client.create_pin(is_strong=is_strong)
        secret, pin_id, now = secrets.token_urlsafe(32), uuid4(), datetime.now(UTC)
        row = PlexPinRow(
            id=pin_id,
            purpose=purpose.value,
            user_id=user_id,
            pin_id=made.id,
            code=made.code,
            is_strong=is_strong,
            state_hash=_hash(_state_word(secret, pin_id)),
            browser_hash=_hash(secret),
            return_to=forward_base,
            next_path=next_path,
            is_remembered=is_remembered,
            state=PinState.PENDING.value,
            reason="",
            token=None,
            result_user_id=None,
            created_at=now,
            expires_at=made.expires_at,
            read_after=now,
            failures=0,
            finished_at=None,
        )
        await self._repository.add(row)
        return await self._held(row.to_dict(), secret), secret

    async def of_browser(self, secret: str | None, purpose: PinPurpose, *, state: str | None = None) -> HeldPin | None:
        """The PIN that the browser with this secret began.

        Args:
            state: the one-time word of the return address; given, it must be this PIN's.
        """
        if not secret:
            return None
        row = await self._repository.of_browser(_hash(secret))
        if row is None or row["purpose"] != purpose.value:
            return None
        if state is not None and not hmac.compare_digest(_hash(state), str(row["state_hash"])):
            return None
        return await self._held(row, secret)

    async def get(self, pin_id: UUID, secret: str) -> HeldPin | None:
        """A PIN by its id, for whoever has its secret."""
        row = await self._repository.get(pin_id)
        if row is None or not secret or not hmac.compare_digest(_hash(secret), str(row["browser_hash"])):
            return None
        return await self._held(row, secret)

    async def look(self, pin: HeldPin) -> HeldPin:
        """Ask plex.tv when it is due and keep the token at once; gives how things stand.

        The pin given back has a `token` only for the caller whose turn it is to work with it. Trouble on the way to
        plex.tv leaves the PIN pending, with a reason.
        """
        row = await self._repository.get(pin.id)
        if row is None:
            return _with(pin, state=PinState.EXPIRED)
        now = datetime.now(UTC)
        if row["state"] == PinState.PENDING and await self._repository.claim(
            pin.id, PinState.PENDING, at=now, until=now + READ_EVERY
        ):
            token = await self._read(row, now)
            row = await self._repository.get(pin.id) or row
            if token is not None and row["state"] == PinState.HELD:
                return _with(pin, row=row, token=token)
        elif row["state"] == PinState.HELD and await self._repository.claim(
            pin.id, PinState.HELD, at=now, until=now + WORK_TIME
        ):
            return await self._opened(pin, row)
        return _with(pin, row=row)

    async def _read(self, row: dict[str, Any], now: datetime) -> str | None:
        """One question to plex.tv; what comes of it is stored before this returns."""
        pin_id, is_over = row["id"], now >= row["expires_at"]
        client = await self._clients.for_purpose(PinPurpose(row["purpose"]))
        try:
            token = await client.read_pin(row["pin_id"])
        except PinGone:
            await self._end(pin_id, PinState.EXPIRED)
            return None
        except UpstreamFailed as error:
            if now >= row["expires_at"] + LAST_READS:
                await self._end(pin_id, PinState.EXPIRED)
            else:
                await self._wait(row, error)
            return None
        if token is None:
            if is_over:
                await self._end(pin_id, PinState.EXPIRED)
            elif row["failures"]:
                until = datetime.now(UTC) + READ_EVERY
                await self._repository.wait(pin_id, reason="", failures=0, until=until)
            return None
        sealed = self._vault.seal(token, _place(pin_id))
        return token if await self._repository.hold(pin_id, sealed, until=datetime.now(UTC) + WORK_TIME) else None

    async def _wait(self, row: dict[str, Any], error: UpstreamFailed) -> None:
        failures = int(row["failures"]) + 1
        wait_s, reason = min(2 ** min(failures, 6), 8), PinReason.PLEX_UNREACHABLE
        if isinstance(error, PlexBusy):
            wait_s, reason = min(error.wait_s * 2 ** min(failures, 6), LONGEST_WAIT_S), PinReason.PLEX_BUSY
        elif isinstance(error, AddressBlocked):
            wait_s, reason = LONGEST_WAIT_S, PinReason.PLEX_BLOCKED
        until = datetime.now(UTC) + timedelta(seconds=wait_s)
        await self._repository.wait(row["id"], reason=reason.value, failures=failures, until=until)
        log.info("plex.tv gave no answer to a PIN (%s); asked again in %d s", error.code, wait_s)

    async def _opened(self, pin: HeldPin, row: dict[str, Any]) -> HeldPin:
        try:
            return _with(pin, row=row, token=self._vault.open(str(row["token"]), _place(pin.id)))
        except SealBroken:
            return await self.finish(pin, PinState.REFUSED, PinReason.UNREADABLE)

    async def token_of(self, pin: HeldPin) -> str | None:
        """The token of a held PIN, for work that takes several pages; None when it is not held."""
        row = await self._repository.get(pin.id)
        if row is None or row["state"] != PinState.HELD or not row["token"]:
            return None
        return (await self._opened(pin, row)).token

    async def finish(
        self, pin: HeldPin, state: PinState, reason: str = "", result_user_id: int | None = None
    ) -> HeldPin:
        """The work is done, one way or the other: forget the token. What is finished already stays as it is."""
        await self._end(pin.id, state, reason, result_user_id)
        return _with(pin, row=await self._repository.get(pin.id))

    async def postpone(self, pin: HeldPin) -> None:
        """The work failed for a passing reason: the token stays, and is tried again a little later."""
        row = await self._repository.get(pin.id)
        if row is None:
            return
        failures = int(row["failures"]) + 1
        until = datetime.now(UTC) + timedelta(seconds=min(2 ** min(failures, 6), 15))
        await self._repository.wait(pin.id, reason=PinReason.PLEX_UNREACHABLE.value, failures=failures, until=until)

    async def clean(self) -> str:
        """Give up PINs that ran out an hour ago, and delete them after a day."""
        now = datetime.now(UTC)
        expired = await self._repository.expire(before=now - timedelta(hours=1), at=now)
        removed = await self._repository.remove(before=now - KEPT)
        return f"Gave up {expired} and removed {removed} Plex sign-ins that nobody finished."

    async def _end(self, pin_id: UUID, state: PinState, reason: str = "", result_user_id: int | None = None) -> None:
        await self._repository.finish(pin_id, state, reason=reason, result_user_id=result_user_id, at=datetime.now(UTC))

    async def _held(self, row: dict[str, Any], secret: str) -> HeldPin:
        purpose = PinPurpose(row["purpose"])
        auth_url = self._clients.link_url
        if row["is_strong"]:
            forward_url = f"{row['return_to']}?{urlencode({'state': _state_word(secret, row['id'])})}"
            auth_url = (await self._clients.for_purpose(purpose)).auth_url(str(row["code"]), forward_url)
        return HeldPin(
            id=row["id"],
            purpose=purpose,
            user_id=row["user_id"],
            code=row["code"],
            is_strong=row["is_strong"],
            state=PinState(row["state"]),
            reason=row["reason"],
            next_path=row["next_path"],
            is_remembered=row["is_remembered"],
            expires_at=row["expires_at"],
            auth_url=auth_url,
            result_user_id=row["result_user_id"],
        )


def _with(
    pin: HeldPin, *, row: dict[str, Any] | None = None, state: PinState | None = None, token: str | None = None
) -> HeldPin:
    """`pin` as its row says now."""
    from msgspec.structs import replace

    if row is None:
        return replace(pin, state=state or PinState.EXPIRED, token=None)
    return replace(
        pin,
        state=PinState(row["state"]),
        reason=row["reason"],
        result_user_id=row["result_user_id"],
        token=token,
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _state_word(secret: str, pin_id: UUID) -> str:
    return hmac.digest(secret.encode(), b"return " + pin_id.bytes, "sha256").hex()[:40]


def _place(pin_id: UUID) -> str:
    return f"plex_pins.token:{pin_id}"
