"""What a person meets first: the commands, the first lines of the log, the setup, a page with its assets.

Like all tests of this folder it runs against the source, or against the executable that `MEDIANEST_BIN` names.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server, run_medianest

StartServer = Callable[..., Server]
CODE = re.compile(r"Setup code: (\S+)")


def test_the_first_lines_say_what_a_person_needs(start_server: StartServer) -> None:
    server = start_server(with_admin=False, base_path="/medianest")
    head = "\n".join(server.log().splitlines()[:6])
    assert re.search(r"MediaNest \d+\.\d+\.\d+ ", head)
    assert str(server.data_dir) in head
    assert "SQLite" in head
    assert f"http://127.0.0.1:{server.port}/medianest/" in head
    assert CODE.search(head)


def test_the_setup_code_makes_the_first_administrator_once(start_server: StartServer) -> None:
    server = start_server(with_admin=False)
    found = CODE.search(server.log())
    assert found
    printed = run_medianest("setup-code", env=server.env)
    assert printed.returncode == 0
    assert found[1] in printed.stdout
    with server.visitor() as visitor:
        assert visitor.get("/", follow_redirects=True).url.path == "/setup"
        body = {"code": "wrong-code", "username": "owner", "password": "A long enough passw0rd"}
        assert visitor.post("/api/v1/setup", json=body).status_code in (400, 403)
        made = visitor.post("/api/v1/setup", json=body | {"code": found[1]})
        assert made.status_code == 201, made.text
        assert visitor.post("/api/v1/setup", json=body | {"code": found[1]}).status_code == 404
    with server.client("owner", "A long enough passw0rd") as owner:
        assert owner.get("/api/v1/me").json()["user"]["role"] == "admin"
    again = run_medianest("setup-code", env=server.env)
    assert again.returncode == 1
    assert len(again.stderr.strip().splitlines()) == 1


def test_pages_and_their_assets_are_served(server: Server) -> None:
    with server.visitor() as visitor:
        assert visitor.get("/").status_code in (302, 303, 307)
        door = visitor.get("/sign-in")
    browser = server.browser()
    home = browser.get("/")
    browser.close()
    assets = set()
    for page in (door, home):
        assert page.status_code == 200
        assert "<h1" in page.text
        assets |= set(re.findall(r'(?:href|src)="([^"]*/static/[^"#]+)', page.text))
    assert {asset.rpartition(".")[2] for asset in assets} >= {"css", "js", "svg"}
    for asset in assets:
        answer = httpx.get(server.root_url + asset, trust_env=False)
        assert answer.status_code == 200, asset
        assert "immutable" in answer.headers["cache-control"]


def test_signing_in_opens_the_pages_and_the_api(server: Server) -> None:
    with server.client() as client:
        assert client.get("/api/v1/me").json()["user"]["username"] == ADMIN_NAME
        assert client.get("/api/v1/downloads").json()["items"] == []
    with server.visitor() as visitor:
        refused = visitor.get("/api/v1/downloads")
        assert refused.status_code == 401
        assert refused.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("path", ["/ping", "/healthz", "/readyz"])
def test_probes_answer_inside_and_outside_the_base_path_without_details(start_server: StartServer, path: str) -> None:
    server = start_server(base_path="/medianest")
    with server.visitor() as visitor:
        for address in (server.root_url + path, server.base_url + path):
            answer = visitor.get(address)
            assert answer.status_code == 200
            assert len(answer.text) < 20


def test_healthcheck_knows_a_running_server_from_none(server: Server) -> None:
    assert run_medianest("healthcheck", env=server.env).returncode == 0
    server.stop()
    gone = run_medianest("healthcheck", env=server.env)
    assert gone.returncode == 1
    assert len(gone.stderr.strip().splitlines()) == 1


def test_version_is_one_line_that_names_everything() -> None:
    shown = run_medianest("version")
    assert shown.returncode == 0
    assert re.fullmatch(
        r"MediaNest \d+\.\d+\.\d+\S* \(Python 3\.\d+\.\d+, yt-dlp 20\d\d\.[\d.]+, SQLite 3\.[\d.]+\)\n", shown.stdout
    )


def test_config_show_masks_secrets(tmp_path: Path) -> None:
    env = {"MEDIANEST_DATA_DIR": str(tmp_path), "MEDIANEST_ADMIN_PASSWORD": "plain-to-see"}
    shown = run_medianest("config", "show", env=env)
    assert shown.returncode == 0
    assert "plain-to-see" not in shown.stdout
    assert f"MEDIANEST_DATA_DIR = {tmp_path}" in shown.stdout


def test_an_administrator_can_be_made_and_let_back_in_from_the_console(server: Server) -> None:
    made = run_medianest("admin", "create", "second", env=server.env, stdin="First long passw0rd\n")
    assert made.returncode == 0, made.stderr
    server.client("second", "First long passw0rd").close()
    reset = run_medianest("admin", "reset-password", "second", env=server.env, stdin="Other long passw0rd\n")
    assert reset.returncode == 0, reset.stderr
    server.client("second", "Other long passw0rd").close()
    unknown = run_medianest("admin", "reset-password", "nobody", env=server.env, stdin="Other long passw0rd\n")
    assert unknown.returncode == 1
    assert "Traceback" not in unknown.stderr


@pytest.mark.parametrize(
    ("arguments", "env", "code"),
    [
        (("serve", "--port", "http"), {}, 1),
        (("serve", "--prot", "7000"), {}, 2),
        (("no-such-command",), {}, 2),
        (("serve",), {"MEDIANEST_SECRET_KEY": "secret"}, 1),
        (("serve",), {"MEDIANEST_BASE_PATH": "/a b"}, 1),
        (("serve",), {"MEDIANEST_DATABASE_URL": "oracle://x"}, 1),
        (("serve",), {"MEDIANEST_DATABASE_URL": "postgres://u:pw@127.0.0.1:9/none"}, 1),
        (("serve",), {"MEDIANEST_HOST": "no.such.host.invalid"}, 1),
    ],
)
def test_a_wrong_setting_ends_with_a_sentence_and_no_traceback(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], code: int
) -> None:
    settings = {"MEDIANEST_DATA_DIR": str(tmp_path / "data"), "MEDIANEST_PORT": "0"} | env
    refused = run_medianest(*arguments, env=settings, timeout_s=60)
    assert refused.returncode == code
    assert "Traceback" not in refused.stdout + refused.stderr
    assert refused.stderr.strip()
    if code == 1:
        assert len(refused.stderr.strip().splitlines()) == 1
        assert "pw" not in refused.stderr


def test_a_second_start_on_one_data_folder_is_refused_and_says_where_the_first_is(server: Server) -> None:
    refused = run_medianest("serve", "--no-browser", env=server.env | {"MEDIANEST_PORT": "0"})
    assert refused.returncode == 1
    assert f"http://127.0.0.1:{server.port}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_named(server: Server, tmp_path: Path) -> None:
    refused = run_medianest("serve", env=server.env | {"MEDIANEST_DATA_DIR": str(tmp_path / "other")})
    assert refused.returncode == 1
    assert str(server.port) in refused.stderr


def test_the_database_may_be_postgres(start_server: StartServer, request: pytest.FixtureRequest) -> None:
    cluster = request.getfixturevalue("postgres")
    server = start_server(database_url=cluster.url(cluster.create_database()))
    assert "Postgres" in server.log()
    assert "secret-word" not in server.log()
    with server.client() as client:
        assert client.get("/api/v1/me").status_code == 200
    assert server.stop() == 0
    assert not list(server.data_dir.glob("*.sqlite"))


def test_the_same_administrator_is_there_after_a_restart(server: Server) -> None:
    server.restart()
    server.client(ADMIN_NAME, ADMIN_PASSWORD).close()
    assert "Setup code" not in server.log()
