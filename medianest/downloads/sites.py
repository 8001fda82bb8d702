"""The site of a link: what is paused together, asked politely together, and signed in to together."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

# Several names of one site. What ends with a name on the left is the site on the right.
_NAMES = {
    "youtu.be": "youtube.com",
    "youtube-nocookie.com": "youtube.com",
    "youtube.com": "youtube.com",
    "vimeo.com": "vimeo.com",
    "dailymotion.com": "dailymotion.com",
    "dai.ly": "dailymotion.com",
    "twitch.tv": "twitch.tv",
    "tiktok.com": "tiktok.com",
    "instagram.com": "instagram.com",
    "facebook.com": "facebook.com",
    "fb.watch": "facebook.com",
    "twitter.com": "x.com",
    "x.com": "x.com",
    "t.co": "x.com",
    "reddit.com": "reddit.com",
    "redd.it": "reddit.com",
    "soundcloud.com": "soundcloud.com",
    "bandcamp.com": "bandcamp.com",
    "bilibili.com": "bilibili.com",
    "b23.tv": "bilibili.com",
    "nicovideo.jp": "nicovideo.jp",
    "rumble.com": "rumble.com",
    "odysee.com": "odysee.com",
    "archive.org": "archive.org",
}
# Sites that so many people download from that they count and lock out: a breath is taken between two videos.
BIG_SITES = frozenset(_NAMES.values()) - {"archive.org"}
# Endings under which anybody registers a name: nobody's cookies may be for all of them.
_SHARED_ENDINGS = frozenset(
    f"{second}.{top}"
    for top in (
        "uk",
        "jp",
        "au",
        "nz",
        "za",
        "br",
        "kr",
        "in",
        "il",
        "tr",
        "cn",
        "tw",
        "mx",
        "ar",
        "sg",
        "hk",
        "th",
        "id",
    )
    for second in ("co", "com", "org", "net", "gov", "ac", "edu", "or", "ne", "go", "gob")
) | {"github.io", "blogspot.com", "wordpress.com", "netlify.app", "pages.dev"}


def site_of(url: str) -> str:
    """The site of a link, such as `youtube.com` for all of its names; its host where none is known; empty without one."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""
    return site_named(host)


def site_named(host: str) -> str:
    """The site that `host` belongs to."""
    host = host.lower()
    for name, site in _NAMES.items():
        if host == name or host.endswith(f".{name}"):
            return site
    for prefix in ("www.", "m."):
        if host.startswith(prefix) and host.count(".") > 1:
            host = host.removeprefix(prefix)
    return host[:253]


def belongs_to(domain: str, site: str) -> bool:
    """Whether a cookie for `domain` may be kept for `site`: the site itself, what lies below it, and its own parents."""
    domain = domain.lower().lstrip(".").rstrip(".")
    if not domain:
        return False
    if site_named(domain) == site or domain == site:
        return True
    if _is_address(site) or _is_address(domain):
        return False
    if domain.endswith(f".{site}"):
        return True
    return site.endswith(f".{domain}") and "." in domain and domain not in _SHARED_ENDINGS


def is_site(name: str) -> bool:
    """Whether `name` can be a site: a host name with a dot or an address, and nothing else."""
    if _is_address(name):
        return True
    labels = name.split(".")
    return (
        len(name) <= 253
        and len(labels) > 1
        and name not in _SHARED_ENDINGS
        and all(0 < len(one) <= 63 and one.replace("-", "a").isalnum() and one.isascii() for one in labels)
        and not any(one.startswith("-") or one.endswith("-") for one in labels)
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
