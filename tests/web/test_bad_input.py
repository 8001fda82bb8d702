"""Input that nobody sends by accident: each gets an answer in the four hundreds, never a crash."""

from __future__ import annotations

import json
from typing import Any

import bcrypt
import pytest

from medianest.accounts import limits, passwords
from medianest.app import Application
from medianest.database import fetch
from tests.harness.application import PASSWORD, Visit, csrf_of, set_up

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def no_limit_of_acts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused for being one of too many would hide how it is taken."""
    for limit in ("ACTS_A_MINUTE", "STRANGERS_ACTS_A_MINUTE", "RENEWALS_A_MINUTE"):
        monkeypatch.setattr(limits, limit, 10**9)
    monkeypatch.setattr(passwords, "NOBODY", bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode())


BODIES: tuple[tuple[str, bytes, dict[str, str]], ...] = (
    ("nothing", b"", JSON),
    ("half", b'{"username": "a', JSON),
    ("a list", b"[]", JSON),
    ("null", b"null", JSON),
    ("a number", b"1e999", JSON),
    ("no text", b"\xff\xfe\x00", JSON),
    ("half a character", b'{"username": "\\ud800", "password": "\\ud800"}', JSON),
    ("nulls", b'{"username": "a\\u0000b", "password": "\\u0000", "remember": true}', JSON),
    ("other kinds", b'{"username": 1, "password": [], "remember": "yes"}', JSON),
    ("deep", b'{"username": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON),
    ("deep objects", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    ("a form", b"username=a&password=b", FORM),
    ("text", b"username", {"content-type": "text/plain"}),
    ("xml", b"<a/>", {"content-type": "application/xml"}),
    ("no kind", b'{"username": "a", "password": "b"}', {}),
    ("a kind of nonsense", b"{}", {"content-type": ";;;=\x7f"}),
    ("no boundary", b"--x\r\n", {"content-type": "multipart/form-data"}),
    (
        "a broken part",
        b"--x\r\nContent-Disposition: nonsense\r\n\r\n",
        {"content-type": "multipart/form-data; boundary=x"},
    ),
    ("a strange character set", b"a=b", {"content-type": "application/x-www-form-urlencoded; charset=nonsense"}),
    ("pairs without end", b"&" * 90_000, FORM),
    ("broken escapes", b"username=%ff%zz%00&password=%", FORM),
)


WRITES = (
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/setup"),
    ("PATCH", "/api/v1/me/preferences"),
    ("POST", "/api/v1/me/password"),
    ("POST", "/api/v1/downloads"),
    ("POST", "/api/v1/downloads/preview"),
    ("POST", "/sign-in"),
    ("POST", "/setup"),
    ("POST", "/settings"),
    ("POST", "/settings/password"),
    ("POST", "/downloads"),
)


@pytest.mark.parametrize("is_set_up", [True, False], ids=["in use", "first start"])
async def test_a_body_that_is_none_is_refused_without_a_crash(
    application: Application, visit: Visit, is_set_up: bool
) -> None:
    client, token = visit(application), {}
    if is_set_up:
        await set_up(client, application)
        token = {"x-csrf-token": csrf_of((await client.get("/")).text)}
    for name, body, headers in BODIES:
        await fetch("DELETE FROM rate_limits")
        for method, path in WRITES:
            answer = await client.request(method, path, content=body, headers={**headers, **token})
            assert answer.status_code < 500, (name, path)
            assert answer.status_code != 429, (name, path)
            if path.startswith("/api/") and answer.status_code >= 400:
                assert answer.json()["request_id"] == answer.headers["x-request-id"], (name, path)


ADDRESSES = (
    "/%00",
    "/downloads/%00",
    "/downloads/99999999999999999999999999",
    "/downloads/-1",
    "/downloads?offset=1e9",
    "/downloads?show=%00",
    "/downloads?offset=99999999999999999999",
    "/downloads?show=active&show=failed",
    "/api/v1/downloads?limit=abc",
    "/api/v1/downloads?limit=",
    "/api/v1/downloads?state=%00",
    "/api/v1/downloads/99999999999999999999999",
    "/api/v1/downloads/99999999999999999999999/items",
    "/pictures/%00",
    "/pictures/..%2f..%2fetc%2fpasswd",
    "/sign-in?next=%00",
    "/sign-in?next=%ff%fe",
    "/%ff%fe",
    "/" + "a" * 9000,
    "/downloads?x=" + "a" * 9000,
    "/api/v1/me/sessions/nonsense",
    "/static/%00/%00",
    "/static/x/" + "a/" * 2000,
    "//evil.example/",
    "/api/v1/",
    "/api/v1",
    "/api/v1/nowhere",
    "/api/v1/no/where",
    "/api/v1/nowhere.json",
    "/api",
    "/api/v1/downloads/",
    "/settings?saved=maybe",
    "/%F0%9F%92%A9",
)


async def test_a_strange_address_is_no_crash(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    for address in ADDRESSES:
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            answer = await client.request(method, "http://medianest.test" + address)
            assert answer.status_code < 500, (method, address)
            if address.startswith("/api/") and method == "GET" and answer.status_code >= 400:
                assert answer.headers["content-type"] == "application/problem+json", address


HEADERS: tuple[dict[str, Any], ...] = (
    {"origin": "http://["},
    {"origin": "http://[::1"},
    {"origin": "http://\u00e9.example".encode("latin-1")},
    {"host": "["},
    {"host": "medianest.test:port", "origin": "http://medianest.test"},
    {"host": "", "origin": "http://medianest.test"},
    {"authorization": "Bearer " + "x" * 10_000},
    {"authorization": b"Bearer \xff\xfe"},
    {"authorization": "Bearer"},
    {"authorization": "Basic YTpi"},
    {"cookie": "a" * 10_000},
    {"cookie": b'mn=\xff; ;;=;"=\\'},
    {"x-csrf-token": b"\xff\xfe"},
    {"user-agent": "x" * 10_000},
    {"user-agent": b"\xff\x80"},
    {"accept-encoding": ";q=,,br;q=x"},
    {"if-none-match": '"'},
    {"content-length": "-1"},
    {"hx-request": "true", "hx-current-url": "http://["},
)


async def test_a_strange_header_is_no_crash(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    body = json.dumps({"username": "ada", "password": PASSWORD})
    for headers in HEADERS:
        for method, path, content in (
            ("GET", "/", None),
            ("GET", "/api/v1/me", None),
            ("POST", "/settings", "theme=dark"),
            ("POST", "/api/v1/auth/login", body),
            ("GET", "/static/x/app.css", None),
        ):
            answer = await client.request(method, path, content=content, headers={**JSON, **headers})
            assert answer.status_code < 500, (path, headers)


async def test_another_sites_page_is_refused_whatever_its_origin_looks_like(
    application: Application, visit: Visit
) -> None:
    client = visit(application)
    for origin in (
        "http://[",
        "http://[::1",
        "http://[::1]:x",
        "//",
        ":",
        "http://medianest.test@[",
        "http://medianest.test:0x50",
    ):
        answer = await client.post("/api/v1/auth/login", json={}, headers={"origin": origin})
        assert answer.status_code == 403, origin
