"""Which addresses a pasted link may lead to: pure rules, shared by the server and the download worker.

The server judges the spelling of a link before it is queued (`check_url`); the worker judges every resolved address at
the moment of connecting (`is_allowed`), so that redirects and names that change their address are covered too.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from medianest.errors import Invalid

IPv4 = ipaddress.IPv4Address
IPv6 = ipaddress.IPv6Address
Address = IPv4 | IPv6
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL_LENGTH = 8192
PRIVATE_REFUSED = (
    "This link points into a private network. Only addresses on the internet can be downloaded; the owner can allow "
    "private ones with MEDIANEST_ALLOW_PRIVATE_DOWNLOADS."
)

# Never allowed, whatever the owner's setting says: nothing that can be downloaded lives there.
_ALWAYS_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",  # unspecified, "this host"
        "169.254.0.0/16",  # link-local, with the metadata service of most clouds
        "168.63.129.16/32",  # Azure's own
        "100.100.100.200/32",  # Alibaba's metadata
        "192.0.0.192/32",  # Oracle's metadata
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::254/128",  # Amazon's metadata over IPv6
        "fd20:ce::254/128",  # Google's
        "ff00::/8",
    )
)
# Python's is_global changed between patch releases; these are never global, whichever release runs.
_NOT_GLOBAL: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.IPv6Network("::/96")
_ISATAP_MARKS = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class AllowedAddresses:
    """What the owner allows beyond the internet: nothing, every private address, or some networks."""

    everything: bool = False
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowedAddresses:
        """Read "false", "true" or a comma list such as "10.0.0.0/8,127.0.0.1"; ValueError names the bad part."""
        word = text.strip().lower()
        if word in ("", "false", "no", "off", "0"):
            return cls()
        if word in ("true", "yes", "on", "1"):
            return cls(everything=True)
        return cls(networks=tuple(ipaddress.ip_network(part.strip()) for part in word.split(",") if part.strip()))

    def to_text(self) -> str:
        """The same, in the form that `parse` reads."""
        if self.everything:
            return "true"
        return ",".join(str(network) for network in self.networks) or "false"


NOTHING_PRIVATE = AllowedAddresses()


def is_allowed(address: Address, allowed: AllowedAddresses = NOTHING_PRIVATE) -> bool:
    """True when a connection to `address` may be made.

    An IPv4 address hidden in an IPv6 one is judged by what is inside. Link-local, metadata, multicast, broadcast and
    unspecified addresses are refused whatever `allowed` says.
    """
    hidden = _hidden_ipv4(address)
    if hidden:
        return all(is_allowed(inner, allowed) for inner in hidden)
    if _is_in(address, _ALWAYS_REFUSED):
        return False
    return _is_global(address) or allowed.everything or _is_in(address, allowed.networks)


def check_url(url: str, allowed: AllowedAddresses = NOTHING_PRIVATE) -> str:
    """Judge a pasted link by its spelling and return it in its normal form.

    Names are not resolved here: the worker judges what they resolve to, at connect time.

    Raises:
        Invalid: with a sentence for the person and a code (`link_empty`, `link_too_long`, `link_not_http`,
            `link_characters`, `link_credentials`, `link_host`, `address_refused`).
    """
    url = url.strip()
    if not url:
        raise Invalid("Paste a link first.", code="link_empty")
    if len(url) > MAX_URL_LENGTH:
        raise Invalid(
            "This link is too long to be a real one. Copy the address of the page again.", code="link_too_long"
        )
    if not re.match(r"(?i)https?://", url):
        raise Invalid("A link starts with http:// or https://. Copy it from the address line.", code="link_not_http")
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") or char in '\\<>"' for char in url):
        raise Invalid("This link has characters in it that no link has, such as a space.", code="link_characters")
    parts = _split(url)
    host = _normal_host(parts.hostname or "")
    literal = parse_address(host)
    is_local_name = host == "localhost" or host.endswith(".localhost")
    if is_local_name:
        literal = ipaddress.IPv4Address("127.0.0.1")
    if literal is not None and not is_allowed(literal, allowed):
        raise Invalid(PRIVATE_REFUSED, code="address_refused")
    if literal is not None and not is_local_name:
        host = f"[{literal}]" if isinstance(literal, IPv6) else str(literal)
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(scheme=parts.scheme.lower(), netloc=host + port).geturl()


def parse_address(host: str) -> Address | None:
    """Read an address in every spelling that resolvers take (127.1, 0x7f000001, 0177.0.0.1, ::1), None for a name."""
    text = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return _parse_loose_ipv4(text.rstrip("."))


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError as error:
        raise Invalid("This link is not complete: its site name can not be read.", code="link_host") from error
    if "@" in parts.netloc:
        raise Invalid("This link carries a user name or password. Paste it without them.", code="link_credentials")
    return parts


def _normal_host(host: str) -> str:
    """Lower case, plain dots, international names as `xn--`; Invalid for what no resolver would take."""
    host = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    if host.endswith("."):
        host = host[:-1]
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise Invalid("The site name in this link can not be read.", code="link_host") from error
    if ":" in host:  # IPv6, which urlsplit has freed of its brackets
        if parse_address(host) is None:
            raise Invalid("The address in this link can not be read.", code="link_host")
        return host
    labels = host.split(".")
    is_name = all(re.fullmatch(r"[a-z0-9_-]{1,63}", label) for label in labels) and len(host) <= 253
    if not is_name or (re.fullmatch(r"0x[0-9a-f]*|[0-9]+", labels[-1]) and parse_address(host) is None):
        raise Invalid("This link is not complete: its site name can not be read.", code="link_host")
    return host


def _parse_loose_ipv4(text: str) -> IPv4 | None:
    """The spellings of `inet_aton`: one to four parts, each decimal, octal or hexadecimal, the last one filling up."""
    parts = text.lower().split(".")
    if not 1 <= len(parts) <= 4:
        return None
    numbers = []
    for part in parts:
        if re.fullmatch(r"0x[0-9a-f]*", part):
            numbers.append(int(part[2:] or "0", 16))
        elif re.fullmatch(r"0[0-7]*", part):
            numbers.append(int(part, 8))
        elif re.fullmatch(r"[1-9][0-9]*", part):
            numbers.append(int(part))
        else:
            return None
    *heads, tail = numbers
    if any(head > 255 for head in heads) or tail >= 256 ** (4 - len(heads)):
        return None
    return ipaddress.IPv4Address(sum(head << (24 - 8 * place) for place, head in enumerate(heads)) + tail)


def _hidden_ipv4(address: Address) -> tuple[IPv4, ...]:
    """IPv4 addresses that an IPv6 one stands for: mapped, compatible, 6to4, Teredo (server and client), NAT64, ISATAP."""
    if isinstance(address, IPv4):
        return ()
    number = int(address)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and number > 1):
        return (ipaddress.IPv4Address(number & 0xFFFFFFFF),)
    if (number >> 32) & 0xFFFFFFFF in _ISATAP_MARKS and address in _GLOBAL_IPV6:
        return (ipaddress.IPv4Address(number & 0xFFFFFFFF),)
    return ()


def _is_global(address: Address) -> bool:
    if isinstance(address, IPv6) and address not in _GLOBAL_IPV6:
        return False
    return address.is_global and not _is_in(address, _NOT_GLOBAL)


def _is_in(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
