"""The secret key of this installation: whether it fits what is stored, and how it is changed for a new one.

A change writes `secret.key.new` first, seals everything anew in one transaction together with the new key's id, and then
puts the file in place. Whatever is left over from a change that was cut off, the next start finishes or throws away:
the id in the database says which key counts.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from medianest.database import fetch, transaction
from medianest.errors import Conflict
from medianest.settings import Settings, check_key, secret_from
from medianest.system.audit import record
from medianest.system.model import HealthProblem, Severity
from medianest.vault import SealBroken, Vault

log = logging.getLogger(__name__)

KEY_ID = "secret_key_id"  # in system_settings
# every column that holds sealed text: table, column, and the column that its place names
SEALED = (
    ("users", "totp_secret", "id"),
    ("plex_accounts", "account_token", "user_id"),
    ("plex_accounts", "server_token", "user_id"),
    ("plex_pins", "token", "id"),
    ("integration_configs", "secrets", "name"),
    ("site_cookies", "cookies", "site"),
)


class SecretKeys:
    """Looks at the start whether the key is the one that sealed what is stored."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._is_other = False

    async def start(self) -> None:
        """Compare the key with the one that was used last; a first start keeps its id."""
        known = await stored_key_id()
        if known is not None and known != self._vault.key_id and await _is_sealed_with(known):
            self._is_other = True
            log.error("%s %s", OTHER_KEY, OTHER_KEY_ADVICE)
            return
        if known != self._vault.key_id:
            await _keep_key_id(self._vault.key_id)

    async def problems(self) -> list[HealthProblem]:
        """For the health list: started with another key."""
        if not self._is_other:
            return []
        return [
            HealthProblem(code="other_secret_key", severity=Severity.ERROR, text=OTHER_KEY, advice=OTHER_KEY_ADVICE)
        ]


OTHER_KEY = "The secret key is not the one that stored secrets were sealed with, so they can not be read."
OTHER_KEY_ADVICE = (
    "Put the right key back (secret.key in the data folder, or MEDIANEST_SECRET_KEY) and restart. If it is lost, connect "
    "Plex and Overseerr again and let people set up their second step anew."
)


async def stored_key_id() -> str | None:
    """Id of the key that sealed what is stored; None before the first start."""
    rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY_ID)
    return str(rows[0]["value"]) if rows else None


async def _keep_key_id(key_id: str) -> None:
    await fetch(
        "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) ON CONFLICT (key) DO UPDATE SET "
        "value = EXCLUDED.value, updated_at = EXCLUDED.updated_at",
        KEY_ID,
        key_id,
        datetime.now(UTC),
    )


async def _is_sealed_with(key_id: str) -> bool:
    for table, column, _id in SEALED:
        if await fetch(f"SELECT 1 AS one FROM {table} WHERE {column} LIKE {{}} LIMIT 1", f"v1.{key_id}.%"):  # noqa: S608
            return True
    return False


def new_key_path(settings: Settings) -> Path:
    """Where a new key waits until everything is sealed with it."""
    return settings.data_dir / "secret.key.new"


async def settle(settings: Settings) -> Settings:
    """Finish or throw away a change of keys that was cut off; gives the settings with the key that counts.

    The database must be open.
    """
    path = new_key_path(settings)
    if "secret_key" in settings.sources:  # the key comes from outside: a file counts for nothing
        path.unlink(missing_ok=True)
        return settings
    new_key = path.read_bytes().strip()
    if new_key and Vault(new_key).key_id == await stored_key_id():
        _put_in_place(settings)
        log.warning("A change of the secret key that was cut off is finished now.")
        return msgspec.structs.replace(settings, secret_key=new_key)
    path.unlink(missing_ok=True)
    log.warning("A change of the secret key was cut off before it counted. The old key stays.")
    return settings


async def rotate(settings: Settings, environ: Mapping[str, str]) -> str:
    """Change the secret key and seal everything anew; gives a sentence for the console.

    The database must be open, and nothing else may run on it.

    Raises:
        SettingsError: the key comes from outside and no new one is given, or the new one is weak.
        Conflict: the new key is the old one, or something stored can not be read with the old one.
    """
    is_ours = "secret_key" not in settings.sources
    new_key = _make_key(settings) if is_ours else secret_from("new_secret_key", environ).encode()
    if not is_ours:
        check_key(new_key.decode(), "MEDIANEST_NEW_SECRET_KEY")
    old, new = Vault(settings.secret_key), Vault(new_key)
    if old.key_id == new.key_id:
        raise Conflict("The new secret key is the same as the present one. Nothing was changed.")
    try:
        count = await _seal_anew(old, new)
    except BaseException:
        if is_ours and await stored_key_id() != new.key_id:
            new_key_path(settings).unlink(missing_ok=True)
        raise
    if is_ours:
        _put_in_place(settings)
        return f"The secret key is changed and {count} stored secrets are sealed with it. Everybody signs in again."
    source = settings.sources["secret_key"]
    return (
        f"{count} stored secrets are sealed with the new key. Put it in the place of {source} before the next start. "
        "Everybody signs in again."
    )


async def _seal_anew(old: Vault, new: Vault) -> int:
    count, now = 0, datetime.now(UTC)
    async with transaction():
        for table, column, id_column in SEALED:
            rows = await fetch(f"SELECT {id_column} AS id, {column} AS sealed FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608
            for row in rows:
                place = f"{table}.{column}:{row['id']}"
                try:
                    text = old.open(row["sealed"], place)
                except SealBroken as error:
                    raise Conflict(
                        f"{place} can not be read with the present key, so nothing was changed. "
                        "Start with the right key, or enter that secret again first."
                    ) from error
                await fetch(
                    f"UPDATE {table} SET {column} = {{}} WHERE {id_column} = {{}}",  # noqa: S608
                    new.seal(text, place),
                    row["id"],
                )
                count += 1
        await _keep_key_id(new.key_id)
        await fetch(
            "UPDATE user_sessions SET revoked_at = {}, revoked_reason = {} WHERE revoked_at IS NULL",
            now,
            "secret key changed",
        )
        await record("security.secret_key_changed", "secret key", actor_id=None, actor_name="console")
    return count


def _make_key(settings: Settings) -> bytes:
    """A new key in its waiting place, safely on the disk before anything is sealed with it."""
    key = secrets.token_hex(32).encode()
    path = new_key_path(settings)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)
    return key


def _put_in_place(settings: Settings) -> None:
    path = new_key_path(settings)
    path.replace(path.with_suffix(""))
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
