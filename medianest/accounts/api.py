"""Sign-in and a person's own things through the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from medianest.accounts.model import Caller, Preferences, PreferencesChange, Scope, Session, Tokens, User
from medianest.accounts.service import AccountService
from medianest.downloads.model import QuotaUse
from medianest.downloads.service import DownloadService
from medianest.errors import NotSignedIn
from medianest.web.auth import device_of
from medianest.web.cookies import SessionCookies
from medianest.web.forms import read_json

AnyRequest = Request[Any, Any, Any]
OPEN: list[dict[str, list[str]]] = [{}]  # for the document: no token is asked for


class NewAdministrator(msgspec.Struct):
    code: str
    username: str
    password: str


class Credentials(msgspec.Struct):
    username: str
    password: str
    remember: bool = False
    cookies: bool = True  # false: the refresh token comes in the answer, no cookie is set
    second_factor: str = ""  # code of the app or a backup code, where the second step is on


class RefreshRequest(msgspec.Struct):
    refresh_token: str = ""


class LogoutRequest(msgspec.Struct):
    everywhere: bool = False


class NameChange(msgspec.Struct):
    display_name: str


class PasswordChange(msgspec.Struct):
    current_password: str
    new_password: str


class SignedIn(msgspec.Struct):
    """A fresh access token; `expires_in` in seconds. `refresh_token` only for clients that asked for no cookies."""

    access_token: str
    token_type: str
    expires_in: int
    user: User
    refresh_token: str | msgspec.UnsetType | None = msgspec.UNSET


class Me(msgspec.Struct):
    """The person with their rights (in `user`), and what they have used of their share."""

    user: User
    preferences: Preferences
    quotas: QuotaUse


class OwnSession(msgspec.Struct):
    session: Session
    is_this_device: bool


class SetupApi(Controller):
    path = "/api/v1/setup"
    tags = ("Sign-in",)
    opt = {"public": True}  # noqa: RUF012

    @post(status_code=201, security=OPEN, summary="Make the first administrator with the setup code")
    async def make(
        self,
        request: AnyRequest,
        data: JSONBody[NewAdministrator],
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[User]:
        tokens = await accounts.make_first_admin(data.code, data.username, data.password, device_of(request))
        caller = await accounts.caller(tokens.access_token, is_cookie=True)
        if caller is None:
            raise NotSignedIn("Please sign in.")
        return Response(caller.user, cookies=session_cookies.give(tokens, is_secure=session_cookies.is_secure(request)))


class AuthApi(Controller):
    path = "/api/v1/auth"
    tags = ("Sign-in",)

    @post(
        "/login", status_code=200, opt={"public": True}, security=OPEN, summary="Sign in with name, password and code"
    )
    async def login(
        self,
        request: AnyRequest,
        data: JSONBody[Credentials],
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[SignedIn]:
        device = msgspec.structs.replace(device_of(request), keeps_cookies=data.cookies)
        tokens = await accounts.sign_in(
            data.username, data.password, device, is_remembered=data.remember, second_factor=data.second_factor
        )
        return await self._answer(request, tokens, accounts, session_cookies if data.cookies else None)

    @post("/refresh", status_code=200, opt={"public": True}, security=OPEN, summary="Get a new access token")
    async def refresh(
        self,
        request: AnyRequest,
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[SignedIn]:
        sent = read_json(await request.body(), RefreshRequest).refresh_token
        token = sent or request.cookies.get(session_cookies.refresh_name, "")
        return await self._answer(request, await accounts.renew(token), accounts, None if sent else session_cookies)

    @post("/logout", status_code=204, opt={"password_change": True}, summary="End this session, or all")
    async def logout(
        self,
        request: AnyRequest,
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
        session_cookies: NamedDependency[SessionCookies],
    ) -> Response[None]:
        sent = read_json(await request.body(), LogoutRequest)
        await accounts.sign_out(caller, everywhere=sent.everywhere)
        return Response(
            None, status_code=204, cookies=session_cookies.take(is_secure=session_cookies.is_secure(request))
        )

    async def _answer(
        self, request: AnyRequest, tokens: Tokens, accounts: AccountService, cookies: SessionCookies | None
    ) -> Response[SignedIn]:
        caller = await accounts.caller(tokens.access_token, is_cookie=False)
        if caller is None:
            raise NotSignedIn("Please sign in again.")
        answer = SignedIn(tokens.access_token, "bearer", tokens.expires_in, caller.user)
        if cookies is None:
            return Response(msgspec.structs.replace(answer, refresh_token=tokens.refresh_token))
        return Response(answer, cookies=cookies.give(tokens, is_secure=cookies.is_secure(request)))


class MeApi(Controller):
    path = "/api/v1/me"
    tags = ("Me",)

    @get(opt={"scope": Scope.READ, "password_change": True}, summary="The person signed in")
    async def me(self, caller: NamedDependency[Caller], downloads: NamedDependency[DownloadService]) -> Me:
        return Me(caller.user, caller.preferences, await downloads.quota_use(caller.user))

    @patch(summary="Change the own name that others see; of people with Plex it follows their account")
    async def rename(
        self,
        request: AnyRequest,
        data: JSONBody[NameChange],
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
    ) -> User:
        return await accounts.rename(data.display_name, by=caller.user, address=device_of(request).address)

    @patch("/preferences", summary="Change own preferences")
    async def change_preferences(
        self,
        data: JSONBody[PreferencesChange],
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
    ) -> Preferences:
        return await accounts.change_preferences(data, by=caller.user)

    @get("/sessions", summary="Own signed-in devices")
    async def sessions(
        self, caller: NamedDependency[Caller], accounts: NamedDependency[AccountService]
    ) -> list[OwnSession]:
        return [OwnSession(one, one.id == caller.session_id) for one in await accounts.sessions(caller.user)]

    @delete("/sessions/{session_id:uuid}", summary="Sign one of the own devices out")
    async def end_session(
        self, session_id: FromPath[UUID], caller: NamedDependency[Caller], accounts: NamedDependency[AccountService]
    ) -> None:
        await accounts.end_session(session_id, by=caller.user)

    @post(
        "/password",
        status_code=204,
        opt={"password_change": True},
        summary="Change the own password; other devices are signed out",
    )
    async def change_password(
        self,
        request: AnyRequest,
        data: JSONBody[PasswordChange],
        caller: NamedDependency[Caller],
        accounts: NamedDependency[AccountService],
    ) -> None:
        await accounts.change_password(
            caller, data.current_password, data.new_password, address=device_of(request).address
        )
