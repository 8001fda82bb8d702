"""What the settings of the walls may be: pure checks, each with a sentence for the field."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from medianest.errors import Invalid
from medianest.system.security.model import SecuritySettings

MOST_ENTRIES = 100
LONGEST_HSTS_DAYS = 730
NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*")
ORIGIN_NAME = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


def checked(settings: SecuritySettings) -> SecuritySettings:
    """The settings in their plain spelling.

    Raises:
        Invalid: names every field that does not fit.
    """
    readers: dict[str, Callable[[str], str]] = {
        "trusted_proxies": _network,
        "allowed_addresses": _network,
        "allowed_hosts": _name,
        "cors_origins": _origin,
        "frame_ancestors": _origin,
    }
    errors: dict[str, str] = {}
    values: dict[str, tuple[str, ...]] = {}
    for name, reader in readers.items():
        entries = getattr(settings, name)
        try:
            if len(entries) > MOST_ENTRIES:
                raise ValueError(f"At most {MOST_ENTRIES} entries fit.")
            values[name] = tuple(dict.fromkeys(reader(entry.strip()) for entry in entries if entry.strip()))
        except ValueError as error:
            errors[name] = str(error)
    if not 0 <= settings.hsts_days <= LONGEST_HSTS_DAYS:
        errors["hsts_days"] = f"A number of days from 0 to {LONGEST_HSTS_DAYS} is needed; 0 switches it off."
    if any(ipaddress.ip_network(one).prefixlen == 0 for one in values.get("trusted_proxies", ())):
        errors["trusted_proxies"] = "Not every address can be your proxy. Name the address of the proxy alone."
    if errors:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=errors)
    return msgspec.structs.replace(settings, **values)


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"“{text}” is no address or network such as 192.168.1.5 or 10.0.0.0/8.") from error
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_one else str(network)


def _name(text: str) -> str:
    name = text.lower().removesuffix(".")
    if len(name) > 253 or not NAME.fullmatch(name):
        raise ValueError(f"“{text}” is no host name such as media.example.org, without https:// and port.")
    return name


def _origin(text: str) -> str:
    """`https://name:port` alone: what a browser sends, letter by letter."""
    try:
        parts = urlsplit(text.lower().rstrip("/"))
        fits = parts.scheme in ("http", "https") and bool(ORIGIN_NAME.fullmatch(parts.netloc)) and (parts.port or 1)
    except ValueError:
        fits = False
    if not fits or parts.path or parts.query or parts.fragment:
        raise ValueError(f"“{text}” is no origin such as https://dashboard.example.org, without a path or star.")
    default = {"http": 80, "https": 443}[parts.scheme]
    host = parts.netloc.removesuffix(f":{default}") if parts.port == default else parts.netloc
    return f"{parts.scheme}://{host}"
