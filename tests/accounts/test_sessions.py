"""Sessions: renewal inside a request, two tabs, copies, revocation at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import jwt
import pytest

from medianest.accounts import tokens
from medianest.accounts.model import SessionsEnded
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import Visit, cookie_named, csrf_of, set_up, sign_in


def expire_access(client: httpx.AsyncClient) -> None:
    """What a browser does after 15 minutes: the access cookie is gone."""
    for cookie in list(client.cookies.jar):
        if cookie.name.endswith("_access"):
            client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)


def set_cookies(answer: httpx.Response, end: str) -> list[str]:
    return [text for text in answer.headers.get_list("set-cookie") if text.split("=")[0].endswith(end)]


async def shift_rotation(by: timedelta) -> None:
    await fetch("UPDATE user_sessions SET rotated_at = {}", datetime.now(UTC) - by)


async def test_a_page_with_an_expired_access_token_is_simply_shown(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    old = cookie_named(client, "_refresh")
    expire_access(client)
    page = await client.get("/settings")
    assert page.status_code == 200
    assert cookie_named(client, "_refresh") not in ("", old)
    assert cookie_named(client, "_access")
    assert (await client.get("/api/v1/me")).status_code == 200


async def test_an_access_token_that_ran_out_in_its_cookie_is_renewed_too(
    application: Application, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visit(application)
    await set_up(client, application)
    session_id = UUID((await client.get("/api/v1/me/sessions")).json()[0]["session"]["id"])
    with monkeypatch.context() as past:
        past.setattr(tokens, "ACCESS_S", -1)
        old = tokens.TokenMaker(application.settings.secret_key).access(1, session_id)
    for cookie in client.cookies.jar:
        if cookie.name.endswith("_access"):
            cookie.value = old
    answer = await client.get("/api/v1/me")
    assert answer.status_code == 200
    assert len(set_cookies(answer, "_refresh")) == 1


async def test_a_form_is_taken_with_an_expired_access_token_as_well(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    token = csrf_of((await client.get("/settings")).text)
    expire_access(client)
    answer = await client.post("/settings", data={"_csrf": token, "theme": "light", "page_size": "20"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/settings?saved=true")


async def test_twenty_calls_at_once_with_one_old_refresh_token_all_succeed(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    expire_access(client)
    old = {"cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}
    tabs = [visit(application, headers=old) for _ in range(20)]
    answers = await asyncio.gather(*(tab.get("/api/v1/me") for tab in tabs))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sum(len(set_cookies(answer, "_refresh")) for answer in answers) == 1
    assert all(len(set_cookies(answer, "_access")) == 1 for answer in answers)


async def test_the_second_tab_gets_an_access_token_and_the_first_tabs_refresh_token_stays(
    application: Application, visit: Visit
) -> None:
    first = visit(application)
    await set_up(first, application)
    expire_access(first)
    second = visit(application)
    second.cookies = httpx.Cookies(first.cookies)
    assert (await first.get("/")).status_code == 200
    answer = await second.get("/")
    assert answer.status_code == 200
    assert set_cookies(answer, "_refresh") == []
    expire_access(first)
    await shift_rotation(timedelta(minutes=20))
    assert (await first.get("/")).status_code == 200


async def test_a_copy_used_after_the_grace_ends_the_session_for_both(application: Application, visit: Visit) -> None:
    owner, thief = visit(application), visit(application)
    await set_up(owner, application)
    expire_access(owner)
    thief.cookies = httpx.Cookies(owner.cookies)
    assert (await owner.get("/")).status_code == 200
    await shift_rotation(timedelta(seconds=11))
    ended: list[SessionsEnded] = []

    async def hear(event: SessionsEnded) -> None:
        ended.append(event)

    application.events.subscribe(SessionsEnded, hear)
    assert (await thief.get("/api/v1/me")).status_code == 401
    assert (await owner.get("/api/v1/me")).status_code == 401
    assert len(ended) == 1
    assert len(ended[0].session_ids) == 1
    assert [row["action"] for row in await fetch("SELECT action FROM audit_logs ORDER BY id")][
        -1
    ] == "account.session_reused"


async def test_a_refresh_token_twice_as_old_ends_the_session_even_within_the_grace(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    answer = await sign_in(visit(application), cookies=False)
    first = answer.json()["refresh_token"]
    second = (await client.post("/api/v1/auth/refresh", json={"refresh_token": first})).json()["refresh_token"]
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": second})).status_code == 200
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": first})).status_code == 401
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await visit(application).get("/api/v1/me", headers=bearer)).status_code == 401


async def test_an_api_client_without_cookies_rotates_its_refresh_token(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    client = visit(application)
    answer = await sign_in(client, cookies=False)
    assert answer.headers.get_list("set-cookie") == []
    body = answer.json()
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == 900
    assert body["user"]["username"] == "Ada"
    renewed = await client.post("/api/v1/auth/refresh", json={"refresh_token": body["refresh_token"]})
    assert renewed.status_code == 200
    assert renewed.headers.get_list("set-cookie") == []
    assert renewed.json()["refresh_token"] != body["refresh_token"]
    for wrong in ({"refresh_token": "nonsense"}, {}, {"refresh_token": "0" * 32 + "." + "x" * 43}):
        assert (await client.post("/api/v1/auth/refresh", json=wrong)).status_code == 401
    assert (await client.post("/api/v1/auth/refresh", content=b"{nonsense")).status_code == 400


async def test_ending_a_session_suspending_a_person_and_the_end_of_its_time_act_at_once(
    application: Application, visit: Visit
) -> None:
    admin = visit(application)
    await set_up(admin, application)
    for change in (
        "UPDATE user_sessions SET revoked_at = {}",
        "UPDATE user_sessions SET expires_at = {}",
        "UPDATE users SET state = 'suspended', last_seen_at = {}",
    ):
        client = visit(application)
        assert (await sign_in(client)).status_code == 200
        assert (await client.get("/api/v1/me")).status_code == 200
        await fetch(change, datetime.now(UTC))
        assert (await client.get("/api/v1/me")).status_code == 401
        expire_access(client)
        assert (await client.get("/api/v1/me")).status_code == 401
    assert (await sign_in(visit(application))).status_code == 401


async def test_only_tokens_of_this_installation_with_every_claim_are_taken(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    good = cookie_named(client, "_access")
    maker = tokens.TokenMaker(application.settings.secret_key)
    claims = jwt.decode(good, options={"verify_signature": False})
    key = maker._access_key

    def forged(signing_key: bytes = key, algorithm: str = "HS256", **change: object) -> str:
        body = {name: value for name, value in {**claims, **change}.items() if value is not None}
        return jwt.encode(body, None if algorithm == "none" else signing_key, algorithm=algorithm)

    async def status(token: str) -> int:
        return (await visit(application).get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})).status_code

    assert await status(good) == 200
    assert await status(forged()) == 200
    wrong = [forged(**{name: None}) for name in ("exp", "iat", "jti", "sub", "iss", "sid")]
    wrong += [forged(iss="other"), forged(exp=1), forged(sid="x"), forged(sub="x"), forged(algorithm="none")]
    wrong += [
        forged(b"another key, which is long enough for all"),
        forged(key * 2, algorithm="HS512"),
        "",
        "x",
        good + "x",
    ]
    assert [await status(token) for token in wrong] == [401] * len(wrong)


async def test_cookies_are_closed_to_scripts_and_other_sites_and_named_after_the_instance(
    application: Application, below_a_path: Application, visit: Visit
) -> None:
    client = visit(application)
    await set_up(client, application)
    answer = await sign_in(client)
    texts = answer.headers.get_list("set-cookie")
    assert [text.split("=")[0].rpartition("_")[2] for text in texts] == ["access", "refresh", "device"]
    for text in texts:
        assert "HttpOnly" in text
        assert "SameSite=lax" in text
        assert "Path=/;" in text + ";"
        assert "Secure" not in text
    below = await visit(below_a_path).post(
        "/medianest/api/v1/auth/login", json={"username": "ada", "password": "correct-Horse-7-battery"}
    )
    assert all("Path=/medianest" in text for text in below.headers.get_list("set-cookie"))
    names = {text.split("=")[0] for text in texts + below.headers.get_list("set-cookie")}
    assert len(names) == 6
    secure = visit(application)
    secure.base_url = httpx.URL("https://medianest.test")
    assert all("Secure" in text for text in (await sign_in(secure)).headers.get_list("set-cookie"))


async def test_remembered_devices_stay_ninety_days_others_thirty(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    for remember, days in ((True, 90), (False, 30)):
        client = visit(application)
        answer = await sign_in(client, remember=remember)
        assert f"Max-Age={days * 24 * 3600}" in set_cookies(answer, "_refresh")[0]
        found = [one for one in (await client.get("/api/v1/me/sessions")).json() if one["is_this_device"]]
        expires = datetime.fromisoformat(found[0]["session"]["expires_at"])
        assert abs(expires - datetime.now(UTC) - timedelta(days=days)) < timedelta(minutes=1)


async def test_signing_out_ends_the_session_and_takes_the_cookies(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    kept = dict(client.cookies)
    token = csrf_of((await client.get("/")).text)
    expire_access(client)  # renewed in this very call, and yet the cookies must go
    answer = await client.post("/sign-out", data={"_csrf": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert [name.rpartition("_")[2] for name in client.cookies] == ["device"]  # known the next time
    client.cookies.update(kept)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_devices_are_listed_and_ended_one_by_one_or_all_others(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    agents = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604",
        "curl/8.5",
    )
    others = [visit(application, headers={"user-agent": agent}) for agent in agents]
    for other in others:
        await sign_in(other)
    page = (await client.get("/settings/devices")).text
    for name in ("Firefox on Windows", "Safari on iPhone", "This device"):
        assert name in page
    csrf = {"X-CSRF-Token": csrf_of(page)}
    listed = {one["session"]["device_name"]: one for one in (await client.get("/api/v1/me/sessions")).json()}
    ended = listed["Firefox on Windows"]["session"]["id"]
    assert (await client.delete(f"/api/v1/me/sessions/{ended}", headers=csrf)).status_code == 204
    assert (await others[0].get("/api/v1/me")).status_code == 401
    assert (await client.delete(f"/api/v1/me/sessions/{ended}", headers=csrf)).status_code == 404
    assert (await client.post("/settings/devices/end-others", headers=csrf)).status_code == 303
    assert [(await other.get("/api/v1/me")).status_code for other in others] == [401, 401, 401]
    assert (await client.get("/api/v1/me")).status_code == 200


async def test_a_session_of_somebody_else_is_not_found(application: Application, visit: Visit) -> None:
    admin = visit(application)
    await set_up(admin, application)
    await application.accounts.create_admin("Grace", "wandering-Ship-9-lamp")
    grace = visit(application)
    await sign_in(grace, "grace", "wandering-Ship-9-lamp")
    hers = (await grace.get("/api/v1/me/sessions")).json()[0]["session"]["id"]
    csrf = {"X-CSRF-Token": csrf_of((await admin.get("/")).text)}
    assert (await admin.delete(f"/api/v1/me/sessions/{hers}", headers=csrf)).status_code == 404
    assert (await admin.post(f"/settings/devices/{hers}/end", headers=csrf)).status_code == 404
    assert (await grace.get("/api/v1/me")).status_code == 200


async def test_the_last_use_is_written_once_a_minute_at_most(application: Application, visit: Visit) -> None:
    client = visit(application, address="198.51.100.7")
    await set_up(client, application)

    async def last() -> datetime:
        found: datetime = (await fetch("SELECT last_used_at FROM user_sessions"))[0]["last_used_at"]
        return found

    before = await last()
    await client.get("/api/v1/me")
    assert await last() == before
    await fetch("UPDATE user_sessions SET last_used_at = {}", before - timedelta(seconds=61))
    await client.get("/api/v1/me")
    assert await last() > before - timedelta(seconds=1)
    assert (await fetch("SELECT last_seen_at FROM users"))[0]["last_seen_at"] is not None
