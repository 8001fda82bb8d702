"""How outgoing connections are made: the name is resolved here, judged, and connected to at exactly that address.

The only module that imports httpx; loaded with the first call, since it costs a good part of the start.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import certifi
import httpcore
import httpx

from medianest.addresses import AllowedAddresses, is_allowed
from medianest.integrations.failures import AddressRefused

CONNECT_S = 5.0
KEPT_S = 15.0  # a Plex server drops idle connections after 20 s
MOST_CONNECTIONS = 40

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


async def resolve(host: str, port: int) -> Sequence[str]:
    """Numeric addresses of `host`, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class JudgingBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets for httpcore, to addresses that `allowed` permits and to nothing else."""

    def __init__(self, allowed: AllowedAddresses, resolver: Resolver = resolve) -> None:
        self._allowed = allowed
        self._resolve = resolver
        self._inner: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        ends = time.monotonic() + (CONNECT_S if timeout is None else timeout)
        good = await self._judged(host, port, max(0.1, ends - time.monotonic()))
        last: Exception | None = None
        for place, address in enumerate(good):
            # a share of the time for each, so that a dead IPv6 route leaves some for IPv4
            share_s = max(0.5, (ends - time.monotonic()) / (len(good) - place))
            try:
                return await self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last or httpcore.ConnectError("no address")

    async def _judged(self, host: str, port: int, timeout_s: float) -> list[str]:
        """The allowed addresses of `host`; the connection goes to one of these strings, not to the name."""
        try:
            async with asyncio.timeout(timeout_s):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise NameUnknown(host) from error
        good = [address for address in found if self._may(address)]
        if found and not good:
            raise AddressRefused(host)
        return good

    def _may(self, address: str) -> bool:
        try:
            return is_allowed(ipaddress.ip_address(address.partition("%")[0]), self._allowed)
        except ValueError:
            return False

    async def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("a local socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class NameUnknown(httpcore.ConnectError):
    """The resolver knows no address for the name."""


class JudgingTransport(httpx.AsyncHTTPTransport):
    """httpx's transport over `JudgingBackend`: no proxy, no retries of its own."""

    def __init__(self, backend: JudgingBackend) -> None:
        super().__init__(verify=tls_context(), trust_env=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls_context(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=KEPT_S,
            network_backend=backend,
        )


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The machine's certificates (an own authority of the house among them) and certifi's, for machines without any."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def new_client(allowed: AllowedAddresses, read_s: float, resolver: Resolver = resolve) -> httpx.AsyncClient:
    """A client that follows no redirects, keeps no cookies and reads nothing from the environment."""
    return httpx.AsyncClient(
        transport=JudgingTransport(JudgingBackend(allowed, resolver)),
        timeout=httpx.Timeout(read_s, connect=min(CONNECT_S, read_s)),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
    )
