"""What makes two links the same, and two videos."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

# Extractors that take any page or file of the web: their ids are base names or counters, shared by unrelated videos.
GENERIC_SITES = frozenset(("", "generic", "html5", "html5mediaembed", "html5embed", "commonmistakes", "unicodebom"))


def key_of(url: str, *, audio_only: bool) -> str:
    """SHA-256 of a link in its normal form (`check_url` gives it); only the sound of it is another thing."""
    plain = url.partition("#")[0]
    return hashlib.sha256((plain + (" audio" if audio_only else "")).encode()).hexdigest()


def identity_of(site: str, video_id: str, url: str, *, audio_only: bool) -> str:
    """One name for one video: `site:id` of a real site, else a hash of the whole link.

    yt-dlp's own archive would take every `video.mp4` on the web for the same one.
    """
    site = site.lower()
    if site in GENERIC_SITES or not video_id:
        name = "url:" + hashlib.sha256(url.partition("#")[0].encode()).hexdigest()
    else:
        name = f"{site}:{video_id}"
    return name + (":audio" if audio_only else "")


def host_of(url: str) -> str:
    """The site's name in a link, lower case and without `www.`; empty when there is none."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
