"""The web side under attack: identity, browser and limits, line by line."""

from __future__ import annotations

import re
from typing import Any

import httpx

from medianest.accounts.model import Role
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import PASSWORD, Visit, set_up, sign_in
from tests.security.cast import add_person, key_headers, session_headers, somebody
from tests.security.matrix import entries
from tests.security.test_matrix import filled


async def test_sec_14_nothing_a_person_or_a_site_brings_is_shown_as_a_document_of_ours(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    admin = await somebody(application, visit, "admin")
    for entry in entries().values():
        if entry.method == "GET" and "{address" not in entry.path:
            answer = await admin.get(filled(entry.path))
            assert answer.headers["x-content-type-options"] == "nosniff", entry.path
            kind = answer.headers.get("content-type", "")
            assert "svg" not in kind, entry.path
            assert "javascript" not in kind, entry.path


async def test_sec_30_the_address_of_this_machine_lets_nobody_in(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for address in ("127.0.0.1", "::1", "10.0.0.1", "192.168.1.2", "::ffff:127.0.0.1"):
        stranger = visit(application, address=address)
        for path in ("/", "/system", "/api/v1/me", "/api/v1/system/health"):
            assert (await stranger.get(path)).status_code in (303, 401), (address, path)


async def test_sec_32_a_name_in_a_header_is_nobody(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for name in (
        "Remote-User",
        "X-Remote-User",
        "X-Forwarded-User",
        "X-Auth-Request-User",
        "X-WEBAUTH-USER",
        "X-Plex-Token",
    ):
        assert (await visit(application, headers={name: "Ada"}).get("/api/v1/me")).status_code == 401, name


async def test_sec_37_a_session_is_over_when_its_person_is(application: Application, visit: Visit) -> None:
    """Suspended, of another role, gone: the token that was good a moment ago decides nothing by itself."""
    await set_up(visit(application), application)
    person = await add_person("admin")
    client = visit(application, headers=await session_headers(application, person))
    assert (await client.get("/api/v1/system/health")).status_code == 200
    await fetch("UPDATE users SET role = {} WHERE id = {}", Role.USER.value, person)
    assert (await client.get("/api/v1/system/health")).status_code in (401, 403)
    await fetch("UPDATE users SET state = 'suspended' WHERE id = {}", person)
    assert (await client.get("/api/v1/me")).status_code == 401
    await fetch("UPDATE users SET state = 'active' WHERE id = {}", person)
    await fetch("DELETE FROM users WHERE id = {}", person)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_sec_37_a_key_is_over_when_its_person_is(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    person = await add_person("admin")
    client = visit(application, headers=await key_headers(person, "read admin"))
    assert (await client.get("/api/v1/system/health")).status_code == 200
    await fetch("UPDATE users SET role = 'user' WHERE id = {}", person)
    assert (await client.get("/api/v1/system/health")).status_code == 403
    await fetch("UPDATE users SET state = 'suspended' WHERE id = {}", person)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_sec_40_no_answer_of_the_api_holds_a_secret(application: Application, visit: Visit) -> None:
    """Names of fields that would be secrets, in everything that can be read as an administrator."""
    await set_up(visit(application), application)
    admin = await somebody(application, visit, "admin")

    def names(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {name for one in value.values() for name in names(one)}
        return {name for one in value for name in names(one)} if isinstance(value, list) else set()

    for entry in entries().values():
        if entry.method == "GET" and entry.is_api and "{" not in entry.path and "openapi" not in entry.path:
            answer = await admin.get(entry.path)
            if "json" in answer.headers.get("content-type", ""):
                found = {one for one in names(answer.json()) if re.search(r"(token|secret|password|_hash|_key)$", one)}
                # whether there is one; and how Plex numbers its items
                harmless = {"must_change_password", "has_token", "has_password", "has_key", "rating_key", "parent_key"}
                assert found - harmless == set(), entry.path


async def test_sec_50_what_is_changed_is_never_changed_by_a_get(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    admin = await somebody(application, visit, "admin")

    async def state() -> list[tuple[Any, ...]]:
        tables = ("users", "user_preferences", "download_queue", "queue_settings", "system_settings", "api_keys")
        return [tuple(str(dict(row)) for row in await fetch(f"SELECT * FROM {table}")) for table in tables]

    before = await state()
    for entry in entries().values():
        if entry.method in ("POST", "PUT", "PATCH", "DELETE") and entry.people != "all":
            answer = await admin.get(filled(entry.path, verb="cancel"), params={"theme": "light", "_method": "POST"})
            assert answer.status_code < 500
    assert [row for row in await state() if row not in before] == []


async def test_sec_50_a_cookie_beside_a_wrong_key_or_token_saves_nobody(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    assert (await client.get("/api/v1/me")).status_code == 200
    for headers in ({"X-Api-Key": "mnk_" + "x" * 43}, {"X-Api-Key": "x"}, {"Authorization": "Bearer x"}):
        assert (await client.get("/api/v1/me", headers=headers)).status_code == 401, headers
        answer = await client.patch("/api/v1/me/preferences", json={"theme": "light"}, headers=headers)
        assert answer.status_code == 401, headers


async def test_sec_56_the_name_in_the_address_is_compared_letter_by_letter(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    assert (await client.get("/ping")).status_code == 200
    for host in (
        "evil.example", "medianest.test.evil.example", "medianestxtest", "medianest.test@evil.example", "evil.medianest.test",
        "medianest.test#evil.example",
    ):  # fmt: skip
        answer = await client.get("/sign-in", headers={"host": host})
        assert answer.status_code >= 400, host
        assert "evil" not in answer.headers.get("location", "")
    forwarded = await client.get("/sign-in", headers={"host": "evil.example", "x-forwarded-host": "medianest.test"})
    assert forwarded.status_code >= 400


PAYLOADS = (
    "'",
    '"',
    "1; DROP TABLE users",
    "' OR '1'='1",
    "id DESC, (SELECT 1)",
    "{{7*7}}",
    "${7*7}",
    "%(x)s",
    "{0.__class__}",
    "\x00",
)


async def test_sec_60_and_62_lists_take_what_is_typed_as_text(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    people = (await fetch("SELECT count(*) AS number FROM users"))[0]["number"]
    headers = await session_headers(application, await add_person("admin"))
    for entry in entries().values():
        if entry.method != "GET" or entry.people == "all":
            continue
        for payload in PAYLOADS:
            names = (
                "q",
                "search",
                "show",
                "sort",
                "order",
                "state",
                "limit",
                "offset",
                "action",
                "actor",
                "from",
                "to",
                "role",
            )
            async with visit(application, headers=headers) as client:
                answer = await client.get(filled(entry.path), params=dict.fromkeys(names, payload))
            assert answer.status_code < 500, (entry.path, payload)
            assert ">49<" not in answer.text
            assert "<class" not in answer.text
    assert (await fetch("SELECT count(*) AS number FROM users"))[0]["number"] == people + 1


async def test_sec_64_no_address_signs_anybody_in(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    key = (await key_headers(await add_person("admin"), "read"))["X-Api-Key"]
    stranger = visit(application)
    for name in ("token", "access_token", "apikey", "api_key", "key", "X-Api-Key", "X-Plex-Token"):
        for value in (token, key):
            assert (await stranger.get("/api/v1/me", params={name: value})).status_code == 401, name


async def test_sec_64_no_page_links_to_an_address_with_a_secret(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    secrets = [value for value in client.cookies.values() if len(value) > 20]
    assert len(secrets) >= 2
    for entry in entries().values():
        if entry.method == "GET" and not entry.is_api and "{" not in entry.path:
            page: httpx.Response = await client.get(entry.path)
            assert PASSWORD not in page.text
            for secret in secrets:
                assert secret not in page.text, entry.path


async def test_sec_66_deep_and_large_bodies_are_refused_before_they_cost_anything(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    admin = await somebody(application, visit, "admin")
    deep = "[" * 100_000 + "]" * 100_000
    for entry in entries().values():
        if entry.method in ("POST", "PUT", "PATCH") and entry.is_api:
            for content in (deep, '{"a":' * 50_000, '{"url": "' + "x" * 2_000_000 + '"}'):
                headers = await session_headers(application, await add_person("admin"))
                answer = await visit(application, headers=headers).request(
                    entry.method, filled(entry.path), content=content, headers={"content-type": "application/json"}
                )
                assert answer.status_code < 500, (entry.path, content[:10])
    assert (await admin.get("/api/v1/me")).status_code == 200
