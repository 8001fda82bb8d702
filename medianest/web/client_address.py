"""Who is on the other end of the wire. Headers that claim otherwise are not looked at."""

from __future__ import annotations

import ipaddress
from typing import Any


def client_address(scope: Any) -> str:
    """The connecting address as text; an IPv4 one that came over the dual-stack socket is written as IPv4."""
    client = scope.get("client")
    if not client:
        return ""
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
