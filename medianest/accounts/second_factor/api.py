"""The second step of a sign-in through the API. No API key opens any of it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from medianest.accounts.model import Caller
from medianest.accounts.second_factor.model import BackupCodes, Offer, SecondFactorState
from medianest.accounts.second_factor.service import SecondFactor
from medianest.web.auth import device_of

AnyRequest = Request[Any, Any, Any]


class Confirmation(msgspec.Struct):
    """`token` of the offer, the first code of the app, and the password."""

    token: str
    code: str
    password: str


class PasswordAndCode(msgspec.Struct):
    """The password, and a code of the app or a backup code."""

    password: str
    code: str


class SecondFactorApi(Controller):
    path = "/api/v1/me/second-factor"
    tags = ("Me",)

    @get(summary="Whether the second step of the sign-in is on")
    async def state(
        self, caller: NamedDependency[Caller], second_factor: NamedDependency[SecondFactor]
    ) -> SecondFactorState:
        return await second_factor.state(caller.user)

    @post("/offer", status_code=200, summary="A secret for an authenticator app; it counts once it is confirmed")
    async def offer(self, caller: NamedDependency[Caller], second_factor: NamedDependency[SecondFactor]) -> Offer:
        return await second_factor.offer(caller.user)

    @post(status_code=201, summary="Switch the second step on; answers with the backup codes, once")
    async def switch_on(
        self,
        request: AnyRequest,
        data: JSONBody[Confirmation],
        caller: NamedDependency[Caller],
        second_factor: NamedDependency[SecondFactor],
    ) -> BackupCodes:
        address = device_of(request).address
        codes = await second_factor.switch_on(caller, data.token, data.code, data.password, address=address)
        return BackupCodes(backup_codes=codes)

    @post("/backup-codes", status_code=201, summary="New backup codes; the old ones are no longer good")
    async def renew_backup_codes(
        self,
        request: AnyRequest,
        data: JSONBody[PasswordAndCode],
        caller: NamedDependency[Caller],
        second_factor: NamedDependency[SecondFactor],
    ) -> BackupCodes:
        address = device_of(request).address
        return BackupCodes(
            backup_codes=await second_factor.renew_backup_codes(caller, data.password, data.code, address=address)
        )

    @post("/off", status_code=204, summary="Switch the second step off")
    async def switch_off(
        self,
        request: AnyRequest,
        data: JSONBody[PasswordAndCode],
        caller: NamedDependency[Caller],
        second_factor: NamedDependency[SecondFactor],
    ) -> None:
        await second_factor.switch_off(caller, data.password, data.code, address=device_of(request).address)
