"""Signing in with Plex through the API: begin a PIN, ask until somebody has allowed it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Response

from medianest.accounts.api import OPEN
from medianest.accounts.model import User
from medianest.accounts.plex.cookie import pin_cookie_name
from medianest.accounts.plex.model import Outcome, Step
from medianest.accounts.plex.pages import PAGE, cookie
from medianest.accounts.plex.service import PlexSignIn
from medianest.accounts.plex.words import refusal_words, trouble_words
from medianest.accounts.second_factor.ticket import SecondFactorNeeded
from medianest.accounts.service import AccountService
from medianest.connections.service import ConnectionService
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_json
from medianest.web.urls import Urls, external_base

AnyRequest = Request[Any, Any, Any]
SECRET_HEADER = "x-pin-secret"  # noqa: S105
STATES = {
    Step.WAITING: "pending",
    Step.DONE: "authorized",
    Step.REFUSED: "refused",
    Step.EXPIRED: "expired",
    Step.CANCELLED: "expired",
}


class NewPin(msgspec.Struct):
    """`is_code`: four characters to type at plex.tv/link instead of a page to open. `cookies` false: for programs."""

    remember: bool = False
    cookies: bool = True
    is_code: bool = False


class MadePin(msgspec.Struct):
    """`pin_secret` only for clients without cookies: it goes into the header `X-Pin-Secret`."""

    id: UUID
    code: str
    auth_url: str
    expires_at: datetime
    pin_secret: str | msgspec.UnsetType = msgspec.UNSET


class PinAnswer(msgspec.Struct):
    """`state`: pending, authorized, expired or refused. `reason` is a stable name, `detail` a sentence.

    The first answer that is `authorized` signs in: it has what a login answers. `expires_in` in seconds.
    """

    state: str
    reason: str = ""
    detail: str = ""
    access_token: str | msgspec.UnsetType = msgspec.UNSET
    token_type: str | msgspec.UnsetType = msgspec.UNSET
    expires_in: int | msgspec.UnsetType = msgspec.UNSET
    user: User | msgspec.UnsetType = msgspec.UNSET
    refresh_token: str | msgspec.UnsetType | None = msgspec.UNSET


class PlexPinApi(Controller):
    path = "/api/v1/auth/plex/pins"
    tags = ("Sign-in",)
    opt = {"public": True}  # noqa: RUF012

    @post(status_code=201, security=OPEN, summary="Begin a sign-in with Plex")
    async def begin(
        self,
        request: AnyRequest,
        plex_sign_in: NamedDependency[PlexSignIn],
        connections: NamedDependency[ConnectionService],
        urls: NamedDependency[Urls],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[MadePin]:
        sent = read_json(await request.body(), NewPin)
        pin, secret = await plex_sign_in.begin(
            is_strong=not sent.is_code,
            return_url=external_base(request, connections.public_url) + urls.to(PAGE + "/return"),
            address=device_of(request).address,
            is_remembered=sent.remember,
        )
        made = MadePin(pin.id, pin.code, pin.auth_url, pin.expires_at)
        if not sent.cookies:
            return Response(msgspec.structs.replace(made, pin_secret=secret), status_code=201)
        return Response(made, status_code=201, cookies=[cookie(request, session_cookies, urls, secret)])

    @get("/{pin_id:uuid}", security=OPEN, summary="Ask whether it was allowed; signs in when it was")
    async def ask(
        self,
        request: AnyRequest,
        pin_id: FromPath[UUID],
        plex_sign_in: NamedDependency[PlexSignIn],
        accounts: NamedDependency[AccountService],
        urls: NamedDependency[Urls],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[PinAnswer]:
        given = request.headers.get(SECRET_HEADER, "")
        pin = await plex_sign_in.with_secret(pin_id, given or request.cookies.get(pin_cookie_name(session_cookies), ""))
        device = msgspec.structs.replace(device_of(request), keeps_cookies=not given)
        try:
            outcome = await plex_sign_in.go_on(pin, device)
        except SecondFactorNeeded as needed:
            return Response(PinAnswer("refused", needed.code, needed.message))
        answer = await self._answer(outcome, plex_sign_in)
        if outcome.tokens is None:
            return Response(answer)
        caller = await accounts.caller(outcome.tokens.access_token, is_cookie=False)
        answer = msgspec.structs.replace(
            answer,
            access_token=outcome.tokens.access_token,
            token_type="bearer",  # noqa: S106
            expires_in=outcome.tokens.expires_in,
            user=caller.user if caller else msgspec.UNSET,
        )
        if given:
            return Response(msgspec.structs.replace(answer, refresh_token=outcome.tokens.refresh_token))
        given_cookies = session_cookies.give(outcome.tokens, is_secure=session_cookies.is_secure(request))
        return Response(answer, cookies=[*given_cookies, cookie(request, session_cookies, urls, None)])

    async def _answer(self, outcome: Outcome, plex_sign_in: PlexSignIn) -> PinAnswer:
        state = STATES[outcome.step]
        if outcome.refused is None:
            return PinAnswer(state, outcome.trouble, trouble_words(outcome.trouble))
        server = await plex_sign_in.server()
        words = refusal_words(outcome.refused, server.name if server else "Plex")
        return PinAnswer(state, outcome.refused.code, f"{words.why} {words.advice}")
