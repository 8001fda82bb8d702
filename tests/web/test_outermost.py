"""What holds for every answer: request id, headers, HEAD, compression, base path."""

from __future__ import annotations

import re
from typing import Any

from medianest.app import Application
from tests.harness.application import Visit, set_up


async def test_every_answer_carries_the_headers_whatever_it_is(application: Application, visit: Visit) -> None:
    client = visit(application)
    await set_up(client, application)
    seen = set()
    for method, path, status in (
        ("GET", "/", 200),
        ("GET", "/nowhere/at/all", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("PUT", "/downloads", 405),
        ("GET", "/healthz", 200),
        ("GET", "/static/old/app.css", 302),
        ("GET", "/api/v1/me", 200),
        ("POST", "/api/v1/auth/login", 400),
    ):
        answer = await client.request(method, path)
        assert answer.status_code == status, (path, answer.text)
        assert "script-src 'self';" in answer.headers["content-security-policy"], path
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "cache-control" in answer.headers
        assert re.fullmatch("[0-9a-f]{12}", answer.headers["x-request-id"])
        assert len(answer.headers.get_list("content-security-policy")) == 1
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == 8


async def test_a_head_call_is_a_get_without_its_body(application: Application, visit: Visit) -> None:
    client = visit(application)
    page = await client.get("/setup", headers={"accept-encoding": "identity"})
    head = await client.head("/setup", headers={"accept-encoding": "identity"})
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(page.content))
    assert (await client.head("/nowhere")).status_code == 404


async def test_pages_are_compressed_as_the_browser_likes(application: Application, visit: Visit) -> None:
    client = visit(application)
    plain = (await client.get("/setup", headers={"accept-encoding": "identity"})).content
    for accepted, used in (("gzip, deflate, br, zstd", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("", None)):
        answer = await client.get("/setup", headers={"accept-encoding": accepted})
        assert answer.headers.get("content-encoding") == used
        assert answer.content == plain
        assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in (await client.get("/healthz", headers={"accept-encoding": "gzip"})).headers


async def test_below_a_base_path_everything_else_is_not_there(below_a_path: Application, visit: Visit) -> None:
    client = visit(below_a_path)
    for path in ("/healthz", "/ping", "/medianest/healthz", "/medianest/ping"):
        assert (await client.get(path)).text == "ok"
    root = await client.get("/")
    assert (root.status_code, root.headers["location"]) == (307, "/medianest/")
    for path in ("/sign-in", "/medianestx/sign-in", "/api/v1/me", "/static/x/app.css"):
        assert (await client.get(path)).status_code == 404, path
    assert (await client.get("/medianest")).headers["location"] == "/medianest/sign-in"
    await set_up(client, below_a_path)
    page = await client.get("/medianest/")
    assert page.status_code == 200
    for address in re.findall(r'(?:href|src|action|hx-get|hx-post)="([^"]+)"', page.text):
        assert address.startswith(("/medianest", "#")), address
    # the prefix is cut off once, at the front, and nowhere else
    assert (await client.get("/medianest/x/medianest/healthz")).status_code == 404


async def test_two_host_headers_or_none_are_refused(application: Application, visit: Visit) -> None:
    for hosts in ([], [b"medianest.test", b"evil.example"], [b"medianest.test", b"medianest.test"]):
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any, sent: list[Any] = sent) -> None:
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/setup",
            "raw_path": b"/setup", "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 80),
            "headers": [(b"host", host) for host in hosts],
        }  # fmt: skip
        await application.asgi(scope, receive, send)
        assert sent[0]["status"] == 400, hosts
        assert b"content-security-policy" in dict(sent[0]["headers"])
