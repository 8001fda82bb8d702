"""One claimed download from beginning to end: open the link, fetch, file, and write down how it ended."""

from __future__ import annotations

import asyncio
import logging

from medianest.downloads import reasons
from medianest.downloads.child import WorkerDied
from medianest.downloads.endings import Endings, JobTools, now
from medianest.downloads.links import host_of, identity_of, key_of
from medianest.downloads.model import DownloadKind, QueueSettings, ReasonCode, cost_of
from medianest.downloads.reports import Failed
from medianest.downloads.repository.claims import Claim, add_log
from medianest.downloads.repository.expansion import Item
from medianest.downloads.repository.history import ClaimLost
from medianest.downloads.shelving import Shelving
from medianest.downloads.talk import AlreadyThere, Conversation, Fetched, FoundList, NoRoom, Result, Twin
from medianest.errors import MediaNestError, QuotaExceeded

log = logging.getLogger(__name__)


class DownloadJob:
    """Carries out one claim. Cancelling its task ends the worker; a claim that was lost meanwhile changes nothing."""

    def __init__(self, claim: Claim, tools: JobTools, settings: QueueSettings) -> None:
        self.claim = claim
        self._tools = tools
        self._settings = settings
        self._endings = Endings(claim, tools)
        self._shelving = Shelving(claim, tools, self._endings)
        self._host = host_of(claim.url)

    @property
    def is_ending(self) -> bool:
        """Whether it is writing down its end, or has done so: then nobody needs to stop it any more."""
        return self._endings.is_ending

    async def run(self) -> None:
        """Work until the claim has ended in some way."""
        try:
            try:
                await self._work()
            except OSError as error:
                await self._endings.failed_by_system(error)
            except MediaNestError as error:
                await self._endings.failed_inside(ReasonCode.ENGINE_ERROR, error.message, error.message)
            except ClaimLost:
                raise
            except Exception as error:
                log.exception("Download %d failed inside MediaNest", self.claim.id)
                line = f"{type(error).__name__}: {error}"
                await self._endings.failed_inside(ReasonCode.ENGINE_ERROR, reasons.UNEXPECTED, line)
        except ClaimLost:
            log.info("Download %d was stopped", self.claim.id)

    async def _work(self) -> None:
        left_s = self._tools.pauses.left_s(self._host, now())
        if left_s:
            await self._endings.site_is_paused(left_s)
            return
        await asyncio.to_thread(self._tools.library.prepare, self.claim.id)
        if await self._shelving.finish_what_was_filed():
            return
        match await self._converse():
            case Failed() as failed:
                await self._endings.failed(failed)
            case AlreadyThere(history_id):
                await self._endings.already_there(history_id)
                await self._discard_staging()
            case Twin():
                await self._endings.has_twin()
            case NoRoom(reason):
                await self._endings.has_no_room(reason)
            case FoundList() as found:
                await self._expand(found)
            case Fetched() as fetched:
                self._tools.pauses.worked(self._host, now())
                await self._shelving.file(fetched)

    async def _converse(self) -> Result:
        """Talk to workers until there is an answer: crashes and late refusals are tried again at once, a few times."""
        crashes = refusals = 0
        while True:
            try:
                result = await self._converse_once()
            except WorkerDied as error:
                crashes += 1
                log.warning("Download %d: %s", self.claim.id, error)
                if crashes >= self._tools.rules.crash_tries:
                    return Failed(failure="worker_crashed", detail=str(error))
                await add_log(self.claim.id, f"{error} It is started again.", now())
                continue
            if isinstance(result, Failed) and result.failure == "forbidden":
                refusals += 1
                if refusals < self._tools.rules.forbidden_tries:
                    continue  # the addresses of the media may have grown old: they are read again
            return result

    async def _converse_once(self) -> Result:
        tools = self._tools
        child = await tools.pool.acquire()
        is_well = False
        try:
            conversation = Conversation(
                self.claim,
                child,
                claims=tools.claims,
                history=tools.history,
                library=tools.library,
                announcer=tools.announcer,
                settings=self._settings,
            )
            result = await conversation.run()
            is_well = True
            return result
        finally:
            if is_well:
                tools.pool.release(child)
            else:
                await tools.pool.discard(child)

    async def _expand(self, found: FoundList) -> None:
        claim, info = self.claim, found.info
        if claim.parent_id is not None:
            await self._endings.failed_inside(ReasonCode.UNSUPPORTED, reasons.NESTED_LIST, "A list in a list.")
            return
        items = self._items_of(found)
        self._endings.is_ending = True
        try:
            ended = await self._tools.expansion.expand(
                claim,
                items,
                kind=DownloadKind.CHANNEL if info.kind == "channel" else DownloadKind.PLAYLIST,
                title=info.title.strip() or claim.title,
                uploader=info.channel or info.uploader or "",
                capped=reasons.LIST_CAPPED.format(count=len(items)) if found.is_capped and items else None,
                empty=reasons.EMPTY_LIST,
                at=now(),
                admit=self._admit_list,
            )
        except QuotaExceeded as error:
            await self._endings.is_over_quota(cost_of(len(items)), error.retry_after_s)
            return
        if ended is None:
            raise ClaimLost
        await self._tools.announcer.ended(ended)
        if ended.parent is not None and not ended.parent.is_other_state:
            await self._tools.announcer.refreshed(ended.changed)  # its title and items are news even so
        await self._discard_staging()

    async def _admit_list(self, user_id: int, cost: int) -> None:
        await self._tools.allowance.admit_list(await self._tools.person(user_id), self.claim.id, cost, now())

    def _items_of(self, found: FoundList) -> tuple[Item, ...]:
        """The list's entries, each video once: some feeds give one id to all, so a bare file counts by its link."""
        audio_only = self.claim.audio_only
        items: dict[str, Item] = {}
        for entry in found.entries:
            identity = identity_of(entry.site or "", entry.video_id or "", entry.url, audio_only=audio_only)
            item = Item(
                url=entry.url,
                url_key=key_of(entry.url, audio_only=audio_only),
                identity=identity,
                title=entry.title or entry.url,
                uploader=entry.uploader or "",
                duration_s=entry.whole_duration_s,
            )
            items.setdefault(identity, item)
        return tuple(items.values())

    async def _discard_staging(self) -> None:
        await asyncio.to_thread(self._tools.library.discard, self.claim.id)
