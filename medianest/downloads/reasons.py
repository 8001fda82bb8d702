"""Why a download waits or failed: for each cause a sentence for people and a rule for the queue.

A sentence says what happened and what to do. Which cause leads to which rule follows the error table of the design notes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.downloads.holding import SitePause
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.downloads.reports import Failed
from medianest.downloads.sites import BIG_SITES


class RetryRules(msgspec.Struct, frozen=True, kw_only=True):
    """Delays in seconds and numbers of tries."""

    transient_delays_s: tuple[float, ...] = (60, 300, 1800)  # the last one counts for all that follow
    jitter: float = 0.2  # share of a delay that chance adds at most
    transient_tries: int = 5
    forbidden_tries: int = 3
    crash_tries: int = 3
    site_pause_s: float = 3600
    longest_site_pause_s: float = 86400
    polite_sites: frozenset[str] = BIG_SITES
    polite_pause_s: tuple[float, float] = (
        10,
        20,
    )  # between two videos of one of them: yt-dlp's own preset for sleeping
    setup_s: float = 300  # until it is looked again whether the machine works
    disk_full_s: float = 300
    upcoming_s: float = 900  # when the site does not say when it begins


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a row. `delay_s` is the time to its next try; `counts` tells whether this try is used up."""

    state: DownloadState
    code: ReasonCode
    reason: str
    delay_s: float | None = None
    counts: bool = True
    engine_tries: int = 0  # 1: it is tried once more after an update of yt-dlp
    engine_version: str = ""


DISK_FULL = "The disk is too full. Make room where the library lies; it goes on by itself as soon as there is space."
DISK_FLOOR = (
    "There is too little free space: this needs {need} and {floor} must stay free. Make room; it goes on by itself."
)
OWN_DISK_FLOOR = (
    "The disk of MediaNest's own database is nearly full, so downloads wait. Make room there; it goes on by itself."
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
LOWER_QUALITY = (
    "Only {height}p came, though more was wanted and is usual here: the site may be holding the better picture back. Remove "
    "it and add the link again in a few hours."
)
RECORDING = "It is being recorded. “End the recording” keeps what there is until then."
REPLAY = "It is being broadcast right now. The whole of it is downloaded by itself once it is over and the site has it."
POST_LIVE = "The broadcast is over, and the site is still putting the recording together. It goes on by itself."
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
    "gone": (
        ReasonCode.GONE,
        "There is nothing at this link any more: it was removed, or the address is wrong. Check it in a browser.",
    ),
    "unsupported": (
        ReasonCode.UNSUPPORTED,
        "No video that can be downloaded was found at this link. Open the page of the video itself and copy its address.",
    ),
    "live": (
        ReasonCode.LIVE,
        "This is being broadcast right now. Record it from now on, or get the whole of it when it is over.",
    ),
    "no_format": (
        ReasonCode.NO_FORMAT,
        "The site offers no format that fits what was asked for. Try again with another quality.",
    ),
    "folder_blocked": (
        ReasonCode.LIBRARY_NOT_WRITABLE,
        "A folder of the library can not be made or written. See to it (the details are in the log), then try again: "
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
        "The downloader can not read this site, and an update of yt-dlp did not help. Try again in some weeks.",
    ),
    "worker_crashed": (
        ReasonCode.WORKER_CRASHED,
        "The download process ended unexpectedly several times. Try again; if it happens once more, see the log.",
    ),
}

# What pauses a site, and what on this machine must be mended: nobody's tries are used up meanwhile.
PAUSES = {"rate_limited": ReasonCode.RATE_LIMITED, "bot_check": ReasonCode.BOT_CHECK}
SETUP = {
    "disk_full": ReasonCode.DISK_FULL,
    "library_not_writable": ReasonCode.LIBRARY_NOT_WRITABLE,
    "ffmpeg_missing": ReasonCode.FFMPEG_MISSING,
    "javascript_missing": ReasonCode.JAVASCRIPT_MISSING,
}
STOPS_EVERYTHING = ("disk_full", "library_not_writable")  # a missing program stops only the sites that need it
_SETUP_SENTENCES = {
    ReasonCode.DISK_FULL: DISK_FULL,
    ReasonCode.LIBRARY_NOT_WRITABLE: "The library folder can not be written. Give MediaNest the right to write there; it "
    "goes on by itself, and what was fetched is kept.",
    ReasonCode.FFMPEG_MISSING: "This needs ffmpeg, which was not found. Install ffmpeg (System says how); it goes on by itself.",
    ReasonCode.JAVASCRIPT_MISSING: "This site needs a JavaScript runtime, and none was found. Install deno or node (System "
    "says how); it goes on by itself.",
}
_SIGN_IN = (
    "The site shows this only to people who are signed in there. It goes on by itself as soon as an administrator puts "
    "cookies of the site in; until then, cancel it or try again once it is public."
)
_SIGN_IN_STALE = (
    "The site shows this only to certain people who are signed in there, and the cookies we have did not open it. It goes "
    "on by itself when an administrator puts fresh ones in."
)
_GEO = (
    "The site does not show this video in our country{countries}. It is tried again when cookies of the site change; "
    "otherwise cancel it."
)
_BUG = (
    "The downloader could not read this site. It is tried once more by itself after the next update of yt-dlp; you can "
    "also try again now."
)


def judge(
    failed: Failed, *, attempts: int, rules: RetryRules, now: datetime, site_pause_s: float = 0, engine_tries: int = 0,
    engine_version: str = "", has_cookies: bool = False,
) -> Verdict:  # fmt: skip
    """What becomes of a download that failed.

    Args:
        attempts: how many tries there were, this one included.
        site_pause_s: how long its site is left alone, for the causes that pause a site.
        engine_tries: how often yt-dlp could not read it before.
        engine_version: the version that could not. The same one again is no second try: of several processes one may
            take it that has not been updated yet.
        has_cookies: whether the site was shown cookies.
    """
    kind = failed.failure
    if kind in PAUSES:
        reason = pause_sentence(PAUSES[kind], has_cookies=has_cookies)
        return _waits(ReasonCode.SITE_PAUSED, reason, failed.retry_after_s or site_pause_s or rules.site_pause_s)
    if kind in SETUP:
        return _waits(SETUP[kind], _SETUP_SENTENCES[SETUP[kind]], site_pause_s or rules.setup_s)
    if kind == "upcoming":
        return _upcoming(failed.release_at, rules, now)
    if kind in ("replay", "post_live"):
        return _waits(ReasonCode.REPLAY, REPLAY if kind == "replay" else POST_LIVE, rules.upcoming_s)
    if kind == "needs_sign_in":
        return _waits(ReasonCode.NEEDS_SIGN_IN, _SIGN_IN_STALE if has_cookies else _SIGN_IN, None)
    if kind == "geo_blocked":
        countries = f" (only in: {', '.join(failed.countries[:20])})" if failed.countries else ""
        return _waits(ReasonCode.GEO_BLOCKED, _GEO.replace("{countries}", countries), None)
    if kind == "transient" and attempts < rules.transient_tries:
        return Verdict(
            state=DownloadState.QUEUED,
            code=ReasonCode.RETRYING,
            reason="The connection to the site broke. It goes on by itself "
            f"(try {attempts + 1} of {rules.transient_tries}).",
            delay_s=_delay(rules.transient_delays_s, attempts, rules.jitter, failed.retry_after_s),
        )
    code, sentence = _FAILED.get(kind, _FAILED["engine_error"])
    if code is ReasonCode.ENGINE_ERROR:
        is_again = engine_tries > 0 and failed.version == engine_version != ""
        tries = engine_tries if is_again else engine_tries + 1
        reason = _BUG if tries == 1 else sentence
        return Verdict(
            state=DownloadState.FAILED, code=code, reason=reason, engine_tries=tries, engine_version=failed.version
        )
    return Verdict(state=DownloadState.FAILED, code=code, reason=sentence)


def _waits(code: ReasonCode, reason: str, delay_s: float | None) -> Verdict:
    return Verdict(state=DownloadState.WAITING, code=code, reason=reason, delay_s=delay_s, counts=False)


def pause_sentence(code: ReasonCode, *, has_cookies: bool = False) -> str:
    """For a download that waits with its site."""
    if code is ReasonCode.BOT_CHECK:
        advice = (
            "The cookies we have may be stale; an administrator can put fresh ones in."
            if has_cookies
            else "Cookies of a signed-in browser often help: an administrator can put them in."
        )
        return f"The site takes us for a robot and is left alone for a while, then one download tries. {advice}"
    if code in _SETUP_SENTENCES:
        return _SETUP_SENTENCES[code]
    return "The site asked us to slow down and is left alone for a while. It goes on by itself."


def stop_sentence(pause: SitePause) -> str:
    """For everybody: what stands still, and why."""
    site = pause.site
    return {
        ReasonCode.RATE_LIMITED: f"{site} asked us to slow down.",
        ReasonCode.BOT_CHECK: f"{site} takes us for a robot.",
        ReasonCode.DISK_FULL: "The disk is too full: nothing is downloaded.",
        ReasonCode.LIBRARY_NOT_WRITABLE: "The library folder can not be written: nothing is downloaded.",
        ReasonCode.FFMPEG_MISSING: f"Downloads from {site} need ffmpeg, which was not found.",
        ReasonCode.JAVASCRIPT_MISSING: f"Downloads from {site} need a JavaScript runtime, and none was found.",
    }.get(pause.reason_code, f"Downloads from {site} wait.")


def stop_advice(code: ReasonCode) -> str:
    """What an administrator does about it."""
    return {
        ReasonCode.BOT_CHECK: "Put cookies of a signed-in browser in under Downloads, Cookies, or wait: one download tries by itself.",
        ReasonCode.DISK_FULL: "Make room on the disks that the page System shows. It goes on by itself.",
        ReasonCode.LIBRARY_NOT_WRITABLE: "Give MediaNest the right to write into the library folder. It goes on by itself.",
        ReasonCode.FFMPEG_MISSING: "Install ffmpeg, or put it into the folder bin of the data folder. It goes on by itself.",
        ReasonCode.JAVASCRIPT_MISSING: "Install deno or node, or put deno into the folder bin of the data folder. It goes on by itself.",
    }.get(code, "It goes on by itself.")


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
