"""plex.tv: PINs, people, and which servers a person may use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

import msgspec

from medianest.errors import UpstreamFailed
from medianest.integrations.http import Answer, HttpClient
from medianest.integrations.plex_answers import (
    PRODUCT,
    as_flag,
    as_int,
    as_object,
    as_text,
    error_code,
    plex_headers,
    read_xml,
    rows,
)

STRONG_S, CODE_S = 1800, 900  # how long plex.tv keeps a PIN, when it does not say
BUSY_S = 2
BUSY, BLOCKED, NO_SUCH_PIN = 1003, 1031, 1020


class TokenDead(UpstreamFailed):
    """plex.tv does not take this token any more: the person must sign in again."""

    title = "Plex does not know this sign-in any more"
    default_code = "plex_token_dead"


class PinGone(UpstreamFailed):
    """The PIN ran out, or was made under another client identifier."""

    title = "This code is no longer good"
    default_code = "plex_pin_gone"


class PlexBusy(UpstreamFailed):
    """plex.tv had too many calls of ours; the next one not before `wait_s` seconds."""

    title = "Plex asks for patience"
    default_code = "plex_busy"

    def __init__(self, wait_s: int = BUSY_S) -> None:
        super().__init__("plex.tv asks MediaNest to call less often. Try again in a moment.")
        self.wait_s = wait_s


class AddressBlocked(UpstreamFailed):
    """plex.tv takes no sign-ins from this address for now."""

    title = "Plex blocks this address"
    default_code = "plex_address_blocked"


class Pin(msgspec.Struct, frozen=True):
    """A sign-in that somebody has to allow at Plex. `code` is long, or four characters to type."""

    id: int
    code: str
    expires_at: datetime


class PlexPerson(msgspec.Struct, frozen=True, kw_only=True):
    """An account at plex.tv; `id` is who it is, everything else may be empty and may change."""

    id: int
    username: str
    title: str
    email: str | None
    thumb: str | None
    is_restricted: bool = False
    is_home: bool = False


class PlexAddress(msgspec.Struct, frozen=True, kw_only=True):
    """One address at which a server can be tried."""

    uri: str
    address: str
    port: int
    is_local: bool
    is_relay: bool


class PlexResource(msgspec.Struct, frozen=True, kw_only=True):
    """A server or player that an account may use. `access_token` is that person's token for this server."""

    name: str
    machine_id: str
    is_server: bool
    is_owned: bool
    access_token: str
    connections: tuple[PlexAddress, ...]
    source_title: str  # whose server it is, empty for one's own


class SharedServer(msgspec.Struct, frozen=True, kw_only=True):
    machine_id: str
    is_pending: bool
    is_owned: bool


class SharedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody the owner shares with, lives with, or has invited."""

    id: int
    username: str
    title: str
    email: str | None
    thumb: str | None
    is_home: bool
    is_restricted: bool
    servers: tuple[SharedServer, ...]


class PlexTv:
    """Calls plex.tv under one client identifier.

    Args:
        base_url: of the service, `https://plex.tv`.
        app_url: of Plex's own sign-in page.
    """

    def __init__(self, http: HttpClient, base_url: str, app_url: str, client_id: str) -> None:
        self._http = http
        self._base_url = base_url
        self._app_url = app_url
        self.client_id = client_id

    async def create_pin(self, *, is_strong: bool) -> Pin:
        """Begin a sign-in: a long code for Plex's sign-in page, or four characters for plex.tv/link."""
        params = {"strong": "true"} if is_strong else None
        found = as_object((await self._call("POST", "/api/v2/pins", params=params)).json(), "plex.tv")
        number, code = as_int(found.get("id")), as_text(found.get("code"))
        if number <= 0 or not code:
            raise UpstreamFailed("plex.tv gave no code. Try again.", code="unreadable")
        # counted from now: plex.tv's clock and ours may differ
        lasts_s = as_int(found.get("expiresIn")) or (STRONG_S if is_strong else CODE_S)
        return Pin(number, code, datetime.now(UTC) + timedelta(seconds=min(max(lasts_s, 1), STRONG_S)))

    async def read_pin(self, pin_id: int) -> str | None:
        """The token, once somebody has allowed the PIN.

        Raises:
            PinGone: it ran out, or belongs to another client identifier.
        """
        answer = await self._http.request("GET", self._url(f"/api/v2/pins/{pin_id}"), headers=self._headers())
        if answer.status == 404 or error_code(answer) == NO_SUCH_PIN:
            raise PinGone("This code is no longer good. Ask for a new one.")
        return as_text(as_object(_good(answer).json(), "plex.tv").get("authToken")) or None

    async def user(self, token: str) -> PlexPerson:
        """Who a token stands for."""
        found = as_object((await self._call("GET", "/api/v2/user", token)).json(), "plex.tv")
        number = as_int(found.get("id"))
        if number <= 0:
            raise UpstreamFailed("plex.tv did not say who this is. Try again.", code="unreadable")
        return PlexPerson(
            id=number,
            username=as_text(found.get("username")),
            title=as_text(found.get("friendlyName")) or as_text(found.get("title")) or as_text(found.get("username")),
            email=as_text(found.get("email")) or None,
            thumb=as_text(found.get("thumb")) or None,
            is_restricted=as_flag(found.get("restricted")),
            is_home=as_flag(found.get("home")),
        )

    async def resources(self, token: str) -> tuple[PlexResource, ...]:
        """The servers and players of a person: whoever has our server in this list may enter."""
        params = {"includeHttps": "1", "includeRelay": "1"}
        found = (await self._call("GET", "/api/v2/resources", token, params=params)).json()
        if not isinstance(found, list):
            raise UpstreamFailed("plex.tv sent a list of servers that can not be read.", code="unreadable")
        return tuple(_resource(row) for row in found if isinstance(row, dict))

    async def people(self, owner_token: str) -> tuple[SharedPerson, ...]:
        """Everybody the owner shares with or lives with; the owner is not among them."""
        shared = read_xml(await self._call("GET", "/api/users", owner_token))
        at_home = read_xml(await self._call("GET", "/api/home/users", owner_token))
        people = {person.id: person for person in map(_shared_person, shared.iter("User"))}
        for element in at_home.iter("User"):
            if not as_flag(element.get("admin")):
                person = _shared_person(element, is_home=True)
                people.setdefault(person.id, person)
        people.pop(0, None)
        return tuple(people.values())

    async def ping(self, token: str) -> None:
        """Keep a token alive that is seldom used."""
        await self._call("GET", "/api/v2/ping", token)

    async def sign_out(self, token: str) -> None:
        """End a token of ours."""
        await self._call("DELETE", "/api/v2/users/signout", token)

    def auth_url(self, pin: Pin | str, forward_url: str) -> str:
        """The sign-in page of Plex for a strong PIN, which comes back to `forward_url`."""
        code = pin if isinstance(pin, str) else pin.code
        parts = {
            "clientID": self.client_id,
            "code": code,
            "context[device][product]": PRODUCT,
            "forwardUrl": forward_url,
        }
        return f"{self._app_url}/auth#?{urlencode(parts, quote_via=quote)}"

    def _url(self, path: str) -> str:
        return self._base_url + path

    def _headers(self, token: str | None = None) -> dict[str, str]:
        return plex_headers(self.client_id, token)

    async def _call(
        self, method: str, path: str, token: str | None = None, *, params: dict[str, str] | None = None
    ) -> Answer:
        return _good(await self._http.request(method, self._url(path), headers=self._headers(token), params=params))


def _good(answer: Answer) -> Answer:
    """`answer`, unless it says no; the inner text of an error is not shown to anybody."""
    if answer.status < 300:
        return answer
    code = error_code(answer)
    if answer.status == 429 or code == BUSY:
        raise PlexBusy
    if code == BLOCKED:
        raise AddressBlocked("plex.tv takes no sign-ins from this address for a while. Try again in some minutes.")
    if answer.status == 401:
        raise TokenDead("Plex does not take this sign-in any more. Sign in with Plex again.")
    raise UpstreamFailed(f"plex.tv answered with an error ({answer.status}). Try again in a moment.")


def _resource(row: dict[str, Any]) -> PlexResource:
    return PlexResource(
        name=as_text(row.get("name")) or "Plex",
        machine_id=as_text(row.get("clientIdentifier")),
        is_server="server" in [part.strip() for part in as_text(row.get("provides")).split(",")],
        is_owned=as_flag(row.get("owned")),
        access_token=as_text(row.get("accessToken")),
        connections=tuple(
            PlexAddress(
                uri=as_text(found.get("uri")).rstrip("/"),
                address=as_text(found.get("address")),
                port=as_int(found.get("port")),
                is_local=as_flag(found.get("local")),
                is_relay=as_flag(found.get("relay")),
            )
            for found in rows(row, "connections")
        ),
        source_title=as_text(row.get("sourceTitle")),
    )


def _shared_person(element: Element, *, is_home: bool = False) -> SharedPerson:
    username = element.get("username") or ""
    return SharedPerson(
        id=as_int(element.get("id")),
        username=username,
        title=element.get("title") or username,
        email=element.get("email") or None,
        thumb=element.get("thumb") or None,
        is_home=is_home or as_flag(element.get("home")),
        is_restricted=as_flag(element.get("restricted")),
        servers=tuple(
            SharedServer(
                machine_id=server.get("machineIdentifier") or "",
                is_pending=as_flag(server.get("pending")),
                is_owned=as_flag(server.get("owned")),
            )
            for server in element.iter("Server")
        ),
    )
