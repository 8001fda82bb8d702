"""A password that somebody else gave must be changed before anything else; the profile's name; dates in one's own way."""

from __future__ import annotations

import pytest

from medianest.accounts.model import DATE_LOCALES
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import OTHER_PASSWORD, PASSWORD, Visit, csrf_of, set_up, sign_in
from tests.web.test_live_door import Handshake, cookies_of


async def test_until_it_is_changed_every_page_leads_there_and_every_call_is_refused(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/")).text)}
    await fetch("UPDATE users SET must_change_password = {}", True)
    for path in ("/", "/downloads", "/settings", "/settings/two-step", "/system", "/more", "/settings/devices"):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/settings/password"), path
    answer = await client.get("/downloads/list", headers={"HX-Request": "true"})
    assert answer.headers["hx-redirect"] == "/settings/password"
    for method, path in (
        ("GET", "/api/v1/downloads"), ("POST", "/api/v1/downloads"), ("GET", "/api/v1/me/sessions"),
        ("PATCH", "/api/v1/me"), ("POST", "/api/v1/me/second-factor/offer"), ("GET", "/api/v1/system/health"),
    ):  # fmt: skip
        answer = await client.request(method, path, headers=csrf)
        assert (answer.status_code, answer.json()["code"]) == (403, "password_change_needed"), path
    assert (await client.get("/api/v1/me")).json()["user"]["must_change_password"] is True
    socket = Handshake(application, {"cookie": cookies_of(client), "origin": "http://medianest.test"})
    assert (await socket.next())["type"] == "websocket.close"
    page = await client.get("/settings/password")
    assert page.status_code == 200
    assert "<nav" not in page.text
    form = {"_csrf": csrf["X-CSRF-Token"], "current_password": PASSWORD, "new_password": PASSWORD}
    answer = await client.post("/settings/password", data=form)
    assert answer.status_code == 400
    assert "Choose another one" in answer.text
    answer = await client.post("/settings/password", data={**form, "new_password": OTHER_PASSWORD})
    assert answer.status_code == 303
    assert (await client.get("/")).status_code == 200


async def test_signing_out_works_meanwhile_and_the_api_changes_it_as_well(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    await fetch("UPDATE users SET must_change_password = {}", True)
    page = (await client.get("/settings/password")).text
    token = page.split('name="_csrf" value="')[1].split('"')[0]
    assert (await client.post("/sign-out", data={"_csrf": token})).headers["location"] == "/sign-in"
    bearer = {"Authorization": f"Bearer {(await sign_in(visit(application), cookies=False)).json()['access_token']}"}
    api = visit(application, headers=bearer)
    same = {"current_password": PASSWORD, "new_password": PASSWORD}
    answer = await api.post("/api/v1/me/password", json=same)
    assert (answer.status_code, answer.json()["code"]) == (400, "same_password")
    answer = await api.post("/api/v1/me/password", json={**same, "new_password": OTHER_PASSWORD})
    assert answer.status_code == 204
    assert (await api.get("/api/v1/downloads")).status_code == 200


async def test_the_name_that_others_see_is_ones_own_without_plex(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    page = (await client.get("/settings")).text
    assert "here since" in page
    form = {"_csrf": csrf_of(page), "display_name": "  Ada, Countess <of> Lovelace "}
    assert (await client.post("/settings/name", data=form)).status_code == 303
    assert "Ada, Countess &lt;of&gt; Lovelace" in (await client.get("/settings")).text
    for wrong in ("", "x" * 65, "two\x0blines"):
        answer = await client.post("/settings/name", data={**form, "display_name": wrong})
        assert answer.status_code == 400
        assert 'id="display_name-error"' in answer.text
    await fetch(
        "INSERT INTO plex_accounts (user_id, plex_id, username, is_owner, linked_at) SELECT id, 7, 'ada', {}, created_at FROM users",
        False,
    )
    assert "follow your Plex account" in (await client.get("/settings")).text
    assert (await client.post("/settings/name", data=form)).status_code == 409


async def test_the_profile_says_what_a_person_may_in_words(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    assert "Everything: you run this server" in (await client.get("/settings")).text
    await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    await fetch("UPDATE users SET role = 'user' WHERE username_key = 'ada'")
    page = (await client.get("/settings")).text
    for words in ("Ask for films", "20 requests", "5 in an hour", "11 GB"):
        assert words in page, words


@pytest.mark.parametrize("locale", ["en", "de", "en_US"])
async def test_dates_and_numbers_follow_the_chosen_language(
    application: Application, visit: Visit, locale: str
) -> None:
    client = visit(application)
    await set_up(client, application)
    await fetch("UPDATE users SET created_at = '2026-11-03 12:00:00+00:00'")
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/settings")).text)}
    answer = await client.patch("/api/v1/me/preferences", json={"date_locale": locale}, headers=csrf)
    assert answer.status_code == 200
    page = (await client.get("/settings")).text
    assert {"en": "3 Nov 2026", "de": "03.11.2026", "en_US": "Nov 3, 2026"}[locale] in page
    assert f'data-locale="{locale.replace("_", "-")}"' in page


async def test_a_language_that_is_not_offered_is_refused(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    csrf = {"X-CSRF-Token": csrf_of((await client.get("/settings")).text)}
    for wrong in ("xx", "../de", "en_GB"):
        answer = await client.patch("/api/v1/me/preferences", json={"date_locale": wrong}, headers=csrf)
        assert answer.status_code == 400
    assert len(DATE_LOCALES) >= 12
