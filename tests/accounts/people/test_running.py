"""Deleting the person whose video is being downloaded, in a real process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.harness.downloads import add, wait_for, wait_for_bytes
from tests.harness.server import Server
from tests.site import Site

PASSWORD = "Lantern-Harbour-7-Meadow"
SLOW = "/clip/{}.mp4?length=4&size=3000000&throttle=400000"


def member(server: Server, owner: httpx.Client, name: str) -> tuple[int, httpx.Client]:
    """Somebody who has chosen their own password."""
    made = owner.post("/api/v1/users", json={"username": name}).raise_for_status().json()
    with server.client(name, made["password"]) as first:
        chosen = {"current_password": made["password"], "new_password": PASSWORD}
        assert first.post("/api/v1/me/password", json=chosen).is_success
    return made["person"]["id"], server.client(name, PASSWORD)


@pytest.fixture
def site() -> Iterator[Site]:
    """A site with slow videos."""
    with Site() as made:
        yield made


def test_a_shared_download_goes_on_and_a_lonely_one_is_stopped(start_server: Callable[..., Server], site: Site) -> None:
    server = start_server()
    with server.client() as owner:
        kim, kims = member(server, owner, "kim")
        with kims:
            shared = add(kims, site.url(SLOW.format("shared")))["id"]
            alone = add(kims, site.url(SLOW.format("alone")))["id"]
            assert add(owner, site.url(SLOW.format("shared")))["id"] == shared
            wait_for_bytes(kims, shared, 100_000)
            wait_for(kims, alone, ("downloading",))
            assert owner.delete(f"/api/v1/users/{kim}").status_code == 204
            assert kims.get("/api/v1/downloads").status_code == 401
        assert wait_for(owner, shared, ("completed", "failed", "cancelled"))["state"] == "completed"
        assert owner.get(f"/api/v1/downloads/{alone}").status_code == 404
        left = add(owner, site.url("/clip/next.mp4?length=2&size=200000"))["id"]
        assert wait_for(owner, left, ("completed", "failed"))["state"] == "completed"
    assert server.stop() == 0
    assert "Traceback" not in server.log(), server.log()
