"""A real server at its most talkative: no password, token or cookie ends up in its output, its files or its database."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.harness.application import csrf_of
from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server

WRONG = "wrong-Secret-8-password"


def secrets_of_a_visit(server: Server) -> list[str]:
    """Sign in, renew, fail, crash and sign out; every secret that went over the wire."""
    with server.browser() as browser:
        cookies = list(browser.cookies.values())
        csrf = csrf_of(browser.get("/").text)
        browser.get("/downloads", params={"token": cookies[0], "password": WRONG})
        browser.get("/no/such/page/" + cookies[0])
        browser.post("/settings", data={"theme": WRONG, "_csrf": csrf})
        browser.post("/settings/password", data={"current_password": WRONG, "new_password": "x", "_csrf": csrf})
        browser.patch("/api/v1/me/preferences", content=json.dumps({"theme": WRONG}), headers={"x-csrf-token": csrf})
    with server.visitor() as visitor:
        visitor.post("/sign-in", data={"username": ADMIN_NAME, "password": WRONG})
        visitor.post("/api/v1/auth/login", json={"username": WRONG, "password": WRONG})
        visitor.post("/api/v1/auth/login", content=f'{{"password": "{WRONG}"')
        answer = visitor.post(
            "/api/v1/auth/login", json={"username": ADMIN_NAME, "password": ADMIN_PASSWORD, "cookies": False}
        ).json()
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        renewed = visitor.post("/api/v1/auth/refresh", json={"refresh_token": answer["refresh_token"]}).json()
        visitor.get("/api/v1/downloads/abc?access_token=" + answer["access_token"], headers=bearer)
        visitor.post("/api/v1/auth/logout", json={"everywhere": True}, headers=bearer)
    tokens = [answer["access_token"], answer["refresh_token"], renewed["refresh_token"], *cookies]
    halves = [part for token in tokens for part in token.split(".") if len(part) > 40]
    return [ADMIN_PASSWORD, WRONG, csrf, *tokens, *halves]


def test_no_secret_of_a_visit_is_kept_anywhere(start_server: Callable[..., Server]) -> None:
    server = start_server(env={"MEDIANEST_LOG_LEVEL": "debug"})
    secrets = secrets_of_a_visit(server)
    assert len(secrets) > 8
    server.stop()
    output = server.log()
    assert "/settings" in output  # it was talkative indeed
    for secret in secrets:
        assert secret not in output
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in files)
    for path in files:
        content = path.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, path.name


def test_the_key_of_an_installation_is_its_owners_alone(server: Server) -> None:
    assert server.data_dir.stat().st_mode & 0o777 == 0o700
    keys = [path for path in server.data_dir.iterdir() if "key" in path.name]
    assert len(keys) == 1
    assert keys[0].stat().st_mode & 0o777 == 0o600
    key = keys[0].read_text().strip()
    assert len(key) >= 32
    assert key not in server.log()
    server.restart()
    assert keys[0].read_text().strip() == key
