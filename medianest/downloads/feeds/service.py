"""Reading a list on a site for whoever follows it, and what the queue and the library know of its videos."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from medianest.addresses import AllowedAddresses, check_url
from medianest.downloads.child import Child, WorkerDied
from medianest.downloads.feeds.model import Feed, FeedEntry, FeedRefused, Shelved, Standing
from medianest.downloads.feeds.repository import FeedRepository
from medianest.downloads.holding import SitePause
from medianest.downloads.links import key_of
from medianest.downloads.model import DownloadKind, ReasonCode
from medianest.downloads.pauses import SitePauses
from medianest.downloads.pictures import PictureStore
from medianest.downloads.pool import WorkerPool
from medianest.downloads.previews import refusal
from medianest.downloads.reports import Failed, ListEntry, read_info
from medianest.downloads.sites import BIG_SITES, site_of

TIME_S = 260.0  # the worker itself gives a site 240 s
LONGEST_TEXT = 300
LOOKS_OF_A_JOB = 10  # so many looks wear a worker out as much as one download
STOPS_A_SITE = {"rate_limited": ReasonCode.RATE_LIMITED, "bot_check": ReasonCode.BOT_CHECK}
SINGLE = "This link is a single video. Paste the link of its channel, playlist or feed to follow it."
PAUSED = "{site} asked us to slow down and is left alone until {until} UTC. It is looked at by itself after that."


class FollowedEntry(ListEntry, frozen=True, kw_only=True):
    """ENTRY of the protocol with what only a look for something new is told."""

    key: str = ""
    identity: str = ""
    tab: str = ""
    live_status: str | None = None
    is_short: bool = False
    is_for_members: bool = False
    published_on: str | None = None


class Feeds:
    """Built with the queue; several may read at once.

    Args:
        cookies: gives the cookies of a site, None where there are none.
        max_items: gives how many entries of a list are read at most.
        folder: where a worker may put a picture.
    """

    def __init__(
        self, pool: WorkerPool, pauses: SitePauses, pictures: PictureStore, rows: FeedRepository, allowed: AllowedAddresses,
        *, cookies: Callable[[str], Awaitable[str | None]], max_items: Callable[[], Awaitable[int]], folder: Path,
    ) -> None:  # fmt: skip
        self._pool = pool
        self._pauses = pauses
        self._pictures = pictures
        self._rows = rows
        self._allowed = allowed
        self._cookies = cookies
        self._max_items = max_items
        self._folder = folder
        self._looks = 0

    def source(self, url: str) -> tuple[str, str, str]:
        """A link in its normal form, its key and its site; raises `Invalid` as adding a download does."""
        url = check_url(url, self._allowed)
        return url, key_of(url, audio_only=False), site_of(url)

    async def read(
        self, url: str, *, known: Iterable[str] = (), stop_after: int = 0, wants_picture: bool = False,
        time_s: float = TIME_S,
    ) -> Feed:  # fmt: skip
        """The list at `url`, which is in its normal form.

        Args:
            known: keys and identities of entries that are known.
            stop_after: so many known ones in a row end the reading; 0 reads all of it.

        Raises:
            FeedRefused: with a sentence about why it can not be read now.
        """
        site = site_of(url)
        for pause in await self._pauses.current():
            # one that is over stays until a download got through; a look is as good a try
            if pause.site == site and pause.until_at > datetime.now(UTC):
                raise _paused(pause)
        picture = self._folder / f"feed-{uuid.uuid4().hex}" if wants_picture else None
        order = {
            "op": "follow",
            "url": url,
            "cookies": await self._cookies(site),
            "is_polite": site in BIG_SITES,
            "picture": str(picture) if picture else None,
            "max_items": await self._max_items(),
            "known": list(known),
            "stop_after": stop_after,
        }
        try:
            async with asyncio.timeout(time_s):
                head, entries = await self._ask(order)
        except TimeoutError as error:
            sentence = "The site takes very long to answer. Try again in a while."
            raise FeedRefused(sentence, failure="transient") from error
        except WorkerDied as error:
            raise FeedRefused("The link could not be looked at right now.", failure="worker_crashed") from error
        if isinstance(head, Failed):
            await self._refuse(head, site)
        info = read_info(head)
        return Feed(
            kind=DownloadKind.CHANNEL if info.kind == "channel" else DownloadKind.PLAYLIST,
            title=_short(info.title) or url[:LONGEST_TEXT],
            uploader=_short(info.channel or info.uploader),
            picture=await self._keep(head.get("picture"), picture),
            entries=tuple(_entry(one) for one in entries),
            is_capped=bool(head.get("is_capped")),
            is_cut=bool(head.get("is_cut")),
        )

    async def standing(self, download_ids: Iterable[int]) -> dict[int, Standing]:
        """How these downloads stand; those that are gone are left out."""
        return await self._rows.standing(download_ids)

    async def shelved(self, identities: Iterable[str]) -> dict[str, Shelved]:
        """Which of these videos the library has or had."""
        return await self._rows.shelved(identities)

    async def _ask(self, order: dict[str, Any]) -> tuple[Any, list[FollowedEntry]]:
        await asyncio.to_thread(self._folder.mkdir, 0o700, parents=True, exist_ok=True)
        child = await self._pool.acquire()
        is_well = False
        try:
            await child.send(order)
            answer = await _conversation(child)
            is_well = True
            return answer
        finally:
            if is_well:
                self._looks += 1
                if self._looks % LOOKS_OF_A_JOB:
                    child.jobs -= 1  # a look leaves little behind: workers are not replaced for that so soon
                self._pool.release(child)
            else:
                await self._pool.discard(child)

    async def _refuse(self, failed: Failed, site: str) -> None:
        if failed.failure == "single_video":
            raise FeedRefused(SINGLE, failure="single_video")
        if failed.failure in STOPS_A_SITE:
            code = STOPS_A_SITE[failed.failure]
            raise _paused(await self._pauses.complained(site, code, failed.detail, failed.retry_after_s))
        raise FeedRefused(refusal(failed).message, failure=failed.failure, wait_s=failed.retry_after_s)

    async def _keep(self, told: object, asked: Path | None) -> str | None:
        if asked is None or not isinstance(told, str) or Path(told).with_suffix("") != asked:
            return None
        name = await asyncio.to_thread(self._pictures.keep, Path(told))
        await asyncio.to_thread(Path(told).unlink, True)
        return name


async def _conversation(child: Child) -> tuple[Any, list[FollowedEntry]]:
    head = await child.receive(TIME_S)
    if head.get("event") == "failed":
        return msgspec.convert(head, Failed, strict=False), []
    if head.get("event") != "list":
        raise WorkerDied(f"The download process answered {head.get('event')!r} to a list.")
    entries: list[FollowedEntry] = []
    while (event := await child.receive(TIME_S)).get("event") == "entries":
        entries += msgspec.convert(event.get("entries") or [], list[FollowedEntry], strict=False)
    if event.get("event") != "list_end":
        raise WorkerDied(f"The download process said {event.get('event')!r} in the middle of a list.")
    return head, entries


def _entry(one: FollowedEntry) -> FeedEntry:
    title = _short(one.title) or one.url[:LONGEST_TEXT]
    return FeedEntry(
        key=_plain(one.key)[:LONGEST_TEXT] or _plain(one.identity),
        identity=_plain(one.identity),
        url=_plain(one.url),
        title=title,
        uploader=_short(one.uploader),
        duration_s=one.whole_duration_s,
        tab=one.tab,
        published_on=_day(one.published_on),
        live_status=one.live_status or "",
        is_short=one.is_short,
        is_for_members=one.is_for_members,
    )


def _day(text: str | None) -> Any:
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _short(text: str | None) -> str:
    return " ".join((text or "").replace("\0", " ").split())[:LONGEST_TEXT]


def _plain(text: str) -> str:
    """Without what no database keeps in a text."""
    return text.replace("\0", "")


def _paused(pause: SitePause) -> FeedRefused:
    sentence = PAUSED.format(site=pause.site, until=f"{pause.until_at:%H:%M}")
    wait_s = max(60.0, (pause.until_at - datetime.now(UTC)).total_seconds())
    return FeedRefused(sentence, failure="site_paused", wait_s=wait_s)
