"""What is taken of a link and where it is filed: the whole way with real yt-dlp and ffmpeg, from a big site in small."""

from __future__ import annotations

import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import Engine
from medianest.downloads.model import DirectPlay, DownloadState, Layout, Live, Quality, ReasonCode
from medianest.downloads.wishes import Place, SponsorBlock
from medianest.errors import Conflict, Invalid
from tests.downloads.running_queue import Queue
from tests.site import Site

State = DownloadState
pytestmark = pytest.mark.timeout_s(120)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture(autouse=True)
def once(database_kind: str) -> None:
    if database_kind == "postgres":
        pytest.skip("the same on either engine")


@pytest.fixture
async def tube(database: Engine, tmp_path: Path, owner: User) -> AsyncIterator[Queue]:
    """A running queue whose workers know the test site's `/tube/`."""
    queue = Queue(tmp_path, command=[sys.executable, "-m", "tests.site.tube_worker"])
    await queue.settings(owner, free_space_floor_bytes=0)
    await queue.start()
    try:
        yield queue
    finally:
        await queue.stop()


async def test_a_video_with_all_its_wishes_and_what_is_inside(tube: Queue, site: Site, owner: User) -> None:
    url = site.url("/tube/watch/all?subs=en,de&chapters=0,1&heights=180,360")
    added = await tube.add(url, owner, quality=Quality.P360, subtitles="de", sponsorblock=SponsorBlock.MARK)
    assert (added.wishes.subtitles, added.wishes.sponsorblock) == ("de", SponsorBlock.MARK)
    done = await tube.ended(added, owner, 40)
    assert (done.state, done.reason) == (State.COMPLETED, None)
    assert [file.path.rpartition("]")[2] for file in done.files] == [".mp4", ".jpg", ".nfo", ".de.vtt"]
    media = done.media
    assert media is not None
    assert (media.container, media.video_codec, media.audio_codec) == ("mp4", "h264", "aac")
    assert (media.width, media.height, media.fps, media.bit_depth) == (640, 360, 25.0, 8)
    assert (media.subtitles, media.direct_play, media.is_lower) == (("de",), DirectPlay.YES, False)
    await tube.settings(owner, picture_place=Place.EMBEDDED, subtitle_place=Place.EMBEDDED)
    inside = await tube.ended(await tube.add(site.url("/tube/watch/in?subs=en"), owner, subtitles="en"), owner, 40)
    assert [file.path.rpartition("]")[2] for file in inside.files] == [".mp4", ".nfo"]
    assert inside.media is not None
    assert inside.media.subtitles == ("en",)
    assert media.direct_play_reason == "H.264 and AAC in MP4: plays everywhere as it is."


async def test_a_newer_codec_is_judged_and_a_sudden_small_picture_is_flagged(
    tube: Queue, site: Site, owner: User
) -> None:
    first = await tube.ended(await tube.add(site.url("/tube/watch/tall?heights=720"), owner), owner, 40)
    newer = await tube.ended(await tube.add(site.url("/tube/watch/newer?codec=vp9&heights=720"), owner), owner, 40)
    small = await tube.ended(await tube.add(site.url("/tube/watch/small?heights=360"), owner), owner, 40)
    asked = await tube.ended(
        await tube.add(site.url("/tube/watch/asked?heights=360"), owner, quality=Quality.P360), owner, 40
    )
    assert first.media is not None
    assert newer.media is not None
    assert small.media is not None
    assert asked.media is not None
    assert (newer.media.container, newer.media.direct_play) == ("webm", DirectPlay.MAYBE)
    assert (small.media.is_lower, small.reason_code) == (True, ReasonCode.LOWER_QUALITY)
    assert small.reason is not None
    assert small.reason.startswith("Only 360p came")
    assert (asked.media.is_lower, asked.reason_code) == (False, None)


async def test_a_playlist_as_a_season_keeps_its_numbers(tube: Queue, site: Site, owner: User) -> None:
    await tube.settings(owner, concurrent_downloads=1)  # one after the other, so that the numbers are those
    url = site.url("/tube/list/PL1?ids=a,b&list=Rice%20School&channel=UC1")
    parent = await tube.ended(await tube.add(url, owner, layout=Layout.SEASON), owner, 60)
    assert parent.state is State.COMPLETED
    again = site.url("/tube/list/PL1?ids=new,a,b,c&list=Rice%20School&channel=UC1")
    second = await tube.ended(await tube.add(again, owner, layout=Layout.SEASON), owner, 60)
    assert second.state is State.COMPLETED
    names = [one for one in tube.files() if one.endswith(".mp4")]
    assert names == [
        f"Rice School/Season 01/Rice School - s01e{number} - Video {name} [{name}].mp4"
        for number, name in (("01", "a"), ("02", "b"), ("03", "new"), ("04", "c"))
    ]
    assert {"Rice School/tvshow.nfo", "Rice School/poster.jpg", "Rice School/Season 01/Season01.jpg"} <= set(
        tube.files()
    )
    show = ET.parse(tube.library / "Rice School/tvshow.nfo").getroot()
    assert (show.findtext("title"), show.findtext("uniqueid")) == ("Rice School", "PL1")
    await tube.service.remove(parent.id, owner)
    await tube.service.remove(second.id, owner)
    assert tube.files() == []


async def test_a_channels_face_becomes_the_poster_of_its_show(tube: Queue, site: Site, owner: User) -> None:
    await tube.ended(await tube.add(site.url("/tube/watch/first"), owner), owner, 40)
    before = (tube.library / "Ana/poster.jpg").read_bytes()
    url = site.url("/tube/list/UC1?faces=1&ids=one,two&list=Ana&channel=UC1")
    parent = await tube.ended(await tube.add(url, owner), owner, 60)
    assert (parent.state, parent.kind.value) == (State.COMPLETED, "channel")
    assert parent.thumbnail is not None
    after = (tube.library / "Ana/poster.jpg").read_bytes()
    assert after != before
    assert (tube.library / "Ana/fanart.jpg").is_file()
    assert (tube.library / "Ana/Season 2026/Season2026.jpg").is_file()
    await tube.ended(await tube.add(site.url("/tube/watch/last"), owner), owner, 40)
    assert (tube.library / "Ana/poster.jpg").read_bytes() == after


async def test_sound_is_filed_by_artist_and_album(tube: Queue, site: Site, owner: User) -> None:
    url = site.url("/tube/list/AL1?ids=x,y&list=Kitchen%20Songs&uploader=Ana")
    await tube.ended(await tube.add(url, owner, audio_only=True), owner, 60)
    tagged = site.url("/tube/watch/t?artist=Ben&album=Rice&track=Boil%3A%20it&number=7")
    single = await tube.ended(await tube.add(tagged, owner, audio_only=True, audio_format="mp3"), owner, 40)
    alone = await tube.ended(await tube.add(site.url("/tube/watch/z"), owner, audio_only=True), owner, 40)
    assert tube.files() == [
        "Music/Ana/Kitchen Songs/01 Video x.m4a",
        "Music/Ana/Kitchen Songs/02 Video y.m4a",
        "Music/Ana/Kitchen Songs/cover.jpg",
        "Music/Ana/Singles/01 Video z.m4a",
        "Music/Ana/Singles/cover.jpg",
        "Music/Ben/Rice/07 Boil - it.mp3",
        "Music/Ben/Rice/cover.jpg",
    ]
    assert alone.media is not None
    assert (alone.media.video_codec, alone.media.direct_play) == ("", DirectPlay.YES)
    await tube.service.remove(single.id, owner)
    assert not (tube.library / "Music/Ben").exists()


async def test_a_broadcast_is_refused_then_recorded_and_ended_by_hand(tube: Queue, site: Site, owner: User) -> None:
    refused = await tube.ended(await tube.add(site.url("/tube/watch/live?live=is_live"), owner), owner, 40)
    assert (refused.state, refused.reason_code, refused.is_live_refused) == (State.FAILED, ReasonCode.LIVE, True)
    with pytest.raises(Conflict):
        await tube.service.broadcasts.finish(refused.id, owner)
    await tube.service.broadcasts.record(refused.id, owner)
    running = await tube.wait(refused, owner, lambda found: found.is_recording, 40)
    assert running.reason is not None
    await tube.wait(refused, owner, lambda found: (found.progress.downloaded_bytes or 0) > 10_000, 40)
    await tube.service.broadcasts.finish(refused.id, owner)
    done = await tube.ended(refused, owner, 40)
    assert (done.state, done.reason) == (State.COMPLETED, None)
    assert done.media is not None
    assert done.media.video_codec == "h264"
    with pytest.raises(Conflict):
        await tube.service.broadcasts.record(refused.id, owner)


async def test_the_whole_of_a_broadcast_is_waited_for(tube: Queue, site: Site, owner: User) -> None:
    url = site.url("/tube/watch/later?live=is_live&until=3")
    added = await tube.add(url, owner, live=Live.REPLAY)
    waiting = await tube.wait_for(added, owner, State.WAITING, seconds=40)
    assert (waiting.reason_code, waiting.attempts) == (ReasonCode.REPLAY, 0)
    done = await tube.ended(added, owner, 40)
    assert (done.state, len(site.asked("/tube/watch/later"))) == (State.COMPLETED, 4)


async def test_what_has_not_begun_waits_for_its_time_and_then_for_its_end(tube: Queue, site: Site, owner: User) -> None:
    begins = int(time.time()) + 3600
    url = site.url(f"/tube/watch/soon?live=is_upcoming&release={begins}&until=1")
    added = await tube.add(url, owner)
    waiting = await tube.wait_for(added, owner, State.WAITING, seconds=40)
    assert waiting.reason_code is ReasonCode.UPCOMING
    assert waiting.next_attempt_at is not None
    assert int(waiting.next_attempt_at.timestamp()) == begins
    assert waiting.wishes.live is Live.REPLAY  # whoever asked before it began does not want to be asked when it does
    await tube.service.retry(added.id, owner)
    post = await tube.add(site.url("/tube/watch/post?live=post_live&until=2"), owner)
    held = await tube.wait_for(post, owner, State.WAITING, seconds=40)
    assert held.reason is not None
    assert "still putting the recording together" in held.reason
    assert (await tube.ended(post, owner, 40)).state is State.COMPLETED
    assert (await tube.ended(added, owner, 40)).state is State.COMPLETED


async def test_words_that_are_no_languages_are_refused(tube: Queue, site: Site, owner: User) -> None:
    with pytest.raises(Invalid):
        await tube.add(site.url("/tube/watch/x"), owner, subtitles="en;rm -rf")
    with pytest.raises(Invalid):
        await tube.settings(owner, record_hours=1000)
    with pytest.raises(Invalid):
        await tube.settings(owner, video_layout=Layout.SEASON)


async def test_a_preview_offers_what_the_owner_allows(tube: Queue, site: Site, owner: User) -> None:
    await tube.settings(owner, max_height=480)
    found = await tube.service.preview(site.url("/tube/watch/look?heights=360,720&subs=en"), owner)
    offers = {(one.quality, one.audio_only): one for one in found.offers}
    best = offers[Quality.BEST, False]
    assert (best.height, best.container, found.subtitles) == (360, "mp4", ("en",))
    soon = await tube.service.preview(site.url("/tube/watch/soon?live=is_upcoming&release=1900000000"), owner)
    assert (soon.is_waiting, soon.starts_at is not None) == (True, True)
