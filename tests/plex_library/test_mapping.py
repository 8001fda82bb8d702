"""Which folder and library of the server are ours: guessed, chosen, compared across systems; and few moves for an order."""

from __future__ import annotations

import itertools
import random

import pytest

from medianest.integrations.plex_server import Section
from medianest.plex_library import paths
from medianest.plex_library.mapping import NoLibrary, mapping_of, target_of
from medianest.plex_library.model import SavedMapping
from medianest.plex_library.order import moves


def section(key: str, title: str, *places: str, type: str = "show", agent: str = "tv.plex.agents.series") -> Section:
    return Section(key=key, type=type, title=title, agent=agent, language="en", uuid="", locations=places)


FILMS = section("1", "Films", "/data/films", type="movie", agent="tv.plex.agents.movie")
SHOWS = section("2", "Shows", "/data/shows")
OTHER = section("3", "Clips", "/data/clips", type="movie", agent="com.plexapp.agents.none")
TUBE = section("4", "My YouTube", "/srv/tube")
MUSIC = section("9", "YouTube music", "/srv/music", type="artist")


@pytest.mark.parametrize(
    ("our_root", "sections", "saved", "root", "library"),
    [
        ("/srv/tube", (FILMS, TUBE), {}, "/srv/tube", "4"),  # the same path
        ("/srv/tube/mine", (FILMS, TUBE), {}, "/srv/tube/mine", "4"),  # within a library
        ("/home/me/clips", (FILMS, OTHER, TUBE), {}, "/data/clips", "3"),  # the same name elsewhere
        ("/home/me/library", (FILMS, OTHER, TUBE, MUSIC), {}, "/srv/tube", "4"),  # a title with YouTube in it
        ("/home/me/library", (FILMS, SHOWS, OTHER), {}, "/data/clips", "3"),  # else Other Videos
        ("/home/me/library", (FILMS, SHOWS), {}, "", None),
        ("/home/me/library", (FILMS, SHOWS, TUBE), {"section": "2"}, "/data/shows", "2"),
        ("/home/me/library", (FILMS, TUBE), {"server_root": "/srv/tube/deep"}, "/srv/tube/deep", "4"),
        ("/home/me/library", (FILMS, TUBE), {"server_root": "/elsewhere"}, "/elsewhere", None),
        (
            "/l",
            (section("5", "T", "D:\\Media\\YouTube"),),
            {"server_root": "d:/media/youtube"},
            "d:/media/youtube",
            "5",
        ),
        ("/l", (section("5", "T", "\\\\nas\\tube"),), {"server_root": "\\\\NAS\\tube\\x"}, "\\\\NAS\\tube\\x", "5"),
    ],
)
def test_the_folder_and_library_are_found_by_what_is_most_certain(
    our_root: str, sections: tuple[Section, ...], saved: dict[str, str], root: str, library: str | None
) -> None:
    mapping = mapping_of(our_root, sections, SavedMapping(**saved))
    assert mapping.server_root == root
    assert (mapping.target.key if mapping.target else None) == library
    assert bool(mapping.trouble) is (library is None)


def test_the_deepest_folder_decides_then_the_choice_then_the_kind() -> None:
    shows = section("5", "Tube", "/srv/tube")
    films = section("6", "Tube films", "/srv/tube", type="movie", agent="tv.plex.agents.movie")
    inner = section("7", "Tube talks", "/srv/tube/Talks")
    mapping = mapping_of("/srv/tube", (films, shows, inner), SavedMapping())
    assert [target_of(mapping, folder).library.key for folder in ("Ana", "Videos/Heat (1995)", "Talks")] == [
        "5", "6", "7",
    ]  # fmt: skip
    assert target_of(mapping, "Videos/Heat (1995)").item_type == "movie"
    assert target_of(mapping, "Music/Ana/Songs").item_type != "track"  # there is none for sound: it is said later
    music = section("9", "Music", "/srv/tube", type="artist")
    with_music = mapping_of("/srv/tube", (music, films, shows, inner), SavedMapping(section="6"))
    assert target_of(with_music, "Music/Ana/Songs").item_type == "track"
    assert target_of(with_music, "Ana").library.key == "6"
    chosen = mapping_of("/srv/tube", (films, shows, inner), SavedMapping(section="6"))
    assert target_of(chosen, "Ana").library.key == "6"
    with pytest.raises(NoLibrary):
        target_of(mapping_of("/x", (FILMS,), SavedMapping()), "Ana")
    windows = mapping_of("/l", (section("5", "T", "D:\\T"),), SavedMapping(server_root="D:\\T"))
    assert target_of(windows, "Ana/Season 2026").folder == "D:\\T\\Ana\\Season 2026"


def test_paths_are_compared_by_their_parts() -> None:
    assert not paths.is_inside("/data/youtube2/x", "/data/youtube")
    assert paths.is_inside("/data/youtube/", "/data/youtube")
    assert not paths.is_inside("/Data/youtube", "/data/youtube")
    assert paths.is_inside("C:\\MEDIA\\x", "c:/media")
    assert paths.parts_of("/a/Cafe\u0301") == paths.parts_of("/a/Caf\u00e9")
    for wrong in ("", "relative/path", "/a/../b", "/a\x00b", "/" + "x" * 2000):
        assert not paths.is_absolute(wrong)
    assert paths.show_folder("Ana/Season 2026/a.mp4") == "Ana"
    assert paths.show_folder("Videos/Heat (1995) [x]/Heat.mp4") == "Videos/Heat (1995) [x]"


def test_an_order_is_made_with_few_moves() -> None:
    for size in range(5):
        for current in itertools.permutations(range(size)):
            have, want = [str(one) for one in current], [str(one) for one in range(size)]
            for key, after in moves(have, want):
                have.remove(key)
                have.insert(0 if after is None else have.index(after) + 1, key)
            assert have == want
    shuffled = [str(one) for one in range(300)]
    random.Random(7).shuffle(shuffled)
    assert moves(sorted(shuffled, key=int), sorted(shuffled, key=int)) == []
    assert len(moves(["9", *map(str, range(9))], [*map(str, range(10))])) == 1
