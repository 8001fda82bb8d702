"""What must be known before the database opens, and where each value came from.

Order: command line, environment, `medianest.toml` in the data folder, default. Every secret also has a `…_FILE` twin.
An empty value counts as unset.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from medianest.instance import make_data_dir
from medianest.setting_values import (
    DEFAULT_PORT,
    DEFAULT_SCAN_DELAY_S,
    PREFIX,
    AllowList,
    SettingsError,
    address,
    allow_list,
    base_path,
    database_url,
    existing_file,
    hosts,
    networks,
    one_of,
    port,
    seconds,
)

SECRETS = frozenset(("admin_password", "secret_key", "database_url", "plex_token", "overseerr_api_key"))
# what stands in examples, so that strangers know it too; compared without case, hyphens and spaces
KNOWN_KEYS = (
    "changeme",
    "changethis",
    "yoursecret",
    "supersecret",
    "secretkeyhere",
    "replacethis",
    "insecure",
    "example",
)
SPONSORBLOCK_URL = "https://sponsor.ajay.app"
TMDB_IMAGES_URL = "https://image.tmdb.org"
LOG_LEVELS = ("debug", "info", "warning", "error")


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
    trusted_proxies: tuple[str, ...] = ()  # networks; empty: none, and what is saved in the pages counts
    allowed_hosts: tuple[str, ...] = ()  # names beside the ones that are always allowed; `*` switches the check off
    allow_private_downloads: AllowList = AllowList()
    plex_url: str = ""
    plex_token: str = ""
    plex_tv_url: str = "https://plex.tv"
    plex_app_url: str = "https://app.plex.tv"
    plex_scan_delay_s: float = DEFAULT_SCAN_DELAY_S  # how long a folder must be quiet before Plex looks into it
    overseerr_url: str = ""
    overseerr_api_key: str = ""  # counts with `overseerr_url` only, so that it goes nowhere else
    tmdb_images_url: str = TMDB_IMAGES_URL
    engine_url: str = ""  # a release page of yt-dlp; empty: its own
    sponsorblock_url: str = SPONSORBLOCK_URL
    tls_cert: Path | None = None
    tls_key: Path | None = None
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
            elif isinstance(value, tuple):
                value = ",".join(value)
            elif value is None:
                value = ""
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
    "trusted_proxies",
    "allowed_hosts",
    "allow_private_downloads",
    "plex_url",
    "plex_token",
    "plex_tv_url",
    "plex_app_url",
    "plex_scan_delay_s",
    "overseerr_url",
    "overseerr_api_key",
    "tmdb_images_url",
    "engine_url",
    "sponsorblock_url",
    "tls_cert",
    "tls_key",
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
        port=port(values.get("port"), sources.get("port", "")),
        base_path=base_path(values.get("base_path", "")),
        public_url=address("public_url", values.get("public_url", "")),
        database_url=database_url(values.get("database_url", ""), data_dir),
        library_dir=library,
        staging_dir=staging,
        admin_username=values.get("admin_username", ""),
        admin_password=values.get("admin_password", ""),
        secret_key=_secret_key(values.get("secret_key", ""), data_dir, makes_key=makes_key),
        trusted_proxies=networks("trusted_proxies", values.get("trusted_proxies", "")),
        allowed_hosts=hosts(values.get("allowed_hosts", "")),
        allow_private_downloads=allow_list(values.get("allow_private_downloads", "")),
        plex_url=address("plex_url", values.get("plex_url", "")),
        plex_token=values.get("plex_token", "").strip(),
        plex_tv_url=address("plex_tv_url", values.get("plex_tv_url", "")) or "https://plex.tv",
        plex_app_url=address("plex_app_url", values.get("plex_app_url", "")) or "https://app.plex.tv",
        plex_scan_delay_s=seconds("plex_scan_delay_s", values.get("plex_scan_delay_s"), DEFAULT_SCAN_DELAY_S),
        overseerr_url=address("overseerr_url", values.get("overseerr_url", "")),
        overseerr_api_key=values.get("overseerr_api_key", "").strip(),
        tmdb_images_url=address("tmdb_images_url", values.get("tmdb_images_url", "")) or TMDB_IMAGES_URL,
        engine_url=address("engine_url", values.get("engine_url", "")),
        sponsorblock_url=address("sponsorblock_url", values.get("sponsorblock_url", "")) or SPONSORBLOCK_URL,
        tls_cert=existing_file("tls_cert", values.get("tls_cert", "")),
        tls_key=existing_file("tls_key", values.get("tls_key", "")),
        log_level=one_of("log_level", values.get("log_level", "info").lower(), LOG_LEVELS),
        log_format=one_of("log_format", values.get("log_format", "text").lower(), ("text", "json")),
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


def secret_from(name: str, environ: Mapping[str, str]) -> str:
    """A secret that only one command takes, from `MEDIANEST_…` or its `…_FILE` twin.

    Raises:
        SettingsError: it is not there, or its file can not be read.
    """
    variable = PREFIX + name.upper()
    if environ.get(variable):
        return environ[variable]
    path = environ.get(variable + "_FILE")
    if not path:
        raise SettingsError(
            f"The secret key comes from outside, so {variable} or {variable}_FILE must hold the new one."
        )
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable}_FILE points at {path}, which can not be read ({error}).") from error


def check_key(text: str, name: str) -> None:
    """Refuse a key that somebody could guess; raises SettingsError."""
    plain = text.lower().replace("_", "").replace("-", "").replace(" ", "")
    if len(text.encode()) < 32 or len(set(text)) < 8 or any(known in plain for known in KNOWN_KEYS):
        raise SettingsError(
            f"{name} is too weak: it must have at least 32 characters, not repeat a few, and be no example. "
            "Leave it empty to have one made, or use the output of: openssl rand -hex 32"
        )


def _secret_key(text: str, data_dir: Path, *, makes_key: bool) -> bytes:
    if text:
        check_key(text, "MEDIANEST_SECRET_KEY")
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
