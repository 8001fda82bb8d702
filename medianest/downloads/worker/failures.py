"""Why a download failed, in the classes that the server acts on.

yt-dlp has classes for few causes: what is told by an exception object comes first, then the text, with typographic
apostrophes made plain. The warnings that came before count too: some sites say the cause only there.
"""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from medianest.downloads.worker.formats import NeedsFfmpeg
from medianest.downloads.worker.guard import MARK, AddressRefused

DETAIL_LENGTH = 600


class Failure(Exception):
    """A download that can not go on. `kind` is one of the protocol's classes; `detail` is for the log."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        retry_after_s: int | None = None,
        release_at: int | None = None,
        countries: list[str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = clean_detail(detail)
        self.retry_after_s = retry_after_s
        self.release_at = release_at
        self.countries = countries or []

    def to_fields(self) -> dict[str, Any]:
        """The fields of the `failed` event."""
        return {
            "class": self.kind,
            "detail": self.detail,
            "retry_after_s": self.retry_after_s,
            "release_at": self.release_at,
            "countries": self.countries,
        }


# Order matters: the first that matches names the cause.
_TEXTS: tuple[tuple[str, str], ...] = (
    ("address_refused", rf"{re.escape(MARK)}|file:// urls are disabled|no connection adapters were found"),
    ("disk_full", r"no space left on device|disk quota exceeded|not enough space on the disk"),
    ("library_not_writable", r"read-only file system|unable to create directory|unable to open for writing"),
    (
        "ffmpeg_missing",
        r"ffmpeg (?:is )?not (?:installed|found)|ffprobe(?: and ffmpeg)? not found|ffmpeg could not be found",
    ),
    ("bot_check", r"not a (?:ro)?bot|captcha|unusual traffic"),
    ("rate_limited", r"rate-?limited|too many requests|http error 429|try again later"),
    (
        "geo_blocked",
        r"(?:not|n't) (?:made this video )?available (?:in|from) your (?:country|region|location)|geo.?restrict|blocked it in your country",
    ),
    ("needs_sign_in", r"confirm your age|age-restricted"),
    ("upcoming", r"premieres? in|will begin|has not (?:yet )?(?:started|aired)|scheduled for|is upcoming|offline"),
    (
        "needs_sign_in",
        r"sign ?in|log ?in|private video|video is private|members.only|join this channel|only available (?:for|to) registered"
        r"|account credentials|cookies|http error 401|requires? (?:authentication|payment|a subscription)|premium",
    ),
    (
        "unsupported",
        r"\bdrm\b|unsupported url|protocol is not supported|no suitable extractor",
    ),
    (
        "gone",
        r"http error (?:404|410)|video unavailable|(?:been|was) removed|account (?:has been )?(?:associated with this video )?"
        r"(?:has been )?terminated|no longer (?:available|exists)|does not exist|not found|been deleted",
    ),
    (
        "transient",
        r"http error (?:408|425|5\d\d)|timed? ?out|timeout|temporary failure in name resolution|name or service not known"
        r"|giving up after|incompleteread|connection (?:reset|aborted|broken|refused)|content too short|remote end closed"
        r"|bytes read, \d+ more expected|network is unreachable|no route to host|did not get any data|fragment \d+ not found"
        r"|getaddrinfo failed|nodename nor servname|unable to download webpage|eof occurred",
    ),
    ("forbidden", r"http error 403|server returned 403"),
    ("no_format", r"requested format is not available|no (?:video )?formats found|only images are available"),
)


def classify(error: BaseException, *, warnings: list[str] = [], refused: str | None = None) -> Failure:  # noqa: B006
    """Name the cause of `error`. `warnings` came before it; `refused` is the address that the guard refused meanwhile."""
    if isinstance(error, Failure):
        return error
    chain = list(_chain(error))
    text = "\n".join(_text(one) for one in chain)
    if any(isinstance(one, AddressRefused) for one in chain) or MARK in text or (refused and not _http_error(chain)):
        return Failure("address_refused", f"A connection to {refused or 'a private address'} was refused.")
    if any(isinstance(one, NeedsFfmpeg) for one in chain):
        return Failure("ffmpeg_missing", "The site offers picture and sound apart, and ffmpeg was not found.")
    return (
        _by_system(chain)
        or _by_class(chain)
        or _by_status(chain)
        or _by_text(text, text)
        or _by_text("\n".join(warnings), text)
        or Failure("transient" if _is_network(chain) else "engine_error", text)
    )


def clean_detail(text: str) -> str:
    """One short line without terminal colours, advice for the command line, and what addresses carry behind the `?`."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r";? ?(?:please report this issue on|Confirm you are on the latest version).*", "", text, flags=re.S)
    text = re.sub(r"(https?://[^\s?#]+)[?#]\S*", r"\1", text)
    text = re.sub(r"(?i)(https?://)[^\s/@]+@", r"\1", text)
    lines = dict.fromkeys(re.sub(r"^(?:ERROR: ?)+", "", line.strip()) for line in text.splitlines())
    return " | ".join(line for line in lines if line)[:DETAIL_LENGTH]


def _by_system(chain: list[BaseException]) -> Failure | None:
    for one in chain:
        code = getattr(one, "errno", None)
        if code in (errno.ENOSPC, errno.EDQUOT):
            return Failure("disk_full", _text(one))
        if code in (errno.EACCES, errno.EROFS, errno.EPERM):
            return Failure("library_not_writable", _text(one))
        if code == errno.EFBIG:
            return Failure("unsupported", "The file is larger than a download may be.")
    return None


def _by_class(chain: list[BaseException]) -> Failure | None:
    for one in chain:
        name = type(one).__name__
        if name == "GeoRestrictedError":
            return Failure("geo_blocked", _text(one), countries=list(getattr(one, "countries", None) or []))
        if name == "UnsupportedError":
            return Failure("unsupported", _text(one))
        if name == "UserNotLive":
            return Failure("upcoming", _text(one))
        if name == "CookieLoadError":
            return Failure("needs_sign_in", _text(one))
    return None


def _by_status(chain: list[BaseException]) -> Failure | None:
    error = _http_error(chain)
    if error is None:
        return None
    detail = "\n".join(_text(one) for one in chain)
    told = _by_text(detail, detail)
    if told is not None and told.kind in ("bot_check", "geo_blocked", "needs_sign_in"):
        return told
    wait = _retry_after(error)
    kinds = {401: "needs_sign_in", 403: "forbidden", 404: "gone", 410: "gone", 429: "rate_limited", 451: "geo_blocked"}
    if error.status in kinds:
        return Failure(kinds[error.status], detail, retry_after_s=wait)
    if error.status >= 500 or error.status in (408, 425):
        return Failure("transient", detail, retry_after_s=wait)
    return Failure("unsupported", detail) if 300 <= error.status < 500 else None


def _by_text(text: str, detail: str) -> Failure | None:
    plain = text.replace("\u2019", "'").lower()
    for kind, pattern in _TEXTS:
        if re.search(pattern, plain):
            return Failure(kind, detail)
    return None


def _retry_after(error: Any) -> int | None:
    """Seconds that the site asks to wait, from `Retry-After` in either of its forms; at most a day."""
    value = (getattr(error.response, "headers", None) or {}).get("Retry-After")
    if not value:
        return None
    try:
        seconds = int(value) if value.strip().isdigit() else int(parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 1), 86400)


def _http_error(chain: list[BaseException]) -> Any | None:
    return next((one for one in chain if type(one).__name__ == "HTTPError" and hasattr(one, "status")), None)


def _is_network(chain: list[BaseException]) -> bool:
    names = {base.__name__ for one in chain for base in type(one).__mro__}
    return bool(names & {"TransportError", "IncompleteRead", "ContentTooShortError", "TimeoutError", "ConnectionError"})


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all it came from, through Python's links and those that yt-dlp keeps, each once."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        exc_info = getattr(one, "exc_info", None) or (None, None, None)
        reason = getattr(one, "reason", None)
        waiting += [exc_info[1], getattr(one, "cause", None), one.__cause__, one.__context__, reason]
