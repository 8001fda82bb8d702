"""What names and passwords are compared by, and that hashing outlives the loop it began in."""

from __future__ import annotations

import asyncio
import os

import pytest

from medianest.accounts import passwords
from medianest.accounts.passwords import hash_password, is_password
from medianest.accounts.repository import username_key
from medianest.app import Application
from tests.harness.application import ADMIN, Visit, csrf_of, set_up, sign_in


def test_hashing_goes_on_in_another_loop_and_leaves_the_loop_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", 4)

    async def crowd() -> list[bool]:
        stored = await hash_password("correct-Horse-7-battery")
        return await asyncio.gather(*(is_password("correct-Horse-7-battery", stored) for _ in range(8)))

    for _loop in range(3):
        assert asyncio.run(crowd()) == [True] * 8
    assert passwords._hashing is not None
    assert passwords._hashing._max_workers == (2 if (os.cpu_count() or 1) > 2 else 1)


async def test_a_password_longer_than_bcrypt_takes_counts_to_its_last_character(cheap_passwords: None) -> None:
    long = "Correct-7-" + "x" * 100
    stored = await hash_password(long)
    assert await is_password(long, stored)
    assert not await is_password(long[:-1], stored)
    assert not await is_password(long[:72], stored)
    with_nul = await hash_password("Correct-Horse-7\x00-battery")
    assert not await is_password("Correct-Horse-7\x00-other", with_nul)


async def test_an_accent_is_the_same_however_it_is_typed(cheap_passwords: None) -> None:
    assert await is_password("cafe\u0301-Horse-7-battery", await hash_password("caf\u00e9-Horse-7-battery"))
    assert username_key(" Zoe\u0308 ") == username_key("ZO\u00cb")
    assert username_key("\uff21da") == username_key("ada")


async def test_spaces_around_a_password_count_on_the_page_as_through_the_api(
    application: Application, visit: Visit
) -> None:
    client, spaced = visit(application), " spaced Horse 7, battery "
    await set_up(client, application)
    form = {
        "_csrf": csrf_of((await client.get("/settings/password")).text),
        "current_password": "correct-Horse-7-battery",
        "new_password": spaced,
    }
    assert (await client.post("/settings/password", data=form)).status_code == 303
    assert (await sign_in(visit(application), ADMIN, spaced)).status_code == 200
    assert (await sign_in(visit(application), ADMIN, spaced.strip())).status_code == 401
    page = await visit(application).post("/sign-in", data={"username": f" {ADMIN} ", "password": spaced})
    assert page.status_code == 303
