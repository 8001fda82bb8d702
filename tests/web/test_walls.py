"""Who gets in: every route refuses strangers, other sites' pages are refused, redirects stay with us."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute, WebSocketRoute

from medianest.app import Application
from medianest.web.urls import Urls
from tests.harness.application import OTHER_PASSWORD, PASSWORD, Visit, csrf_of, set_up, sign_in

# what a stranger may call; a new public route has to be written here as well
PUBLIC = {
    ("GET", "/setup"),
    ("POST", "/setup"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/code"),
    ("POST", "/sign-in/code"),
    ("GET", "/sign-in/plex"),
    ("POST", "/sign-in/plex"),
    ("POST", "/sign-in/plex/code"),
    ("GET", "/sign-in/plex/return"),
    ("POST", "/sign-in/plex/cancel"),
    ("POST", "/api/v1/auth/plex/pins"),
    ("GET", "/api/v1/auth/plex/pins/{pin_id:uuid}"),
    ("POST", "/api/v1/setup"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/webhooks/overseerr"),  # has a secret of its own
    ("GET", "/ping"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/static/{version:str}/{name:path}"),
    *((method, "/{address:path}") for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
}
ADMIN_ONLY = (
    "/system",
    "/api/v1/system",
    "/help/patterns",
    "/downloads/settings",
    "/api/v1/downloads/settings",
    "/api/v1/queue-settings",
)


def litestar_of(application: Application) -> Any:
    return application.asgi._app


def routes_of(application: Application) -> list[tuple[str, str]]:
    """Method and path of every route, the framework's own included."""
    return [
        (method, route.path)
        for route in litestar_of(application).routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
    ]


def filled(path: str) -> str:
    """A path with something in the place of its parameters."""
    samples = {"int": "1", "str": "x", "uuid": "5f0c1d3e-0000-4000-8000-000000000000", "path": "x"}
    return re.sub(r"\{\w+:(\w+)\}", lambda found: samples[found[1]], path)


async def test_every_route_refuses_strangers_unless_it_is_on_the_list(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    routes = routes_of(application)
    assert len(routes) > 50
    stranger = visit(application)
    for method, path in routes:
        # OPTIONS only names the methods of its address
        if (method, path) in PUBLIC or (method == "OPTIONS" and path in {public for _, public in PUBLIC}):
            continue
        answer = await stranger.request(method, filled(path))
        if path.startswith("/api/"):
            assert answer.status_code == 401, (method, path)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "not_signed_in"
        else:
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].split("?")[0] == "/sign-in"
    assert {one for one in routes if one in PUBLIC} == PUBLIC


async def test_every_public_route_is_public_on_purpose(application: Application) -> None:
    declared = {
        (str(method), route.path)
        for route in litestar_of(application).routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in handler.http_methods
        if handler.opt.get("public") and method != "OPTIONS"
    }
    assert declared == PUBLIC
    sockets = [route for route in litestar_of(application).routes if isinstance(route, WebSocketRoute)]
    assert [socket.path for socket in sockets] == ["/api/v1/live"]
    assert not sockets[0].route_handler.opt.get("public")


async def test_people_who_do_not_run_the_server_are_kept_out_of_the_owners_places(
    application: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    await application.accounts.create_admin("Grace", OTHER_PASSWORD)
    from medianest.database import fetch

    await fetch("UPDATE users SET role = 'user' WHERE username = 'Grace'")
    grace = visit(application)
    token = (await sign_in(grace, "grace", OTHER_PASSWORD, cookies=False)).json()["access_token"]
    grace.headers["Authorization"] = f"Bearer {token}"
    tried = 0
    for method, path in routes_of(application):
        if path.startswith(ADMIN_ONLY) and method != "OPTIONS":
            answer = await grace.request(method, filled(path))
            assert answer.status_code == 403, (method, path)
            tried += 1
    assert tried >= 8


async def test_a_write_by_cookie_needs_the_sessions_token(application: Application, visit: Visit) -> None:
    client, other = visit(application), visit(application)
    await set_up(client, application)
    await sign_in(other)
    token = csrf_of((await client.get("/")).text)
    foreign = csrf_of((await other.get("/")).text)
    assert token != foreign
    for sent in (None, "", "x", foreign, token[:-1]):
        headers = {} if sent is None else {"X-CSRF-Token": sent}
        answer = await client.patch("/api/v1/me/preferences", json={"theme": "light"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_token_missing")
        form = {"theme": "light"} | ({} if sent is None else {"_csrf": sent})
        assert (await client.post("/settings", data=form)).status_code == 403
        plain = await client.post("/settings", content=f"_csrf={token}", headers={"content-type": "text/plain"})
        assert plain.status_code == 403
    good = {"X-CSRF-Token": token}
    assert (await client.patch("/api/v1/me/preferences", json={"theme": "light"}, headers=good)).status_code == 200
    assert (await client.post("/settings", data={"_csrf": token, "theme": "dark"})).status_code == 303
    multipart = await client.post("/settings", data={"theme": "dark"}, files={"_csrf": (None, token)})
    assert multipart.status_code == 303


async def test_every_writing_route_refuses_a_cookie_without_its_token(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    for method, path in routes_of(application):
        if method in ("GET", "HEAD", "OPTIONS") or (method, path) in PUBLIC:
            continue
        for options in ({}, {"data": {"a": "b"}}, {"content": b"{}", "headers": {"content-type": "text/plain"}}):
            answer = await client.request(method, filled(path), **options)
            assert answer.status_code == 403, (method, path)


async def test_a_page_of_another_site_can_write_nothing(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    token = csrf_of((await client.get("/")).text)
    foreign: list[dict[str, str]] = [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://medianest.test:81"},
        {"origin": "http://medianest.test.evil.example"},
        {"origin": "http://evil@medianest.test.example"},
        {"origin": "nonsense"},
        {"origin": "http://medianest.test:99999999"},
    ]
    for headers in foreign:
        answer = await client.post("/settings", data={"_csrf": token, "theme": "light"}, headers=headers)
        assert answer.status_code == 403, headers
        # a sign-in that another site starts would put the person into a stranger's account
        answer = await client.post(
            "/api/v1/auth/login", json={"username": "ada", "password": PASSWORD}, headers=headers
        )
        assert answer.status_code == 403
        answer = await client.post("/sign-in", data={"username": "ada", "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403
    own: list[dict[str, str]] = [
        {},
        {"sec-fetch-site": "same-origin", "origin": "https://proxied.example"},
        {"origin": "http://medianest.test"},
        {"origin": "http://MEDIANEST.test:80"},
        {"origin": "https://medianest.test"},  # a proxy that ends TLS
    ]
    for headers in own:
        answer = await client.post("/settings", data={"_csrf": token, "theme": "light"}, headers=headers)
        assert answer.status_code == 303, headers


async def test_a_bearer_token_needs_neither_token_nor_origin(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    client = visit(application, headers={"Authorization": f"bearer {token}", "origin": "capacitor://app"})
    assert (await client.patch("/api/v1/me/preferences", json={"theme": "light"})).status_code == 200


async def test_a_bad_bearer_token_is_not_saved_by_a_cookie(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    answer = await client.patch(
        "/api/v1/me/preferences", json={"theme": "light"}, headers={"Authorization": "Bearer x"}
    )
    assert answer.status_code == 401


async def test_nobody_writes_by_a_get(application: Application) -> None:
    writing = re.compile(r"cancel|pause|resume|retry|remove|end|sign-out|run$|logout")
    assert [path for method, path in routes_of(application) if method == "GET" and writing.search(path)] == []


async def test_a_person_does_a_hundred_things_a_minute_at_most(application: Application, visit: Visit) -> None:
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    client = visit(application, headers={"Authorization": f"Bearer {token}"})
    for _number in range(100):
        assert (await client.patch("/api/v1/me/preferences", json={})).status_code == 200
    answer = await client.patch("/api/v1/me/preferences", json={})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert (await client.get("/api/v1/me")).status_code == 200


EVIL = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "http:evil.example",
    "javascript:alert(1)", " //evil.example", "/\t/evil.example", "/\n/evil.example", "\x00/x", "/x\r\nSet-Cookie: a=b",
    "evil.example", "", "/..//evil.example", "/./x", "/a/../../x", "/%2e%2e/x", "/%2E/x", "/a//b", "/\u00a0x\x7f",
]  # fmt: skip


@pytest.mark.parametrize("wanted", EVIL)
@pytest.mark.parametrize("base", ["", "/medianest"])
def test_a_redirect_never_leaves_us(base: str, wanted: str) -> None:
    urls = Urls(base)
    assert urls.safe_next(wanted) == base + "/"
    assert urls.safe_next(base + wanted if wanted.startswith(("//", "/.", "/%", "/a")) else wanted) == base + "/"


@pytest.mark.parametrize("wanted", ["/x", "/medianestx/y", "/medianest/../x", "/medianest/%2e%2E/x", "/MEDIANEST/x"])
def test_a_redirect_never_leaves_the_base_path(wanted: str) -> None:
    assert Urls("/medianest").safe_next(wanted) == "/medianest/"


@pytest.mark.parametrize("wanted", ["/downloads?show=active&offset=50", "/", "/downloads/7", "/search?q=http://x//y"])
def test_a_path_of_ours_is_kept(wanted: str) -> None:
    assert Urls("").safe_next(wanted) == wanted
    assert Urls("/medianest").safe_next("/medianest" + wanted) == "/medianest" + wanted


async def test_signing_in_never_leads_to_another_site(
    application: Application, below_a_path: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    for app, base in ((application, ""), (below_a_path, "/medianest")):
        for wanted in EVIL:
            client = visit(app)
            form = {"username": "Ada", "password": PASSWORD, "next": wanted}
            answer = await client.post(f"{base}/sign-in", data=form)
            assert answer.status_code == 303
            assert answer.headers["location"] == base + "/", wanted
            again = await client.get(f"{base}/sign-in", params={"next": wanted})
            assert again.headers["location"] == base + "/", wanted


async def test_a_stranger_comes_back_to_where_they_wanted_to_go(
    application: Application, below_a_path: Application, visit: Visit
) -> None:
    await set_up(visit(application), application)
    for app, base in ((application, ""), (below_a_path, "/medianest")):
        client = visit(app)
        sent_away = await client.get(f"{base}/downloads?show=failed&offset=50")
        assert sent_away.status_code == 303
        page = await client.get(sent_away.headers["location"])
        next_path = re.search(r'name="next" value="([^"]*)"', page.text)
        assert next_path
        form = {"username": "Ada", "password": PASSWORD, "next": next_path[1].replace("&amp;", "&")}
        answer = await client.post(f"{base}/sign-in", data=form)
        assert answer.headers["location"] == f"{base}/downloads?show=failed&offset=50"


async def test_forwarded_headers_are_not_believed(application: Application, visit: Visit) -> None:
    lies = {
        "x-forwarded-for": "203.0.113.9", "x-real-ip": "203.0.113.9", "forwarded": "for=203.0.113.9;proto=https",
        "x-forwarded-proto": "https", "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil",
    }  # fmt: skip
    client = visit(application, headers=lies)
    await set_up(client, application)
    answer = await sign_in(client)
    assert all("Secure" not in text for text in answer.headers.get_list("set-cookie"))
    sessions = (await client.get("/api/v1/me/sessions")).json()
    assert {one["session"]["address"] for one in sessions} == {"192.0.2.10"}
    assert "evil" not in (await client.get("/")).text


async def test_a_secure_proxy_gets_secure_cookies_when_the_public_address_says_so(
    application: Application, visit: Visit
) -> None:
    import msgspec

    from medianest.app import create_app

    await set_up(visit(application), application)
    behind = create_app(msgspec.structs.replace(application.settings, public_url="https://media.example.org"))
    outside, inside = visit(behind), visit(behind)
    outside.base_url = httpx.URL("http://media.example.org")
    assert all("Secure" in text for text in (await sign_in(outside)).headers.get_list("set-cookie"))
    assert all("Secure" not in text for text in (await sign_in(inside)).headers.get_list("set-cookie"))
