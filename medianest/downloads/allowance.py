"""Who may add downloads, and how many: permissions, downloads per hour, room in the library."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from medianest.accounts.model import NO_LIMIT, Permission, User
from medianest.downloads.model import Priority, QuotaUse
from medianest.downloads.repository.quotas import PERIOD, QuotaRepository
from medianest.errors import Conflict, NotAllowed, QuotaExceeded

GB = 1024**3
NO_DOWNLOADS = "Your account may not add downloads. Ask whoever runs this server."
NO_PRIORITY = "Your account may not put downloads first. Leave the priority as it is, or ask whoever runs this server."
NONE_AT_ALL = "Your account has no downloads of its own. Ask whoever runs this server for some."


def require_download(by: User) -> None:
    """Raises `NotAllowed` for people who may not add downloads."""
    if not by.may(Permission.DOWNLOAD):
        raise NotAllowed(NO_DOWNLOADS, code="permission_missing")


def require_priority(by: User, priority: Priority) -> None:
    """Raises `NotAllowed` for a high priority without the right to it."""
    if priority is Priority.HIGH and not by.may(Permission.PRIORITY):
        raise NotAllowed(NO_PRIORITY, code="permission_missing")


class Allowance:
    """Counts and refuses. Administrators are never counted."""

    def __init__(self, quotas: QuotaRepository) -> None:
        self._quotas = quotas

    async def admit(self, by: User, cost: int, at: datetime) -> None:
        """Inside the transaction that adds something: nobody can add beside it, so the count is exact.

        Raises:
            QuotaExceeded: the downloads of this hour are used up.
            Conflict: their files take all the room they may take.
        """
        if by.is_admin:
            return
        limit = by.quotas.downloads_per_hour
        await self._quotas.lock(by.id)
        if limit != NO_LIMIT:
            charges = await self._quotas.charges(by.id, at)
            used = sum(one for _when, one in charges)
            # a list that is more than an hour's share needs the whole share, else it could never be had
            if used + min(cost, max(limit, 1)) > limit:
                raise refusal(charges, limit, cost, at)
        room = by.quotas.storage_bytes
        if room != NO_LIMIT:
            stored = await self._quotas.stored_bytes(by.id)
            if stored >= room:
                raise Conflict(
                    f"Your videos take {stored / GB:.1f} GB, and {room / GB:.1f} GB are yours. "
                    "Remove something you have seen, then add the link again.",
                    code="storage_quota_exceeded",
                )

    async def admit_list(self, by: User, download_id: int, cost: int, at: datetime) -> None:
        """Inside the transaction that opens a list which was added as one link: now it is known what it counts.

        Raises:
            QuotaExceeded: it is more than is left of this hour.
        """
        limit = by.quotas.downloads_per_hour
        if by.is_admin or limit == NO_LIMIT:
            return
        await self._quotas.lock(by.id)
        charges = await self._quotas.charges(by.id, at, without=download_id)
        if sum(one for _when, one in charges) + min(cost, max(limit, 1)) > limit:
            raise refusal(charges, limit, cost, at)

    async def admit_again(self, by: User, download_id: int, at: datetime) -> None:
        """The same for a top-level download that is tried again: what failed or was cancelled had not counted."""
        if by.is_admin:
            return
        await self._quotas.lock(by.id)
        ended = await self._quotas.ended(download_id)
        if ended is not None:
            await self.admit(by, ended["quota_cost"], at)
            await self._quotas.charge_again(download_id, by.id, at)

    async def use(self, by: User) -> QuotaUse:
        """What they have used, for pages and scripts."""
        now = datetime.now(UTC)
        charges = await self._quotas.charges(by.id, now)
        used, stored = sum(cost for _when, cost in charges), await self._quotas.stored_bytes(by.id)
        limit = NO_LIMIT if by.is_admin else by.quotas.downloads_per_hour
        room = NO_LIMIT if by.is_admin else by.quotas.storage_bytes
        return QuotaUse(
            downloads_per_hour=limit,
            downloads_used=used,
            downloads_left=None if limit == NO_LIMIT else max(0, limit - used),
            opens_at=charges[0][0] + PERIOD if charges else None,
            storage_bytes=room,
            storage_used_bytes=stored,
            storage_left_bytes=None if room == NO_LIMIT else max(0, room - stored),
        )


def opens_at(charges: Sequence[tuple[datetime, int]], limit: int, cost: int, now: datetime) -> datetime:
    """When enough of what was counted is an hour old."""
    used = sum(one for _when, one in charges)
    for when, one in charges:
        used -= one
        if used + min(cost, limit) <= limit:
            return when + PERIOD
    return now + PERIOD


def refusal(charges: Sequence[tuple[datetime, int]], limit: int, cost: int, now: datetime) -> QuotaExceeded:
    """The error with the time at which it would be taken."""
    if limit < 1:
        return QuotaExceeded(NONE_AT_ALL, retry_after_s=int(PERIOD.total_seconds()))
    opens = opens_at(charges, limit, cost, now)
    wait_s = max(1, round((opens - now).total_seconds() + 0.5))
    takes = (
        f"This list takes {cost} of your {limit} downloads an hour, more than are left."
        if cost > 1
        else (
            f"You have used your {limit} downloads of this hour."
            if limit > 1
            else "You have used your download of this hour."
        )
    )
    when = f"It can be added in {max(1, -(-wait_s // 60))} min (at {opens:%H:%M} UTC)."
    return QuotaExceeded(f"{takes} {when}", retry_after_s=wait_s)
