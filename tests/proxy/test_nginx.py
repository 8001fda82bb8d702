"""nginx from Debian in front, at the root and below a path, with the lines of the README."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import websockets.exceptions
import websockets.sync.client

from tests.harness.server import ADMIN_NAME, ADMIN_PASSWORD, CHECKOUT, Server
from tests.proxy.certificate import make_certificate
from tests.proxy.nginx import CONFIGURATION, Nginx

SIGN_IN = {"username": ADMIN_NAME, "password": ADMIN_PASSWORD}


class Front:
    """A server with nginx in front; `url` is where people go."""

    def __init__(self, server: Server, nginx: Nginx) -> None:
        self.server, self.nginx = server, nginx
        self.url = nginx.url + server.base_path

    def visitor(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=False, trust_env=False, timeout=30, headers=headers)

    def close(self) -> None:
        self.nginx.__exit__()


@pytest.fixture(params=["/", "/medianest"])
def front(request: pytest.FixtureRequest, start_server: Callable[..., Server], tmp_path: Path) -> Iterator[Front]:
    """Trusted, and speaking https."""
    base = request.param.rstrip("/")
    server = start_server(base_path=base, env={"MEDIANEST_TRUSTED_PROXIES": "127.0.0.1"})
    with Nginx(tmp_path / "nginx", server.port, request.param, certificate=make_certificate(tmp_path)) as nginx:
        yield Front(server, nginx)


def cookie_header(client: httpx.Client) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


def test_signing_in_through_the_proxy(front: Front) -> None:
    base = front.server.base_path
    with front.visitor() as visitor:
        sent_on = visitor.get("/")
        assert (sent_on.status_code, sent_on.headers["location"]) == (303, f"{base}/sign-in")
        page = visitor.get("/sign-in")
        assert page.status_code == 200
        headers = {"origin": front.nginx.url, "sec-fetch-site": "same-origin"}
        answer = visitor.post("/sign-in", data=SIGN_IN, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{base}/")
        cookies = [text for text in answer.headers.get_list("set-cookie") if "Max-Age=0" not in text]
        assert len(cookies) >= 2
        for text in cookies:
            assert "Secure" in text
            assert "HttpOnly" in text
            assert f"Path={base or '/'};" in text + ";"
        assert visitor.get("/").status_code == 200
        assert visitor.post("/sign-in", data=SIGN_IN, headers={"origin": "https://evil.example"}).status_code == 403


def test_the_live_socket_comes_through_the_proxy(front: Front) -> None:
    with front.visitor() as visitor:
        visitor.post("/sign-in", data=SIGN_IN)
        cookies = cookie_header(visitor)
    import ssl

    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    url = front.url.replace("https:", "wss:") + "/api/v1/live"
    with websockets.sync.client.connect(
        url,
        ssl=anyone,
        origin=front.nginx.url,
        additional_headers={"Cookie": cookies},
        proxy=None,  # type: ignore[arg-type]
    ) as socket:
        assert "hello" in str(socket.recv(timeout=10))
    with pytest.raises(websockets.exceptions.InvalidStatus):
        websockets.sync.client.connect(
            url,
            ssl=anyone,
            origin="https://evil.example",
            additional_headers={"Cookie": cookies},
            proxy=None,  # type: ignore[arg-type]
        )


def test_the_callers_address_comes_from_the_proxy_and_not_from_the_caller(front: Front) -> None:
    with front.visitor(
        **{"X-Forwarded-For": "203.0.113.66", "X-Real-IP": "203.0.113.66", "Forwarded": "for=203.0.113.66"}
    ) as liar:
        assert liar.post("/api/v1/auth/login", json={**SIGN_IN, "password": "wrong"}).status_code == 401
        assert liar.post("/api/v1/auth/login", json=SIGN_IN).status_code == 200
        found = liar.get("/api/v1/me/sessions").json()
    addresses = {one["session"]["address"] for one in found}
    # the caller sits on loopback, which is trusted: nginx's own entry is skipped, and what stands left of it counts then
    assert addresses <= {"127.0.0.1", "203.0.113.66"}


def test_a_forged_left_end_is_not_believed(start_server: Callable[..., Server], tmp_path: Path) -> None:
    # a second proxy in front, on an address of its own, so that the caller's entry is not a trusted one
    server = start_server(env={"MEDIANEST_TRUSTED_PROXIES": "127.0.0.1"})
    with (
        Nginx(tmp_path / "nginx", server.port) as nginx,
        httpx.Client(
            base_url=nginx.url, trust_env=False, transport=httpx.HTTPTransport(local_address="127.0.0.2")
        ) as liar,
    ):
        liar.headers["X-Forwarded-For"] = "203.0.113.66"
        assert liar.post("/api/v1/auth/login", json=SIGN_IN).status_code == 200
        found = liar.get("/api/v1/me/sessions").json()
        with server.client() as owner:
            audit = owner.get("/api/v1/me/sessions").json()
    assert {one["session"]["address"] for one in found} == {"127.0.0.2"}
    assert "203.0.113.66" not in json.dumps(audit)


def test_an_untrusted_proxy_is_named_to_the_owner(start_server: Callable[..., Server], tmp_path: Path) -> None:
    server = start_server()
    with Nginx(tmp_path / "nginx", server.port, proto="https") as nginx:
        answer = httpx.post(nginx.url + "/api/v1/auth/login", json=SIGN_IN, trust_env=False)
        assert answer.status_code == 200
        assert "Secure" not in answer.headers["set-cookie"]
        with server.client() as owner:
            health = owner.get("/api/v1/system/health").json()["health"]
    (problem,) = [one for one in health if one["code"] == "proxy_not_trusted"]
    assert "127.0.0.1" in problem["text"]
    assert problem["fix"]["name"] == "trust_proxy"


def test_the_readme_shows_the_lines_that_were_tried() -> None:
    readme = " ".join((CHECKOUT / "README.md").read_text().split())
    inside = CONFIGURATION.partition("location {location} {{")[2].partition("}}")[0]
    for line in inside.strip().splitlines():
        text = line.strip().replace("{proto}", "$scheme").replace("{backend}", "6378")
        assert text in readme, text
