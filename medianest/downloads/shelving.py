"""The last step of a download: numbers, names, files into the library, and the record that it is there."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from datetime import date
from pathlib import Path

from medianest.database import transaction
from medianest.downloads import reasons
from medianest.downloads.endings import Endings, JobTools, now
from medianest.downloads.filing import FilingStopped
from medianest.downloads.media import codec_of, container_of, is_much_lower
from medianest.downloads.model import (
    DownloadFinished,
    DownloadState,
    Layout,
    LibraryFile,
    MediaFacts,
    QueueSettings,
    ReasonCode,
)
from medianest.downloads.plans import Placing, Shelf, ShowName, ShowPictures, album_of, film_of, season_of, show_of
from medianest.downloads.reports import Failed, VideoInfo
from medianest.downloads.repository.claims import Claim, ListOf
from medianest.downloads.repository.history import ClaimLost, Filed, Numbering, Record, Show
from medianest.downloads.taking import layout_of, wanted_height
from medianest.downloads.talk import Fetched

log = logging.getLogger(__name__)


class Shelving:
    """Files one fetched video. The plan is written down first, so that a crash at any moment can be made good."""

    def __init__(self, claim: Claim, tools: JobTools, endings: Endings, settings: QueueSettings) -> None:
        self._claim = claim
        self._tools = tools
        self._endings = endings
        self._settings = settings
        self._lower: MediaFacts | None = None
        self._stop_copy = threading.Event()

    async def file(self, fetched: Fetched) -> None:
        """Place everything. A cancel waits for the step that runs, since it must not be torn."""
        task = asyncio.create_task(self._file(fetched), name=f"file download {self._claim.id}")
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self._stop_copy.set()
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # seen: whoever cancelled does not need it
            raise

    async def finish_what_was_filed(self) -> bool:
        """After a crash between the rename and its commit: the media lies where the plan says, so nothing is fetched."""
        tools, claim = self._tools, self._claim
        record = await tools.history.get(claim.history_id) if claim.history_id is not None else None
        if record is None or record.is_filed or record.is_deleted:
            return False
        if not await asyncio.to_thread(tools.library.has_media, record.files, exactly=True):
            return False
        files = await asyncio.to_thread(tools.library.measured, record.files)
        if not await self._complete(record, files):
            raise ClaimLost
        return True

    async def _file(self, fetched: Fetched) -> None:
        tools, claim = self._tools, self._claim
        if not await asyncio.to_thread(self._is_trustworthy, fetched):
            await self._endings.failed(
                Failed(failure="suspicious_file", detail="A file outside of the staging folder.")
            )
            return
        placing, record = await self._reserve(fetched)
        plan = placing.plan(record.season, record.episode)
        picture = fetched.done.files.row_picture
        name = await asyncio.to_thread(tools.pictures.keep, Path(picture)) if picture else None
        try:
            files = await asyncio.to_thread(tools.library.place, plan, self._stop_copy)
        except FilingStopped as error:
            raise ClaimLost from error
        await tools.claims.set_facts(claim, picture=name, duration_s=placing.duration_s)
        if not await self._complete(record, files):
            await asyncio.to_thread(tools.library.take_back, plan)
            raise ClaimLost
        log.info("Download %d lies in the library: %s", claim.id, files[0].path)

    def _is_trustworthy(self, fetched: Fetched) -> bool:
        """A worker that a site has taken over could name any file of this machine."""
        files = fetched.done.files
        named = [files.media, files.picture, files.row_picture, files.poster, *(one.path for one in files.subtitles)]
        return all(self._tools.library.is_staged(self._claim.id, path) for path in named if path)

    async def _reserve(self, fetched: Fetched) -> tuple[Placing, Record]:
        tools, claim, learned, info = self._tools, self._claim, fetched.learned, fetched.info
        aired = info.published or date.today()  # noqa: DTZ011  # the day as people here call it
        listing = await tools.claims.list_of(claim)
        name, shelf, numbering = self._shelf(fetched, listing, aired)
        show, _is_new = await tools.history.show(name.key, name.title, name.folder, now())
        placing = Placing(
            folder=show.folder,
            show_title=show.title,
            title=learned.title,
            aired=aired,
            info=info,
            done=fetched.done,
            shelf=shelf,
            show_id=listing.id if listing and numbering.season else "",
            pictures=self._pictures_of(listing, info, show, shelf) if listing else ShowPictures(),
        )
        media = await asyncio.to_thread(placing.media, None, None)
        facts = Filed(
            identity=learned.identity,
            title=learned.title,
            uploader=learned.uploader,
            url=claim.url,
            site=learned.site,
            video_id=learned.video_id,
            size_bytes=media[0].size_bytes,
            duration_s=placing.duration_s,
            published_on=aired,
            requested_by=claim.requested_by,
            media=await self._measured(fetched, show, Path(media[0].path).suffix),
        )
        record = await tools.history.reserve(claim.id, facts, show, numbering=numbering, at=now(), plan=placing.media)
        self._lower = facts.media if facts.media.is_lower else None
        if placing.pictures.is_new:
            await tools.history.has_own_poster(show.id)
        return placing, record

    def _shelf(self, fetched: Fetched, listing: ListOf | None, aired: date) -> tuple[ShowName, Shelf, Numbering]:
        claim, info, learned = self._claim, fetched.info, fetched.learned
        list_name = (listing.uploader or listing.title) if listing else ""
        if claim.audio_only:
            place = info.track_number or (claim.item_index if not info.album else None)
            name = album_of(info, claim.url, listing.title if listing else "", listing.uploader if listing else "")
            return name, Shelf.ALBUM, Numbering(season=1, place=place)
        match layout_of(claim, listing, self._settings):
            case Layout.FILM:
                name = film_of(learned.identity, learned.title, aired, learned.video_id)
                return name, Shelf.FILM, Numbering()
            case Layout.SEASON if listing is not None:
                return season_of(listing.key, listing.title), Shelf.SHOW, Numbering(season=1, place=claim.item_index)
        return show_of(info, claim.url, list_name), Shelf.SHOW, Numbering(by_day=True)

    def _pictures_of(self, listing: ListOf, info: VideoInfo, show: Show, shelf: Shelf) -> ShowPictures:
        """The face and the banner of the list, where the show is the list's own."""
        is_same = show.title == listing.title or (listing.id and listing.id == info.channel_id)
        if shelf is not Shelf.SHOW or not is_same:
            return ShowPictures()
        pictures = self._tools.pictures
        poster, fanart = pictures.path_of(listing.poster), pictures.path_of(listing.fanart)
        return ShowPictures(poster=poster, fanart=fanart, is_new=poster is not None and not show.has_own_poster)

    async def _measured(self, fetched: Fetched, show: Show, ending: str) -> MediaFacts:
        done = fetched.done
        usual = await self._tools.history.usual_height(show.id, fetched.learned.identity)
        is_lower = is_much_lower(
            width=done.width, height=done.height, wanted=wanted_height(self._claim, self._settings), usual=usual
        )
        return MediaFacts(
            container=container_of(ending.lstrip(".")),
            video_codec="" if self._claim.audio_only else codec_of(done.vcodec),
            audio_codec=codec_of(done.acodec),
            width=done.width,
            height=done.height,
            fps=done.fps,
            bit_depth=done.bit_depth,
            bitrate_bits_s=done.bitrate_bits_s,
            subtitles=tuple(re.sub(r"[^A-Za-z0-9-]", "", one)[:12] for one in done.subtitles[:40]),
            is_lower=is_lower and not self._claim.audio_only,
        )

    async def _complete(self, record: Record, files: tuple[LibraryFile, ...]) -> bool:
        tools, claim = self._tools, self._claim
        self._endings.is_ending = True
        async with transaction():
            ended = await tools.claims.end(
                claim,
                DownloadState.COMPLETED,
                at=now(),
                code=ReasonCode.LOWER_QUALITY if self._lower else None,
                reason=reasons.LOWER_QUALITY.format(height=self._lower.height) if self._lower else None,
                history_id=record.id,
                downloaded_bytes=files[0].size_bytes,
                total_bytes=files[0].size_bytes,
                line=f"Filed as {files[0].path}",
            )
            if ended is not None:
                await tools.history.mark_filed(record.id, files, now())
        if ended is None:
            return False
        await tools.announcer.ended(ended)
        folder = files[0].path.rpartition("/")[0]
        await tools.events.publish(DownloadFinished(download_id=claim.id, history_id=record.id, folder=folder))
        await asyncio.to_thread(tools.library.discard, claim.id)
        return True
