"""SEC-40: a stored secret that can not be read is a problem with a sentence: never a failure, never a start that stops."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.vault import Vault
from tests.harness.application import PASSWORD, Visit, set_up
from tests.security.cast import headers_of

OPTIONS = '{"machine_id": "abc", "name": "House"}'
PLACE = "integration_configs.secrets:plex"


async def store_connection(secrets: str | None, options: str = OPTIONS) -> None:
    await fetch(
        "INSERT INTO integration_configs (name, is_enabled, url, secrets, options, updated_at) "
        "VALUES ('plex', {}, 'http://127.0.0.1:9', {}, {}, {})",
        True, secrets, options, datetime.now(UTC),
    )  # fmt: skip


def broken(kind: str) -> str:
    other, own = Vault(os.urandom(32)), Vault(b"k" * 32)
    return {
        "another key": other.seal('{"token": "planted"}', PLACE),
        "no seal": "planted",
        "empty seal": "v1..",
        "not ascii": f"v1.{own.key_id}.ÄÖ\u2603",
        "cut off": f"v1.{own.key_id}.AAAA",
    }[kind]


async def look_everywhere(application: Application, visit: Visit) -> set[str]:
    """Codes of the health list; every page that has to do with it is shown."""
    await application.secret_keys.start()
    admin = visit(application, headers=await headers_of(application, "admin"))
    for path in ("/system", "/system/plex", "/system/security", "/api/v1/system/plex", "/"):
        answer = await admin.get(path)
        assert answer.status_code < 500, (path, answer.text)
        assert "planted" not in answer.text
    assert (await visit(application).get("/sign-in")).status_code < 500
    await application.connections.service.check()
    await application.plex_accounts.check.run()
    await application.plex_accounts.check.ping()
    health = await admin.get("/api/v1/system/health")
    assert health.status_code == 200, health.text
    assert "planted" not in health.text
    return {one["code"] for one in health.json()["health"]}


@pytest.mark.parametrize("kind", ["another key", "no seal", "empty seal", "not ascii", "cut off"])
async def test_sec_40_a_plex_token_that_can_not_be_read_is_a_line_of_the_health_list(
    application: Application, visit: Visit, kind: str
) -> None:
    await store_connection(broken(kind))
    assert "plex_token_unreadable" in await look_everywhere(application, visit)


async def test_sec_40_what_was_sealed_but_is_no_token_is_a_line_of_the_health_list(
    application: Application, visit: Visit
) -> None:
    vault = Vault(application.settings.secret_key)
    await store_connection(vault.seal('{"other": 1}', PLACE))
    assert "plex_token_unreadable" in await look_everywhere(application, visit)


@pytest.mark.parametrize("options", ["{}", "[]", '{"machine_id": 7}'])
async def test_sec_40_a_damaged_connection_is_a_line_of_the_health_list(
    application: Application, visit: Visit, options: str
) -> None:
    await store_connection(None, options)
    assert "plex_connection_unreadable" in await look_everywhere(application, visit)


async def test_sec_40_a_second_step_that_can_not_be_read_asks_for_a_backup_code(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    other = Vault(os.urandom(32)).seal("JBSWY3DPEHPK3PXP", "users.totp_secret:1")
    await fetch("UPDATE users SET totp_secret = {}", other)
    visitor = visit(application)
    assert (await visitor.post("/sign-in", data={"username": "ada", "password": PASSWORD})).status_code == 303
    answer = await visitor.post("/sign-in/code", data={"code": "123456"})
    assert answer.status_code == 409
    assert "Use a backup code" in answer.text
