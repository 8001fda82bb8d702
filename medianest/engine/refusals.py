"""Why a version of yt-dlp is not taken. The one that is there stays."""

from __future__ import annotations

from medianest.errors import MediaNestError


class Refused(MediaNestError):
    """What came is not taken; the message says why, `code` is stable."""

    status = 409
    title = "This yt-dlp was not taken"
    default_code = "engine_refused"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, code=code)
