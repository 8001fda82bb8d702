"""Headers of reverse proxies: believed from those the owner named, from nobody else."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.walls.client_address import behind_proxy, networks
from tests.harness.application import Visit, csrf_of, set_up, sign_in
from tests.web.test_walls_hosts import owner_of, save

PROXY = "192.0.2.99"
TRUSTED = networks(("192.0.2.99", "10.0.0.0/8", "fd00::/8"))


def seen(headers: list[tuple[str, str]], peer: str = PROXY, kind: str = "http") -> dict[str, Any]:
    scope = {
        "type": kind, "scheme": "http" if kind == "http" else "ws", "client": (peer, 1),
        "headers": [(b"host", b"inside:6378"), *((name.encode(), value.encode()) for name, value in headers)],
    }  # fmt: skip
    found: dict[str, Any] = behind_proxy(scope, TRUSTED)
    return found


@pytest.mark.parametrize(
    ("sent", "client"),
    [
        ([], PROXY),
        (["203.0.113.9"], "203.0.113.9"),
        (["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        (["127.0.0.1, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9", "10.0.0.4,10.0.0.5"], "203.0.113.9"),
        (["10.0.0.4, 10.0.0.5"], "10.0.0.4"),
        (["1.1.1.1, unknown"], PROXY),
        (["1.1.1.1, unknown, 10.0.0.5"], "10.0.0.5"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        ([", ,"], PROXY),
        (["; rm -rf /"], PROXY),
    ],
)
def test_sec_31_the_chain_is_read_from_the_right_over_trusted_proxies(sent: list[str], client: str) -> None:
    assert seen([("x-forwarded-for", value) for value in sent])["client"][0] == client


def test_sec_31_nothing_counts_from_an_address_that_is_not_trusted() -> None:
    lies = [
        ("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "evil.example"),
        ("x_forwarded_for", "127.0.0.1"), ("x-forwarded-prefix", "/evil"), ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1;proto=https"), ("x-scheme", "https"), ("x-original-url", "/evil"),
    ]  # fmt: skip
    scope = seen(lies, peer="203.0.113.1")
    assert (scope["client"][0], scope["scheme"], scope["headers"]) == (
        "203.0.113.1",
        "http",
        [(b"host", b"inside:6378")],
    )


def test_sec_31_underscores_x_real_ip_and_forwarded_do_not_count_from_a_trusted_one_either() -> None:
    scope = seen([("x_forwarded_for", "1.1.1.1"), ("x-real-ip", "1.1.1.1"), ("forwarded", "for=1.1.1.1;proto=https"),
                  ("x_forwarded_proto", "https")])  # fmt: skip
    assert (scope["client"][0], scope["scheme"]) == (PROXY, "http")


def test_scheme_and_host_come_from_the_nearest_trusted_proxy() -> None:
    scope = seen([("x-forwarded-proto", "http, https"), ("x-forwarded-host", "evil.example, media.example.org")])
    assert scope["scheme"] == "https"
    assert scope["headers"] == [(b"host", b"media.example.org")]
    assert seen([("x-forwarded-proto", "https")], kind="websocket")["scheme"] == "wss"
    assert seen([("x-forwarded-proto", "gopher")])["scheme"] == "http"


async def test_limits_audit_cookies_and_sessions_use_the_same_address(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    await save(owner, trusted_proxies=[PROXY])
    through = visit(
        application, address=PROXY, headers={"x-forwarded-for": "6.6.6.6, 203.0.113.9", "x-forwarded-proto": "https"}
    )
    answer = await sign_in(through)
    assert all("Secure" in text for text in answer.headers.get_list("set-cookie"))
    await sign_in(through, password="wrong")
    rows = await fetch("SELECT address FROM user_sessions WHERE address = '203.0.113.9'")
    assert len(rows) == 1
    assert (await fetch("SELECT address FROM audit_logs WHERE action = 'account.sign_in_failed'"))[0][
        "address"
    ] == "203.0.113.9"
    keys = {row["key"] for row in await fetch("SELECT key FROM rate_limits WHERE key LIKE 'sign-in address %'")}
    assert "sign-in address 203.0.113.9" in keys
    assert not any("6.6.6.6" in key for key in keys)


async def test_a_forged_left_end_does_not_get_around_the_limit_of_tries(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    await save(owner, trusted_proxies=[PROXY])
    through = visit(application, address=PROXY)
    statuses = []
    for number in range(52):
        headers = {"x-forwarded-for": f"198.51.100.{number}, 203.0.113.9"}
        body = {"username": f"nobody{number}", "password": "x"}
        statuses.append((await through.post("/api/v1/auth/login", json=body, headers=headers)).status_code)
    assert statuses[:50] == [401] * 50
    assert statuses[50:] == [429, 429]


async def test_a_forwarded_host_must_be_a_known_name_too(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    await save(owner, trusted_proxies=[PROXY])
    through = visit(application, address=PROXY)
    assert (await through.get("/sign-in", headers={"x-forwarded-host": "evil.example"})).status_code == 421
    through.base_url = httpx.URL("http://inside-name")
    assert (await through.get("/sign-in", headers={"x-forwarded-host": "medianest.test"})).status_code == 200


async def test_the_owner_is_told_of_a_proxy_and_trusts_it_with_one_click(
    application: Application, visit: Visit
) -> None:
    browser = visit(application)
    await set_up(browser, application)
    assert "Proxy headers come from" not in (await browser.get("/")).text
    await visit(application, address=PROXY).get("/sign-in", headers={"x-forwarded-for": "203.0.113.9"})
    for path in ("/", "/system", "/system/security"):
        page = (await browser.get(path)).text
        assert f"Proxy headers come from {PROXY}" in page, path
        assert re.search(r'action="/system/security/trust-proxy"', page), path
    form = {"_csrf": csrf_of(page), "address": PROXY, "back": "/system"}
    answer = await browser.post("/system/security/trust-proxy", data={**form, "address": "203.0.113.200"})
    assert answer.status_code == 400
    answer = await browser.post("/system/security/trust-proxy", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/system")
    assert "Proxy headers come from" not in (await browser.get("/system")).text
    settings = (await fetch("SELECT value FROM system_settings WHERE key = 'security'"))[0]["value"]
    assert PROXY in settings


async def test_proxy_headers_of_many_addresses_are_remembered_for_a_few(application: Application, visit: Visit) -> None:
    for number in range(40):
        client = visit(application, address=f"198.51.100.{number}")
        await client.get("/ping", headers={"x-forwarded-for": "203.0.113.9"})
    assert len(application.asgi._walls.untrusted) == 20
