"""The two cookies of a session: HttpOnly, this site only, below the base path, with names of this installation."""

from __future__ import annotations

from datetime import timedelta

from litestar.datastructures import Cookie

from medianest.accounts.model import Tokens
from medianest.accounts.service import IDLE, IDLE_REMEMBERED
from medianest.accounts.tokens import ACCESS_S
from medianest.web.urls import Urls


class SessionCookies:
    """Names and makes them.

    Args:
        fingerprint: tells two installations on one host apart.
    """

    def __init__(self, fingerprint: str, urls: Urls) -> None:
        self.access_name = f"mn_{fingerprint}_access"
        self.refresh_name = f"mn_{fingerprint}_refresh"
        self._path = urls.cookie_path

    def give(self, tokens: Tokens, *, is_secure: bool) -> list[Cookie]:
        """Cookies for new tokens; the refresh cookie is left alone when another tab has just taken the new one."""
        remembered = tokens.session.is_remembered
        # the cookie outlives its token: an expired one tells the server that there was a session
        cookies = [self._cookie(self.access_name, tokens.access_token, timedelta(seconds=ACCESS_S), is_secure)]
        if tokens.refresh_token is not None:
            cookies.append(
                self._cookie(
                    self.refresh_name, tokens.refresh_token, IDLE_REMEMBERED if remembered else IDLE, is_secure
                )
            )
        return cookies

    def take(self, *, is_secure: bool) -> list[Cookie]:
        """Cookies that remove both."""
        return [self._cookie(name, "", timedelta(0), is_secure) for name in (self.access_name, self.refresh_name)]

    def _cookie(self, name: str, value: str, age: timedelta, is_secure: bool) -> Cookie:
        return Cookie(
            key=name,
            value=value,
            path=self._path,
            max_age=int(age.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=is_secure,
        )
