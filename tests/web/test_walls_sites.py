"""Pages of other sites: what they may read, and where ours may be shown."""

from __future__ import annotations

from medianest.app import Application
from tests.harness.application import Visit, set_up
from tests.web.test_live_door import Handshake, cookies_of
from tests.web.test_walls_hosts import owner_of, save

LISTED = "https://dashboard.example.org"
ASKS = {"origin": LISTED, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}


def cors_headers(headers: object) -> list[str]:
    return [name for name in headers if name.startswith("access-control-")]  # type: ignore[attr-defined]


async def test_sec_51_no_other_site_reads_anything_at_first(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    for origin in (LISTED, "null", "http://medianest.test"):
        answer = await owner.get("/api/v1/me", headers={"origin": origin})
        assert cors_headers(answer.headers) == []
        answer = await owner.options("/api/v1/me", headers={**ASKS, "origin": origin})
        assert cors_headers(answer.headers) == []


async def test_sec_51_listed_origins_read_the_api_alone_and_never_with_cookies(
    application: Application, visit: Visit
) -> None:
    owner = await owner_of(visit, application)
    answer = await save(owner, cors_origins=["HTTPS://Dashboard.example.org:443/"])
    assert answer.json()["settings"]["cors_origins"] == [LISTED]
    answer = await owner.get("/api/v1/me", headers={"origin": LISTED})
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    stranger = visit(application)
    asked = await stranger.options("/api/v1/downloads", headers=ASKS)
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] == LISTED
    assert "X-Api-Key" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    for origin in ("https://dashboard.example.org.evil.example", "http://dashboard.example.org", "https://dashboard.example.org:8443",
                   "null", "https://DASHBOARD.example.org"):  # fmt: skip
        for path in ("/api/v1/me", "/api/v1/nowhere"):
            answer = await stranger.get(path, headers={"origin": origin})
            assert cors_headers(answer.headers) == [], origin
            assert "Origin" in answer.headers["vary"]
    assert cors_headers((await stranger.get("/sign-in", headers={"origin": LISTED})).headers) == []


async def test_sec_51_the_socket_opens_for_listed_origins_only(application: Application, visit: Visit) -> None:
    browser = visit(application)
    await set_up(browser, application)
    cookie = cookies_of(browser)
    shut = Handshake(application, {"cookie": cookie, "origin": LISTED, "sec-fetch-site": "same-site"})
    assert (await shut.next())["type"] == "websocket.close"
    from tests.harness.application import sign_in

    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    await save(visit(application, headers={"Authorization": f"Bearer {token}"}), cors_origins=[LISTED])
    opened = Handshake(application, {"cookie": cookie, "origin": LISTED, "sec-fetch-site": "same-site"})
    assert (await opened.next())["type"] == "websocket.accept"
    await opened.leave()
    other = Handshake(application, {"cookie": cookie, "origin": "https://evil.example"})
    assert (await other.next())["type"] == "websocket.close"


async def test_sec_56_the_socket_is_behind_the_walls_as_well(application: Application, visit: Visit) -> None:
    browser = visit(application)
    await set_up(browser, application)
    socket = Handshake(
        application, {"cookie": cookies_of(browser), "host": "evil.example", "origin": "http://evil.example"}
    )
    assert (await socket.next()) == {
        "type": "websocket.close", "code": 1008, "reason": "MediaNest does not answer under the name evil.example."
    }  # fmt: skip


async def test_sec_54_frames_are_for_ourselves_and_listed_dashboards(application: Application, visit: Visit) -> None:
    owner = await owner_of(visit, application)
    first = await owner.get("/sign-in")
    assert "frame-ancestors 'self'" in first.headers["content-security-policy"]
    assert first.headers["x-frame-options"] == "SAMEORIGIN"
    await save(owner, frame_ancestors=[LISTED])
    for path in ("/sign-in", "/api/docs", "/nowhere"):
        answer = await owner.get(path)
        assert f"frame-ancestors 'self' {LISTED}" in answer.headers["content-security-policy"], path
        assert "x-frame-options" not in answer.headers
