"""People and keys of every kind, made in the database: each call of the matrix gets fresh ones."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from datetime import UTC, datetime

import httpx

from medianest.accounts.model import Device
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit

_numbers = itertools.count(1)


async def add_person(kind: str, *, permissions: str | None = None) -> int:
    """A new `child`, `user` or `admin`; their id. `permissions` is None for the default set."""
    name = f"{kind}-{next(_numbers)}"
    role = "admin" if kind == "admin" else "user"
    rows = await fetch(
        "INSERT INTO users (username, username_key, display_name, role, state, created_at, is_child, permissions) "
        "VALUES ({}, {}, {}, {}, 'active', {}, {}, {}) RETURNING id",
        name, name, name, role, datetime.now(UTC), kind == "child", permissions,
    )  # fmt: skip
    user_id = int(rows[0]["id"])
    if kind == "child":
        await fetch("UPDATE users SET rating_limit = '12' WHERE id = {}", user_id)
    return user_id


async def session_headers(application: Application, user_id: int) -> dict[str, str]:
    """Signed in by token."""
    accounts = application.accounts
    user = await accounts._accounts.get(user_id)
    tokens = await accounts._sessions.open(user, Device(address="192.0.2.10", user_agent="test"), is_remembered=False)
    return {"Authorization": f"Bearer {tokens.access_token}"}


async def key_headers(user_id: int, scope: str) -> dict[str, str]:
    """An API key of the person that opens `scope`."""
    key = "mnk_" + secrets.token_hex(32)[:43]
    await fetch(
        "INSERT INTO api_keys (user_id, name, hint, key_hash, scopes, created_at) VALUES ({}, 'test', {}, {}, {}, {})",
        user_id, key[-4:], hashlib.sha256(key.encode()).hexdigest(), scope, datetime.now(UTC),
    )  # fmt: skip
    return {"X-Api-Key": key}


async def headers_of(application: Application, kind: str, *, permissions: str | None = None) -> dict[str, str]:
    """What a call of somebody new of `kind` carries."""
    if kind == "nobody":
        return {}
    if kind.startswith("key:"):
        return await key_headers(await add_person("admin"), kind.removeprefix("key:"))
    return await session_headers(application, await add_person(kind, permissions=permissions))


async def somebody(
    application: Application, visit: Visit, kind: str, *, permissions: str | None = None
) -> httpx.AsyncClient:
    """A client of somebody new of `kind`."""
    return visit(application, headers=await headers_of(application, kind, permissions=permissions))
