"""The short-lived cookie that ties a PIN to the browser that began it."""

from __future__ import annotations

from litestar.datastructures import Cookie

from medianest.web.cookies import SessionCookies

PIN_S = 35 * 60  # a little longer than the longest PIN, for the page that says it has run out


def pin_cookie_name(cookies: SessionCookies) -> str:
    """A name of this installation, as those of the session."""
    return cookies.access_name.removesuffix("access") + "plex"


def pin_cookie(cookies: SessionCookies, path: str, secret: str | None, *, is_secure: bool) -> Cookie:
    """With the browser's secret; without one, the cookie is removed.

    `lax`: the browser must send it when Plex leads back to us.
    """
    return Cookie(
        key=pin_cookie_name(cookies),
        value=secret or "",
        path=path,
        max_age=PIN_S if secret else 0,
        httponly=True,
        samesite="lax",
        secure=is_secure,
    )
