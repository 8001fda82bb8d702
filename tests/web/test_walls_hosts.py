"""Under which names the house answers, who may call at all, and when it insists on https."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest

from medianest.app import Application, create_app
from medianest.database import fetch
from medianest.system.security.model import SecuritySettings
from medianest.walls.hosts import host_of, machine_names
from tests.harness.application import Visit, csrf_of, set_up, sign_in

Save = Callable[..., Awaitable[httpx.Response]]


async def owner_of(visit: Visit, application: Application, **options: Any) -> httpx.AsyncClient:
    """A client of the administrator by bearer token."""
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    return visit(application, headers={"Authorization": f"Bearer {token}"}, **options)


async def save(client: httpx.AsyncClient, **changes: Any) -> httpx.Response:
    """Change some of the walls through the API."""
    current = (await client.get("/api/v1/system/security")).json()["settings"]
    return await client.put("/api/v1/system/security", json={**current, **changes})


@pytest.fixture
def unfixed(application: Application) -> Application:
    """Nothing about hosts comes from outside; tests call by address."""
    return create_app(msgspec.structs.replace(application.settings, allowed_hosts=()))


async def test_sec_56_only_known_names_are_answered(application: Application, visit: Visit) -> None:
    client = visit(application)
    known = ("medianest.test", "MEDIANEST.test.", "medianest.test:6378", "localhost", "localhost:80", "192.168.1.9:6378",
             "[::1]:6378", "[fe80::1]", "nas.local", machine_names()[0])  # fmt: skip
    for host in known:
        assert (await client.get("/setup", headers={"host": host})).status_code == 200, host
    strange = ("evil.example", "xmedianest.test", "medianest.test.evil.example", "medianestxtest", "127.0.0.1.nip.io",
               "localhost.evil.example", "2130706433", "127.1", "0x7f000001")  # fmt: skip
    for host in strange:
        answer = await client.get("/setup", headers={"host": host, "x-forwarded-host": "medianest.test"})
        assert answer.status_code == 421, host
        assert f"MEDIANEST_ALLOWED_HOSTS={host}" in answer.text
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await client.post("/api/v1/auth/login", json={}, headers={"host": host})).status_code == 421
        for probe in ("/ping", "/healthz"):
            assert (await client.get(probe, headers={"host": host})).status_code == 200
    for host in (
        "",
        "a b",
        "evil.example/x",
        "user@medianest.test",
        "medianest.test:port",
        "[::1",
        "<script>",
        ".",
        "a..b",
    ):
        assert (await client.get("/setup", headers={"host": host})).status_code == 400, host


def test_a_host_header_is_read_letter_by_letter() -> None:
    assert host_of("Media.Example.ORG.:443") == "media.example.org"
    assert host_of("[::FFFF:1]:80") == "::ffff:1"
    for text in ("", ":80", "a:b", "a:123456", "[::1]x", "[x]", "a" * 254, "ä.example", "a\x00b"):
        assert host_of(text) is None, text


async def test_the_public_address_is_a_known_name(application: Application, visit: Visit) -> None:
    made = create_app(msgspec.structs.replace(application.settings, public_url="https://media.example.org"))
    assert (await visit(made).get("/setup", headers={"host": "media.example.org"})).status_code == 200


async def test_a_name_added_on_the_page_counts_at_once(unfixed: Application, visit: Visit) -> None:
    owner = await owner_of_by_address(visit, unfixed)
    assert (await owner.get("/ping")).status_code == 200
    assert (await visit(unfixed).get("/setup")).status_code == 421
    answer = await save(owner, allowed_hosts=["Medianest.TEST."])
    assert answer.status_code == 200, answer.text
    assert answer.json()["settings"]["allowed_hosts"] == ["medianest.test"]
    assert (await visit(unfixed).get("/sign-in")).status_code == 200


async def owner_of_by_address(visit: Visit, application: Application) -> httpx.AsyncClient:
    first, second = visit(application), visit(application)
    for client in (first, second):
        client.base_url = httpx.URL("http://192.0.2.1")
    await set_up(first, application)
    token = (await sign_in(second, cookies=False)).json()["access_token"]
    second.headers["Authorization"] = f"Bearer {token}"
    return second


async def test_sec_68_a_switched_off_host_check_leaves_a_banner_and_ends_all_sessions_when_it_comes_back(
    unfixed: Application, visit: Visit
) -> None:
    owner = await owner_of_by_address(visit, unfixed)
    browser = visit(unfixed)
    browser.base_url = httpx.URL("http://192.0.2.1")
    await sign_in(browser)
    assert "check of host names is off" not in (await browser.get("/downloads")).text
    assert (await save(owner, checks_host=False)).json()["off"][0]["code"] == "host_check_off"
    for page in ("/", "/downloads", "/settings", "/system"):
        assert "The check of host names is off." in (await browser.get(page)).text, page
    assert (await visit(unfixed).get("/sign-in", headers={"host": "evil.example"})).status_code == 200
    assert (await save(owner, checks_host=True)).status_code == 200
    assert (await owner.get("/api/v1/me")).status_code == 401
    assert (await browser.get("/")).status_code == 303


async def test_a_star_from_outside_switches_the_check_off_and_its_end_ends_all_sessions(
    application: Application, visit: Visit
) -> None:
    owner = await owner_of(visit, application)
    starred = create_app(msgspec.structs.replace(application.settings, allowed_hosts=("*",)))
    await starred.security.start()
    assert (await visit(starred).get("/sign-in", headers={"host": "evil.example"})).status_code == 200
    again = create_app(application.settings)
    assert (await owner.get("/api/v1/me")).status_code == 200
    await again.security.start()
    assert (await owner.get("/api/v1/me")).status_code == 401


async def test_the_address_list_lets_in_whom_it_names_and_never_shuts_out_who_saves_it(
    application: Application, visit: Visit
) -> None:
    owner = await owner_of(visit, application)
    answer = await save(owner, allowed_addresses=["198.51.100.0/24"])
    assert answer.status_code == 400
    assert "192.0.2.10" in answer.json()["errors"][0]["message"]
    answer = await save(owner, allowed_addresses=["192.0.2.10", "198.51.100.0/24"])
    assert answer.status_code == 200, answer.text
    assert (await visit(application, address="198.51.100.7").get("/sign-in")).status_code == 200
    assert (await visit(application, address="127.0.0.1").get("/sign-in")).status_code == 200
    assert (await visit(application, address="::1").get("/sign-in")).status_code == 200
    outside = visit(application, address="203.0.113.5")
    refused = await outside.get("/sign-in", headers={"x-forwarded-for": "127.0.0.1"})
    assert refused.status_code == 403
    assert "203.0.113.5" in refused.text
    assert (await outside.get("/healthz")).status_code == 200


async def test_the_console_opens_the_address_list_of_a_running_server(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    await save(owner, allowed_addresses=["192.0.2.10"])
    outside = visit(application, address="203.0.113.5")
    assert (await outside.get("/sign-in")).status_code == 403
    console = create_app(application.settings)  # another process on the same database
    await console.security.reset()
    application.asgi._walls._read_at = float("-inf")
    assert (await outside.get("/sign-in")).status_code == 200


async def test_https_is_insisted_on_once_it_is_known_to_work(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    assert (await save(owner, requires_https=True)).status_code == 400
    assert (await save(owner, hsts_days=30)).status_code == 400
    assert (await save(owner, trusted_proxies=["192.0.2.99"])).status_code == 200
    through = visit(application, address="192.0.2.99", headers={**owner.headers, "x-forwarded-proto": "https"})
    answer = await save(through, requires_https=True, hsts_days=30)
    assert answer.status_code == 200, answer.text
    plain = visit(application, address="203.0.113.5")
    sent_on = await plain.get("/downloads?show=failed%20x")
    assert (sent_on.status_code, sent_on.headers["location"]) == (
        308,
        "https://medianest.test/downloads?show=failed%20x",
    )
    assert "strict-transport-security" not in sent_on.headers
    assert (await plain.post("/sign-in", data={"username": "a"})).status_code == 403
    assert (await visit(application, address="127.0.0.1").get("/sign-in")).status_code == 200
    secure = await through.get("/")
    assert secure.status_code in (200, 303)
    assert secure.headers["strict-transport-security"] == "max-age=2592000"


async def test_what_comes_from_outside_is_shown_with_its_source_and_can_not_be_changed(
    application: Application, visit: Visit
) -> None:
    fixed = create_app(
        msgspec.structs.replace(
            application.settings,
            trusted_proxies=("192.0.2.99/32",),
            sources={"trusted_proxies": "MEDIANEST_TRUSTED_PROXIES", "allowed_hosts": "MEDIANEST_ALLOWED_HOSTS"},
        )
    )
    owner = await owner_of(visit, fixed)
    answer = await save(
        owner, trusted_proxies=["203.0.113.1"], allowed_hosts=["evil.example"], cors_origins=["https://a.example"]
    )
    settings = answer.json()["settings"]
    assert settings["trusted_proxies"] == ["192.0.2.99/32"]
    assert settings["allowed_hosts"] == ["medianest.test"]
    assert settings["cors_origins"] == ["https://a.example"]
    assert {one["name"]: one["source"] for one in answer.json()["fixed"]}[
        "trusted_proxies"
    ] == "MEDIANEST_TRUSTED_PROXIES"
    browser = visit(fixed)
    await sign_in(browser)
    page = (await browser.get("/system/security")).text
    assert "Set by MEDIANEST_TRUSTED_PROXIES" in page
    assert "readonly" in page


async def test_the_page_saves_keeps_what_was_typed_and_writes_it_down(application: Application, visit: Visit) -> None:
    browser = visit(application)
    await set_up(browser, application)
    page = (await browser.get("/system/security")).text
    form = {"_csrf": csrf_of(page), "checks_host": "true", "hsts_days": "0", "trusted_proxies": "10.0.0.1\r\nnonsense"}
    answer = await browser.post("/system/security", data=form)
    assert answer.status_code == 400
    assert "“nonsense” is no address" in answer.text
    assert "10.0.0.1\nnonsense" in answer.text.replace("\r\n", "\n")
    answer = await browser.post("/system/security", data={**form, "trusted_proxies": "10.0.0.1, fd00::/8"})
    assert answer.status_code == 303
    assert "fd00::/8" in (await browser.get(answer.headers["location"])).text
    from medianest.database import fetch

    row = (await fetch("SELECT * FROM audit_logs WHERE action = 'security.changed'"))[0]
    assert row["actor_name"] == "Ada"
    assert msgspec.json.decode(row["before"])["trusted_proxies"] == []
    assert msgspec.json.decode(row["after"]) == {"trusted_proxies": ["10.0.0.1", "fd00::/8"]}


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("trusted_proxies", "0.0.0.0/0"), ("trusted_proxies", "::/0"), ("trusted_proxies", "proxy"), ("allowed_addresses", "1.2.3"),
        ("allowed_hosts", "https://a.example"), ("allowed_hosts", "a b"), ("allowed_hosts", "*.example"), ("cors_origins", "*"),
        ("cors_origins", "null"), ("cors_origins", "https://a.example/x"), ("cors_origins", "https://*.example"),
        ("frame_ancestors", "'none'"), ("frame_ancestors", "https://a.example; script-src *"), ("frame_ancestors", "https:"),
    ],
)  # fmt: skip
async def test_entries_that_make_no_sense_are_refused(
    unfixed: Application, visit: Visit, name: str, entry: str
) -> None:
    owner = await owner_of_by_address(visit, unfixed)
    answer = await save(owner, **{name: [entry]})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == name


async def test_a_damaged_row_stops_nothing_and_is_on_the_health_list(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    await save(owner, allowed_addresses=["192.0.2.0/24"])
    await fetch("UPDATE system_settings SET value = {} WHERE key = 'security'", '{"allowed_addresses": [')
    await application.security.start()
    assert (await owner.get("/api/v1/me")).status_code == 200
    found = (await owner.get("/api/v1/system/health")).json()["health"]
    assert "security_unreadable" in [one["code"] for one in found]
    assert (await save(owner)).status_code == 200
    found = (await owner.get("/api/v1/system/health")).json()["health"]
    assert "security_unreadable" not in [one["code"] for one in found]


def test_the_built_in_walls_trust_nobody() -> None:
    settings = SecuritySettings()
    assert settings.trusted_proxies == settings.allowed_hosts == settings.cors_origins == settings.frame_ancestors == ()
    assert settings.checks_host
