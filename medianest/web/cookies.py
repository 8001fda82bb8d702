"""The cookies of a session, of a sign-in between its two steps, and of a known device.

HttpOnly, this site only, below the base path, with names of this installation.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from medianest.accounts.model import Tokens
from medianest.accounts.second_factor.ticket import TICKET_S
from medianest.accounts.sessions import IDLE, IDLE_REMEMBERED
from medianest.accounts.tokens import ACCESS_S
from medianest.web.urls import Urls

DEVICE_KEPT = timedelta(days=400)  # the longest that browsers keep a cookie


class SessionCookies:
    """Names and makes them.

    Args:
        fingerprint: tells two installations on one host apart.
        public_url: where people find MediaNest; with `https://…` the cookies are Secure for calls to that host, since
            the connection to us is a plain one behind a proxy that ends TLS.
    """

    def __init__(self, fingerprint: str, urls: Urls, public_url: str = "") -> None:
        public = urlsplit(public_url)
        self._secure_host = public.netloc.lower() if public.scheme == "https" else None
        # a cookie of `/` is sent to `/medianest` as well, so the base path is part of the name
        own = hashlib.sha256(f"{fingerprint} {urls.base_path}".encode()).hexdigest()[:8]
        self.access_name = f"mn_{own}_access"
        self.refresh_name = f"mn_{own}_refresh"
        self.device_name = f"mn_{own}_device"
        self.step_name = f"mn_{own}_step"
        self._path = urls.cookie_path

    def is_secure(self, connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
        """Whether the browser came over TLS, as far as this can be known."""
        if connection.scope["scheme"] in ("https", "wss"):
            return True
        return self._secure_host is not None and connection.headers.get("host", "").lower() == self._secure_host

    def give(self, tokens: Tokens, *, is_secure: bool) -> list[Cookie]:
        """Cookies for new tokens; the refresh cookie is left alone when another tab has just taken the new one."""
        remembered = tokens.session.is_remembered
        cookies = [self._cookie(self.access_name, tokens.access_token, timedelta(seconds=ACCESS_S), is_secure)]
        if tokens.refresh_token is not None:
            cookies.append(
                self._cookie(
                    self.refresh_name, tokens.refresh_token, IDLE_REMEMBERED if remembered else IDLE, is_secure
                )
            )
        if tokens.device_token is not None:
            cookies.append(self._cookie(self.device_name, tokens.device_token, DEVICE_KEPT, is_secure))
        return cookies

    def step(self, ticket: str, *, is_secure: bool) -> list[Cookie]:
        """The cookie between the two steps of a sign-in; an empty ticket removes it."""
        return [self._cookie(self.step_name, ticket, timedelta(seconds=TICKET_S if ticket else 0), is_secure)]

    def take(self, *, is_secure: bool) -> list[Cookie]:
        """Cookies that end a session; the device stays known."""
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
