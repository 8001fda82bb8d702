"""Who is on the other end of the wire, and what a trusted proxy in front says about it.

Headers that claim an address, a scheme or a host count only when the directly connecting peer is in the owner's list.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
RawHeaders = list[tuple[bytes, bytes]]

# everything that proxies use to tell of the caller; underscores become hyphens on the way through some of them
FORWARDED = re.compile(
    rb"(?:x[-_](?:forwarded|real[-_]ip|original|scheme|client[-_]ip)|forwarded$|true[-_]client[-_]ip)", re.I
)
TELLING = frozenset((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"))
MOST_HOPS = 20


def client_address(scope: Any) -> str:
    """The caller's address as text; an IPv4 one that came over the dual-stack socket is written as IPv4."""
    client = scope.get("client")
    if not client:
        return ""
    address = parse(client[0])
    return str(address) if address else str(client[0])


def parse(text: str) -> Address | None:
    """An address as proxies write it, with or without a port; None when it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks of checked texts."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def is_in(address: Address | None, found: tuple[Network, ...]) -> bool:
    """Whether `address` lies in one of the networks."""
    return address is not None and any(address.version == one.version and address in one for one in found)


def tells_of_a_client(headers: RawHeaders) -> bool:
    """Whether a proxy's headers are among these."""
    return any(name in TELLING for name, _ in headers)


def without_forwarded(headers: RawHeaders) -> RawHeaders:
    """The headers without anything that claims another caller, in whatever spelling."""
    return [(name, value) for name, value in headers if not FORWARDED.match(name)]


def behind_proxy(scope: Any, trusted: tuple[Network, ...]) -> Any:
    """The scope of a call as the outermost trusted proxy saw it: real client, scheme and Host.

    `X-Forwarded-For` is read from the right, over the trusted ones: what stands further left anybody can write.
    `X-Real-IP` and `Forwarded` are not read at all.
    """
    headers: RawHeaders = scope["headers"]
    peer = parse(scope["client"][0]) if scope.get("client") else None
    if not is_in(peer, trusted):
        return {**scope, "headers": without_forwarded(headers)}
    client = _client(peer, _joined(headers, b"x-forwarded-for"), trusted)
    proto = _last(headers, b"x-forwarded-proto").lower()
    host = _last(headers, b"x-forwarded-host")
    kept = without_forwarded(headers)
    if host and sum(name == b"host" for name, _ in kept) == 1:
        kept = [(name, host.encode("latin-1") if name == b"host" else value) for name, value in kept]
    scheme = scope["scheme"]
    if proto in ("http", "https", "ws", "wss"):
        is_secure = proto in ("https", "wss")
        scheme = {"http": ("http", "https"), "websocket": ("ws", "wss")}[scope["type"]][is_secure]
    return {**scope, "headers": kept, "client": (str(client), scope["client"][1]), "scheme": scheme}


def _client(peer: Address | None, hops: list[str], trusted: tuple[Network, ...]) -> Address | None:
    client = peer
    for hop in reversed(hops[-MOST_HOPS:]):
        address = parse(hop)
        if address is None:  # "unknown" or nonsense: what stands left of it came through it
            break
        client = address
        if not is_in(address, trusted):
            break
    return client


def _joined(headers: RawHeaders, wanted: bytes) -> list[str]:
    """All values of a header, in order; several headers of the name are one list."""
    text = ",".join(value.decode("latin-1") for name, value in headers if name == wanted)
    return [part.strip() for part in text.split(",") if part.strip()]


def _last(headers: RawHeaders, wanted: bytes) -> str:
    """The value that the nearest proxy added."""
    return next(reversed(_joined(headers, wanted)), "")
