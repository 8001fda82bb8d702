"""Why a download waits or failed: for each cause a sentence for people and a rule for the queue.

A sentence says what happened and what to do. Which cause leads to which rule follows the error table of the design notes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.downloads.model import DownloadState, ReasonCode
from medianest.downloads.reports import Failed


class RetryRules(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in seconds and numbers of tries."""

    transient_delays_s: tuple[float, ...] = (60, 300, 1800)  # the last one counts for all that follow
    jitter: float = 0.2  # share of a delay that chance adds at most
    transient_tries: int = 5
    forbidden_tries: int = 3
    crash_tries: int = 3
    engine_tries: int = 2
    bot_tries: int = 3
    site_pause_s: float = 3600
    longest_site_pause_s: float = 86400
    disk_full_s: float = 300
    upcoming_s: float = 900  # when the site does not say when it begins


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a row. `delay_s` is the time to its next try; `counts` tells whether this try is used up."""

    state: DownloadState
    code: ReasonCode
    reason: str
    delay_s: float | None = None
    counts: bool = True


DISK_FULL = "The disk is too full. Make room where the library lies; it goes on by itself as soon as there is space."
DISK_FLOOR = (
    "There is too little free space: this needs {need} and {floor} must stay free. Make room; it goes on by itself."
)
SAME_VIDEO = "This video is being downloaded for another link right now. It is taken from there."
ALREADY_THERE = "It was in the library already."
LIST_OVER_QUOTA = (
    "This list counts as {cost} downloads, more than are left of this hour. It goes on by itself when there are enough."
)
LIST_CAPPED = "The list goes on; only its first {count} videos were taken."
SOME_FAILED = "{failed} of {total} videos could not be downloaded. “Try again” takes those once more."
EMPTY_LIST = "There is nothing to download in this list. It may be empty or private."
NESTED_LIST = "This entry is a list of its own. Paste its own link to download it."
APPROVAL = "A grown-up has to say yes first. It starts by itself after that."
DECLINED = "{name} said no."
DECLINED_BECAUSE = "{name} said no: {reason}"
CANCELLED = "Cancelled. What was fetched is kept for a day, so that “Try again” goes on from there."
UNEXPECTED = "Something went wrong inside MediaNest. The details are in the log; try again."

_FAILED: dict[str, tuple[ReasonCode, str]] = {
    "transient": (
        ReasonCode.TRANSIENT,
        "The connection to the site broke again and again. Check that the site works in a browser, then try again.",
    ),
    "forbidden": (
        ReasonCode.FORBIDDEN,
        "The site refused to hand out the file. Wait a while and try again; an update of yt-dlp often helps.",
    ),
    "bot_check": (
        ReasonCode.BOT_CHECK,
        "The site takes us for a robot and asks for a proof. Wait some hours, then try again.",
    ),
    "geo_blocked": (ReasonCode.GEO_BLOCKED, "The site does not show this video in our country{countries}."),
    "gone": (
        ReasonCode.GONE,
        "There is nothing at this link any more: it was removed, or the address is wrong. Check it in a browser.",
    ),
    "unsupported": (
        ReasonCode.UNSUPPORTED,
        "No video that can be downloaded was found at this link. Open the page of the video itself and copy its address.",
    ),
    "live": (ReasonCode.LIVE, "This is being broadcast right now. Try again when it is over."),
    "no_format": (
        ReasonCode.NO_FORMAT,
        "The site offers no format that fits what was asked for. Try again with another quality.",
    ),
    "ffmpeg_missing": (
        ReasonCode.FFMPEG_MISSING,
        "This needs ffmpeg, which was not found. Install ffmpeg (System says how), then try again.",
    ),
    "library_not_writable": (
        ReasonCode.LIBRARY_NOT_WRITABLE,
        "The library folder can not be written. Give MediaNest the right to write there, then try again: "
        "what was fetched is kept.",
    ),
    "address_refused": (
        ReasonCode.ADDRESS_REFUSED,
        "This link leads into a private network, which is not allowed. The owner can allow it with "
        "MEDIANEST_ALLOW_PRIVATE_DOWNLOADS.",
    ),
    "suspicious_file": (
        ReasonCode.SUSPICIOUS_FILE,
        "What the site sent is no video or sound file. It was thrown away.",
    ),
    "engine_error": (
        ReasonCode.ENGINE_ERROR,
        "The downloader could not read this site. An update of yt-dlp often helps; try again after it.",
    ),
    "worker_crashed": (
        ReasonCode.WORKER_CRASHED,
        "The download process ended unexpectedly several times. Try again; if it happens once more, see the log.",
    ),
}


def judge(failed: Failed, *, attempts: int, rules: RetryRules, now: datetime, site_pause_s: float = 0) -> Verdict:
    """What becomes of a download that failed.

    Args:
        attempts: how many tries there were, this one included.
        site_pause_s: how long its site is left alone, for the causes that pause a site.
    """
    kind = failed.failure
    if kind == "rate_limited" or (kind == "bot_check" and attempts < rules.bot_tries):
        return _site_paused(kind, failed.retry_after_s or site_pause_s or rules.site_pause_s)
    if kind == "disk_full":
        return Verdict(
            state=DownloadState.WAITING,
            code=ReasonCode.DISK_FULL,
            reason=DISK_FULL,
            delay_s=rules.disk_full_s,
            counts=False,
        )
    if kind == "upcoming":
        return _upcoming(failed.release_at, rules, now)
    if kind == "needs_sign_in":
        return Verdict(
            state=DownloadState.WAITING,
            code=ReasonCode.NEEDS_SIGN_IN,
            reason="The site shows this only to people who are signed in there, which MediaNest is not. "
            "Cancel it, or try again once it is public.",
            counts=False,
        )
    tries = {
        "transient": rules.transient_tries,
        "engine_error": rules.engine_tries,
    }.get(kind, 0)
    if attempts < tries:
        delay = _delay(rules.transient_delays_s, attempts, rules.jitter, failed.retry_after_s)
        return Verdict(
            state=DownloadState.QUEUED,
            code=ReasonCode.RETRYING,
            reason=f"The connection to the site broke. It goes on by itself (try {attempts + 1} of {tries})."
            if kind == "transient"
            else f"The site could not be read. It is tried again by itself (try {attempts + 1} of {tries}).",
            delay_s=delay,
        )
    code, sentence = _FAILED.get(kind, _FAILED["engine_error"])
    countries = f" (only in: {', '.join(failed.countries[:20])})" if failed.countries else ""
    return Verdict(state=DownloadState.FAILED, code=code, reason=sentence.replace("{countries}", countries))


def _site_paused(kind: str, delay_s: float) -> Verdict:
    sentence = (
        "The site takes us for a robot; it is left alone for a while. It goes on by itself."
        if kind == "bot_check"
        else "The site asked us to slow down; it is left alone for a while. It goes on by itself."
    )
    return Verdict(
        state=DownloadState.WAITING,
        code=ReasonCode.SITE_PAUSED,
        reason=sentence,
        delay_s=delay_s,
        counts=kind == "bot_check",
    )


def _upcoming(release_at: int | None, rules: RetryRules, now: datetime) -> Verdict:
    delay = rules.upcoming_s
    reason = "It has not begun yet. It is looked at again from time to time."
    if release_at is not None and now.timestamp() < release_at < (now + timedelta(days=3650)).timestamp():
        delay = release_at - now.timestamp()
        begins = datetime.fromtimestamp(release_at, UTC)
        reason = f"It begins on {begins:%d %B %Y at %H:%M} UTC and is downloaded after that by itself."
    return Verdict(state=DownloadState.WAITING, code=ReasonCode.UPCOMING, reason=reason, delay_s=delay, counts=False)


def _delay(delays_s: Sequence[float], attempts: int, jitter: float, asked_s: int | None) -> float:
    delay = delays_s[min(attempts, len(delays_s)) - 1] if delays_s else 0.0
    return max(delay * (1 + random.uniform(0, jitter)), asked_s or 0)  # noqa: S311  # no secret


class SitePauses:
    """Which sites are left alone until when. Doubles when a site complains again soon after its pause; in memory only."""

    def __init__(self, rules: RetryRules) -> None:
        self._rules = rules
        self._pauses: dict[str, tuple[datetime, float]] = {}

    def pause(self, host: str, now: datetime, asked_s: int | None) -> float:
        """Pause `host`; gives the seconds."""
        until, length = self._pauses.get(host, (now, 0.0))
        if until > now:  # several downloads ran into the same wall
            return (until - now).total_seconds()
        seconds = float(asked_s or min(length * 2 or self._rules.site_pause_s, self._rules.longest_site_pause_s))
        self._pauses[host] = (now + timedelta(seconds=seconds), seconds)
        return seconds

    def left_s(self, host: str, now: datetime) -> float:
        """Seconds that `host` is still left alone; 0 when it may be asked."""
        until, _length = self._pauses.get(host, (now, 0.0))
        return max(0.0, (until - now).total_seconds())

    def worked(self, host: str, now: datetime) -> None:
        """`host` answered well: its next pause starts short again."""
        if host in self._pauses and self._pauses[host][0] <= now:
            del self._pauses[host]
