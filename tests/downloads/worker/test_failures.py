"""Errors as yt-dlp throws them, and the class each is given."""

from __future__ import annotations

import errno
import io
from typing import Any

import pytest
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, TransportError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

from medianest.downloads.worker.failures import Failure, classify, clean_detail
from medianest.downloads.worker.guard import MARK, AddressRefused


def thrown(error: Exception) -> DownloadError:
    """As it comes out of YoutubeDL."""
    return DownloadError(f"ERROR: {error}", (type(error), error, None))


def http(status: int, **headers: str) -> HTTPError:
    return HTTPError(Response(io.BytesIO(), "http://site.example/x", headers, status))


def page(status: int, **headers: str) -> DownloadError:
    """A page that could not be loaded: the HTTP error is inside the extractor's."""
    return thrown(ExtractorError("Unable to download webpage", cause=http(status, **headers), expected=True))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Sign in to confirm you\u2019re not a bot. Use --cookies-from-browser", "bot_check"),
        ("Sign in to confirm you're not a bot", "bot_check"),
        ("The site asks for a captcha challenge", "bot_check"),
        (
            "This content isn't available, try again later. The current session has been rate-limited by YouTube",
            "rate_limited",
        ),
        ("Sign in to confirm your age. This video may be inappropriate for some users", "needs_sign_in"),
        ("Private video. Sign in if you've been granted access to this video", "needs_sign_in"),
        ("Join this channel to get access to members-only content like this video", "needs_sign_in"),
        ("This video is only available for registered users", "needs_sign_in"),
        ("The uploader has not made this video available in your country", "geo_blocked"),
        ("This video is not available from your location due to geo restriction", "geo_blocked"),
        ("Premieres in 3 hours", "upcoming"),
        ("This live event will begin in a few moments", "upcoming"),
        ("Video unavailable", "gone"),
        ("Video unavailable. This video has been removed by the uploader", "gone"),
        (
            "This video is no longer available because the account associated with this video has been terminated",
            "gone",
        ),
        ("This video is DRM protected", "unsupported"),
        ("Unsupported URL: http://site.example/", "unsupported"),
        ("ffmpeg not found. Please install or provide the path using --ffmpeg-location", "ffmpeg_missing"),
        ("You have requested merging of multiple formats but ffmpeg is not installed", "ffmpeg_missing"),
        ("Requested format is not available. Use --list-formats", "no_format"),
        ("No video formats found!", "no_format"),
        ("unable to write data: [Errno 28] No space left on device", "disk_full"),
        ("unable to open for writing: [Errno 30] Read-only file system: 'x'", "library_not_writable"),
        ("[download] Got error: The read operation timed out. Giving up after 10 retries", "transient"),
        ("[download] Got error: 50000 bytes read, 30541 more expected. Giving up after 10 retries", "transient"),
        ("[Errno -3] Temporary failure in name resolution", "transient"),
        ("list index out of range", "engine_error"),
    ],
)
def test_texts_of_sites_have_their_class(text: str, kind: str) -> None:
    assert classify(thrown(ExtractorError(text, expected=True))).kind == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (page(404), "gone"),
        (page(410), "gone"),
        (page(403), "forbidden"),
        (page(401), "needs_sign_in"),
        (page(429), "rate_limited"),
        (page(451), "geo_blocked"),
        (page(500), "transient"),
        (page(408), "transient"),
        (page(400), "unsupported"),
        (thrown(UserNotLive(video_id="x")), "upcoming"),
        (thrown(UnsupportedError("http://site.example/")), "unsupported"),
        (thrown(TransportError("reset")), "transient"),
        (thrown(IncompleteRead(1, 2)), "transient"),
        (OSError(errno.ENOSPC, "full"), "disk_full"),
        (OSError(errno.EDQUOT, "quota"), "disk_full"),
        (PermissionError(errno.EACCES, "no"), "library_not_writable"),
        (OSError(errno.EROFS, "read-only"), "library_not_writable"),
        (OSError(errno.EFBIG, "too large"), "unsupported"),
        (TimeoutError("slow"), "transient"),
        (ZeroDivisionError("a bug"), "engine_error"),
        (Failure("live", "now"), "live"),
    ],
)
def test_errors_have_their_class(error: Exception, kind: str) -> None:
    assert classify(error).kind == kind


def test_a_refused_address_is_found_however_deep_it_lies() -> None:
    refused = AddressRefused(f"10.0.0.1 was {MARK}")
    transport = TransportError(cause=refused)
    for error in (
        transport,
        thrown(transport),
        page_of(transport),
        thrown(ExtractorError("x", cause=thrown(transport))),
    ):
        assert classify(error).kind == "address_refused"
    assert (
        classify(DownloadError(f"ERROR: unable to download video data: 10.0.0.1 was {MARK}")).kind == "address_refused"
    )


def page_of(cause: Exception) -> DownloadError:
    return thrown(ExtractorError("Unable to download webpage", cause=cause, expected=True))


def test_a_refusal_explains_a_failure_without_words_but_not_a_page_that_answered() -> None:
    assert classify(thrown(ExtractorError("ffmpeg exited with code 1")), refused="10.0.0.1").kind == "address_refused"
    assert classify(page(404), refused="10.0.0.1").kind == "gone"


def test_warnings_explain_a_failure_without_words() -> None:
    warnings = ["[youtube] Sign in to confirm you\u2019re not a bot"]
    assert classify(ValueError("nothing"), warnings=warnings).kind == "bot_check"


def test_countries_and_waiting_times_are_handed_on() -> None:
    error: Any = GeoRestrictedError("Not here", countries=["DE", "FR"])
    assert classify(thrown(error)).countries == ["DE", "FR"]
    headers = {"Retry-After": "90"}
    assert classify(page(429, **headers)).retry_after_s == 90
    assert classify(page(429, **{"Retry-After": "9999999"})).retry_after_s == 86400
    assert classify(page(429, **{"Retry-After": "soon"})).retry_after_s is None


def test_a_detail_is_short_and_carries_no_secret() -> None:
    text = clean_detail(
        "\x1b[0;31mERROR:\x1b[0m Failed https://ana:pass@site.example/x?token=geheim#y; please report this issue on GitHub"
    )
    assert text == "Failed https://site.example/x"
    assert len(clean_detail("x" * 5000)) <= 600
