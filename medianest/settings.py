"""What must be known before the database opens, and where each value came from.

Order: command line, environment, `medianest.toml` in the data folder, default. Every secret also has a `…_FILE` twin.
An empty value counts as unset.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from medianest.errors import MediaNestError

DEFAULT_PORT = 6378
PREFIX = "MEDIANEST_"
SECRETS = frozenset(("admin_password", "secret_key", "database_url"))
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(MediaNestError):
    """A setting can not be used; the sentence names it and says what to do."""


class AllowList(msgspec.Struct, frozen=True):
    """Which private addresses download links may point at: none, all, or some networks."""

    allows_all: bool = False
    networks: tuple[str, ...] = ()

    def to_text(self) -> str:
        """`false`, `true`, or a comma list: what the worker is told."""
        return "true" if self.allows_all else ",".join(self.networks) or "false"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Read-only settings of this process. `sources` maps a name to where its value came from."""

    data_dir: Path
    host: str = ""  # empty: every interface, IPv4 and IPv6
    port: int = DEFAULT_PORT
    base_path: str = ""  # "" or "/medianest"
    public_url: str = ""
    database_url: str = ""
    library_dir: Path
    staging_dir: Path
    admin_username: str = ""
    admin_password: str = ""
    secret_key: bytes = b""
    allow_private_downloads: AllowList = AllowList()
    log_level: str = "info"
    log_format: str = "text"
    opens_browser: bool = True
    sources: Mapping[str, str] = {}

    @property
    def is_postgres(self) -> bool:
        return not self.database_url.startswith("sqlite:")

    @property
    def database_kind(self) -> str:
        return "Postgres" if self.is_postgres else "SQLite"

    def shown(self) -> list[tuple[str, str, str]]:
        """`(name, value, source)` of every setting, secrets masked, for `config show` and the System page."""
        rows = []
        for name in NAMES:
            value: Any = getattr(self, name)
            if isinstance(value, AllowList):
                value = value.to_text()
            elif isinstance(value, bytes):
                value = "set" if value else ""
            if name in SECRETS and value:
                value = masked(name, str(value))
            rows.append((PREFIX + name.upper(), str(value), self.sources.get(name, "default")))
        return rows


NAMES = (
    "data_dir",
    "host",
    "port",
    "base_path",
    "public_url",
    "database_url",
    "library_dir",
    "staging_dir",
    "admin_username",
    "admin_password",
    "secret_key",
    "allow_private_downloads",
    "log_level",
    "log_format",
)


def masked(name: str, value: str) -> str:
    """A secret as it may be shown: a database address keeps all but its password."""
    if name == "database_url":
        parts = urlsplit(value)
        if not parts.password:
            return value
        return value.replace(f":{parts.password}@", ":••••@")
    return "••••"


def default_data_dir() -> Path:
    """The platform's folder for a user's application data."""
    from platformdirs import user_data_path

    return user_data_path("medianest", appauthor=False)


def load_settings(
    arguments: Mapping[str, str] | None = None, environ: Mapping[str, str] | None = None, *, makes_key: bool = True
) -> Settings:
    """Read every setting.

    Args:
        arguments: values from the command line by setting name; `config` names a file in the place of `medianest.toml`.
        environ: the environment; the process's own when left out.
        makes_key: make and keep a secret key when there is none yet.

    Raises:
        SettingsError: a value can not be used, a file can not be read, or the data folder can not be written.
    """
    environ = os.environ if environ is None else environ
    values, sources = _outside(arguments or {}, environ)
    data_dir = Path(values.get("data_dir") or default_data_dir()).expanduser().absolute()
    named = (arguments or {}).get("config")
    file = Path(named).expanduser().absolute() if named else data_dir / "medianest.toml"
    for name, value in _from_file(file, must_exist=bool(named)).items():
        if name not in values:
            values[name], sources[name] = value, file.name
    data_dir = Path(values.get("data_dir") or data_dir).expanduser().absolute()
    library = Path(values.get("library_dir") or data_dir / "library").expanduser().absolute()
    staging = Path(values.get("staging_dir") or library / ".medianest").expanduser().absolute()
    return Settings(
        data_dir=data_dir,
        host=values.get("host", ""),
        port=_port(values.get("port"), sources.get("port", "")),
        base_path=_base_path(values.get("base_path", "")),
        public_url=_public_url(values.get("public_url", "")),
        database_url=_database_url(values.get("database_url", ""), data_dir),
        library_dir=library,
        staging_dir=staging,
        admin_username=values.get("admin_username", ""),
        admin_password=values.get("admin_password", ""),
        secret_key=_secret_key(values.get("secret_key", ""), data_dir, makes_key=makes_key),
        allow_private_downloads=_allow_list(values.get("allow_private_downloads", "")),
        log_level=_one_of("log_level", values.get("log_level", "info").lower(), LOG_LEVELS),
        log_format=_one_of("log_format", values.get("log_format", "text").lower(), ("text", "json")),
        opens_browser=values.get("opens_browser", "true") == "true",
        sources=sources,
    )


def _outside(arguments: Mapping[str, str], environ: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    for name in NAMES:
        variable = PREFIX + name.upper()
        if arguments.get(name):
            values[name], sources[name] = arguments[name], "command line"
        elif environ.get(variable):
            # Kubernetes sets MEDIANEST_PORT=tcp://… for a service of that name
            if name in ("port", "host") and environ[variable].startswith("tcp://"):
                continue
            values[name], sources[name] = environ[variable], variable
        elif name in SECRETS and environ.get(variable + "_FILE"):
            path = Path(environ[variable + "_FILE"])
            try:
                values[name], sources[name] = path.read_text("utf-8").rstrip("\r\n"), variable + "_FILE"
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{variable}_FILE points at {path}, which can not be read ({error}).") from error
    if "opens_browser" in arguments:
        values["opens_browser"] = arguments["opens_browser"]
    return values, sources


def _from_file(path: Path, *, must_exist: bool) -> dict[str, str]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if must_exist:
            raise SettingsError(f"There is no settings file {path}. Mend the path after --config.") from error
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} can not be read: {error}. Mend or remove it, then start again.") from error
    unknown = sorted(set(found) - set(NAMES))
    if unknown:
        raise SettingsError(
            f"{path} has a setting that MediaNest does not know: {unknown[0]}. Remove it or mend its name."
        )
    return {name: _text(value) for name, value in found.items() if value not in ("", None)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return str(value)


def _port(text: str | None, source: str) -> int:
    if text is None:
        return DEFAULT_PORT
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SettingsError(f"The port {text!r} ({source}) is not a number from 1 to 65535.")
    return int(text)


def _base_path(text: str) -> str:
    path = "/" + text.strip("/") if text.strip("/") else ""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")
    if set(path) - allowed or "//" in path or "/." in path:
        raise SettingsError(f"The base path {text!r} may hold letters, digits, - . _ ~ and / only, such as /medianest.")
    return path


def _public_url(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise SettingsError(f"MEDIANEST_PUBLIC_URL {text!r} is not an address such as https://media.example.org.")
    return text.rstrip("/")


def _database_url(text: str, data_dir: Path) -> str:
    if not text:
        return f"sqlite:///{data_dir / 'medianest.sqlite'}"
    for prefix in ("postgres://", "postgresql://"):
        if text.startswith(prefix):
            return "postgres://" + text.removeprefix(prefix)
    if text.startswith("sqlite:///") and len(text) > len("sqlite:///"):
        return text
    raise SettingsError("MEDIANEST_DATABASE_URL must be sqlite:///path or postgres://user:password@host:port/name.")


def _allow_list(text: str) -> AllowList:
    word = text.strip().lower()
    if word in ("", "false", "no", "off", "0"):
        return AllowList()
    if word in ("true", "yes", "on", "1"):
        return AllowList(allows_all=True)
    networks = []
    for part in word.replace(" ", ",").split(","):
        if not part:
            continue
        try:
            networks.append(str(ipaddress.ip_network(part, strict=False)))
        except ValueError as error:
            raise SettingsError(
                f"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS must be true, false or a list of addresses and networks; {part!r} is none."
            ) from error
    return AllowList(networks=tuple(networks))


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingsError(f"MEDIANEST_{name.upper()} must be one of {', '.join(allowed)}; it is {value!r}.")
    return value


def _secret_key(text: str, data_dir: Path, *, makes_key: bool) -> bytes:
    if text:
        if len(text.encode()) < 32 or len(set(text)) < 8:
            raise SettingsError(
                "MEDIANEST_SECRET_KEY is too weak: it must have at least 32 characters and not repeat a few. "
                "Leave it empty to have one made, or use the output of: openssl rand -hex 32"
            )
        return text.encode()
    path = data_dir / "secret.key"
    try:
        key = path.read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError):
        if not makes_key:
            return b""
        key = _new_key(path)
    except OSError as error:
        raise SettingsError(
            f"The secret key {path} can not be read ({error.strerror}). Give this user access to it."
        ) from error
    if len(key) < 32:
        raise SettingsError(
            f"The secret key in {path} is too short. Restore it, or remove it: everybody then signs in again."
        )
    return key


def _new_key(path: Path) -> bytes:
    key = secrets.token_hex(32).encode()
    make_data_dir(path.parent)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:  # another process was faster
        return path.read_bytes().strip()
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")
    return key


def make_data_dir(path: Path) -> None:
    """Make the data folder and try to write there.

    Raises:
        SettingsError: names the folder, the user and what to do.
    """
    probe = path / f".write-probe-{os.getpid()}"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
    except OSError as error:
        who = f" as user {os.getuid()}" if hasattr(os, "getuid") else ""
        raise SettingsError(
            f"The data folder {path} can not be written{who} ({error.strerror}). "
            "Give this user the right to write there, or choose another folder with --data-dir."
        ) from error
