"""Traps of the stand-in's libraries: sharing, pages, what is missing when it is empty, pictures, trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.plex import PlexWorld
from tests.plex.people import Account

ALL = "/library/sections/1/all?X-Plex-Container-Start=0&X-Plex-Container-Size=2"


class Asking:
    """Asks the server as somebody."""

    def __init__(self, plex: PlexWorld) -> None:
        self.plex = plex
        self.client = httpx.Client(base_url=plex.server_url, headers={"accept": "application/json"}, trust_env=False)

    def __call__(self, path: str, account: Account | None = None, **more: Any) -> httpx.Response:
        token = self.plex.server_token(account or self.plex.friend)
        if account is self.plex.owner:
            token = self.plex.owner.token()
        return self.client.request(more.pop("method", "GET"), path, headers={"x-plex-token": token}, **more)

    def read(self, path: str, account: Account | None = None) -> Any:
        return self(path, account).json()["MediaContainer"]


@pytest.fixture
def ask(plex: PlexWorld) -> Iterator[Asking]:
    asking = Asking(plex)
    with asking.client:
        yield asking


def test_an_account_sees_its_libraries_only_in_lists_items_hubs_and_pictures(plex: PlexWorld, ask: Asking) -> None:
    heat = plex.server.add_movie("1", "Heat", 1995, tmdb=949, imdb="tt0113277", rating="R", genres=("Crime",))
    clip = plex.server.add_movie("3", "Heat a pan")
    assert [row["title"] for row in ask.read(ALL)["Metadata"]] == ["Heat"]
    finn = plex.friend_one_library
    assert ask(ALL, finn).status_code == 404
    assert ask(f"/library/metadata/{heat.rating_key}", finn).status_code == 404
    assert ask(heat.thumb, finn).status_code == 404
    hubs = ask.read("/hubs/search?query=heat&limit=10&includeGuids=1", finn)["Hub"]
    assert [[row["title"] for row in hub.get("Metadata", ())] for hub in hubs if hub["type"] == "movie"] == [
        ["Heat a pan"]
    ]
    assert any(hub["size"] == 0 and "Metadata" not in hub for hub in hubs)
    both = ask.read(f"/library/metadata/{heat.rating_key},{clip.rating_key},999999")
    assert [row.get("Guid") for row in both["Metadata"]] == [[{"id": "imdb://tt0113277"}, {"id": "tmdb://949"}], None]
    assert [row["title"] for row in ask.read("/hubs/home/recentlyAdded", finn)["Metadata"]] == ["Heat a pan"]
    plex.server.watch(finn, clip)
    assert ask.read("/library/onDeck", finn)["Metadata"][0]["viewOffset"] == 600_000
    assert "Metadata" not in ask.read("/library/onDeck")
    assert ask("/activities").status_code == 401
    new = plex.server.add_library("Talks", "movie")
    assert new in {row["key"] for row in ask.read("/library/sections")["Directory"]}
    assert new not in {row["key"] for row in ask.read("/library/sections", finn)["Directory"]}


def test_pages_need_a_size_and_go_on_by_rows(plex: PlexWorld, ask: Asking) -> None:
    assert ask(ALL).json()["MediaContainer"].items() >= {"size": 0, "totalSize": 0, "offset": 0}.items()
    assert "Metadata" not in ask.read(ALL)
    for number in range(5):
        plex.server.add_movie("1", f"Film {number}", 1990 + number, tmdb=number + 1)
    refused = ask("/library/sections/1/all")
    assert (refused.status_code, refused.headers["content-type"][:9]) == (400, "text/html")
    assert ask(ALL.replace("Size=2", "Size=1001")).status_code == 400
    page = ask.read(ALL.replace("Start=0", "Start=4"))
    assert (page["size"], page["totalSize"], page["offset"]) == (1, 5, 4)
    newest = ask.read(f"{ALL}&sort=addedAt:desc&nonsense=1&includeGuids=1")["Metadata"]
    assert [row["title"] for row in newest] == ["Film 4", "Film 3"]
    assert "Guid" in newest[0]
    assert "Guid" not in ask.read(ALL)["Metadata"][0]
    assert ask.read(ALL.replace("Size=2", "Size=0"))["totalSize"] == 5


def test_a_show_has_seasons_and_episodes(plex: PlexWorld, ask: Asking) -> None:
    show = plex.server.add_show("2", "Severance", 2022, tvdb=371980, tmdb=95396, seasons={1: 2, 2: 1})
    seasons = ask.read(f"/library/metadata/{show.rating_key}/children")
    assert ([row["index"] for row in seasons["Metadata"]], seasons["Directory"][0]["title"]) == ([1, 2], "All episodes")
    episode = ask.read(f"/library/metadata/{seasons['Metadata'][0]['ratingKey']}/children")["Metadata"][1]
    assert (episode["parentIndex"], episode["index"], episode["grandparentTitle"]) == (1, 2, "Severance")
    files = ask.read(ALL.replace("sections/1", "sections/2") + "&type=4")["Metadata"][0]["Media"][0]["Part"]
    assert files[0]["file"].startswith("/data/shows/Severance/Season 01/")
    plex.server.remove(show.rating_key)
    assert not plex.server.of_library("2")


def test_pictures_come_in_the_size_asked_for_and_only_from_paths_of_its_own(plex: PlexWorld, ask: Asking) -> None:
    heat = plex.server.add_movie("1", "Heat", 1995)
    size = "/photo/:/transcode?width=60&height=90&minSize=1&upscale=1&url="
    found = ask(size + heat.thumb)
    assert (found.headers["content-type"], found.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert ask(size + heat.thumb, plex.friend_one_library).status_code == 404
    for path in ("//example.org/x.png", "http://example.org/x.png", ""):
        assert ask(size + path).status_code == 400


def test_a_server_can_be_off_replaced_or_starting(plex: PlexWorld, ask: Asking) -> None:
    assert ask("/library/sections").status_code == 200
    plex.turn_off()
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            ask("/library/sections")
    plex.turn_on()
    assert ask("/library/sections").status_code == 200
    plex.is_server_replaced = True
    assert ask.read("/identity")["machineIdentifier"] == plex.other_machine_id
    assert ask("/library/sections").status_code == 401
    plex.is_server_replaced = False
    plex.server.is_restarting = True
    assert ask("/identity").status_code == 503
    plex.server.is_restarting = False
    plex.faults.add("/", "html", None, place="server")
    assert "<html>" in ask("/library/sections").text
    plex.faults.clear()
