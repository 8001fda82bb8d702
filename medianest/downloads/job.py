"""One claimed download from beginning to end: open the link, fetch, file, and write down how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

import msgspec

from medianest.downloads import reasons
from medianest.downloads.alone import alone_in
from medianest.downloads.child import Child, WorkerDied
from medianest.downloads.endings import Endings, JobTools, now
from medianest.downloads.links import GENERIC_SITES, identity_of, key_of
from medianest.downloads.model import DownloadKind, Layout, Live, QueueSettings, ReasonCode, cost_of
from medianest.downloads.reports import Failed
from medianest.downloads.repository.claims import Claim, add_log
from medianest.downloads.repository.expansion import Item, ListFaces
from medianest.downloads.repository.history import ClaimLost
from medianest.downloads.shelving import Shelving
from medianest.downloads.sites import site_of
from medianest.downloads.taking import live_of
from medianest.downloads.talk import AlreadyThere, Conversation, Fetched, FoundList, NoRoom, Result, Twin
from medianest.downloads.wishes import from_text, to_text
from medianest.engine.model import LinkTried
from medianest.errors import MediaNestError, QuotaExceeded

log = logging.getLogger(__name__)

STALE = ("bot_check", "needs_sign_in")  # failures that speak against the cookies that were shown


class DownloadJob:
    """Carries out one claim. Cancelling its task ends the worker; a claim that was lost meanwhile changes nothing."""

    def __init__(self, claim: Claim, tools: JobTools, settings: QueueSettings) -> None:
        self.claim = claim
        self._tools = tools
        self._settings = settings
        self._endings = Endings(claim, tools)
        self._shelving = Shelving(claim, tools, self._endings, settings)
        self._site = claim.host or site_of(claim.url)
        self._share_bytes_s: int | None = None
        self._child: Child | None = None
        self._cookies: str | None = None

    @property
    def is_ending(self) -> bool:
        """Whether it is writing down its end, or has done so: then nobody needs to stop it any more."""
        return self._endings.is_ending

    async def limit(self, bytes_s: int | None) -> None:
        """Its share of the speed that all may have together, from now on; None is no limit."""
        self._share_bytes_s = bytes_s
        if self._child is not None:
            await self._tell_share(self._child)

    async def _tell_share(self, child: Child) -> None:
        if child.share_bytes_s == self._share_bytes_s:
            return
        child.share_bytes_s = self._share_bytes_s
        with contextlib.suppress(WorkerDied):  # whoever listens to it learns of that
            await child.send({"op": "pace", "bytes_s": self._share_bytes_s})

    async def end_recording(self) -> None:
        """Have the broadcast that is being written down end here, with a file that can be played."""
        if self._child is not None:
            with contextlib.suppress(WorkerDied):
                await self._child.send({"op": "finish"})

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
        pause = await self._tools.pauses.against(self._site, self.claim.id)
        if pause is not None:
            await self._endings.site_is_paused(pause)
            return
        async with alone_in(await asyncio.to_thread(self._tools.library.prepare, self.claim.id)):
            await self._work_alone()

    async def _work_alone(self) -> None:
        if await self._shelving.finish_what_was_filed():
            return
        self._cookies = await self._tools.cookies.of(self._site)
        match await self._converse():
            case Failed() as failed:
                if self._cookies is not None and failed.failure in STALE:
                    await self._tools.cookies.refused(self._site)
                await self._endings.failed(failed, site=self._site, has_cookies=self._cookies is not None)
            case AlreadyThere(history_id):
                await self._endings.already_there(history_id)
                await self._discard_staging()
            case Twin():
                await self._endings.has_twin()
            case NoRoom(reason):
                free = await asyncio.to_thread(self._tools.library.free_bytes)
                floor = self._settings.free_space_floor_bytes
                is_below = free < floor or await asyncio.to_thread(self._tools.library.is_own_disk_full, floor)
                await self._endings.has_no_room(reason, for_anything=is_below)
            case FoundList() as found:
                await self._got_through()
                await self._expand(found)
            case Fetched() as fetched:
                await self._got_through()
                await self._shelving.file(fetched)

    async def _got_through(self) -> None:
        await self._tools.pauses.got_through(self._site, self.claim.id)

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
            return await self._with_live_choice(result) if isinstance(result, Failed) else result

    async def _with_live_choice(self, failed: Failed) -> Failed:
        """A broadcast that was to be waited for is no failure; what was asked for before it began is waited for too."""
        wishes = from_text(self.claim.wishes)
        choice = live_of(wishes, self._settings)
        if failed.failure == "live" and choice is Live.REPLAY:
            return msgspec.structs.replace(failed, failure="replay")
        if failed.failure in ("upcoming", "post_live") and choice is Live.REFUSE:
            wishes = msgspec.structs.replace(wishes, live=Live.REPLAY)
            await self._tools.claims.wish(self.claim, to_text(wishes))
        return failed

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
                cookies=self._cookies,
                got_through=self._got_through,
            )
            self._child = child
            await self._tell_share(child)
            result = await conversation.run()
            if isinstance(result, Failed):
                result = msgspec.structs.replace(result, version=child.version)
            is_well = True
            failure = result.failure if isinstance(result, Failed) else ""
            tried = LinkTried(url=self.claim.url, site=self._site, version=child.version, failure=failure)
            await tools.events.publish(tried)
            return result
        finally:
            self._child = None
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
        kind = DownloadKind.CHANNEL if info.kind == "channel" else DownloadKind.PLAYLIST
        claim = msgspec.structs.replace(claim, wishes=self._wishes_of_list(kind))
        self._endings.is_ending = True
        try:
            ended = await self._tools.expansion.expand(
                claim,
                items,
                kind=kind,
                title=info.title.strip() or claim.title,
                uploader=info.channel or info.uploader or "",
                capped=reasons.LIST_CAPPED.format(count=len(items)) if found.is_capped and items else None,
                empty=reasons.EMPTY_LIST,
                at=now(),
                faces=await asyncio.to_thread(self._faces_of, found),
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

    def _wishes_of_list(self, kind: DownloadKind) -> str:
        """The wishes of a list and its videos: where they are filed is decided now, so that numbers stay what they are."""
        wishes = from_text(self.claim.wishes)
        layout = Layout.FILM if self.claim.as_film else wishes.layout or self._settings.list_layout
        if layout is Layout.SEASON and kind is not DownloadKind.PLAYLIST:
            layout = Layout.SHOW
        return to_text(msgspec.structs.replace(wishes, layout=layout))

    def _faces_of(self, found: FoundList) -> ListFaces:
        """The list's name within its site, and its pictures, kept. It blocks."""
        info, library, keep = found.info, self._tools.library, self._tools.pictures.keep

        def kept(path: str | None) -> str | None:
            return keep(Path(path)) if path and library.is_staged(self.claim.id, path) else None

        name = info.playlist_id or ""
        is_real = name and info.site.lower() not in GENERIC_SITES
        return ListFaces(
            key=f"{info.site.lower()}:{name}" if is_real else f"url:{self.claim.url_key[:32]}",
            picture=kept(found.pictures.row_picture),
            poster=kept(found.pictures.poster),
            fanart=kept(found.pictures.fanart),
        )

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
