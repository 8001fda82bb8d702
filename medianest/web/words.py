"""The words for every state, the same everywhere (an icon and a colour go with each, by the style sheet)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from medianest.downloads.model import Download, DownloadState, ReasonCode


def state_word(download: Download, _: Callable[[str], str]) -> str:
    """`In line, 3rd`, `62 %`, `Finishing`, `Done`, …"""
    state = download.state
    if state is DownloadState.QUEUED:
        if download.reason_code is ReasonCode.RETRYING:
            return _("Tries again soon")
        return _("In line, %(place)s") % {"place": ordinal(download.position)} if download.position else _("In line")
    if download.is_recording:
        return _("Recording")
    if state is DownloadState.DOWNLOADING:
        percent = download.progress.percent
        return _("%(percent)d %%") % {"percent": int(percent)} if percent is not None else _("Starting")
    if state is DownloadState.WAITING:
        return _waiting(download, _)
    return {
        DownloadState.PROCESSING: _("Finishing"),
        DownloadState.COMPLETED: _("Done"),
        DownloadState.FAILED: _("Did not work"),
        DownloadState.CANCELLED: _("Cancelled"),
        DownloadState.PAUSED: _("Paused"),
    }[state]


def _waiting(download: Download, _: Callable[[str], str]) -> str:
    words = {
        ReasonCode.DISK_FULL: _("Waiting for space"),
        ReasonCode.NEEDS_SIGN_IN: _("Waiting for a sign-in"),
        ReasonCode.GEO_BLOCKED: _("Not shown in our country"),
        ReasonCode.LIBRARY_NOT_WRITABLE: _("Waiting for the library"),
        ReasonCode.FFMPEG_MISSING: _("Waiting for ffmpeg"),
        ReasonCode.JAVASCRIPT_MISSING: _("Waiting for a JavaScript runtime"),
        ReasonCode.APPROVAL: _("Waiting for approval"),
        ReasonCode.UPCOMING: _("Not out yet"),
        ReasonCode.REPLAY: _("Live, waiting for the end"),
    }
    if download.reason_code in words:
        return words[download.reason_code]
    soon = download.next_attempt_at
    if soon and soon - datetime.now(UTC) < timedelta(hours=24):
        minutes = max(1, round((soon - datetime.now(UTC)).total_seconds() / 60))
        return (
            _("Waiting, %(num)d min") % {"num": minutes}
            if minutes < 90
            else _("Waiting, %(num)d h") % {"num": round(minutes / 60)}
        )
    return _("Waiting")


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}" + {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
