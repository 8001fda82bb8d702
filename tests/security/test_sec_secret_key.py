"""SEC-37: the key of the installation: refused when weak, changed from the console, told when it is another one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from medianest.app import create_app
from medianest.database import fetch
from medianest.lifespan import open_database
from medianest.setting_values import SettingsError
from medianest.settings import Settings, load_settings
from medianest.system import secret_keys
from medianest.vault import Vault
from tests.harness.server import Server, run_medianest

OWN = {"a": "users.totp_secret:4242", "b": "plex_accounts.account_token:1", "c": "integration_configs.secrets:planted"}


def settings_of(server: Server) -> Settings:
    return load_settings(
        {"data_dir": str(server.data_dir)}, {"MEDIANEST_DATABASE_URL": server.env["MEDIANEST_DATABASE_URL"]}
    )


def key_of(server: Server) -> bytes:
    return (server.data_dir / "secret.key").read_bytes().strip()


async def plant(settings: Settings) -> None:
    """Sealed secrets in several columns."""
    vault = Vault(settings.secret_key)
    async with open_database(settings):
        await fetch(
            "INSERT INTO users (id, username, username_key, display_name, role, state, created_at, totp_secret) "
            "VALUES (4242, 'Grace', 'grace', 'Grace', 'user', 'active', CURRENT_TIMESTAMP, {})",
            vault.seal("TOTP-SECRET-1", OWN["a"]),
        )
        await fetch(
            "INSERT INTO plex_accounts (user_id, plex_id, username, is_owner, account_token, linked_at) "
            "VALUES (1, 7, 'x', {}, {}, CURRENT_TIMESTAMP)",
            False,
            vault.seal("TOKEN-1", OWN["b"]),
        )
        await fetch(
            "INSERT INTO integration_configs (name, is_enabled, url, secrets, options, updated_at) "
            "VALUES ('planted', {}, '', {}, '{{}}', CURRENT_TIMESTAMP)",
            True,
            vault.seal('{"token": "SECRETS-1"}', OWN["c"]),
        )


async def opened(settings: Settings) -> list[str]:
    """What the planted secrets are with the key of `settings`."""
    vault = Vault(settings.secret_key)
    async with open_database(settings):
        found = [
            (await fetch("SELECT totp_secret AS sealed FROM users WHERE id = 4242"))[0]["sealed"],
            (await fetch("SELECT account_token AS sealed FROM plex_accounts"))[0]["sealed"],
            (await fetch("SELECT secrets AS sealed FROM integration_configs"))[0]["sealed"],
        ]
    return [vault.open(sealed, place) for sealed, place in zip(found, OWN.values(), strict=True)]


PLANTED = ["TOTP-SECRET-1", "TOKEN-1", '{"token": "SECRETS-1"}']


def test_a_new_key_seals_everything_anew_and_everybody_signs_in_again(start_server: Callable[..., Server]) -> None:
    server = start_server()
    browser = server.browser()
    refused = run_medianest("secrets", "rotate", env=server.env)
    assert refused.returncode == 1
    assert "already running" in refused.stderr
    server.stop()
    old = key_of(server)
    asyncio.run(plant(settings_of(server)))
    done = run_medianest("secrets", "rotate", env=server.env)
    assert done.returncode == 0, done.stderr
    assert "3 stored secrets" in done.stdout
    assert key_of(server) != old
    assert not (server.data_dir / "secret.key.new").exists()
    assert (server.data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
    assert asyncio.run(opened(settings_of(server))) == PLANTED
    server.start()
    assert browser.get("/").status_code == 303
    browser.close()
    with server.client() as client:
        codes = {one["code"] for one in client.get("/api/v1/system/health").raise_for_status().json()["health"]}
    assert "other_secret_key" not in codes
    assert key_of(server).decode() not in server.log() + done.stdout + done.stderr


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_change_that_was_cut_off_is_finished_or_thrown_away_by_the_next_start(
    start_server: Callable[..., Server], moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_server()
    server.stop()
    old = key_of(server)
    settings = settings_of(server)
    asyncio.run(plant(settings))

    class PowerCut(BaseException):
        pass

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    async def rotate() -> None:
        async with open_database(settings):
            await secret_keys.rotate(settings, {})

    # after a power cut nothing tidies up either
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    monkeypatch.setattr(secret_keys, "record" if moment == "before the commit" else "_put_in_place", cut)
    with pytest.raises(PowerCut):
        asyncio.run(rotate())
    monkeypatch.undo()
    waiting = server.data_dir / "secret.key.new"
    assert waiting.exists()
    new = waiting.read_bytes().strip()
    server.start()
    server.stop()
    assert not waiting.exists()
    assert key_of(server) == (old if moment == "before the commit" else new)
    assert asyncio.run(opened(settings_of(server))) == PLANTED


def test_a_key_from_outside_needs_the_new_one_from_outside(start_server: Callable[..., Server], tmp_path: Path) -> None:
    first, second = os.urandom(32).hex(), os.urandom(32).hex()
    server = start_server(env={"MEDIANEST_SECRET_KEY": first})
    server.stop()
    answer = run_medianest("secrets", "rotate", env=server.env)
    assert answer.returncode == 1
    assert "MEDIANEST_NEW_SECRET_KEY" in answer.stderr
    weak = run_medianest("secrets", "rotate", env={**server.env, "MEDIANEST_NEW_SECRET_KEY": "changeme" * 8})
    assert weak.returncode == 1
    assert "too weak" in weak.stderr
    file = tmp_path / "new"
    file.write_text(second + "\n")
    done = run_medianest("secrets", "rotate", env={**server.env, "MEDIANEST_NEW_SECRET_KEY_FILE": str(file)})
    assert done.returncode == 0, done.stderr
    assert second not in done.stdout
    server.env["MEDIANEST_SECRET_KEY"] = second
    server.start()


def test_another_key_at_the_start_is_a_sentence_in_the_health_list_and_no_crash(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    server.stop()
    asyncio.run(plant(settings_of(server)))
    (server.data_dir / "secret.key").write_text(os.urandom(32).hex())
    server.start()
    with server.client() as client:
        health = client.get("/api/v1/system/health").raise_for_status().json()["health"]
    assert [one["text"] for one in health if one["code"] == "other_secret_key"] == [secret_keys.OTHER_KEY]
    assert secret_keys.OTHER_KEY in server.log()


async def test_a_lost_key_is_no_problem_once_nothing_is_sealed_with_it(settings: Settings, database: object) -> None:
    await fetch(
        "INSERT INTO system_settings (key, value, updated_at) VALUES ('secret_key_id', 'gone', CURRENT_TIMESTAMP)"
    )
    made = create_app(settings)
    await made.secret_keys.start()
    assert await made.secret_keys.problems() == []
    assert await secret_keys.stored_key_id() == Vault(settings.secret_key).key_id


@pytest.mark.parametrize(
    "key",
    [
        "short",
        "a" * 64,
        "changeme-changeme-changeme-changeme-1234",
        "Your-Secret-Key-Here-0123456789-abcdefgh",
        "ab" * 30,
    ],
)
def test_sec_37_weak_and_known_keys_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="too weak"):
        load_settings({"data_dir": str(tmp_path)}, {"MEDIANEST_SECRET_KEY": key})


def test_every_secret_can_come_from_a_file(tmp_path: Path) -> None:
    values = {
        "PLEX_TOKEN": "planted-plex-token",
        "SECRET_KEY": os.urandom(32).hex(),
        "ADMIN_PASSWORD": "Planted-Pass-1",
    }
    environ = {}
    for name, value in values.items():
        (tmp_path / name).write_text(value + "\n")
        environ[f"MEDIANEST_{name}_FILE"] = str(tmp_path / name)
    settings = load_settings({"data_dir": str(tmp_path / "data")}, environ)
    assert settings.plex_token == values["PLEX_TOKEN"]
    assert settings.secret_key.decode() == values["SECRET_KEY"]
    assert settings.sources["plex_token"] == "MEDIANEST_PLEX_TOKEN_FILE"
    shown = str(settings.shown())
    assert not [value for value in values.values() if value in shown]


def test_tls_with_an_own_certificate(start_server: Callable[..., Server], tmp_path: Path) -> None:
    from tests.proxy.certificate import make_certificate

    certificate, key = make_certificate(tmp_path)
    _other, other_key = make_certificate(tmp_path / "other")
    server = start_server()
    server.stop()
    for env, sentence in (
        ({"MEDIANEST_TLS_CERT": str(certificate)}, "both, or neither"),
        ({"MEDIANEST_TLS_CERT": str(certificate), "MEDIANEST_TLS_KEY": str(other_key)}, "belongs to another"),
        ({"MEDIANEST_TLS_CERT": str(key), "MEDIANEST_TLS_KEY": str(key)}, "can not be used"),
    ):
        refused = run_medianest("serve", "--no-browser", env={**server.env, **env})
        assert refused.returncode == 1
        assert sentence in refused.stderr, refused.stderr
    server.env |= {"MEDIANEST_TLS_CERT": str(certificate), "MEDIANEST_TLS_KEY": str(key)}
    server.launch()
    url = f"https://127.0.0.1:{server.port}"
    with httpx.Client(base_url=url, verify=False, trust_env=False) as client:
        wait_for(client)
        answer = client.post("/api/v1/auth/login", json={"username": "admin", "password": "Correct-Horse-9-Battery"})
        assert answer.status_code == 200
        assert all("Secure" in text for text in answer.headers.get_list("set-cookie"))
    assert run_medianest("healthcheck", env=server.env).returncode == 0
    assert url in server.log()


def wait_for(client: httpx.Client) -> None:
    import time

    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise AssertionError("it did not start")
