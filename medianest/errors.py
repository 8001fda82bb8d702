"""What can go wrong, in kinds that a caller can tell apart.

Every message is a sentence for the person in front of the page: what is wrong and what to do. `web/errors.py` turns the
kinds into answers (HTML fragment, page or problem+json).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class MediaNestError(Exception):
    """A refusal or failure that MediaNest foresees.

    Args:
        message: a sentence a person can act on; it is shown as it is.
        code: stable name for scripts, `snake_case`; the kind's own when left out.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code


class Invalid(MediaNestError):
    """The input can not be taken as it is. `fields` maps a field's name to its own sentence."""

    status = 400
    title = "That does not fit"
    default_code = "invalid"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, code=code)
        self.fields = dict(fields or {})


class NotSignedIn(MediaNestError):
    """No valid session came with the call."""

    status = 401
    title = "Please sign in"
    default_code = "not_signed_in"


class NotAllowed(MediaNestError):
    """The person is known and may not do this."""

    status = 403
    title = "Not allowed"
    default_code = "not_allowed"


class PasswordChangeNeeded(NotAllowed):
    """Somebody else gave the person their password: they choose their own before anything else."""

    default_code = "password_change_needed"


class NotFound(MediaNestError):
    """There is no such thing, or it belongs to somebody else."""

    status = 404
    title = "Not found"
    default_code = "not_found"


class Conflict(MediaNestError):
    """The state of things does not allow it now."""

    status = 409
    title = "Not possible right now"
    default_code = "conflict"


class TooLarge(MediaNestError):
    """More was sent than is taken."""

    status = 413
    title = "Too large"
    default_code = "too_large"


class TooMany(MediaNestError):
    """A limit is used up; `retry_after_s` says in how many seconds it is open again."""

    status = 429
    title = "Too many tries"
    default_code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after_s = max(1, retry_after_s)


class QuotaExceeded(TooMany):
    """What a person may ask for in a while is used up."""

    title = "Your share is used up"
    default_code = "quota_exceeded"


class UpstreamFailed(MediaNestError):
    """An outside service or site answered wrongly or not at all."""

    status = 502
    title = "The other side did not answer well"
    default_code = "upstream_failed"


class Unavailable(MediaNestError):
    """MediaNest itself can not do this at the moment."""

    status = 503
    title = "Not available right now"
    default_code = "unavailable"
