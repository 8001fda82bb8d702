"""What the text of a setting may be: each reader gives the value, or a sentence that names the setting."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from medianest.errors import MediaNestError

DEFAULT_PORT = 6378
DEFAULT_SCAN_DELAY_S = 20.0
LONGEST_S = 3600.0
PREFIX = "MEDIANEST_"


class SettingsError(MediaNestError):
    """A setting can not be used; the sentence names it and says what to do."""


class AllowList(msgspec.Struct, frozen=True):
    """Which private addresses download links may point at: none, all, or some networks."""

    allows_all: bool = False
    networks: tuple[str, ...] = ()

    def to_text(self) -> str:
        """`false`, `true`, or a comma list: what the worker is told."""
        return "true" if self.allows_all else ",".join(self.networks) or "false"


def port(text: str | None, source: str) -> int:
    if text is None:
        return DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SettingsError(f"The port {text!r} ({source}) is not a number from 1 to 65535.")
    return int(text)


def seconds(name: str, text: str | None, default: float) -> float:
    if not text:
        return default
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= LONGEST_S:
        raise SettingsError(f"{PREFIX}{name.upper()} {text!r} is not a number of seconds from 0 to {LONGEST_S:.0f}.")
    return found


def base_path(text: str) -> str:
    path = "/" + text.strip("/") if text.strip("/") else ""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
    if set(path) - allowed or "//" in path or "/." in path:
        raise SettingsError(f"The base path {text!r} may hold letters, digits, - . _ ~ and / only, such as /medianest.")
    return path


def address(name: str, text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        is_one = False
    if not is_one or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"{PREFIX}{name.upper()} {text!r} is not an address such as https://media.example.org.")
    return text.rstrip("/")


def networks(name: str, text: str) -> tuple[str, ...]:
    found = []
    for part in text.replace(" ", ",").split(","):
        if not part:
            continue
        try:
            found.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError as error:
            raise SettingsError(
                f"{PREFIX}{name.upper()} must be a list of addresses and networks such as 192.168.1.5 or 10.0.0.0/8; "
                f"{part!r} is none."
            ) from error
    return tuple(found)


def hosts(text: str) -> tuple[str, ...]:
    names = tuple(part.lower().rstrip(".") for part in text.replace(" ", ",").split(",") if part)
    for name in names:
        if name != "*" and (set(name) & set("/*?#@\\") or name.startswith("-")):
            raise SettingsError(
                f"MEDIANEST_ALLOWED_HOSTS must be a list of host names such as media.example.org; {name!r} is none."
            )
    return names


def existing_file(name: str, text: str) -> Path | None:
    if not text:
        return None
    path = Path(text).expanduser().absolute()
    if not path.is_file():
        raise SettingsError(f"{PREFIX}{name.upper()} points at {path}, where no file is.")
    return path


def database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'medianest.sqlite'}"
    for prefix in ("postgres://", "postgresql://"):
        if text.startswith(prefix):
            return "postgres://" + text.removeprefix(prefix)
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    raise SettingsError("MEDIANEST_DATABASE_URL must be sqlite:///path or postgres://user:password@host:port/name.")


def allow_list(text: str) -> AllowList:
    word = text.strip().lower()
    if word in ("", "false", "no", "off", "0"):
        return AllowList()
    if word in ("true", "yes", "on", "1"):
        return AllowList(allows_all=True)
    try:
        found = networks("allow_private_downloads", word)
    except SettingsError as error:
        raise SettingsError(
            f"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS must be true, false or a list of addresses and networks, not {text!r}."
        ) from error
    return AllowList(networks=found)


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingsError(f"MEDIANEST_{name.upper()} must be one of {', '.join(allowed)}; it is {value!r}.")
    return value
