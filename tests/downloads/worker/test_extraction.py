"""What yt-dlp finds, in our words. Extractors of the tests' own stand in for sites that can not be had on loopback."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import yt_dlp
from yt_dlp.extractor.common import InfoExtractor

from medianest.downloads.worker.extraction import describe, refuse_what_can_not_be_downloaded
from medianest.downloads.worker.failures import Failure
from medianest.downloads.worker.lists import ListReader


class ClipIE(InfoExtractor):  # type: ignore[misc]
    _VALID_URL = r"https://tube\.test/watch/(?P<id>\w+)"

    def _real_extract(self, url: str) -> dict[str, Any]:
        raise AssertionError("a video of a list was opened")


class TabIE(InfoExtractor):  # type: ignore[misc]
    """A tab of a channel. Its tests tell yt-dlp that it gives lists."""

    _VALID_URL = r"https://tube\.test/@\w+/(?P<id>videos|shorts|endless)"
    _TESTS = [{"url": "https://tube.test/@ana/videos", "info_dict": {"id": "videos"}, "playlist_mincount": 1}]  # noqa: RUF012

    def _real_extract(self, url: str) -> Any:
        tab = self._match_id(url)
        numbers = itertools.count(1) if tab == "endless" else range(1, 4)
        entries = (
            self.url_result(f"https://tube.test/watch/{tab}{number}", ClipIE, f"{tab}{number}", f"{tab} {number}")
            for number in numbers
        )
        return self.playlist_result(entries, tab, f"Ana - {tab}")


class ChannelIE(InfoExtractor):  # type: ignore[misc]
    _VALID_URL = r"https://tube\.test/@(?P<id>\w+)$"

    def _real_extract(self, url: str) -> Any:
        tabs = [self.url_result(f"{url}/{tab}", TabIE) for tab in ("videos", "shorts")]
        return {**self.playlist_result(tabs, "UC1", "Ana"), "channel_id": "UC1", "uploader": "Ana"}


class ShortLinkIE(InfoExtractor):  # type: ignore[misc]
    _VALID_URL = r"https://tu\.test/(?P<id>\w+)"

    def _real_extract(self, url: str) -> Any:
        return self.url_result("https://tube.test/@ana/videos", TabIE)


@pytest.fixture
def ydl() -> Iterator[Any]:
    params = {"quiet": True, "lazy_playlist": True, "extract_flat": "in_playlist"}
    with yt_dlp.YoutubeDL(params, auto_init=False) as running:
        for extractor in (ChannelIE, TabIE, ClipIE, ShortLinkIE):
            running.add_info_extractor(extractor())
        yield running


def test_the_tabs_of_a_channel_become_one_list(ydl: Any) -> None:
    reader = ListReader(ydl, 100)
    info = reader.extract("https://tube.test/@ana")
    assert [entry["video_id"] for entry in reader.entries] == [
        *("videos1", "videos2", "videos3"),
        *("shorts1", "shorts2", "shorts3"),
    ]
    assert {entry["site"] for entry in reader.entries} == {"clip"}
    told = describe(info)
    assert (told["kind"], told["channel_id"], told["title"]) == ("channel", "UC1", "Ana")
    assert not reader.is_capped


def test_a_list_without_end_is_cut_at_the_limit(ydl: Any) -> None:
    reader = ListReader(ydl, 25)
    reader.extract("https://tube.test/@ana/endless")
    assert (len(reader.entries), reader.is_capped) == (25, True)


def test_a_list_that_is_slow_is_cut_in_time(ydl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medianest.downloads.worker.lists.LIST_TIME_S", 0.2)
    reader = ListReader(ydl, 10**9)
    reader.extract("https://tube.test/@ana/endless")
    assert reader.is_capped
    assert len(reader.entries) > 10


def test_an_address_that_leads_to_a_list_is_followed(ydl: Any) -> None:
    reader = ListReader(ydl, 100)
    info = reader.extract("https://tu.test/abc")
    assert (len(reader.entries), info["title"]) == (3, "Ana - videos")


@pytest.mark.parametrize(
    ("info", "kind"),
    [
        ({"live_status": "is_upcoming", "release_timestamp": 1800000000, "formats": []}, "upcoming"),
        ({"live_status": "post_live", "url": "https://x.test/"}, "post_live"),
        ({"live_status": "is_live", "url": "https://x.test/"}, "live"),
        ({"is_live": True, "url": "https://x.test/"}, "live"),
        ({"formats": [], "_has_drm": True}, "unsupported"),
        ({"formats": []}, "no_format"),
    ],
)
def test_what_can_not_be_downloaded_is_told_before_anything_is_fetched(info: dict[str, Any], kind: str) -> None:
    with pytest.raises(Failure) as refused:
        refuse_what_can_not_be_downloaded(info, [])
    assert refused.value.kind == kind
    assert refused.value.release_at == info.get("release_timestamp")


def test_a_warning_tells_why_there_are_no_formats() -> None:
    with pytest.raises(Failure) as refused:
        refuse_what_can_not_be_downloaded({"formats": []}, ["Sign in to confirm you\u2019re not a bot"])
    assert refused.value.kind == "bot_check"
    with pytest.raises(Failure) as refused:
        refuse_what_can_not_be_downloaded({"formats": []}, ["No supported JavaScript runtime could be found"])
    assert refused.value.kind == "javascript_missing"


def test_odd_values_of_a_site_do_no_harm() -> None:
    told = describe(
        {
            "id": 7,
            "title": None,
            "extractor_key": "Tube",
            "description": "d" * 9000,
            "duration": float("inf"),
            "upload_date": "20269999",
            "release_date": "20260228",
            "tags": "no list",
            "categories": ["a", None, 3],
        }
    )
    assert (told["video_id"], told["title"], told["site"]) == ("7", "7", "tube")
    assert (len(told["description"]), told["duration_s"], told["published_on"]) == (5000, None, "2026-02-28")
    assert (told["tags"], told["categories"]) == ([], ["a", "", "3"])
