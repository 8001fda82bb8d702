"""The outgoing client: where it may go, what it sends along, how much it takes, and what it says when it fails."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from medianest.errors import UpstreamFailed
from medianest.integrations.http import AddressRefused, AnswerTooLarge, HttpClient, Reach, Unreachable

TOKEN = "planted-token-0123456789"

Talk = Callable[[str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


class Peer:
    """A listener on loopback that answers each call as a test says; `heads` is what was sent to it."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.heads: list[str] = []
        self.connections = 0

    async def __aenter__(self) -> Peer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                self.heads.append(head)
                if not await self._talk(head, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def answering(body: bytes, *headers: str, status: str = "200 OK", goes_on: bool = True) -> Talk:
    async def talk(_head: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return goes_on

    return talk


@asynccontextmanager
async def client(reach: Reach = Reach.OWNER, **options: object) -> AsyncIterator[HttpClient]:
    made = HttpClient(reach, **options)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.close()


def names(**known: Sequence[str]) -> Callable[[str, int], Awaitable[Sequence[str]]]:
    """A resolver that knows these names; a list of lists gives another answer each time."""

    async def resolve(host: str, _port: int) -> Sequence[str]:
        return known[host.partition(".")[0]]

    return resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "127.0.0.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "10.0.0.7",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "localhost",
        "[::1]",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::7f00:1]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
async def test_what_anybody_names_leads_to_the_internet_only(host: str) -> None:
    async with client(Reach.PUBLIC, timeout_s=5) as http:
        with pytest.raises(AddressRefused):
            await http.request("GET", f"http://{host}/")


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "2002:a9fe:a9fe::",
        "64:ff9b::a9fe:a9fe",
        "2001:0:a9fe:a9fe::",
        "no address at all",
    ],
)
async def test_even_the_owner_s_settings_never_lead_to_metadata_or_link_local_addresses(address: str) -> None:
    async with client(resolver=names(plex=[address])) as http:
        with pytest.raises(AddressRefused):
            await http.request("GET", "http://plex.example:32400/identity")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://plex.example/",
        "file:///etc/passwd",
        "gopher://plex.example/",
        "//plex.example/",
        "plex.example",
        "http://",
        "http://user:word@plex.example/",
        "http://127.0.0.1@169.254.169.254/",
        "http://plex.example:99999/",
        "unix:/var/run/docker.sock",
    ],
)
async def test_only_plain_http_and_https_addresses_are_called(url: str) -> None:
    async with client() as http:
        with pytest.raises(AddressRefused):
            await http.request("GET", url)


async def test_private_addresses_are_open_for_what_the_owner_configured() -> None:
    async with Peer(answering(b"[1]")) as peer, client() as http:
        assert (await http.request("GET", peer.url)).json() == [1]


async def test_a_name_is_resolved_once_and_the_connection_goes_to_the_judged_address() -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with Peer(answering(b"{}", "Connection: close", goes_on=False)) as peer, client(resolver=rebinding) as http:
        url = f"http://rebind.example:{peer.port}/"
        assert (await http.request("GET", url)).status == 200
        assert asked == ["rebind.example"]
        assert f"host: rebind.example:{peer.port}" in peer.heads[0].lower()
        with pytest.raises(AddressRefused):  # judged again with each connection
            await http.request("GET", url)


async def test_of_several_addresses_only_the_allowed_ones_are_tried() -> None:
    async with Peer(answering(b"{}")) as peer, client(resolver=names(plex=["169.254.169.254", "127.0.0.1"])) as http:
        assert (await http.request("GET", f"http://plex.example:{peer.port}/")).status == 200


async def test_redirects_are_followed_only_when_asked_for_and_five_at_most() -> None:
    async with Peer(answering(b"", "Location: /again", status="302 Found")) as peer, client() as http:
        assert (await http.request("GET", peer.url)).status == 302
        assert len(peer.heads) == 1
        assert (await http.request("GET", peer.url, follow=50)).status == 302
        assert len(peer.heads) == 1 + 6
        assert (await http.request("POST", peer.url, json={}, follow=5)).status == 302
        assert len(peer.heads) == 8


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://[fe80::1]/"])
async def test_each_redirect_is_judged_again(target: str) -> None:
    async with Peer(answering(b"", f"Location: {target}", status="302 Found")) as peer, client() as http:
        with pytest.raises(AddressRefused):
            await http.request("GET", peer.url, follow=1)


async def test_no_credential_travels_to_another_host() -> None:
    headers = {
        "X-Plex-Token": TOKEN,
        "Authorization": TOKEN,
        "Cookie": TOKEN,
        "X-Api-Key": TOKEN,
        "Accept": "application/json",
    }
    async with (
        Peer(answering(b"{}", f"Set-Cookie: one={TOKEN}")) as other,
        Peer(answering(b"", f"Location: {other.url}/there", status="307 T")) as peer,
        client() as http,
    ):
        await http.request("GET", peer.url, headers=headers, params={"query": TOKEN}, follow=1)
        assert peer.heads[0].count(TOKEN) == 5
        assert TOKEN not in other.heads[0]
        assert "accept: application/json" in other.heads[0].lower()
        await http.request("GET", other.url)
        assert "cookie" not in other.heads[1].lower()  # none is kept


async def test_answers_have_a_largest_size_packed_or_not() -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    assert len(bomb) < 10_000
    for talk in (answering(b"0" * 20_000), answering(bomb, "Content-Encoding: gzip")):
        async with Peer(talk) as peer, client(largest_bytes=10_000) as http:
            with pytest.raises(AnswerTooLarge):
                await http.request("GET", peer.url)

    async def endless(_head: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"400\r\n" + b"0" * 1024 + b"\r\n")
            await writer.drain()

    async with Peer(endless) as peer, client(largest_bytes=10_000) as http:
        with pytest.raises(AnswerTooLarge):
            await http.request("GET", peer.url)
    async with Peer(answering(gzip.compress(b"[7]"), "Content-Encoding: gzip")) as peer, client() as http:
        assert (await http.request("GET", peer.url)).json() == [7]


async def test_a_whole_call_has_an_end_however_slowly_the_answer_drips() -> None:
    async def dripping(_head: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"0")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with Peer(dripping) as peer, client() as http:
        with pytest.raises(Unreachable) as failed:
            await http.request("GET", peer.url, timeout_s=0.4)
        assert failed.value.code == "timed_out"


async def test_a_get_on_a_kept_connection_that_was_closed_is_made_once_more() -> None:
    calls = 0

    async def closing(_head: str, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        nonlocal calls
        calls += 1
        if calls == 2:  # the second call on the first connection: closed without a word
            return False
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        return True

    async with Peer(closing) as peer, client() as http:
        await http.request("GET", peer.url)
        assert (await http.request("GET", peer.url)).status == 200
        assert (calls, peer.connections) == (3, 2)


async def test_a_post_and_a_fresh_connection_are_not_repeated() -> None:
    async def closing(_head: str, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bool:
        return False

    async with Peer(closing) as peer, client() as http:
        for method in ("GET", "POST"):
            with pytest.raises(Unreachable) as failed:
                await http.request(method, peer.url)
            assert failed.value.code == "broken_off"
        assert peer.connections == 2


async def test_failures_are_told_apart_in_words_that_hold_no_address_and_no_token() -> None:
    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise OSError("no such name")

    async def silent(_head: str, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> bool:
        await reader.read()
        return False

    async with Peer(silent) as peer, client(timeout_s=0.3) as http, client(resolver=unknown) as nameless:
        for one, url, code in (
            (http, peer.url, "timed_out"),
            (http, "http://127.0.0.1:9", "refused"),
            (http, peer.url.replace("http", "https"), ""),
            (nameless, "http://plex.example", "name_unknown"),
        ):
            with pytest.raises(Unreachable) as failed:
                await one.request("GET", f"{url}/secret-path", headers={"X-Plex-Token": TOKEN}, params={"token": TOKEN})
            assert not code or failed.value.code == code
            told = f"{failed.value!r} {failed.value.__cause__!r}"
            assert TOKEN not in told
            assert "secret-path" not in told


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"[" * 5000])
async def test_what_is_no_json_is_a_failure_of_the_other_side(body: bytes) -> None:
    async with Peer(answering(body)) as peer, client() as http:
        with pytest.raises(UpstreamFailed):
            (await http.request("GET", peer.url)).json()


async def test_the_environment_sends_calls_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with Peer(answering(b"{}")) as peer, client() as http:
        assert (await http.request("GET", peer.url)).status == 200
