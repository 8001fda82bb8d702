"""How Overseerr and Seerr are called: key, time limits, and what each kind of answer stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medianest import __version__
from medianest.errors import NotFound, UpstreamFailed
from medianest.integrations import overseerr_reading as reading
from medianest.integrations.answers import as_int, as_object
from medianest.integrations.breaker import GATEWAY_SAYS_DOWN, is_json, is_page
from medianest.integrations.http import Answer, HttpClient
from medianest.integrations.overseerr_answers import RequestRow
from medianest.integrations.overseerr_failures import (
    Busy,
    GatewayDown,
    KeyRefused,
    ServerError,
    Unreadable,
    WrongAddress,
)

READ_S, WRITE_S = 15.0, 30.0  # the film database behind it has no time limit: 8 s there are 8 s here
BUSY_S = 30


class OverseerrCalls:
    """Makes one call after the other to one server."""

    def __init__(self, http: HttpClient, url: str, api_key: str) -> None:
        self._http = http
        self.url = url.rstrip("/")
        self._key = api_key if api_key.isascii() and api_key.isprintable() else ""

    async def _get(self, path: str, *, as_user: int | None = None, has_key: bool = True) -> Mapping[str, Any]:
        return self._good(await self._call("GET", path, as_user=as_user, has_key=has_key))

    async def _call(
        self, method: str, path: str, *, json: Any = None, as_user: int | None = None, has_key: bool = True
    ) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": f"MediaNest/{__version__}"}
        if has_key:
            headers["X-Api-Key"] = self._key
        if as_user is not None:
            if type(as_user) is not int or as_user <= 0:
                raise ValueError("X-Api-User must be a number of a person there")
            headers["X-Api-User"] = str(as_user)
        limit_s = READ_S if method == "GET" else WRITE_S
        url = f"{self.url}/api/v1{path}"
        return await self._http.request(method, url, headers=headers, json=json, timeout_s=limit_s)

    def _row(self, found: Mapping[str, Any]) -> RequestRow:
        row = reading.request_row(found)
        if row is None:
            raise Unreadable(self.url)
        return row

    def _good(self, answer: Answer, *, is_list: bool = False) -> Mapping[str, Any]:
        """The object in `answer` (a list as `{"list": …}`), or the failure that it stands for."""
        if answer.status in GATEWAY_SAYS_DOWN:
            raise GatewayDown(f"{answer.host} says that Overseerr behind it is down ({answer.status}).")
        if 300 <= answer.status < 400 or (is_page(answer) and answer.status < 500):
            raise WrongAddress(answer.host)
        if answer.status in (401, 403):
            raise KeyRefused
        if answer.status == 404:
            raise NotFound("Overseerr does not have this any more.")
        if answer.status == 429:
            raise Busy(max(1, min(3600, as_int(answer.headers.get("retry-after"), BUSY_S))))
        if answer.status >= 400:
            raise ServerError(f"Overseerr answered with an error ({answer.status}). Try again in a moment.")
        if answer.status == 204:
            return {}
        if not is_json(answer):
            raise Unreadable(answer.host)
        try:
            found = answer.json()
        except UpstreamFailed as error:
            raise Unreadable(answer.host) from error
        if is_list:
            return {"list": found}
        return as_object(found, answer.host)
