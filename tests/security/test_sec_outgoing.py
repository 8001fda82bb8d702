"""Calls to other machines (SEC-01, 02, 04): who may be called, judged on the resolved address, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from medianest.integrations.http import AddressRefused, AnswerTooLarge, HttpClient, Reach, Unreachable
from tests.harness.server import CHECKOUT
from tests.plex import PlexWorld
from tests.site import Site

CLIENTS = {"httpx", "requests", "aiohttp", "urllib3", "http.client", "urllib.request", "socket"}
# what may import one of them, and why
KNOWN = {
    "integrations/http.py": "the one client",
    "integrations/transport.py": "the one client's connections",
    "healthcheck.py": "asks this machine's own server",
    "server.py": "listens",
    "lifespan.py": "tells the service manager",
    "addresses.py": "takes addresses apart",
    "instance.py": "the name of this machine",
    "walls/hosts.py": "the names of this machine",
    "downloads/worker/guard.py": "the worker's own wall",
    "downloads/worker/proxy.py": "the worker's own wall",
}
SECRET = "a-token-nobody-else-may-see"


@pytest.fixture
async def owner() -> AsyncIterator[HttpClient]:
    client = HttpClient(Reach.OWNER, timeout_s=2)
    yield client
    await client.close()


@pytest.fixture
async def public() -> AsyncIterator[HttpClient]:
    client = HttpClient(Reach.PUBLIC, timeout_s=2)
    yield client
    await client.close()


@pytest.fixture
def two_hosts() -> Iterator[Site]:
    with Site(also=("127.0.0.2",)) as site:
        yield site


def test_sec_01_nothing_but_the_one_client_calls_other_machines() -> None:
    found = set()
    for path in (CHECKOUT / "medianest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name in CLIENTS for name in names):
                found.add(str(path.relative_to(CHECKOUT / "medianest")))
    assert found - set(KNOWN) == set(), "call through integrations/http.py, or say here why not"


NEVER = [
    "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://0.0.0.0/", "http://0/", "http://[::]/",
    "http://224.0.0.1/", "http://[ff02::1]/", "http://[::ffff:169.254.169.254]/", "http://2852039166/",
    "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/", "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/", "http://255.255.255.255/",
]  # fmt: skip
PRIVATE = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
    "http://localhost/", "http://localhost./", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://10.0.0.1/",
    "http://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fc00::1]/", "http://[::127.0.0.1]/",
    "http://user@127.0.0.1/", "http://127。0。0。1/",
]  # fmt: skip


async def refused(client: HttpClient, url: str) -> bool:
    """Whether the address was refused, or is none; not that it was tried in vain."""
    with pytest.raises((AddressRefused, Unreachable)) as caught:
        await client.request("GET", url)
    words = str(caught.value)
    return isinstance(caught.value, AddressRefused) or "can not be called" in words or "is not known" in words


@pytest.mark.parametrize("url", NEVER)
async def test_sec_01_even_the_owners_targets_are_never_metadata_or_multicast(owner: HttpClient, url: str) -> None:
    assert await refused(owner, url)


@pytest.mark.parametrize("url", [*NEVER, *PRIVATE])
async def test_sec_02_what_others_name_is_on_the_internet_in_every_spelling(public: HttpClient, url: str) -> None:
    assert await refused(public, url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "//example.org/", "data:,x"]
)
async def test_sec_02_other_schemes_are_refused(owner: HttpClient, public: HttpClient, url: str) -> None:
    for client in (owner, public):
        with pytest.raises((AddressRefused, Unreachable)):
            await client.request("GET", url)


async def test_sec_02_a_name_is_judged_by_the_addresses_it_has_now_and_called_at_one_of_those(two_hosts: Site) -> None:
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["93.184.216.34"] if len(asked) > 1 else ["127.0.0.1"]

    client = HttpClient(Reach.PUBLIC, timeout_s=2, resolver=rebinding)
    with pytest.raises(AddressRefused):
        await client.request("GET", f"http://rebinding.example:{two_hosts.port}/clip/x.mp4")
    await client.close()
    assert asked == ["rebinding.example"]  # judged and called by one look-up
    assert two_hosts.requests == []


async def test_sec_02_every_redirect_is_judged_again_and_there_are_five_at_most(
    owner: HttpClient, two_hosts: Site
) -> None:
    with pytest.raises(AddressRefused):
        await owner.request("GET", two_hosts.url("/redirect?to=http://169.254.169.254/x"), follow=5)
    with pytest.raises((AddressRefused, Unreachable)):
        await owner.request("GET", two_hosts.url("/redirect?to=file:///etc/passwd"), follow=5)
    two_hosts.forget()
    answer = await owner.request("GET", two_hosts.url("/redirect-loop"), follow=50)
    assert answer.status == 302
    assert len(two_hosts.requests) == 6


async def test_sec_04_no_credential_travels_to_another_host(owner: HttpClient, two_hosts: Site) -> None:
    headers = {"X-Plex-Token": SECRET, "X-Api-Key": SECRET, "Authorization": SECRET, "Cookie": f"a={SECRET}"}
    target = two_hosts.url("/status/200", host="127.0.0.2")
    await owner.request("GET", two_hosts.url(f"/redirect?to={target}"), headers=headers, follow=5)
    (first,), (second,) = two_hosts.asked("/redirect"), two_hosts.asked("/status")
    assert SECRET in first.headers.values()
    assert (second.host, SECRET in str(second.headers)) == ("127.0.0.2", False)


async def test_sec_04_an_answer_has_an_end_in_bytes_and_in_time(owner: HttpClient, plex: PlexWorld) -> None:
    for times in (1, 2):
        plex.faults.add("/identity", "answer", body=b"x" * 5000 * times)
    address = plex.server_url + "/identity"
    assert len((await owner.request("GET", address, largest_bytes=6000)).content) == 5000
    with pytest.raises(AnswerTooLarge):
        await owner.request("GET", address, largest_bytes=6000)
    for kind in ("hang", "reset"):
        plex.faults.add("/identity", kind)
        with pytest.raises(Unreachable) as caught:
            await owner.request("GET", address, headers={"X-Plex-Token": SECRET})
        assert SECRET not in str(caught.value) + repr(caught.value.__cause__)


def test_sec_64_no_call_of_plex_carries_its_token_in_the_address() -> None:
    for path in (CHECKOUT / "medianest").rglob("*.py"):
        text = path.read_text("utf-8")
        assert "X-Plex-Token=" not in text, path
        assert "?token=" not in text, path
    assert Path(CHECKOUT / "medianest").is_dir()
