"""Under which names MediaNest answers: a page that points a name of its own at us (DNS rebinding) gets nothing."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache
from urllib.parse import urlsplit

NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*")
ALWAYS = frozenset(("localhost",))


def host_of(header: str) -> str | None:
    """The name or address in a Host header, lower case, without port and last dot; None when it is neither."""
    text = header.lower()
    name, port = text, ""
    if text.startswith("["):
        name, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return None
        port = port[1:]
        try:
            return str(ipaddress.IPv6Address(name)) if _is_port(port) else None
        except ValueError:
            return None
    if ":" in text:
        name, _, port = text.partition(":")
    name = name.removesuffix(".")
    if not _is_port(port) or len(name) > 253 or not NAME.fullmatch(name):
        return None
    return name


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 5)


def is_address(name: str) -> bool:
    """An address in its plain spelling: no name server was asked, so none could have lied."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_always_allowed(name: str) -> bool:
    """Addresses, `localhost` and what multicast DNS answers for."""
    return name in ALWAYS or name.endswith((".localhost", ".local")) or is_address(name)


@lru_cache(maxsize=1)
def machine_names() -> tuple[str, ...]:
    """This machine's own names: long and short."""
    own = socket.gethostname().lower().removesuffix(".")
    return tuple(name for name in dict.fromkeys((own, own.partition(".")[0])) if NAME.fullmatch(name))


def host_in(url: str) -> str:
    """The name in an address of ours; empty when there is none."""
    return (urlsplit(url).hostname or "").lower() if url else ""
