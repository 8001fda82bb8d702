"""Which format is taken, by yt-dlp's own selectors over formats as sites list them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yt_dlp

from medianest.downloads.worker.formats import NeedsFfmpeg, make_selector, sorting
from medianest.downloads.worker.messages import JobOptions

Format = dict[str, Any]


def video(height: int, vcodec: str, acodec: str = "none", **more: Any) -> Format:
    return {
        "format_id": f"{height}-{vcodec[:4]}",
        "width": height * 16 // 9,
        "height": height,
        "vcodec": vcodec,
        "acodec": acodec,
        **more,
    }


def sound(acodec: str, ext: str) -> Format:
    return {"format_id": acodec[:4], "vcodec": "none", "acodec": acodec, "ext": ext, "abr": 128}


YOUTUBE = [
    sound("mp4a.40.2", "m4a"),
    sound("opus", "webm"),
    video(360, "avc1.42001E", "mp4a.40.2", format_id="18"),
    *(video(height, "avc1.64002a") for height in (144, 360, 480, 720, 1080)),
    *(video(height, "vp9") for height in (360, 720, 1080, 1440, 2160)),
]


@pytest.fixture(scope="module")
def ydl() -> Iterator[Any]:
    with yt_dlp.YoutubeDL({"quiet": True}, auto_init=False) as running:
        yield running


def chosen(ydl: Any, formats: list[Format], *, has_ffmpeg: bool = True, **options: Any) -> str | None:
    """What is taken, as `format_id`."""
    listed = [{"url": "https://site.example/x", "ext": "mp4", "protocol": "https", **one} for one in formats]
    wanted = JobOptions(**options)
    ydl.params["format_sort"] = sorting(wanted)
    ydl.sort_formats({"formats": listed})
    select = make_selector(wanted, ydl.build_format_selector, has_ffmpeg=has_ffmpeg)
    picked = ydl._select_formats(listed, select)
    return picked[-1]["format_id"] if picked else None


def make(quality: str) -> Any:
    from medianest.downloads.model import Quality

    return Quality(quality)


@pytest.mark.parametrize(
    ("quality", "taken"),
    [
        ("default", "1080-avc1+mp4a"),
        ("best", "2160-vp9+opus"),
        ("2160", "2160-vp9+mp4a"),
        ("1080", "1080-avc1+mp4a"),
        ("720", "720-avc1+mp4a"),
        ("480", "480-avc1+mp4a"),
    ],
)
def test_a_profile_takes_what_plays_everywhere_up_to_its_height(ydl: Any, quality: str, taken: str) -> None:
    assert chosen(ydl, YOUTUBE, quality=make(quality)) == taken


def test_a_sharp_picture_beats_a_small_one_that_plays_everywhere(ydl: Any) -> None:
    formats = [sound("mp4a.40.2", "m4a"), sound("opus", "webm"), video(360, "avc1.42001E"), video(1080, "vp9")]
    assert chosen(ydl, formats) == "1080-vp9+mp4a"


def test_a_small_video_is_taken_in_the_codec_that_plays_everywhere(ydl: Any) -> None:
    formats = [sound("mp4a.40.2", "m4a"), video(480, "avc1.42001E"), video(480, "vp9")]
    assert chosen(ydl, formats) == "480-avc1+mp4a"


def test_an_upright_video_counts_by_its_short_side(ydl: Any) -> None:
    upright = {"format_id": "short", "width": 1080, "height": 1920, "vcodec": "avc1.64002a", "acodec": "mp4a.40.2"}
    assert chosen(ydl, [upright, {**upright, "format_id": "small", "width": 360, "height": 640}]) == "short"


def test_nothing_exceeds_the_owners_height(ydl: Any) -> None:
    assert chosen(ydl, YOUTUBE, quality=make("best"), max_height=720) == "720-vp9+opus"


def test_a_video_that_is_only_too_tall_is_still_taken(ydl: Any) -> None:
    assert chosen(ydl, [video(1440, "vp9", "opus"), video(2160, "vp9", "opus")], max_height=480) == "1440-vp9"


def test_a_file_of_which_nothing_is_known_is_taken(ydl: Any) -> None:
    assert chosen(ydl, [{"format_id": "0"}]) == "0"


def test_sound_alone_prefers_what_plays_everywhere(ydl: Any) -> None:
    assert chosen(ydl, YOUTUBE, audio_only=True) == "mp4a"
    assert chosen(ydl, [video(360, "avc1.4", "mp4a.40.2"), sound("opus", "webm")], audio_only=True) == "opus"


def test_without_ffmpeg_whole_files_are_taken_and_parts_are_refused(ydl: Any) -> None:
    assert chosen(ydl, YOUTUBE, has_ffmpeg=False) == "18"
    with pytest.raises(NeedsFfmpeg):
        chosen(ydl, [sound("mp4a.40.2", "m4a"), video(720, "avc1.64002a")], has_ffmpeg=False)


@pytest.mark.parametrize(
    "protocol", ["rtmp", "rtsp", "mms", "ftp", "websocket_frag", "mhtml", "rtmp_ffmpeg", "fc2_live"]
)
def test_ways_that_lead_around_the_guard_are_not_taken(ydl: Any, protocol: str) -> None:
    assert chosen(ydl, [{"format_id": "x", "protocol": protocol}]) is None


def test_a_protected_format_is_not_taken(ydl: Any) -> None:
    assert chosen(ydl, [{"format_id": "x", "has_drm": True}]) is None
