"""A scan: a real look into a folder, after the time that a scan takes."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from tests.plex import names

if TYPE_CHECKING:
    from tests.plex.items import Item
    from tests.plex.library import MediaLibrary


@dataclass
class Scan:
    """One order to look into `path`, a folder as the server sees it."""

    library: str
    path: str
    ends_at: float
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def as_activity(self, title: str) -> dict[str, Any]:
        """server: an entry of `Activity`; the section is text here."""
        return {
            "uuid": self.uuid, "type": "library.update.section", "cancellable": True, "userID": 1,
            "title": f"Scanning {title}", "subtitle": PurePosixPath(self.path).name, "progress": 50,
            "Context": {"librarySectionID": self.library},
        }  # fmt: skip


def begin(server: MediaLibrary, library: str, path: str) -> Scan:
    """Note that a folder is to be looked into; the findings are there after `scan_s`."""
    scan = Scan(library, path or server.sections[library].path, time.monotonic() + server.scan_s)
    server.scanned.append(scan.path)
    server.scans.append(scan)
    return scan


def look_into(server: MediaLibrary, scan: Scan) -> None:
    """Add what lies in the folder, drop what does not lie there any more.

    server: a folder outside every Location is only logged, the answer was 200 all the same.
    """
    library = server.sections.get(scan.library)
    root = server.folders.get(scan.library)
    if library is None or root is None or not _is_below(scan.path, library.path):
        return
    folder = root / PurePosixPath(scan.path).relative_to(library.path)
    known = {file: item for item in server.of_library(scan.library) for file in item.files}
    there: set[str] = set()
    for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = file.relative_to(root)
        if not names.is_video(file) or names.is_ignored(root, inside):
            continue
        path = f"{library.path}/{inside.as_posix()}"
        there.add(path)
        if path not in known:
            _add(server, scan.library, root, inside, path)
    for path, item in known.items():
        if _is_below(path, scan.path) and path not in there:
            server.remove(item.rating_key)
    _drop_the_empty(server, scan.library)


def _is_below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)


def _add(server: MediaLibrary, library: str, root: Path, inside: Path, path: str) -> None:
    file = root / inside
    if server.sections[library].type == "show":
        number = names.episode_number(file.name)
        if number is None or len(inside.parts) < 2:  # no episode: the scanner passes it over
            return
        show = _show_of(server, library, root / inside.parts[0])
        season = server.season_of(show, number[0])
        found = _read_nfo(file.with_suffix(".nfo"))
        item = server.add_episode(season, number[1], found.get("title") or file.stem, path)
    else:
        found = _read_nfo(file.with_suffix(".nfo")) or _read_nfo(file.with_name("movie.nfo"))
        item = server.add_movie(library, found.get("title") or file.stem, file=path)
        item.year = None
    item.summary = found.get("plot", "")
    item.guid = found.get("guid") or item.guid
    item.added_at = int(time.time())


def _show_of(server: MediaLibrary, library: str, folder: Path) -> Item:
    """The show of a folder, by the number in its `tvshow.nfo`, else by its name."""
    found = _read_nfo(folder / "tvshow.nfo")
    title, guid = found.get("title") or folder.name, found.get("guid", "")
    for item in server.of_library(library, "show"):
        if (item.guid == guid) if guid else item.title == title:
            return item
    show = server.add_show(library, title)
    show.summary, show.guid = found.get("plot", ""), guid or show.guid
    return show


def _read_nfo(file: Path) -> dict[str, str]:
    """Title, plot and number of an `.nfo`; the NFO agent makes `tv.plex.agents.nfo.…://show/<type>_<id>` of the number."""
    try:
        root = ElementTree.fromstring(file.read_bytes())  # a file of ours
    except (OSError, ElementTree.ParseError):
        return {}
    found = {name: (root.findtext(name) or "").strip() for name in ("title", "plot")}
    for number in root.iter("uniqueid"):
        kind, agent = {"tvshow": ("show", "series"), "movie": ("movie", "movie")}.get(root.tag, ("episode", "series"))
        found["guid"] = f"tv.plex.agents.nfo.{agent}://{kind}/{number.get('type')}_{(number.text or '').strip()}"
    return found


def _drop_the_empty(server: MediaLibrary, library: str) -> None:
    """Seasons without an episode and shows without a season go with the last of them."""
    for kind in ("season", "show"):
        for item in server.of_library(library, kind):
            if not any(child.parent is item for child in server.items.values()):
                server.remove(item.rating_key)
