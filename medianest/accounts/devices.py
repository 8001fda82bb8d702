"""Which devices a person signs in from, and what they are told about their own account."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.devices_repository import DeviceRepository
from medianest.accounts.model import AccountNotice, AccountNoticeMade, Device, NoticeCode, User
from medianest.errors import NotFound
from medianest.events import EventBus
from medianest.system.audit import record

# a year of absence, and a month more: a remembered session lasts a year without a sign-in
KEPT = timedelta(days=396)
TOKEN = re.compile(r"[\w-]{43}")


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in's device: what its browser is to keep (None for clients without cookies), and the notice it made."""

    token: str | None
    notice_id: int | None
    device: Device


class Devices:
    """Built once in `app.py`; known to handlers as `devices`."""

    def __init__(self, repository: DeviceRepository, events: EventBus) -> None:
        self._repository = repository
        self._events = events

    async def arrive(self, user_id: int, device: Device, *, at: datetime) -> Arrival:
        """Remember the device of a sign-in, inside its transaction; `announce` tells about it afterwards.

        The very first sign-in of a person makes no notice.
        """
        if device.keeps_cookies:
            token = device.token if TOKEN.fullmatch(device.token) else secrets.token_urlsafe(32)
            known_by = token
        else:
            # a program without cookies is known by the words it introduces itself with
            token, known_by = None, f"program {device.user_agent}"
        device_hash = hashlib.sha256(known_by.encode("utf-8", "surrogatepass")).hexdigest()
        is_new = await self._repository.add(user_id, device_hash, device.name, device.address, at=at)
        notice_id = None
        if is_new and await self._repository.has_other(user_id, device_hash):
            code = NoticeCode.NEW_SIGN_IN
            notice_id = await self._repository.add_notice(user_id, code, device.name, device.address, at=at)
        return Arrival(token=token, notice_id=notice_id, device=device)

    async def announce(self, user: User, arrival: Arrival) -> None:
        """Tell the person's open pages about a device that was not known."""
        if arrival.notice_id is None:
            return
        await record(
            "account.new_device",
            user.username,
            actor_id=user.id,
            actor_name=user.username,
            address=arrival.device.address,
            detail=arrival.device.name,
        )
        code = NoticeCode.NEW_SIGN_IN
        await self._events.publish(AccountNoticeMade(user_id=user.id, notice_id=arrival.notice_id, code=code))

    async def tell(self, user_id: int, code: NoticeCode, detail: str = "", address: str = "") -> None:
        """Tell a person about a change of their account: a banner on every page of theirs until they answer.

        Call it after the transaction of the change.
        """
        now = datetime.now(UTC)
        notice_id = await self._repository.add_notice(user_id, code, detail[:200], address, at=now)
        await self._events.publish(AccountNoticeMade(user_id=user_id, notice_id=notice_id, code=code))

    async def open_notices(self, user_id: int) -> tuple[AccountNotice, ...]:
        """What the person has not answered yet, the newest first."""
        return await self._repository.open_notices(user_id)

    async def answer(self, notice_id: int, *, by: User, was_me: bool, address: str) -> None:
        """Close a notice; "not me" is kept in the audit log.

        Raises:
            NotFound: the person has no such open notice.
        """
        notice = await self._repository.answer(by.id, notice_id, at=datetime.now(UTC))
        if notice is None:
            raise NotFound("This was answered already.")
        if not was_me:
            await record(
                "account.sign_in_denied",
                by.username,
                actor_id=by.id,
                actor_name=by.username,
                address=address,
                detail=f"{notice.code}: {notice.detail}, {notice.address}",
            )

    async def clean(self) -> str:
        """Forget devices that were not used for more than a year."""
        gone = await self._repository.clean(before=datetime.now(UTC) - KEPT)
        return f"Forgot {gone} devices."
