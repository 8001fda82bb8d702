"""The first start: one code, one administrator, then closed for good."""

from __future__ import annotations

import asyncio
import re

import pytest

from medianest.accounts.devices import Devices
from medianest.accounts.devices_repository import DeviceRepository
from medianest.accounts.limits import Limits
from medianest.accounts.repository import AccountRepository
from medianest.accounts.second_factor.repository import SecondFactorRepository
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.second_factor.ticket import Tickets
from medianest.accounts.service import AccountService
from medianest.accounts.sessions import Sessions
from medianest.accounts.tokens import TokenMaker
from medianest.app import Application
from medianest.database import Engine, fetch
from medianest.errors import Conflict, Invalid
from medianest.events import EventBus
from medianest.vault import Vault
from tests.harness.application import ADMIN, KEY, PASSWORD, Visit, cookie_named, set_up, sign_in


def another_process() -> AccountService:
    """The same service as a second process would build it."""
    people, events, limits = AccountRepository(), EventBus(), Limits()
    devices = Devices(DeviceRepository(), events)
    sessions = Sessions(people, TokenMaker(KEY), events, devices)
    second_factor = SecondFactor(SecondFactorRepository(), people, sessions, devices, limits, Vault(KEY))
    return AccountService(people, sessions, limits, events, devices, second_factor, Tickets(KEY))


async def test_nobody_set_up_leads_every_page_to_the_setup(application: Application, visit: Visit) -> None:
    client = visit(application, follow_redirects=True)
    for path in ("/", "/downloads", "/sign-in", "/system"):
        page = await client.get(path)
        assert page.status_code == 200
        assert str(page.url).endswith("/setup")


async def test_the_first_administrator_is_made_on_the_page_and_signed_in(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    code = await application.accounts.setup_code()
    assert re.fullmatch("[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}", code)
    form = {"code": "AAAA-AAAA", "username": ADMIN, "password": PASSWORD}
    wrong = await client.post("/setup", data=form)
    assert wrong.status_code == 400
    assert "not the setup code" in wrong.text
    assert PASSWORD not in wrong.text
    weak = await client.post("/setup", data={**form, "code": code, "password": "weak"})
    assert weak.status_code == 400
    assert "at least 12 characters" in weak.text
    done = await client.post("/setup", data={**form, "code": code.lower().replace("-", " ")})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert cookie_named(client, "_refresh")
    me = (await client.get("/api/v1/me")).json()
    assert (me["user"]["username"], me["user"]["role"]) == (ADMIN, "admin")
    rows = await fetch("SELECT action, actor_name FROM audit_logs")
    assert rows == [{"action": "account.first_administrator_made", "actor_name": ADMIN}]


async def test_afterwards_there_is_no_setup_any_more(application: Application, visit: Visit) -> None:
    client = visit(application)
    code = await application.accounts.setup_code()
    await set_up(client, application)
    body = {"code": code, "username": "Eve", "password": PASSWORD}
    for other in (client, visit(application)):
        assert (await other.get("/setup")).status_code == 404
        assert (await other.post("/setup", data=body)).status_code in (403, 404)
        assert (await other.post("/api/v1/setup", json=body)).status_code in (403, 404)
    assert (await visit(application).post("/api/v1/setup", json=body)).status_code == 404
    # a restart does not open it again
    assert await another_process().setup_code_or_none() is None
    with pytest.raises(Conflict):
        await another_process().setup_code()
    assert await fetch("SELECT * FROM system_settings WHERE key = 'setup_code'") == []


async def test_ten_setups_at_once_make_one_administrator(application: Application, visit: Visit) -> None:
    code = await application.accounts.setup_code()
    clients = [visit(application, address=f"192.0.2.{number}") for number in range(10)]
    answers = await asyncio.gather(
        *(
            client.post("/api/v1/setup", json={"code": code, "username": f"owner{number}", "password": PASSWORD})
            for number, client in enumerate(clients)
        )
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes[0] == 201
    assert set(codes[1:]) <= {400, 404}
    assert len(await fetch("SELECT id FROM users")) == 1
    assert len(await fetch("SELECT id FROM user_sessions")) == 1


async def test_processes_that_start_together_print_the_same_code(database: Engine) -> None:
    codes = await asyncio.gather(*(another_process().setup_code_or_none() for _ in range(8)))
    assert len(set(codes)) == 1


async def test_processes_that_start_together_make_one_administrator_from_the_settings(
    database: Engine, cheap_passwords: None
) -> None:
    services = [another_process() for _ in range(6)]
    await asyncio.gather(*(one.make_first_admin_from_settings(ADMIN, PASSWORD) for one in services))
    await another_process().make_first_admin_from_settings("Somebody", PASSWORD)
    assert [row["username"] for row in await fetch("SELECT username FROM users")] == [ADMIN]
    assert await another_process().setup_code_or_none() is None


async def test_settings_that_make_no_administrator_are_named(database: Engine) -> None:
    with pytest.raises(Invalid, match=r"MEDIANEST_ADMIN_PASSWORD.*at least 12 characters"):
        await another_process().make_first_admin_from_settings(ADMIN, "weak")


async def test_setup_codes_can_not_be_guessed_at_speed(application: Application, visit: Visit) -> None:
    code = await application.accounts.setup_code()
    body = {"code": "AAAA-AAAA", "username": ADMIN, "password": PASSWORD}
    client = visit(application)
    answers = [await client.post("/api/v1/setup", json=body) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[0].json()["code"] == "wrong_setup_code"
    right = await client.post("/api/v1/setup", json={**body, "code": code})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    # many addresses do not help: fifty tries altogether
    for number in range(45):
        await visit(application, address=f"198.51.100.{number}").post("/api/v1/setup", json=body)
    assert (await visit(application, address="203.0.113.1").post("/api/v1/setup", json=body)).status_code == 429


async def test_whoever_has_the_code_may_take_many_tries_for_a_password(application: Application, visit: Visit) -> None:
    client, body = visit(application), {"code": await application.accounts.setup_code(), "username": ADMIN}
    for number in range(12):
        answer = await client.post("/api/v1/setup", json={**body, "password": f"weak{number}"})
        assert answer.json()["code"] == "weak_password"
    assert (await client.post("/api/v1/setup", json={**body, "password": PASSWORD})).status_code == 201


async def test_names_that_can_not_be_are_refused_by_field(application: Application, visit: Visit) -> None:
    code = await application.accounts.setup_code()
    for name in ("", "x", "a/b", "<script>", "x" * 65, "a\u202eb", "a\u200bb"):
        body = {"code": code, "username": name, "password": PASSWORD}
        answer = await visit(application, address=f"192.0.2.{len(name)}").post("/api/v1/setup", json=body)
        assert answer.status_code == 400, name
        assert answer.json()["errors"][0]["field"] == "username"


async def test_the_console_makes_further_administrators(application: Application, visit: Visit) -> None:
    await application.accounts.create_admin("Grace", PASSWORD)
    assert (await visit(application).get("/setup")).status_code == 404
    assert (await sign_in(visit(application), "grace")).status_code == 200
    with pytest.raises(Conflict, match="has this name already"):
        await application.accounts.create_admin("GRACE", PASSWORD)
