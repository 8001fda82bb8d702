"""The owner's test from outside: a pasted playlist ends up in Plex as a collection with all its videos, in order.

Real yt-dlp in a worker of the program under test; the clips come from a site on loopback, Plex is stood in for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.downloads import add, wait_for
from tests.harness.processes import wait_until
from tests.harness.server import Server
from tests.plex import PlexWorld
from tests.site import Site

StartServer = Callable[..., Server]
THERE = "/volume1/media/youtube"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def test_a_pasted_playlist_becomes_a_collection_with_all_its_videos(
    start_server: StartServer, site: Site, plex: PlexWorld
) -> None:
    server = start_server(env={**plex.settings(), "MEDIANEST_PLEX_SCAN_DELAY_S": "0.5"})
    section = plex.server.add_library("YouTube", "show", server.library_dir, path=THERE)
    plex.server.scan_s = 0.5
    with server.client() as client:
        number = add(client, site.url("/feed/enclosures/cooking.xml?items=4"))["id"]
        parent = wait_for(client, number, ("completed", "failed"), timeout_s=60)
        assert parent["state"] == "completed", parent
        items = client.get(f"/api/v1/downloads/{number}/items").json()["items"]
        assert len(items) == 4

        paths = [item["files"][0]["path"] for item in items]

        def whole() -> bool:
            found = plex.server.collections(section)
            if not found or found[0].title != parent["title"]:
                return False
            # what was found later stands in its place a moment after it was added
            return paths == [plex.server.items[key].files[0].removeprefix(THERE + "/") for key in found[0].members]

        wait_until(whole, timeout_s=30, what="the collection with all videos in order")
        assert len(plex.server.collections(section)) == 1
        assert all(path.startswith(THERE) for path in plex.server.scanned)
        wait_until(
            lambda: client.get(f"/api/v1/downloads/{items[0]['id']}").json()["plex_url"], timeout_s=10, what="the link"
        )
        wait_until(
            lambda: "Collection in Plex" in client.get(f"/downloads/{number}").text, timeout_s=10, what="the words"
        )
        page = client.get(f"/downloads/{number}").text
        assert "Watch in Plex" in page
        assert plex.owner.token() not in page
        # killed in the middle of nothing, started again: nothing is made twice
        server.kill()
        server.start()
        assert len(plex.server.collections(section)) == 1
    assert plex.owner.token() not in server.log()
