"""People from the console: what each command says and its exit code, beside a running server and without one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, Server, run_medianest

NEW = "wandering-Ship-9-lamp"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An installation that nobody has started yet."""
    return {"MEDIANEST_DATA_DIR": str(tmp_path / "data"), "MEDIANEST_LIBRARY_DIR": str(tmp_path / "library")}


def refused(*arguments: str, env: dict[str, str], stdin: str = "") -> str:
    """The one sentence of a command that is refused."""
    done = run_medianest(*arguments, env=env, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(".\n")
    assert done.stderr.count("\n") == 1
    return done.stderr


def done(*arguments: str, env: dict[str, str], stdin: str = "") -> str:
    """What a command prints when all went well."""
    ran = run_medianest(*arguments, env=env, stdin=stdin)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert ran.stdout.count("\n") == 1
    return ran.stdout.strip()


def test_the_setup_code_stays_the_same_until_there_is_an_administrator(env: dict[str, str]) -> None:
    code = done("setup-code", env=env)
    assert done("setup-code", env=env) == code
    assert done("admin", "create", "Grace", env=env, stdin=NEW + "\n") == "Grace is an administrator now."
    assert "administrator already" in refused("setup-code", env=env)


def test_an_administrator_is_not_made_from_what_can_not_be(env: dict[str, str]) -> None:
    assert "at least 12 characters" in refused("admin", "create", "Grace", env=env, stdin="short\n")
    assert "at least 12 characters" in refused("admin", "create", "Grace", env=env)
    assert "2 to 64 characters" in refused("admin", "create", "a/b", env=env, stdin=NEW + "\n")
    done("admin", "create", "Grace", env=env, stdin=NEW + "\n")
    assert "has this name already" in refused("admin", "create", "GRACE", env=env, stdin=NEW + "\n")
    assert run_medianest("admin", "create", env=env).returncode == 2
    assert run_medianest("admin", env=env).returncode == 2


def test_a_new_password_is_taken_from_standard_input_and_ends_every_session(server: Server) -> None:
    with server.browser() as browser:
        said = done("admin", "reset-password", ADMIN_NAME.upper(), env=server.env, stdin=NEW + "\r\n")
        assert "new password" in said
        assert NEW not in said
        assert browser.get("/api/v1/me").status_code == 401
    server.client(password=NEW).close()
    with server.visitor() as visitor:
        old = {"username": ADMIN_NAME, "password": ADMIN_PASSWORD}
        assert visitor.post("/api/v1/auth/login", json=old).status_code == 401
    assert "nobody called ghost" in refused("admin", "reset-password", "ghost", env=server.env, stdin=NEW + "\n")
    assert "an upper case letter" in refused("admin", "reset-password", ADMIN_NAME, env=server.env, stdin="a" * 12)


def test_unlock_lets_a_name_try_again(server: Server) -> None:
    wrong, right = ({"username": ADMIN_NAME, "password": word} for word in ("wrong", ADMIN_PASSWORD))
    with server.visitor() as visitor:
        for _try in range(5):
            assert visitor.post("/api/v1/auth/login", json=wrong).status_code == 401
        assert visitor.post("/api/v1/auth/login", json=right).status_code == 429
        assert "can try to sign in again" in done("admin", "unlock", ADMIN_NAME, env=server.env)
        # a process remembers for three seconds that a name was closed
        opens = time.monotonic() + 10
        while (status := visitor.post("/api/v1/auth/login", json=right).status_code) == 429:
            assert time.monotonic() < opens
            time.sleep(0.2)
        assert status == 200


def test_passwords_are_never_arguments(env: dict[str, str]) -> None:
    # arguments are seen by everybody on the machine
    for command in ("create", "reset-password"):
        assert run_medianest("admin", command, "Grace", NEW, env=env).returncode == 2
        assert run_medianest("admin", command, "Grace", "--password", NEW, env=env).returncode == 2
