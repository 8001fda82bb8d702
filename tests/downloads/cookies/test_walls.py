"""Real yt-dlp in front of every wall of a site, with and without cookies."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.database import Engine
from medianest.downloads.model import DownloadState, ReasonCode
from tests.downloads.running_queue import Queue
from tests.site import Site

State = DownloadState
HEAD = "# Netscape HTTP Cookie File\n"
WALLS = [sys.executable, "-m", "tests.site.wall_worker"]


def cookie(value: str = "open-sesame-12345", domain: str = "127.0.0.1") -> str:
    return f"{HEAD}{domain}\tFALSE\t/\tFALSE\t0\tsid\t{value}\n"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(also=("127.0.0.3",)) as made:
        yield made


@pytest.fixture
async def walled(
    database: Engine, tmp_path: Path, owner: User, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Queue]:
    """A running queue whose workers know the walls; the second loopback address is allowed as well."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    queue = Queue(tmp_path, command=WALLS, allowed=("127.0.0.1/32", "127.0.0.3/32"))
    await queue.settings(owner, free_space_floor_bytes=0)
    await queue.start()
    try:
        yield queue
    finally:
        await queue.stop()


@pytest.mark.timeout_s(120)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_each_wall_has_its_words_and_its_next_step(walled: Queue, site: Site, ana: User) -> None:
    async def stands(kind: str, state: State, **query: object) -> tuple[ReasonCode | None, str]:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        download = await walled.add(site.url(f"/wall/{kind}/v-{kind}?length=1{more}"), ana)
        found = await walled.wait_for(download, ana, state, seconds=40)
        assert found.attempts == (1 if state is State.FAILED else 0)
        return found.reason_code, found.reason or ""

    for kind in ("private", "age", "members"):
        code, reason = await stands(kind, State.WAITING)
        assert code is ReasonCode.NEEDS_SIGN_IN
        assert "puts cookies of the site in" in reason
    code, reason = await stands("geo", State.WAITING)
    assert code is ReasonCode.GEO_BLOCKED
    assert "only in: AT, CH" in reason
    code, reason = await stands("upcoming", State.WAITING, release=int(time.time()) + 7200)
    assert code is ReasonCode.UPCOMING
    assert "It begins on" in reason
    assert (await stands("gone", State.FAILED))[0] is ReasonCode.GONE
    assert (await stands("drm", State.FAILED))[0] is ReasonCode.UNSUPPORTED
    code, reason = await stands("bug", State.FAILED)
    assert code is ReasonCode.ENGINE_ERROR
    assert "next update of yt-dlp" in reason


@pytest.mark.timeout_s(120)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_a_bot_check_pauses_the_site_and_one_download_finds_out_when_it_is_over(
    walled: Queue, site: Site, ana: User
) -> None:
    first = await walled.add(site.url("/wall/bot/one?length=1&until=2"), ana)
    waiting = await walled.wait_for(first, ana, State.WAITING, seconds=40)
    assert waiting.reason_code is ReasonCode.SITE_PAUSED
    assert "takes us for a robot" in (waiting.reason or "")
    second = await walled.add(site.url("/clip/two.mp4?length=1"), ana)
    assert (await walled.wait_for(second, ana, State.WAITING)).reason_code is ReasonCode.SITE_PAUSED
    asked = [one for one in site.requests if one.path == "/wall/bot/one"]
    assert not any(one.path == "/clip/two.mp4" for one in site.requests)
    for one in (first, second):
        assert (await walled.ended(one, ana, seconds=40)).state is State.COMPLETED
    assert len([one for one in site.requests if one.path == "/wall/bot/one"]) == 3
    assert len(asked) <= 2


@pytest.mark.timeout_s(120)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_cookies_open_what_waited_for_them_and_go_to_no_other_host(
    walled: Queue, site: Site, ana: User, owner: User, tmp_path: Path
) -> None:
    cookies = walled.parts.cookies
    elsewhere = site.url("/clip/elsewhere.mp4?length=1", host="127.0.0.3")
    closed = await walled.add(site.url(f"/wall/private/mine?length=1&opens={'open-sesame-12345'[::-1]}"), ana)
    await walled.wait_for(closed, ana, State.WAITING, seconds=40)
    assert await cookies.waiting_sites() == [("127.0.0.1", 1)]
    added = await cookies.put("127.0.0.1", cookie("wrong-sesame-54321"), owner)
    assert (added.number, added.resumed) == (1, 1)
    stale = await walled.wait(closed, ana, lambda one: "did not open it" in (one.reason or ""), 40)
    assert stale.reason_code is ReasonCode.NEEDS_SIGN_IN
    (known,) = await cookies.all()
    assert known.stale_since is not None
    assert [one.code for one in await cookies.problems()] == ["cookies_stale"]
    await cookies.put("http://127.0.0.1:99/x", cookie(), owner)
    assert (await walled.ended(closed, ana, 40)).state is State.COMPLETED
    assert await cookies.problems() == []
    sent = await walled.add(site.url(f"/redirect?to={elsewhere}"), ana)
    assert (await walled.ended(sent, ana, 40)).state is State.COMPLETED
    with_cookie = {one.host for one in site.requests if "open-sesame" in one.headers.get("Cookie", "")}
    assert with_cookie == {"127.0.0.1"}
    assert any(one.host == "127.0.0.3" for one in site.requests)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and b"sesame" in path.read_bytes()]
    assert left == []
