"""A child's downloads: they wait until somebody who looks after requests says yes or no."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.accounts.model import Permission, User
from medianest.downloads import reasons
from medianest.downloads.announcer import Announcer
from medianest.downloads.model import Approval, Download
from medianest.downloads.repository.lists import DownloadLists
from medianest.downloads.repository.states import DownloadStates, Outcome
from medianest.downloads.showing import Showing
from medianest.errors import Conflict, Invalid, NotAllowed
from medianest.system.audit import record

LONGEST_REASON = 300


def may_approve(by: User) -> bool:
    """Whether they say yes and no to what children ask for."""
    return by.may(Permission.MANAGE_REQUESTS)


class Approvals:
    """Built with the queue."""

    def __init__(self, lists: DownloadLists, states: DownloadStates, showing: Showing, announcer: Announcer) -> None:
        self._lists = lists
        self._states = states
        self._showing = showing
        self._announcer = announcer

    async def list(self, by: User, *, limit: int, offset: int) -> tuple[tuple[Approval, ...], int]:
        """What waits for a yes, oldest first, and how many there are; nothing for people who may not give it."""
        if not may_approve(by):
            return (), 0
        rows = await self._lists.approvals(limit, offset)
        shown = await self._showing.of(rows, has_places=False)
        found = tuple(Approval(download=one, asked_by=row["asked_by"]) for one, row in zip(shown, rows, strict=True))
        return found, await self._lists.count_approvals()

    async def approve(self, download_id: int, by: User, *, address: str = "") -> Download:
        """Let it begin.

        Raises:
            NotAllowed, NotFound: not theirs to say; there is no such download.
            Conflict: it does not wait for this (any more).
        """
        before = await self._waiting(download_id, by)
        outcome = await self._states.approve(download_id, _now())
        return await self._after(before, outcome, by, "download.approved", "", address)

    async def decline(self, download_id: int, reason: str, by: User, *, address: str = "") -> Download:
        """End it before it began; the child reads the reason. Raises as `approve`, and `Invalid` for a long one."""
        reason = " ".join(reason.split())
        if len(reason) > LONGEST_REASON:
            text = f"At most {LONGEST_REASON} characters."
            raise Invalid(text, fields={"reason": text})
        before = await self._waiting(download_id, by)
        sentence = reasons.DECLINED_BECAUSE if reason else reasons.DECLINED
        told = sentence.replace("{name}", by.display_name).replace("{reason}", reason)
        outcome = await self._states.decline(download_id, told, _now())
        return await self._after(before, outcome, by, "download.declined", reason, address)

    async def _waiting(self, download_id: int, by: User) -> Download:
        person = None if by.is_admin else by.id
        row = await self._lists.row(download_id, person, approves=may_approve(by))
        if not may_approve(by):
            raise NotAllowed("Only whoever looks after requests can do this.", code="permission_missing")
        return (await self._showing.of([row], has_places=False))[0]

    async def _after(
        self, before: Download, outcome: Outcome, by: User, action: str, detail: str, address: str
    ) -> Download:
        if not outcome.changed:
            raise Conflict("It does not wait for approval. Somebody may have been faster.")
        await record(
            action, before.title, actor_id=by.id, actor_name=by.username, address=address, detail=detail,
            before={"state": before.state}, after={"state": outcome.changed[0].state},
        )  # fmt: skip
        await self._announcer.outcome(before.id, outcome)
        await self._announcer.created(before.id, for_approvers=True)  # their lists are another
        row = await self._lists.row(before.id, None)
        return (await self._showing.of([row], has_places=True))[0]


def _now() -> datetime:
    return datetime.now(UTC)
