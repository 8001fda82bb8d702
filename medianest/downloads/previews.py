"""Looking at a link before it is added: one look for all who ask at once, remembered for an hour."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from medianest.downloads import reasons
from medianest.downloads.child import WorkerDied
from medianest.downloads.cookies.store import CookieStore
from medianest.downloads.holding import EVERYTHING
from medianest.downloads.model import DownloadKind, Offer, Preview, PreviewItem
from medianest.downloads.pauses import SitePauses
from medianest.downloads.pictures import PictureStore
from medianest.downloads.pool import WorkerPool
from medianest.downloads.reasons import RetryRules, judge
from medianest.downloads.reports import Failed, ListEntry, read_info
from medianest.downloads.sites import site_of
from medianest.errors import Invalid, MediaNestError, Unavailable, UpstreamFailed

KEPT_S = 3600.0
MOST_KEPT = 500
TIME_S = 30.0


class Previews:
    """Previews by normalised link, in memory."""

    def __init__(
        self, pool: WorkerPool, pictures: PictureStore, folder: Path, pauses: SitePauses, cookies: CookieStore
    ) -> None:
        self._pool = pool
        self._pauses = pauses
        self._cookies = cookies
        self._pictures = pictures
        self._folder = folder
        self._kept: dict[str, tuple[float, Preview]] = {}
        self._looking: dict[str, asyncio.Task[Preview]] = {}

    def known(self, url: str) -> Preview | None:
        """What an earlier look found; None when there was none within the hour."""
        kept = self._kept.get(url)
        return kept[1] if kept and time.monotonic() - kept[0] < KEPT_S else None

    async def look(self, url: str, *, max_items: int, max_height: int | None = None) -> Preview:
        """What `url` (in its normal form) leads to.

        Raises:
            Invalid, UpstreamFailed, Unavailable: a sentence about why it leads nowhere.
        """
        known = self.known(url)
        if known is not None:
            return known
        task = self._looking.get(url)
        if task is None:
            task = asyncio.create_task(self._look(url, max_items, max_height), name="preview")
            self._looking[url] = task
            task.add_done_callback(lambda done: self._forget(url, done))
        return await asyncio.shield(task)

    def _forget(self, url: str, task: asyncio.Task[Preview]) -> None:
        self._looking.pop(url, None)
        if not task.cancelled():
            task.exception()  # seen: the one who asked may have left meanwhile

    async def _look(self, url: str, max_items: int, max_height: int | None) -> Preview:
        try:
            async with asyncio.timeout(TIME_S):
                preview = await self._ask(url, max_items, max_height)
        except TimeoutError as error:
            raise UpstreamFailed(
                "The site takes very long to answer. Add the link anyway: it is tried again in the background.",
                code="site_slow",
            ) from error
        except WorkerDied as error:
            raise Unavailable("The link could not be looked at right now. Try once more.") from error
        if len(self._kept) >= MOST_KEPT:
            del self._kept[min(self._kept, key=lambda one: self._kept[one][0])]
        self._kept[url] = (time.monotonic(), preview)
        return preview

    async def _ask(self, url: str, max_items: int, max_height: int | None) -> Preview:
        site = site_of(url)
        pause = await self._pauses.against(site, download_id=0)
        if pause is not None and pause.site != EVERYTHING and pause.until_at > datetime.now(UTC):
            raise Unavailable(
                f"{reasons.stop_sentence(pause)} Add the link anyway: it goes on by itself.", code="site_paused"
            )
        cookies = await self._cookies.of(site)
        child = await self._pool.acquire()
        picture = self._folder / f"preview-{uuid.uuid4().hex}"
        is_well = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            order = {"op": "preview", "url": url, "picture": str(picture), "cookies": cookies}
            await child.send({**order, "max_items": max_items, "max_height": max_height})
            event = await child.receive(TIME_S)
            if event.get("event") == "failed":
                is_well = True
                failed = msgspec.convert(event, Failed, strict=False)
                if failed.failure in reasons.PAUSES:
                    code = reasons.PAUSES[failed.failure]
                    await self._pauses.complained(site, code, failed.detail, failed.retry_after_s)
                raise refusal(failed)
            if event.get("event") != "preview":
                raise WorkerDied("The download process gave another answer than a preview.")
            is_well = True
        finally:
            if is_well:
                self._pool.release(child)
            else:
                await self._pool.discard(child)
        info = read_info(event)
        entries = msgspec.convert(event.get("entries") or [], list[ListEntry], strict=False)
        return Preview(
            url=url,
            kind=DownloadKind(info.kind) if info.kind in tuple(DownloadKind) else DownloadKind.VIDEO,
            title=info.title or url,
            uploader=info.channel or info.uploader or "",
            thumbnail=await self._keep_picture(event.get("picture")),
            duration_s=info.whole_duration_s,
            items_total=event.get("items_total"),
            is_capped=bool(event.get("is_capped")),
            items=tuple(
                PreviewItem(title=entry.title or entry.url, duration_s=entry.whole_duration_s) for entry in entries[:3]
            ),
            is_live=info.is_live or info.live_status == "is_live",
            is_waiting=info.live_status in ("is_upcoming", "post_live"),
            starts_at=info.begins_at if info.live_status == "is_upcoming" else None,
            offers=tuple(msgspec.convert(event.get("offers") or [], list[Offer], strict=False)),
            subtitles=tuple(str(one)[:20] for one in event.get("subtitles") or ()),
            automatic_subtitles=tuple(str(one)[:20] for one in event.get("automatic_subtitles") or ()),
        )

    async def _keep_picture(self, path: object) -> str | None:
        if not isinstance(path, str) or Path(path).parent != self._folder:
            return None
        name = await asyncio.to_thread(self._pictures.keep, Path(path))
        await asyncio.to_thread(Path(path).unlink, True)
        return f"/pictures/{name}" if name else None


def refusal(failed: Failed) -> MediaNestError:
    """The sentence of the queue for the same cause, as an error of this call."""
    verdict = judge(failed, attempts=99, rules=RetryRules(), now=datetime.now(UTC))
    if failed.failure == "transient":
        return UpstreamFailed("The site did not answer. Check the link, or try again in a while.", code="transient")
    if failed.failure in ("address_refused", "unsupported", "gone", "no_format"):
        return Invalid(verdict.reason, code=failed.failure)
    return UpstreamFailed(verdict.reason, code=failed.failure)
