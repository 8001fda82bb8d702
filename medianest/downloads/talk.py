"""The conversation with a worker about one link: what it reports becomes rows, events and one result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.downloads import reasons
from medianest.downloads.announcer import Announcer
from medianest.downloads.child import Child, WorkerDied
from medianest.downloads.filing import Library
from medianest.downloads.links import identity_of
from medianest.downloads.model import DownloadState, Live, Progress, QueueSettings, ReasonCode
from medianest.downloads.plans import title_of
from medianest.downloads.reports import Done, Failed, ListEntry, ListPictures, VideoInfo, read_info
from medianest.downloads.repository.claims import Claim, ClaimRepository, Learned
from medianest.downloads.repository.history import HistoryRepository
from medianest.downloads.repository.rows import Changed, to_files
from medianest.downloads.sites import BIG_SITES
from medianest.downloads.taking import job_options, live_of
from medianest.downloads.wishes import from_text

LOOK_S = 300.0  # the worker itself gives a site 240 s
SILENT_S = 900.0  # while bytes flow
PROCESSING_S = 6 * 3600.0  # ffmpeg over a long film on a small machine
TOLD_EVERY_S = 0.5
PEOPLE_EVERY_S = 5.0


class AlreadyThere(msgspec.Struct, frozen=True):
    """The library has it."""

    history_id: int


class Twin(msgspec.Struct, frozen=True):
    """Another running download has the same video."""


class NoRoom(msgspec.Struct, frozen=True):
    """The disk would be too full."""

    reason: str


class FoundList(msgspec.Struct, frozen=True):
    info: VideoInfo
    entries: list[ListEntry]
    is_capped: bool
    pictures: ListPictures = ListPictures()


class Fetched(msgspec.Struct, frozen=True):
    """The video lies in the staging folder."""

    info: VideoInfo
    done: Done
    learned: Learned


Result = AlreadyThere | Twin | NoRoom | FoundList | Fetched | Failed


class Conversation:
    """Opens one claim's link with a worker and, when it is a video to download, has it downloaded."""

    def __init__(
        self, claim: Claim, child: Child, *, claims: ClaimRepository, history: HistoryRepository, library: Library,
        announcer: Announcer, settings: QueueSettings, cookies: str | None, got_through: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._claim = claim
        self._child = child
        self._claims = claims
        self._history = history
        self._library = library
        self._announcer = announcer
        self._settings = settings
        self._cookies = cookies
        self._got_through = got_through
        self._told_at = 0.0
        self._people: tuple[int, ...] = ()
        self._people_at = -PEOPLE_EVERY_S
        self._is_processing = False

    async def run(self) -> Result:
        """Give the link to the worker and follow it to its end.

        Raises:
            WorkerDied: the worker ended in the middle.
        """
        await self._child.send(await self._order())
        event = await self._child.receive(LOOK_S)
        match event.get("event"):
            case "video":
                return await self._video(read_info(event))
            case "list":
                pictures = msgspec.convert(event.get("pictures") or {}, ListPictures, strict=False)
                return await self._list(read_info(event), bool(event.get("is_capped")), pictures)
            case "failed":
                return msgspec.convert(event, Failed, strict=False)
            case other:
                raise WorkerDied(f"The download process answered {other!r} to a link.")

    async def _order(self) -> dict[str, Any]:
        claim, settings = self._claim, self._settings
        room = await asyncio.to_thread(self._library.free_bytes) - settings.free_space_floor_bytes
        options = job_options(claim, await self._claims.list_of(claim), settings, free_bytes=max(0, room))
        return {
            "op": "extract",
            "url": claim.url,
            "staging": str(self._library.job_folder(claim.id)),
            "max_items": settings.max_list_items,
            "cookies": self._cookies,
            "is_polite": claim.host in BIG_SITES,
            "options": options,
        }

    async def _video(self, info: VideoInfo) -> Result:
        learned = self._learn(info)
        obstacle = await self._obstacle(info, learned)
        if obstacle is not None:
            await self._child.send({"op": "skip"})
            if (await self._child.receive(LOOK_S)).get("event") != "idle":
                raise WorkerDied("The download process did not drop a video it was to drop.")
            return obstacle
        claim = self._claim
        await self._announcer.refreshed(
            Changed(id=claim.id, parent_id=claim.parent_id, state=DownloadState.DOWNLOADING)
        )
        await self._child.send({"op": "download"})
        while True:
            event = await self._child.receive(PROCESSING_S if self._is_processing else SILENT_S)
            match event.get("event"):
                case "progress":
                    await self._progressed(event)
                case "processing":
                    await self._processing()
                case "recording":
                    await self._recording()
                case "done":
                    return Fetched(info, msgspec.convert(event, Done, strict=False), learned)
                case "failed":
                    return msgspec.convert(event, Failed, strict=False)

    def _learn(self, info: VideoInfo) -> Learned:
        claim = self._claim
        entry_title = claim.title if claim.parent_id is not None and claim.title != claim.url else ""
        size = info.filesize_approx
        return Learned(
            identity=identity_of(info.site, info.video_id, claim.url, audio_only=claim.audio_only),
            site=info.site.lower(),
            video_id=info.video_id,
            title=title_of(info, entry_title),
            uploader=info.channel or info.uploader or claim.uploader,
            duration_s=info.whole_duration_s,
            total_bytes=int(size) if size and 0 < size < 2**62 else None,
        )

    async def _obstacle(self, info: VideoInfo, learned: Learned) -> Result | None:
        is_live = info.is_live or info.live_status == "is_live"
        if is_live and live_of(from_text(self._claim.wishes), self._settings) is not Live.RECORD:
            return Failed(failure="live")
        verdict = await self._claims.learn(self._claim, learned, datetime.now(UTC))
        if verdict is False:
            return Twin()
        if isinstance(verdict, tuple):
            history_id, files = verdict
            if await asyncio.to_thread(self._library.has_media, to_files(files)):
                return AlreadyThere(history_id)
            await self._history.mark_missing(history_id)  # somebody removed the file by hand: fetch it again
        free = await asyncio.to_thread(self._library.free_bytes)
        floor, need = self._settings.free_space_floor_bytes, learned.total_bytes or 0
        if free - need < floor:
            return NoRoom(reasons.DISK_FLOOR.format(need=_size(need), floor=_size(floor)))
        if await asyncio.to_thread(self._library.is_own_disk_full, floor):
            return NoRoom(reasons.OWN_DISK_FLOOR)
        return None

    async def _list(self, info: VideoInfo, is_capped: bool, pictures: ListPictures) -> FoundList:
        entries: list[ListEntry] = []
        while True:
            event = await self._child.receive(LOOK_S)
            match event.get("event"):
                case "entries":
                    entries += msgspec.convert(event.get("entries") or [], list[ListEntry], strict=False)
                case "list_end":
                    limit = self._settings.max_list_items
                    return FoundList(info, entries[:limit], is_capped or len(entries) > limit, pictures)
                case other:
                    raise WorkerDied(f"The download process said {other!r} in the middle of a list.")

    async def _progressed(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self._told_at < TOLD_EVERY_S or self._is_processing:
            return
        if not self._told_at:  # bytes flow: the site lets us through
            await self._got_through()
        self._told_at = now
        if now - self._people_at >= PEOPLE_EVERY_S:  # somebody may have joined
            self._people, self._people_at = await self._announcer.people(self._claim.top_id), now
        done, total = _whole(event.get("downloaded_bytes")), _whole(event.get("total_bytes"))
        percent = event.get("percent")
        if percent is None and done is not None and total:
            percent = 100 * done / total
        progress = Progress(
            percent=None if percent is None else round(min(max(float(percent), 0.0), 100.0), 1),
            downloaded_bytes=done,
            total_bytes=total,
            speed_bytes_s=_positive(event.get("speed_bytes_s")),
            eta_s=_whole(event.get("eta_s")),
        )
        await self._announcer.progressed(self._claim.id, self._claim.parent_id, self._people, progress)

    async def _recording(self) -> None:
        claim, at = self._claim, datetime.now(UTC)
        if await self._claims.tell(claim, ReasonCode.RECORDING, reasons.RECORDING, at):
            told = Changed(
                id=claim.id,
                parent_id=claim.parent_id,
                state=DownloadState.DOWNLOADING,
                reason_code=ReasonCode.RECORDING,
            )
            await self._announcer.refreshed(told)

    async def _processing(self) -> None:
        if self._is_processing:
            return
        self._is_processing = True
        if await self._claims.set_processing(self._claim, datetime.now(UTC)):
            claim = self._claim
            await self._announcer.refreshed(
                Changed(id=claim.id, parent_id=claim.parent_id, state=DownloadState.PROCESSING)
            )


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, (int, float)) and 0 <= value < 2**62 else None


def _positive(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and value >= 0 else None


def _size(size_bytes: int) -> str:
    """`1.5 GB`: for a sentence."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}".replace(".0 ", " ")
    return f"{round(size_bytes / 1000)} kB"
