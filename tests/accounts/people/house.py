"""People in a house for these tests, made through the same service as everybody."""

from __future__ import annotations

from typing import Any

import httpx

from medianest.accounts.model import Role, User
from medianest.accounts.passwords import hash_password
from medianest.accounts.people.model import NewPerson, Person, PersonChange
from medianest.accounts.repository import AccountRepository
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import ADMIN, OTHER_PASSWORD, Visit, csrf_of, set_up, sign_in

SET = PersonChange


async def owner(application: Application, visit: Visit) -> tuple[httpx.AsyncClient, User]:
    """The first administrator, signed in, with a client that sends the token."""
    client = visit(application)
    await set_up(client, application)
    client.headers["x-csrf-token"] = csrf_of((await client.get("/settings")).text)
    return client, await user(1)


async def user(person_id: int) -> User:
    return await AccountRepository().get(person_id)


async def person(application: Application, name: str, by: User, **more: Any) -> Person:
    """Somebody whose password is `OTHER_PASSWORD` and stays so."""
    made = (await application.people.add(NewPerson(username=name, **more), by=by)).person
    await fetch(
        "UPDATE users SET password_hash = {}, must_change_password = {} WHERE id = {}",
        *(await hash_password(OTHER_PASSWORD), False, made.id),
    )
    return await application.people.get(made.id)


async def second_admin(application: Application, by: User, name: str = "Grace") -> User:
    made = await person(application, name, by)
    await application.people.change(made.id, SET(role=Role.ADMIN), by=by)
    return await user(made.id)


async def signed_in(
    application: Application, visit: Visit, name: str, password: str = OTHER_PASSWORD
) -> httpx.AsyncClient:
    """A client of that person, with the token."""
    client = visit(application)
    answer = await sign_in(client, name, password)
    assert answer.status_code == 200, answer.text
    client.headers["x-csrf-token"] = csrf_of((await client.get("/settings")).text)
    return client


async def acts(action: str) -> list[dict[str, Any]]:
    """Lines of the audit log."""
    return await fetch("SELECT * FROM audit_logs WHERE action = {} ORDER BY id", action)


__all__ = ["ADMIN", "SET", "acts", "owner", "person", "second_admin", "signed_in", "user"]
