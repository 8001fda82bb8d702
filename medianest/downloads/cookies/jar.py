"""Reading a Netscape cookies file: what does not belong to the named site is left out before anything is stored."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from medianest.downloads.sites import belongs_to, is_site, site_named
from medianest.errors import Invalid

LARGEST_BYTES = 256 * 1024
MOST_COOKIES = 500
HEADER = "# Netscape HTTP Cookie File"
HTTP_ONLY = "#HttpOnly_"
FIELDS = 7  # domain, below it too, path, secure, expiry, name, value
_NOT_NETSCAPE = (
    "This is no cookies file in the Netscape format. Export it with a browser extension that writes “cookies.txt”: one "
    "cookie a line, seven columns with tabs between them."
)


class Jar(msgspec.Struct, frozen=True, kw_only=True):
    """The cookies of one site, ready to be stored. `values` are their secrets, for the log to hide."""

    site: str
    text: str
    number: int
    left_out: int
    expires_at: datetime | None
    values: tuple[str, ...]


def read_site(text: str) -> str:
    """The site that somebody named, also by a link; raises `Invalid`."""
    host = text.strip().lower()
    if "://" in host:
        host = host.partition("://")[2]
    host = host.partition("/")[0].partition("?")[0].lstrip(".").rstrip(".")
    if host.count(":") == 1:
        host = host.partition(":")[0]
    if not is_site(host):
        sentence = "Name the site as it stands in the address bar, such as youtube.com."
        raise Invalid(sentence, fields={"site": sentence})
    return site_named(host)


def read_jar(text: str, site: str, now: datetime) -> Jar:
    """The cookies of `site` in a file.

    Raises:
        Invalid: it is too large, no such file, or none of its cookies is for that site and still good.
    """
    if len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise _invalid(f"The file is larger than {LARGEST_BYTES // 1024} kB. Export the cookies of this site only.")
    if text.lstrip("\ufeff \r\n\t")[:1] in ("[", "{"):
        raise _invalid("This is a JSON file. " + _NOT_NETSCAPE)
    lines: list[str] = []
    values: list[str] = []
    left_out = ended = 0
    ends: list[int] = []
    for line in text.lstrip("\ufeff").splitlines():
        if not line.strip() or (line.startswith("#") and not line.startswith(HTTP_ONLY)):
            continue
        domain, expiry, value = _fields(line)
        if not belongs_to(domain, site):
            left_out += 1
        elif 0 < expiry < now.timestamp():
            ended += 1
        else:
            lines.append(line)
            values.append(value)
            ends += [expiry] if expiry else []
    if not lines:
        raise _invalid(_nothing(site, left_out, ended))
    if len(lines) > MOST_COOKIES:
        raise _invalid(f"The file has more than {MOST_COOKIES} cookies of {site}.")
    return Jar(
        site=site,
        text="\n".join((HEADER, *lines, "")),
        number=len(lines),
        left_out=left_out + ended,
        expires_at=_time(min(ends)) if ends else None,
        values=tuple(values),
    )


def _fields(line: str) -> tuple[str, int, str]:
    """Domain, expiry (seconds since 1970, 0 for a cookie of the session) and value of one line."""
    parts = line.removeprefix(HTTP_ONLY).split("\t")
    if len(parts) != FIELDS or any(ord(one) < 32 and one != "\t" for one in line):
        raise _invalid(_NOT_NETSCAPE)
    domain, below, path, secure, expiry, name, value = parts
    is_right = (
        below in ("TRUE", "FALSE")
        and secure in ("TRUE", "FALSE")
        and path.startswith("/")
        and (name or value)
        and 0 < len(domain) <= 254
        and (not expiry or expiry.replace(".", "", 1).lstrip("-").isdigit())
    )
    if not is_right:
        raise _invalid(_NOT_NETSCAPE)
    seconds = float(expiry or 0)
    return domain, int(seconds) if 0 < seconds < 10**12 else 0, value


def _nothing(site: str, left_out: int, ended: int) -> str:
    if ended:
        return f"The cookies of {site} in this file have ended already. Sign in there again and export them anew."
    if left_out:
        return (
            f"None of the {left_out} cookies in this file is for {site}. Open the site, sign in, and export them there."
        )
    return _NOT_NETSCAPE


def _time(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _invalid(sentence: str) -> Invalid:
    return Invalid(sentence, fields={"cookies": sentence})
