"""SEC-63: secrets of every kind planted in a talkative, living server: in no log, answer, error page or printed setting."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from medianest.accounts.second_factor.codes import code_at
from tests.harness.server import ADMIN_PASSWORD, Server, run_medianest
from tests.plex import PlexWorld

PINS = "/api/v1/auth/plex/pins"


class Planted:
    """What must not be seen, and every text in which it could be."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.texts: dict[str, str] = {}

    def look(self, name: str, answer: httpx.Response) -> None:
        self.texts[name] = f"{answer.headers} {answer.text}"

    def found(self) -> list[tuple[str, str]]:
        return [
            (what, where)
            for where, text in self.texts.items()
            for what, secret in self.secrets.items()
            if secret and secret in text
        ]


def use_a_key_and_a_second_step(server: Server, planted: Planted) -> None:
    with server.client() as client:
        made = client.post("/api/v1/api-keys", json={"name": "planted", "scopes": ["admin"]})
        assert made.status_code == 201, made.text
        planted.secrets["API key"] = made.json()["key"]
        offer = client.post("/api/v1/me/second-factor/offer").raise_for_status().json()
        planted.secrets["second step"] = offer["secret"]
        code = code_at(offer["secret"], int(time.time()) // 30)
        sent = {"token": offer["token"], "code": code, "password": ADMIN_PASSWORD}
        client.post("/api/v1/me/second-factor", json=sent).raise_for_status()
        planted.secrets["bearer token"] = client.headers["Authorization"].removeprefix("Bearer ")
        for path in ("/system", "/system/plex", "/settings/two-step", "/settings/keys", "/system/audit"):
            planted.look(path, client.get(path))
        planted.look("health", client.get("/api/v1/system/health"))
        client.get("/no/such/page/" + made.json()["key"], params={"token": offer["secret"]})
        planted.look("error page", client.get("/no/such/page", headers={"accept": "text/html"}))
        planted.look("API error", client.get("/api/v1/downloads/nothing"))


def sign_in_with_plex_through_trouble(server: Server, plex: PlexWorld, planted: Planted) -> None:
    """Every call of plex.tv after the PIN fails in some way while a token is in hand."""
    with server.visitor() as visitor:
        for number, kind in enumerate(("reset", "html", "truncated", "429", "empty")):
            pin = visitor.post(PINS, json={"cookies": False}).raise_for_status().json()
            planted.secrets |= {f"PIN {number}": pin["code"], f"PIN secret {number}": pin["pin_secret"]}
            plex.allow(pin["code"], plex.friend)
            plex.faults.add("/api/v2/user", kind)
            plex.faults.add("/api/v2/resources", kind)
            planted.look(
                f"sign-in {kind}", visitor.get(f"{PINS}/{pin['id']}", headers={"X-Pin-Secret": pin["pin_secret"]})
            )
            plex.faults.clear()
        planted.secrets |= {f"friend's token {n}": token for n, token in enumerate(tuple(plex.tokens))}
        page = visitor.post("/sign-in/plex", data={}, follow_redirects=False)
        planted.secrets |= {f"cookie {name}": value for name, value in visitor.cookies.items() if len(value) > 20}
        assert page.status_code < 500


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_sec_63_nothing_planted_in_a_living_server_is_seen_again(
    start_server: Callable[..., Server], plex: PlexWorld, log_format: str
) -> None:
    env = {"MEDIANEST_LOG_LEVEL": "debug", "MEDIANEST_LOG_FORMAT": log_format}
    server = start_server(env=env | plex.settings())
    planted = Planted()
    planted.secrets |= {
        "owner's token": plex.owner.token(),
        "secret key": (server.data_dir / "secret.key").read_text().strip(),
        "password": ADMIN_PASSWORD,
    }
    use_a_key_and_a_second_step(server, planted)
    sign_in_with_plex_through_trouble(server, plex, planted)
    shown = run_medianest("config", "show", env=server.env)
    planted.texts["config show"] = shown.stdout + shown.stderr
    server.stop()
    planted.texts["output"] = server.log()
    for path in server.data_dir.rglob("*.log*"):
        planted.texts[path.name] = path.read_text("utf-8", "replace")
    assert {"health", "config show", "output"} <= set(planted.texts)
    assert "/api/v2/" in planted.texts["output"] or "plex" in planted.texts["output"].lower()  # it was talkative
    assert planted.found() == []


def test_sec_63_the_password_of_the_database_is_seen_nowhere(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.stop()
    env = {**server.env, "MEDIANEST_DATABASE_URL": "postgres://medianest:Planted-Db-9@127.0.0.1:9/medianest"}
    shown = run_medianest("config", "show", env=env)
    assert "127.0.0.1:9" in shown.stdout
    failed = run_medianest("db", "migrate", env=env)
    assert failed.returncode != 0
    for text in (shown.stdout, shown.stderr, failed.stdout, failed.stderr):
        assert "Planted-Db-9" not in text
