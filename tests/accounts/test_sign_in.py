"""Signing in: the same answer and cost for everybody, limits before any hashing, passwords and their rule."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from medianest.accounts import limits, passwords, service
from medianest.app import Application
from medianest.database import fetch
from medianest.errors import Invalid
from tests.harness.application import OTHER_PASSWORD, PASSWORD, Visit, csrf_of, set_up, sign_in


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """What was compared: the stored hash each time, None for an unknown person."""
    seen: list[str | None] = []
    compare = passwords.is_password

    async def counted(password: str, stored: str | None) -> bool:
        seen.append(stored)
        return await compare(password, stored)

    monkeypatch.setattr(service, "is_password", counted)
    return seen


async def test_an_unknown_name_costs_a_hashing_and_gets_the_same_answer(
    application: Application, visit: Visit, hashings: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import bcrypt

    checked: list[bytes] = []
    check = bcrypt.checkpw

    def counted(password: bytes, stored: bytes) -> bool:
        checked.append(stored)
        return check(password, stored)

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    client = visit(application)
    await set_up(client, application)
    wrong = await sign_in(visit(application), password="wrong-Horse-7-battery")
    unknown = await sign_in(visit(application), username="nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    for answer in (wrong, unknown):
        body = answer.json()
        assert body.pop("request_id") == answer.headers["x-request-id"]
        assert body["code"] == "wrong_credentials"
    assert wrong.json()["detail"] == unknown.json()["detail"]
    assert hashings[1] is None
    assert len(checked) == 2
    # what stands in for nobody is as dear as a real one
    assert f"${passwords.NOBODY.split('$')[2]}$" == "$12$"
    assert bcrypt.gensalt(12).split(b"$")[2] == b"12"


async def test_names_nobody_can_have_are_refused_like_any_other(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    for name in ("", "\x00", "a\x00b", "\u202eadA", "x" * 5000, "' OR 1=1 --", "Ada\n"):
        answer = await sign_in(visit(application), username=name)
        assert answer.status_code == 401, (name, answer.text)
    assert (await sign_in(visit(application), password="x" * 900_000)).status_code == 401
    assert (await sign_in(visit(application), username="  ADA ")).status_code == 200


async def test_the_sixth_try_for_a_name_is_refused_before_anything_is_hashed(
    application: Application, visit: Visit, hashings: list[str | None]
) -> None:
    client = visit(application)
    await set_up(client, application)
    for number in range(5):
        assert (await sign_in(visit(application, address=f"192.0.2.{number}"), password="wrong")).status_code == 401
    assert len(hashings) == 5
    answer = await sign_in(visit(application))  # even with the right password
    assert answer.status_code == 429
    assert len(hashings) == 5
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert "Wait until" in answer.json()["detail"]
    page = await visit(application).post("/sign-in", data={"username": "ada", "password": PASSWORD})
    assert page.status_code == 429
    assert "Wait until" in page.text
    assert "retry-after" in page.headers
    await application.accounts.unlock("Ada")
    assert (await sign_in(visit(application))).status_code == 200


async def test_tries_at_once_are_counted_exactly(
    application: Application, visit: Visit, hashings: list[str | None]
) -> None:
    await set_up(visit(application), application)
    answers = await asyncio.gather(*(sign_in(visit(application), password="wrong") for _ in range(30)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [401] * 5 + [429] * 25
    assert len(hashings) == 5


async def test_fifty_tries_from_one_address_close_it_whatever_the_name(
    application: Application, visit: Visit, hashings: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(password: str, stored: str | None) -> bool:
        hashings.append(stored)
        return False

    monkeypatch.setattr(service, "is_password", never)
    client = visit(application, address="2001:db8:1:2::1")
    for number in range(50):
        assert (await sign_in(client, username=f"person{number}")).status_code == 401
    # one machine has the whole /64
    neighbour = visit(application, address="2001:db8:1:2:ffff::9")
    assert (await sign_in(neighbour, username="fresh")).status_code == 429
    assert len(hashings) == 50
    assert (await sign_in(visit(application, address="2001:db8:1:3::1"), username="fresh")).status_code == 401


async def test_a_right_password_opens_the_counter_again(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for _round in range(3):
        for _try in range(4):
            assert (await sign_in(visit(application), password="wrong")).status_code == 401
        assert (await sign_in(visit(application))).status_code == 200


async def test_the_limit_opens_after_a_quarter_of_an_hour(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for _try in range(6):
        answer = await sign_in(visit(application), password="wrong")
    assert answer.status_code == 429
    await fetch("UPDATE rate_limits SET window_start = window_start - 901")
    application.accounts._limits._closed.clear()  # what is remembered for three seconds
    assert (await sign_in(visit(application))).status_code == 200


async def test_a_limit_that_can_not_be_counted_lets_nobody_in(
    application: Application, visit: Visit, hashings: list[str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(visit(application), application)

    async def broken(*_: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(limits, "fetch", broken)
    answer = await sign_in(visit(application))
    assert answer.status_code == 500
    assert "disk" not in answer.text
    assert hashings == []


async def test_what_was_typed_as_a_name_nobody_has_is_kept_nowhere(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    await sign_in(visit(application), username="my-Secret-pass-1")
    for table in ("audit_logs", "rate_limits"):
        assert "my-secret-pass-1" not in str(await fetch(f"SELECT * FROM {table}")).lower()
    await sign_in(visit(application), password="wrong")
    rows = await fetch("SELECT action, target, address FROM audit_logs ORDER BY id")
    assert rows[-1] == {"action": "account.sign_in_failed", "target": "Ada", "address": "192.0.2.10"}


async def test_signing_in_through_the_page_leads_on(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    client = visit(application)
    page = await client.get("/sign-in?next=/downloads")
    assert page.status_code == 200
    assert 'value="/downloads"' in page.text
    wrong = await client.post("/sign-in", data={"username": "Ada", "password": "no", "next": "/downloads"})
    assert wrong.status_code == 401
    assert 'value="Ada"' in wrong.text
    assert 'value="no"' not in wrong.text
    assert 'value="/downloads"' in wrong.text
    form = {"username": "Ada", "password": PASSWORD, "next": "/downloads", "remember": "true"}
    right = await client.post("/sign-in", data=form)
    assert (right.status_code, right.headers["location"]) == (303, "/downloads")
    assert (await client.get("/sign-in")).headers["location"] == "/"


async def test_a_hash_of_a_lower_cost_is_made_anew_at_sign_in(
    application: Application, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await set_up(visit(application), application)
    monkeypatch.setattr(passwords, "COST", 5)
    assert (await sign_in(visit(application))).status_code == 200
    stored = (await fetch("SELECT password_hash FROM users"))[0]["password_hash"]
    assert stored.startswith("$2b$05$")
    assert (await sign_in(visit(application))).status_code == 200


async def test_a_new_password_ends_every_other_session(application: Application, visit: Visit) -> None:
    here, there = visit(application), visit(application)
    await set_up(here, application)
    await sign_in(there)
    csrf = csrf_of((await here.get("/settings/password")).text)
    form = {"_csrf": csrf, "current_password": "wrong", "new_password": OTHER_PASSWORD}
    refused = await here.post("/settings/password", data=form)
    assert refused.status_code == 400
    assert "not your present password" in refused.text
    weak = await here.post("/settings/password", data={**form, "current_password": PASSWORD, "new_password": "short"})
    assert weak.status_code == 400
    assert "at least 12 characters" in weak.text
    done = await here.post("/settings/password", data={**form, "current_password": PASSWORD})
    assert done.status_code == 303
    assert (await here.get("/api/v1/me")).status_code == 200
    assert (await there.get("/api/v1/me")).status_code == 401
    assert (await sign_in(visit(application))).status_code == 401
    assert (await sign_in(visit(application), password=OTHER_PASSWORD)).status_code == 200


async def test_the_password_is_changed_through_the_api_too(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    body = {"current_password": PASSWORD, "new_password": "short"}
    answer = await visit(application).post("/api/v1/me/password", json=body, headers=bearer)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "new_password"
    body["new_password"] = OTHER_PASSWORD
    assert (await visit(application).post("/api/v1/me/password", json=body, headers=bearer)).status_code == 204
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_the_console_gives_a_new_password_and_ends_the_sessions(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    for _try in range(6):
        await sign_in(visit(application), password="wrong")
    await application.accounts.reset_password("ADA", OTHER_PASSWORD)
    assert (await client.get("/api/v1/me")).status_code == 401
    assert (await sign_in(visit(application), password=OTHER_PASSWORD)).status_code == 200
    with pytest.raises(Invalid):
        await application.accounts.reset_password("ada", "weak")


@pytest.mark.parametrize(
    ("password", "named"),
    [
        ("Short-1", "at least 12 characters"),
        ("no-upper-case-7", "an upper case letter"),
        ("NO-LOWER-CASE-7", "a lower case letter"),
        ("No-Digit-Is-Here", "a digit"),
        ("NoSignIsHere7777", "a sign such as"),
        ("Password-1234", "too easy to guess"),
        ("Gracehopper-77", "too easy to guess"),
        ("Aa1-" + "x" * 2000, "at most"),
    ],
)
def test_a_weak_password_is_refused_with_what_it_lacks(password: str, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        passwords.check_password(password, "Gracehopper")


def test_a_password_of_every_kind_of_letters_is_taken() -> None:
    passwords.check_password("correct-Horse-7-battery", "Grace")
    passwords.check_password("Größer als 7 Bäume", "Grace")
