"""The address guard: every connection, in every phase, by yt-dlp and by the programs it starts."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from medianest.addresses import AllowedAddresses
from medianest.downloads.worker.guard import AddressGuard, AddressRefused
from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site

FORBIDDEN = ("127.0.0.2", "127.0.0.3")

# The worker's own walls, without yt-dlp, around a piece of code.
INSIDE = """
import sys
from medianest.addresses import AllowedAddresses
from medianest.downloads.worker.guard import AddressGuard
from medianest.downloads.worker.pace import Pace
from medianest.downloads.worker.proxy import FilterProxy
pace = Pace()
guard = AddressGuard(AllowedAddresses.parse(sys.argv[1]))
guard.install()
FilterProxy.start(pace).hand_to_children()
"""


def reached(site: Site) -> list[str]:
    return [request.host for request in site.requests if request.host in FORBIDDEN]


def inside(code: str, *arguments: str, allow: str = "127.0.0.1") -> subprocess.CompletedProcess[str]:
    import sys

    command = [sys.executable, "-c", INSIDE + code, allow, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("host", ["127.0.0.2", "127.0.0.3", "0.0.0.0", "[::1]", "169.254.169.254", "10.0.0.1"])
def test_a_link_to_a_forbidden_address_is_refused_by_the_worker_too(
    worker: WorkerProcess, site: Site, host: str
) -> None:
    failed = worker.extract(site.url("/clip/x.mp4", host))
    assert (failed["event"], failed["class"]) == ("failed", "address_refused")
    assert site.requests == []


def test_a_name_is_judged_by_what_it_leads_to(tmp_path: Path, site: Site) -> None:
    """`localhost` passes no check of spelling here: the worker was handed it directly."""
    with WorkerProcess(tmp_path, allow="false") as strict:
        assert strict.extract(site.url("/clip/x.mp4", "localhost"))["class"] == "address_refused"
    assert site.requests == []


def test_a_redirect_while_the_link_is_looked_at_is_refused(worker: WorkerProcess, site: Site) -> None:
    failed = worker.extract(site.url("/redirect?to=" + site.url("/clip/x.mp4", "127.0.0.3")))
    assert failed["class"] == "address_refused"
    assert reached(site) == []


def test_a_redirect_while_the_video_is_fetched_is_refused(worker: WorkerProcess, site: Site) -> None:
    failed = worker.fetch(site.url("/clip/x.mp4?redirect=2&to=" + site.url("/clip/x.mp4", "127.0.0.3")), "redirect")
    assert failed["class"] == "address_refused"
    assert reached(site) == []


def test_a_redirect_to_a_local_file_is_refused(worker: WorkerProcess, site: Site) -> None:
    assert worker.extract(site.url("/redirect?to=file:///etc/passwd"))["class"] == "address_refused"


@pytest.mark.parametrize("first", ["", "&first=1"])
def test_segments_of_a_stream_on_a_forbidden_address_are_refused(worker: WorkerProcess, site: Site, first: str) -> None:
    failed = worker.fetch(site.url(f"/hls-forbidden/x.m3u8?host=127.0.0.2{first}"), f"hls{bool(first)}")
    assert failed["class"] == "address_refused"
    assert reached(site) == []
    assert not list(worker.staging(f"hls{bool(first)}").glob("*.mp4"))


def test_a_picture_on_a_forbidden_address_is_left_out(worker: WorkerProcess, site: Site) -> None:
    done = worker.fetch(site.url("/page/opengraph/x?picture_host=127.0.0.2"), "picture")
    assert (done["event"], done["files"]["picture"]) == ("done", None)
    assert reached(site) == []


def test_ffmpeg_itself_can_not_reach_a_forbidden_segment(site: Site, tmp_path: Path) -> None:
    """ffmpeg reads the playlist by itself, in the environment that the worker gives its children."""
    code = """
import subprocess
command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-protocol_whitelist", "http,https,tls,tcp,httpproxy,crypto,data"]
done = subprocess.run([*command, "-i", sys.argv[2], "-c", "copy", sys.argv[3]], capture_output=True, timeout=50)
print(guard.refused, done.returncode != 0)
"""
    done = inside(code, site.url("/hls-forbidden/x.m3u8?host=127.0.0.2"), str(tmp_path / "x.mp4"))
    assert done.stdout.split() == ["127.0.0.2", "True"], done.stderr
    assert site.asked("/hls-forbidden/x.m3u8")  # the playlist came through the proxy
    assert reached(site) == []


def test_ffmpeg_can_fetch_an_allowed_stream_through_the_proxy(site: Site, tmp_path: Path) -> None:
    code = """
import subprocess
print(subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", sys.argv[2], "-c", "copy", sys.argv[3]], timeout=50).returncode)
"""
    done = inside(code, site.url("/hls/x/low.m3u8"), str(tmp_path / "x.mp4"))
    assert done.stdout.strip() == "0", done.stderr
    assert (tmp_path / "x.mp4").stat().st_size > 10_000


def test_what_ffmpeg_fetches_keeps_to_the_speed_that_the_download_may_have(site: Site, tmp_path: Path) -> None:
    code = """
import subprocess, time
pace.set(200_000)
began = time.monotonic()
fetched = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", sys.argv[2], "-c", "copy", sys.argv[3]], timeout=50)
print(fetched.returncode, time.monotonic() - began >= 600_000 / 200_000 * 0.8)
"""
    done = inside(code, site.url("/clip/x.mp4?size=600000"), str(tmp_path / "x.mp4"))
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_a_stream_handed_to_ffmpeg_by_yt_dlp_stays_inside_the_guard(site: Site, tmp_path: Path) -> None:
    """The way that sealed streams go: yt-dlp's own downloader gives up and calls ffmpeg on the address."""
    code = """
from medianest.downloads.worker.engine import Engine
from medianest.downloads.worker.messages import Configuration
engine = Engine(Configuration(op="configure", ffmpeg="/usr/bin/ffmpeg", cache_dir=sys.argv[3], temp_dir=sys.argv[3]), guard)
engine.load()
ydl = engine.open({})
from yt_dlp.downloader.external import FFmpegFD
info = {"id": "x", "url": sys.argv[2], "ext": "mp4", "protocol": "m3u8", "http_headers": {}}
try:
    print(FFmpegFD(ydl, ydl.params).real_download(sys.argv[3] + "/x.mp4", info))
except Exception as error:
    print(type(error).__name__)
print(guard.refused)
"""
    done = inside(code, site.url("/hls-forbidden/x.m3u8?host=127.0.0.2"), str(tmp_path))
    assert done.stdout.split()[-1] == "127.0.0.2", done.stderr
    assert reached(site) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.3", "169.254.169.254", "[::1]", "localhost"])
def test_the_proxy_refuses_what_the_guard_refuses(site: Site, host: str) -> None:
    code = """
import os, socket
from urllib.parse import urlsplit
import base64
parts = urlsplit(os.environ["http_proxy"])
key = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
for line in ("CONNECT " + sys.argv[2] + " HTTP/1.1", "GET http://" + sys.argv[2] + "/ HTTP/1.1"):
    with socket.socket() as client:
        guard.allowed = AllowedAddresses.parse("127.0.0.1")
        client.connect((parts.hostname, parts.port))
        guard.allowed = AllowedAddresses()
        client.sendall(f"{line}\\r\\nProxy-Authorization: Basic {key}\\r\\n\\r\\n".encode())
        print(client.recv(100).split()[1].decode())
"""
    done = inside(code, f"{host}:{site.port}")
    assert done.stdout.split() == ["403", "403"], done.stderr
    assert site.requests == []


def test_the_proxy_serves_nobody_without_its_password(site: Site) -> None:
    code = """
import os, socket
from urllib.parse import urlsplit
parts = urlsplit(os.environ["http_proxy"])
for header in ("X: y", "Proxy-Authorization: Basic d29ya2VyOng="):
    with socket.socket() as client:
        client.connect((parts.hostname, parts.port))
        client.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\n{header}\\r\\n\\r\\n".encode())
        print(client.recv(100).split()[1].decode())
"""
    done = inside(code, site.url("/"))
    assert done.stdout.split() == ["407", "407"], done.stderr
    assert site.requests == []


@pytest.mark.parametrize(
    "call",
    [
        "import urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[2])",
        "import requests; s = requests.Session(); s.trust_env = False; s.get(sys.argv[2])",
        "import httpx; httpx.get(sys.argv[2], trust_env=False)",
        "import websockets.sync.client as w; w.connect(sys.argv[2].replace('http', 'ws'), proxy=None)",
        "import socket, urllib.parse as p; u = p.urlsplit(sys.argv[2]); socket.create_connection((u.hostname, u.port))",
        "import socket, urllib.parse as p; u = p.urlsplit(sys.argv[2]); socket.socket().connect_ex((u.hostname, u.port))",
        "import socket, urllib.parse as p; u = p.urlsplit(sys.argv[2]); "
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', (u.hostname, u.port))",
        "import socket, urllib.parse as p; u = p.urlsplit(sys.argv[2]); "
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, (u.hostname, u.port))",
        "import socket; socket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
        "import asyncio; asyncio.run(asyncio.open_connection(*sys.argv[2][7:].rstrip('/').split(':')))",
    ],
    ids=["urllib", "requests", "httpx", "websockets", "socket", "connect_ex", "sendto", "sendmsg", "unix", "asyncio"],
)
def test_no_library_gets_past_the_guard(site: Site, call: str) -> None:
    done = inside(f"\n{call}\n", site.url("/", "127.0.0.2"))
    assert done.returncode != 0
    assert "refused by the address guard" in done.stderr
    assert site.requests == []


def test_the_guard_remembers_what_it_refused_until_a_new_phase_begins() -> None:
    guard = AddressGuard(AllowedAddresses())
    with pytest.raises(AddressRefused):
        guard.check(("10.0.0.1", 80))
    assert guard.refused == "10.0.0.1"
    guard.forget()
    assert guard.refused is None
    guard.check(("8.8.8.8", 443))
    guard.check(("2606:4700:4700::1111", 443, 0, 0))
    for address in ("/run/x.sock", ("localhost", 80), ("fe80::1%eth0", 80, 0, 2), ("", 80)):
        with pytest.raises(AddressRefused):
            guard.check(address)
