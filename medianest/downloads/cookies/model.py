"""What people may know of stored cookies: of which site, how many, how old; never what they say."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SiteCookies(msgspec.Struct, frozen=True, kw_only=True):
    """The cookies of one site. `expires_at` is when the first of the lasting ones ends; None when all end with a session.

    `stale_since`: the site asked for a sign-in, or for a proof that we are no robot, although it was shown them.
    `waiting` is how many videos wait for a sign-in there.
    """

    site: str
    number: int
    uploaded_at: datetime
    uploaded_by: str | None
    expires_at: datetime | None = None
    stale_since: datetime | None = None
    waiting: int = 0


class CookiesAdded(msgspec.Struct, frozen=True, kw_only=True):
    """What an upload did. `left_out` are cookies of other sites and such that had ended; they were not stored."""

    site: str
    number: int
    left_out: int
    resumed: int  # videos that go on


class NewCookies(msgspec.Struct, frozen=True, kw_only=True):
    """A Netscape cookies file as text (`cookies.txt`)."""

    cookies: str
