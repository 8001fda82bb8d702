"""Playlists and channels: their entries are named, not opened; tabs of a channel are flattened; endless ones end."""

from __future__ import annotations

import datetime
import time
from typing import Any
from urllib.parse import urlsplit

from medianest.downloads.links import identity_of

LIST_TYPES = ("playlist", "multi_video", "compat_list")
LIST_TIME_S = 90  # a list that takes longer to read is cut there
PIECE = 100  # entries in one message
_HOPS = 8  # addresses that lead to addresses
_DEPTH = 2  # lists within lists
_TABS = {"videos": "videos", "shorts": "shorts", "streams": "streams", "live": "streams"}


class ListReader:
    """Opens a link and, when it is a list, gathers its entries (ENTRY of the protocol) up to a limit of number and time.

    Args:
        known: keys of entries (`key` and `identity` of the protocol) that are known already.
        stop_after: so many known ones in a row, and the list (each tab of a channel by itself) is left; 0 reads all of it.
    """

    def __init__(self, ydl: Any, max_items: int, *, known: frozenset[str] = frozenset(), stop_after: int = 0) -> None:
        self.entries: list[dict[str, Any]] = []
        self.is_capped = False
        self.is_cut = False
        self._known = known
        self._stop_after = stop_after
        self._ydl = ydl
        self._max_items = max_items
        self._ends_at = time.monotonic() + LIST_TIME_S
        self._seen: set[str] = set()

    def extract(self, url: str) -> dict[str, Any]:
        """What yt-dlp makes of `url`: a video in full, or a list whose entries are in `entries` afterwards."""
        info = self._open(url, None)
        if info.get("_type") in LIST_TYPES:
            self._take(info, depth=0, tab=tab_of(url))
        return info

    def _open(self, url: str, extractor: str | None) -> dict[str, Any]:
        """Follow addresses that lead to addresses; lists come back unread, videos in full."""
        for _ in range(_HOPS):
            info: dict[str, Any] = self._ydl.extract_info(url, download=False, process=False, ie_key=extractor) or {}
            kind = info.get("_type", "video")
            if kind != "url":
                break
            url, extractor = info["url"], info.get("ie_key")
        if not info or kind in LIST_TYPES:
            return info
        return self._ydl.process_ie_result(info, download=False) or {}

    def _take(self, info: dict[str, Any], depth: int, tab: str) -> None:
        from yt_dlp.utils import PlaylistEntries

        entries = info.pop("entries", None)
        if entries is None:
            return
        known_in_a_row = 0
        for _, entry in PlaylistEntries(self._ydl, {"entries": entries})[1:]:
            if not entry:
                continue
            if self._stop_after and known_in_a_row >= self._stop_after:
                self.is_cut = True
                return
            if len(self.entries) >= self._max_items or time.monotonic() > self._ends_at:
                self.is_capped = True
                return
            if entry.get("_type") in LIST_TYPES:
                self._take(entry, depth + 1, tab_of(entry.get("webpage_url")) or tab)
            elif depth < _DEPTH and self._leads_to_list(entry):
                self._take(self._open(entry["url"], entry.get("ie_key")), depth + 1, tab_of(entry["url"]) or tab)
            elif (is_known := self._add(entry, info, tab)) is not None:
                known_in_a_row = known_in_a_row + 1 if is_known else 0

    def _leads_to_list(self, entry: dict[str, Any]) -> bool:
        """True for the tabs of a channel and the like: their extractor gives lists, never videos."""
        name = entry.get("ie_key")
        if entry.get("_type") != "url" or not name:
            return False
        if name == "YoutubeTab":
            return True
        try:
            extractor = self._ydl.get_info_extractor(name)
        except KeyError:  # the site's extractor names one that does not exist
            return False
        return getattr(extractor, "_RETURN_TYPE", None) == "playlist"

    def _add(self, entry: dict[str, Any], parent: dict[str, Any], tab: str) -> bool | None:
        """Take an entry; whether it is known, None for one that tells nothing about what comes after it."""
        url = address_of(entry, parent)
        if url is None or url in self._seen:
            return None
        self._seen.add(url)
        site = site_of(entry.get("ie_key") or entry.get("extractor_key"))
        duration = entry.get("duration")
        video_id = str(entry["id"]) if entry.get("id") and site != "generic" else None
        identity = identity_of(site, video_id or "", url, audio_only=False)
        key = key_of(entry) or identity
        self.entries.append(
            {
                "url": url,
                "title": str(entry.get("title") or entry.get("id") or url),
                "duration_s": int(duration) if isinstance(duration, (int, float)) else None,
                "site": site,
                "video_id": video_id,
                "live_status": entry.get("live_status"),
                "uploader": entry.get("uploader") or entry.get("channel"),
                "key": key,
                "identity": identity,
                "tab": tab,
                "is_short": tab == "shorts" or "/shorts/" in url,
                "is_for_members": entry.get("availability") in ("subscriber_only", "premium_only"),
                "published_on": published_on(entry),
            }
        )
        if entry.get("live_status") in ("is_live", "is_upcoming", "post_live"):
            return None  # announced ones stand above what is known for days
        return key in self._known or identity in self._known


def tab_of(url: Any) -> str:
    """Which tab of a channel an address is: `videos`, `shorts`, `streams`, or empty."""
    return _TABS.get(urlsplit(str(url or "")).path.rstrip("/").rpartition("/")[2], "")


def key_of(entry: dict[str, Any]) -> str:
    """The id that a feed itself gives an entry, whose address may be another every day; empty without one."""
    from yt_dlp.utils import unsmuggle_url

    name = unsmuggle_url(str(entry.get("url") or ""), {})[1].get("force_videoid")
    return f"guid:{name}"[:300] if name else ""


def published_on(entry: dict[str, Any]) -> str | None:
    """The day it came out, `YYYY-MM-DD`, as far as the list tells."""
    for name in ("timestamp", "release_timestamp"):
        value = entry.get(name)
        if isinstance(value, (int, float)) and 0 < value < 32503680000:
            return datetime.datetime.fromtimestamp(value, datetime.UTC).date().isoformat()
    text = str(entry.get("upload_date") or "")
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").replace(tzinfo=datetime.UTC).date().isoformat()
    except ValueError:
        return None


def site_of(extractor_key: Any) -> str:
    """The site's name, lower case. What is found on any page by its looks alone has no site and no ids of its own."""
    name = str(extractor_key or "generic").lower()
    return "generic" if name in ("generic", "html5mediaembed", "html5") else name


def address_of(entry: dict[str, Any], parent: dict[str, Any]) -> str | None:
    """The address under which an entry can be opened alone: its page, or its file where it has no page of its own."""
    from yt_dlp.utils import unsmuggle_url

    if entry.get("_type") in ("url", "url_transparent"):
        url = entry.get("url")
    else:
        page = entry.get("webpage_url")
        url = page if page and page != parent.get("webpage_url") else _file_of((entry.get("formats") or [entry])[-1])
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        return None
    plain, hidden = unsmuggle_url(url, {})
    return str(plain) if set(hidden) <= {"force_videoid"} else url


def _file_of(best: dict[str, Any]) -> str | None:
    is_stream = str(best.get("protocol") or "").startswith(("m3u8", "http_dash"))
    url: str | None = (best.get("manifest_url") if is_stream else None) or best.get("url")
    return url
