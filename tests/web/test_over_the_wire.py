"""Bytes that no library would send, at a real server below a base path: each is answered or dropped, and it serves on."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from tests.harness.server import Server

HEAD = "Host: localhost\r\nConnection: close\r\n"
SMUGGLED = (
    "POST /medianest/sign-in HTTP/1.1\r\n"
    + HEAD
    + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"
)


def exchange(server: Server, sent: bytes) -> bytes:
    """Everything the server answers until it closes the connection."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.settimeout(10)
        try:
            connection.sendall(sent)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass  # it may refuse before all is sent
    return answer


def status_of(answer: bytes) -> int | None:
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else None


@pytest.fixture
def below(start_server: Callable[..., Server]) -> Server:
    return start_server(base_path="/medianest")


def test_strange_bytes_are_answered_without_a_crash(below: Server) -> None:
    chunk = b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\n"
    chunked = f"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n{HEAD}\r\n".encode()
    calls: list[tuple[bytes, set[int | None]]] = [
        (b"GET /medianest/sign-in HTTP/1.1\r\nConnection: close\r\n\r\n", {400}),
        (f"GET /medianest/sign-in HTTP/1.1\r\nHost: a\r\n{HEAD}\r\n".encode(), {400}),
        (f"GET /medianest/sign-in HTTP/1.1\r\n{HEAD}X-Long: {'x' * 10_000}\r\n\r\n".encode(), {200}),
        (f"GET /medianest/{'x' * 30_000} HTTP/1.1\r\n{HEAD}\r\n".encode(), {404, 414, 431}),
        (f"GET /medianest/sign-in?next=%00%0d%0aX-Evil:1 HTTP/1.1\r\n{HEAD}\r\n".encode(), {200}),
        (f"GET /medianest/static/x/../../../../../etc/passwd HTTP/1.1\r\n{HEAD}\r\n".encode(), {404}),
        (f"GET /medianest/static/x/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\n{HEAD}\r\n".encode(), {404}),
        (f"GET /medianest/../medianest/downloads HTTP/1.1\r\n{HEAD}\r\n".encode(), {404}),
        (f"GET http://evil.example/medianest/sign-in HTTP/1.1\r\n{HEAD}\r\n".encode(), {200, 400, 404}),
        (f"GET /sign-in HTTP/1.1\r\n{HEAD}\r\n".encode(), {404}),
        (f"GET //medianest/sign-in HTTP/1.1\r\n{HEAD}\r\n".encode(), {404}),
        (f"TRACE /medianest/sign-in HTTP/1.1\r\n{HEAD}\r\n".encode(), {400, 404, 405, 501}),
        (f"NONSENSE /medianest/sign-in HTTP/1.1\r\n{HEAD}\r\n".encode(), {400, 405, None}),
        (SMUGGLED.encode(), {400, None}),
        (b"POST /medianest/api/v1/auth/login HTTP/1.1\r\n" + chunked + chunk * 3 + b"0\r\n\r\n", {413, None}),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", {400, None}),
        (b"\x00" * 1000 + b"\r\n\r\n", {400, None}),
    ]
    for sent, expected in calls:
        answer = exchange(below, sent)
        assert status_of(answer) in expected, (sent[:80], answer[:200])
        assert b"X-Evil:" not in answer.partition(b"\r\n\r\n")[0]
        assert b"root:" not in answer
    assert "Traceback" not in below.log()
    with below.browser() as browser:
        assert browser.get("/downloads").status_code == 200


def test_a_head_call_over_the_wire_has_the_length_and_no_body(below: Server) -> None:
    answer = exchange(below, f"HEAD /medianest/sign-in HTTP/1.1\r\n{HEAD}\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(answer) == 200
    assert b"content-length: " in head.lower()
    assert b"server:" not in head.lower()
    assert body == b""
