"""The outgoing HTTP client: every call to another machine goes through here.

Which addresses it may reach is judged for the resolved address when the connection is made (`transport.py`), so that
names which change their address and redirects are covered. Answers have limits in bytes and in time.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import msgspec

from medianest.addresses import NOTHING_PRIVATE, AllowedAddresses
from medianest.errors import UpstreamFailed
from medianest.integrations.failures import AddressRefused, AnswerTooLarge, Unreachable

if TYPE_CHECKING:
    import httpx

    from medianest.integrations.transport import Resolver

__all__ = ["AddressRefused", "Answer", "AnswerTooLarge", "HttpClient", "Reach", "Unreachable", "host_of"]

LARGEST_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 30.0
MOST_REDIRECTS = 5
MOVED = frozenset((301, 302, 303, 307, 308))
# what may go along to another host; everything else may be a credential
HARMLESS = frozenset(("accept", "accept-language", "user-agent", "accept-encoding"))


class Reach(StrEnum):
    """Where a client may go."""

    OWNER = "owner"  # what the owner configured: private networks too; never link-local, metadata, multicast
    PUBLIC = "public"  # what anybody else named: the internet only


REACHES = {Reach.OWNER: AllowedAddresses(everything=True), Reach.PUBLIC: NOTHING_PRIVATE}


class Answer(msgspec.Struct, frozen=True):
    """What came back; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    host: str = ""

    def json(self) -> Any:
        """The content read as JSON.

        Raises:
            UpstreamFailed: it is none, or was cut off.
        """
        try:
            return msgspec.json.decode(self.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UpstreamFailed(f"{self.host} sent an answer that can not be read.", code="unreadable") from error


class HttpClient:
    """Makes calls within one reach.

    Args:
        timeout_s: for each wait on the other side; a whole call with its redirects takes twice that at most.
        largest_bytes: of an answer, unpacked.
        resolver: gives the addresses of a name; the system's own when left out.
    """

    def __init__(
        self,
        reach: Reach,
        *,
        timeout_s: float = TIMEOUT_S,
        largest_bytes: int = LARGEST_BYTES,
        resolver: Resolver | None = None,
    ) -> None:
        self._reach = reach
        self._timeout_s = timeout_s
        self._largest_bytes = largest_bytes
        self._resolver = resolver
        self._client: httpx.AsyncClient | None = None

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: int = 0,
        largest_bytes: int | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Call `url`; an answer of any status is an answer.

        Args:
            content: the body as it is; its type goes into `headers`.
            follow: how many redirects a GET or HEAD may take, at most five. To another host only harmless headers go.
            timeout_s: for the whole call, when it must be shorter than the client's own limit.

        Raises:
            Unreachable: no answer came.
            AnswerTooLarge: more came than is read.
            AddressRefused: the address, or where it redirects to, is out of reach.
        """
        sent = {"accept-encoding": "identity", **{name.lower(): value for name, value in (headers or {}).items()}}
        if json is not None:
            content, sent["content-type"] = msgspec.json.encode(json), "application/json"
        most = self._largest_bytes if largest_bytes is None else largest_bytes
        left = min(follow, MOST_REDIRECTS) if method in ("GET", "HEAD") else 0
        host = _judged_spelling(url)
        try:
            async with asyncio.timeout(timeout_s or 2 * self._timeout_s):
                while True:
                    answer = await self._call(method, url, sent, params, content, data, most)
                    target = answer.headers.get("location")
                    if answer.status not in MOVED or not target or left == 0:
                        return answer
                    left, params = left - 1, None
                    moved = urljoin(url, target)
                    host = _judged_spelling(moved)
                    if _origin(moved) != _origin(url):
                        sent = {name: value for name, value in sent.items() if name in HARMLESS}
                    url = moved
        except TimeoutError as error:
            raise Unreachable(f"{host} did not answer in time.", code="timed_out") from error

    async def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None,
        content: bytes | None,
        data: Mapping[str, str] | None,
        most: int,
    ) -> Answer:
        """One exchange; a GET on a kept connection that the other side had closed is made once more."""
        import httpx

        client = self._opened()
        host = host_of(url)
        for is_second in (False, True):
            opened: list[str] = []

            async def notice(event: str, _details: Any, opened: list[str] = opened) -> None:
                if event == "connection.connect_tcp.started":
                    opened.append(event)

            try:
                async with client.stream(
                    method,
                    url,
                    headers=headers,
                    params=params,
                    content=content,
                    data=data,
                    extensions={"trace": notice},
                ) as response:
                    body = await _read(response, host, most)
                    names = {name.lower(): value for name, value in response.headers.items()}
                    return Answer(response.status_code, names, body, host)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
                if method == "GET" and not opened and not is_second:
                    continue
                raise Unreachable(f"{host} broke the connection off.", code="broken_off") from _told(error)
            except httpx.ConnectTimeout as error:
                raise Unreachable(f"{host} can not be reached in time.", code="connect_timed_out") from _told(error)
            except httpx.TimeoutException as error:
                raise Unreachable(f"{host} did not answer in time.", code="timed_out") from _told(error)
            except httpx.ConnectError as error:
                raise _no_connection(host, error) from _told(error)
            except httpx.InvalidURL as error:
                raise AddressRefused(host) from _told(error)
            except (httpx.HTTPError, httpx.StreamError) as error:
                raise Unreachable(f"{host} can not be called ({type(error).__name__}).") from _told(error)
        raise AssertionError  # the second round returns or raises

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            from medianest.integrations import transport

            self._client = transport.new_client(
                REACHES[self._reach], self._timeout_s, self._resolver or transport.resolve
            )
        return self._client

    async def close(self) -> None:
        """Close what is kept open; a later call opens anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def host_of(url: str) -> str:
    """The host in an address, for a text that people read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _judged_spelling(url: str) -> str:
    """The host of `url`; AddressRefused for what is no plain http or https address."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise AddressRefused("this address") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise AddressRefused(parts.hostname or "this address")
    return parts.hostname


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _told(error: Exception) -> Exception:
    """The cause without its text: httpx puts whole addresses into it."""
    return type(error)("").with_traceback(None)


def _no_connection(host: str, error: Exception) -> Unreachable:
    import ssl

    from medianest.integrations.transport import NameUnknown

    causes: list[BaseException] = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) is not None and inner not in causes:
        causes.append(inner)
    if any(isinstance(cause, NameUnknown) for cause in causes):
        return Unreachable(f"The name {host} is not known here. Is it spelled right?", code="name_unknown")
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Unreachable(
            f"{host} has no certificate that fits this address. Use the name it is made for, or http://.",
            code="certificate",
        )
    return Unreachable(f"Nothing answers at {host}. Is it running, and is the port right?", code="refused")


async def _read(response: httpx.Response, host: str, most: int) -> bytes:
    """The body, unpacked; refused as soon as it is larger than `most`."""
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > most:
        raise AnswerTooLarge(host, most)
    packing = response.headers.get("content-encoding", "identity").strip().lower()
    if packing not in ("identity", "", "gzip", "deflate"):
        raise UpstreamFailed(f"{host} packed its answer in a way that was not asked for.", code="unreadable")
    unpacker = zlib.decompressobj(wbits=47) if packing in ("gzip", "deflate") else None
    body = bytearray()
    async for part in response.aiter_raw():
        try:
            body += unpacker.decompress(part, most + 1 - len(body)) if unpacker else part
        except zlib.error as error:
            raise UpstreamFailed(f"{host} sent an answer that can not be unpacked.", code="unreadable") from error
        if len(body) > most:
            raise AnswerTooLarge(host, most)
    return bytes(body)
