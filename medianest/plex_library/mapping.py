"""Which folder and which library of the Plex server are ours: set by the owner, else found by what the libraries say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from medianest.database import fetch
from medianest.errors import Invalid, MediaNestError
from medianest.integrations.plex_server import Section
from medianest.plex_library import paths
from medianest.plex_library.model import LibraryChoice, LibraryMapping, SavedMapping

KEY = "plex_library_mapping"
ITEM_TYPES = {"show": "episode", "movie": "movie", "artist": "track"}
ROOTS = {"Videos": "movie", "Music": "artist"}  # folders of our library that hold something else than shows
NO_LIBRARY = "No library"  # how each sentence of `NoLibrary` begins


class NoLibrary(MediaNestError):
    """No library of the server has our folder."""

    status = 409
    default_code = "plex_no_library"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where one of our folders stands on the server."""

    library: LibraryChoice
    folder: str

    @property
    def item_type(self) -> str:
        return ITEM_TYPES[self.library.type]


async def saved_mapping() -> SavedMapping:
    """What the owner has set."""
    rows = await fetch("SELECT value FROM system_settings WHERE key = {}", KEY)
    try:
        return msgspec.json.decode(str(rows[0]["value"]), type=SavedMapping) if rows else SavedMapping()
    except msgspec.DecodeError:
        return SavedMapping()


async def save_mapping(mapping: SavedMapping) -> None:
    """Keep what the owner sets.

    Raises:
        Invalid: the folder can not be one of a server.
    """
    if mapping.server_root and not paths.is_absolute(mapping.server_root):
        sentence = "Write the whole path as the Plex server sees it, for example /data/youtube or D:\\YouTube."
        raise Invalid(sentence, fields={"server_root": sentence})
    await fetch(
        "INSERT INTO system_settings (key, value, updated_at) VALUES ({}, {}, {}) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        *(KEY, msgspec.json.encode(mapping).decode(), datetime.now(UTC)),
    )


def mapping_of(our_root: str, sections: Sequence[Section], saved: SavedMapping) -> LibraryMapping:
    """How the two views are one, with what is plainly wrong about it."""
    libraries = tuple(
        LibraryChoice(key=one.key, title=one.title, type=one.type, locations=one.locations)
        for one in sections
        if one.type in ITEM_TYPES and one.locations
    )
    agents = {one.key: one.agent for one in sections}
    no_music = [one for one in libraries if one.type != "artist"]  # a library of music is never the whole of ours
    root = saved.server_root or _guess(our_root, no_music, saved.section, agents)
    made = LibraryMapping(our_root=our_root, server_root=root, saved=saved, libraries=libraries, target=None)
    if not root:
        text = (
            "No library on the Plex server looks like ours. Make one in Plex for this folder, or name its folder here."
        )
        return msgspec.structs.replace(made, trouble=text)
    try:
        return msgspec.structs.replace(made, target=target_of(made, "A show").library)
    except NoLibrary as error:
        return msgspec.structs.replace(made, trouble=error.message)


def type_of(folder: str) -> str:
    """The type of Plex library that one of our folders is for."""
    return ROOTS.get(folder.split("/", maxsplit=1)[0], "show")


def target_of(mapping: LibraryMapping, folder: str) -> Target:
    """The library and path of one of our folders, relative to our library.

    Of the libraries with the deepest folder around it, the one the owner chose, else one of the fitting kind.

    Raises:
        NoLibrary: none has a folder around it.
    """
    if not mapping.server_root:
        raise NoLibrary(mapping.trouble or "No library on the Plex server looks like ours.")
    there = paths.join(mapping.server_root, folder)
    wanted = type_of(folder)
    depths = [
        (len(paths.parts_of(place)), library)
        for library in mapping.libraries
        if (library.type == wanted or library.type != "artist")
        and (place := paths.longest_inside(there, library.locations)) is not None
    ]
    if not depths:
        raise NoLibrary(f"No library of the Plex server has the folder {mapping.server_root}.")
    deepest = max(depth for depth, _library in depths)
    fitting = [library for depth, library in depths if depth == deepest]
    is_music = wanted == "artist"
    fitting.sort(
        key=lambda one: (is_music and one.type != wanted, one.key != mapping.saved.section, one.type != wanted)
    )
    return Target(library=fitting[0], folder=there)


def _guess(our_root: str, libraries: Sequence[LibraryChoice], section: str, agents: dict[str, str]) -> str:
    """The server's path of our library, by what is most certain first; empty when nothing fits."""
    chosen = [one for one in libraries if one.key == section]
    places = [(library, place) for library in chosen or libraries for place in library.locations]
    if any(paths.is_inside(our_root, place) for _library, place in places):
        return our_root  # both see the same path
    if any(paths.is_inside(place, our_root) for _library, place in places):
        return our_root
    for _library, place in places:
        if paths.last_part(place) == paths.last_part(our_root):
            return place
    if chosen:
        return chosen[0].locations[0]
    shows_first = sorted(places, key=lambda one: one[0].type != "show")
    for library, place in shows_first:
        if "youtube" in library.title.casefold():
            return place
    for _library, place in shows_first:
        if "youtube" in paths.last_part(place):
            return place
    for library, place in places:
        if library.type == "movie" and agents.get(library.key, "").endswith(".none"):  # Other Videos
            return place
    return ""
