"""The walls before every call: trusted proxies, Host, addresses that may call, https, and other sites' pages.

All of it is judged here once, before routing; what comes after (limits, audit, cookies, links) uses the same values from
the scope. The rules change while MediaNest runs: `system/security/` builds new ones.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from medianest.system.security.model import ProtectionOff, SecuritySettings
from medianest.walls.client_address import (
    Network,
    behind_proxy,
    client_address,
    is_in,
    networks,
    parse,
    tells_of_a_client,
)
from medianest.walls.hosts import host_in, host_of, is_address, is_always_allowed, machine_names

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))  # change nothing
PROBES = frozenset(("/ping", "/healthz", "/readyz"))
UNTRUSTED_KEPT = 20
UNTRUSTED_KEPT_S = 24 * 3600
PREFLIGHT_S = 600
READ_AGAIN_S = 3.0
CORS_HEADERS = "Authorization, Content-Type, X-Api-Key, X-CSRF-Token, X-Pin-Secret, X-Request-Id"
CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


@dataclass(frozen=True)
class Refusal:
    """An answer that a wall gives itself, as plain text."""

    status: int
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True)
class Rules:
    """Settings made ready for the comparison of every call."""

    settings: SecuritySettings
    public_url: str = ""
    trusted: tuple[Network, ...] = ()
    allowed: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: SecuritySettings, public_url: str = "") -> Rules:
        names = {*settings.allowed_hosts, *machine_names(), host_in(public_url)} - {""}
        return cls(
            settings=settings,
            public_url=public_url,
            trusted=networks(settings.trusted_proxies),
            allowed=networks(settings.allowed_addresses),
            names=frozenset(names),
            origins=frozenset(settings.cors_origins),
        )


@dataclass
class Walls:
    """Judges every call by the rules of the moment."""

    rules: Rules
    # address → when it last sent a proxy's headers without being trusted
    untrusted: dict[str, float] = field(default_factory=dict)
    # reads the rules again; asked before a call is refused, since the console may just have changed them
    read_again: Callable[[], Awaitable[None]] | None = None
    _read_at: float = float("-inf")

    def untrusted_proxies(self) -> tuple[str, ...]:
        """Addresses that sent proxy headers within a day and are not trusted, the latest first."""
        now = time.monotonic()
        found = [
            (at, address)
            for address, at in self.untrusted.items()
            if now - at < UNTRUSTED_KEPT_S and not is_in(parse(address), self.rules.trusted)
        ]
        return tuple(address for _, address in sorted(found, reverse=True))

    def seen(self, scope: Any) -> Any:
        """The scope as the rest of the program shall see it."""
        rules = self.rules
        if tells_of_a_client(scope["headers"]):
            peer = client_address(scope)
            if not is_in(parse(peer), rules.trusted):
                self._remember(peer)
        return behind_proxy(scope, rules.trusted)

    def _remember(self, peer: str) -> None:
        self.untrusted[peer] = time.monotonic()
        if len(self.untrusted) > UNTRUSTED_KEPT:
            del self.untrusted[min(self.untrusted, key=lambda one: self.untrusted[one])]

    async def refusal(self, scope: Any, peer: str, called: bytes) -> Refusal | None:
        """`refusal_now`, by rules that are no older than some seconds."""
        refusal = self.refusal_now(scope, peer, called)
        now = time.monotonic()
        if refusal is None or self.read_again is None or now - self._read_at < READ_AGAIN_S:
            return refusal
        self._read_at = now
        await self.read_again()
        return self.refusal_now(scope, peer, called)

    def refusal_now(self, scope: Any, peer: str, called: bytes) -> Refusal | None:
        """Why this call gets no further; None when it may.

        Args:
            scope: as `seen` gave it.
            peer: the directly connecting address.
            called: path as it was sent, with the base path.
        """
        if scope["path"] in PROBES:
            return None
        return self._host(scope) or self._address(scope, peer) or self._https(scope, peer, called)

    def _host(self, scope: Any) -> Refusal | None:
        sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(sent) != 1:
            # two of them: a proxy in front may have looked at the other one
            return Refusal(400, "One Host header is needed.\n")
        name = host_of(sent[0])
        if name is None:
            return Refusal(400, "The Host header holds no name and no address.\n")
        if not self.rules.settings.checks_host or is_always_allowed(name) or name in self.rules.names:
            return None
        return Refusal(
            421,
            f"MediaNest does not answer under the name {name}.\n\n"
            "If this is your MediaNest: open it by its address (or as localhost), sign in, and add this name under\n"
            "Security, Names. Or start it with\n\n"
            f"    MEDIANEST_ALLOWED_HOSTS={name}\n\n"
            "This keeps web pages of strangers from reaching into your network.\n",
        )

    def _address(self, scope: Any, peer: str) -> Refusal | None:
        if not self.rules.allowed or _is_this_machine(scope, peer):
            return None
        address = parse(client_address(scope))
        if is_in(address, self.rules.allowed):
            return None
        return Refusal(
            403,
            f"Your address ({client_address(scope)}) is not on the list of those that may call this MediaNest.\n"
            "Ask whoever runs it. On the machine itself, `medianest security reset` empties the list.\n",
        )

    def _https(self, scope: Any, peer: str, called: bytes) -> Refusal | None:
        if not self.rules.settings.requires_https or scope["scheme"] in ("https", "wss"):
            return None
        if _is_this_machine(scope, peer):
            return None
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            host = next(value for name, value in scope["headers"] if name == b"host").decode("latin-1")
            query: bytes = scope.get("query_string", b"")
            target = self._secure_base(host).encode("latin-1") + called + (b"?" + query if query else b"")
            return Refusal(308, "", ((b"location", target),))
        return Refusal(403, "This MediaNest takes https only. Open it with https:// in front.\n")

    def _secure_base(self, host: str) -> str:
        if self.rules.public_url.startswith("https://"):
            return "https://" + urlsplit(self.rules.public_url).netloc
        name = host_of(host) or ""
        return "https://" + (f"[{name}]" if ":" in name else name)

    def cors(self, scope: Any) -> tuple[tuple[bytes, bytes], ...]:
        """Headers for a page of another site that may read the API; none for everybody else."""
        if not self.rules.origins or not scope["path"].startswith("/api/"):
            return ()
        vary = (b"vary", b"Origin")
        origin = _origin(scope)
        if origin not in self.rules.origins:
            return (vary,)
        # no Allow-Credentials: such pages bring a key or a token, never a person's cookies
        return (
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"Retry-After, X-Request-Id"),
            vary,
        )

    def preflight(self, scope: Any) -> tuple[tuple[bytes, bytes], ...] | None:
        """Headers of the answer to a browser's question before a call; None when this is no such question."""
        headers = self.cors(scope)
        asks = any(name == b"access-control-request-method" for name, _ in scope["headers"])
        if scope.get("method") != "OPTIONS" or not asks or len(headers) < 2:
            return None
        return (
            *headers,
            (b"access-control-allow-methods", CORS_METHODS.encode()),
            (b"access-control-allow-headers", CORS_HEADERS.encode()),
            (b"access-control-max-age", str(PREFLIGHT_S).encode()),
        )

    def opens_socket_for(self, origin: str | None) -> bool:
        """Whether a page of this origin may open the live socket."""
        return origin is not None and origin in self.rules.origins

    def hsts(self, scope: Any) -> bytes | None:
        """`Strict-Transport-Security` for an https call by name, when the owner asked for it."""
        days = self.rules.settings.hsts_days
        if not days or scope["scheme"] != "https":
            return None
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        name = host_of(host)
        return None if name is None or is_address(name) else f"max-age={days * 86400}".encode()

    def frame_ancestors(self) -> tuple[str, ...]:
        return self.rules.settings.frame_ancestors

    def off(self) -> tuple[ProtectionOff, ...]:
        """Walls that are down, for the banner on every page of the administrators."""
        return protections_off(self.rules.settings)


def protections_off(settings: SecuritySettings) -> tuple[ProtectionOff, ...]:
    """What the owner has switched off, in words."""
    off = []
    if not settings.checks_host:
        off.append(
            ProtectionOff(
                "host_check_off",
                "The check of host names is off.",
                "Web pages of strangers can reach this MediaNest from inside your network. Name your hosts, and switch it on.",
            )
        )
    if any(network.prefixlen == 0 for network in networks(settings.trusted_proxies)):
        off.append(
            ProtectionOff(
                "every_proxy_trusted",
                "Every address counts as your reverse proxy.",
                "Anybody can pretend to call from anywhere. Name the address of your proxy alone.",
            )
        )
    return tuple(off)


def _is_this_machine(scope: Any, peer: str) -> bool:
    """Whether the call comes from the machine itself; a proxy on it that passes others on does not count."""
    addresses = (parse(peer), parse(client_address(scope)))
    return all(address is not None and address.is_loopback for address in addresses)


def _origin(scope: Any) -> str:
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    return found[0] if len(found) == 1 else ""
