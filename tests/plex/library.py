"""The server's libraries as a test fills and reads them: `plex.server`."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.plex.items import Item
from tests.plex.people import LIBRARIES, Account, Library
from tests.plex.scanning import Scan, look_into

if TYPE_CHECKING:
    from tests.plex.traffic import Call
    from tests.plex.world import PlexWorld

AGENTS = {"movie": "tv.plex.agents.movie", "show": "tv.plex.agents.series"}


@dataclass
class MediaLibrary:
    """What the server holds.

    `scan_s` is how long a scan takes until its findings are there; `folders` says which folder of this machine the
    Location of a library is. `is_restarting` answers 503 with a short note, as while the server starts.
    """

    world: PlexWorld
    sections: dict[str, Library] = field(default_factory=lambda: {library.key: library for library in LIBRARIES})
    folders: dict[str, Path] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)
    scanned: list[str] = field(default_factory=list)  # each folder that was asked to be looked into
    scan_s: float = 0.0
    is_restarting: bool = False
    last_key: int = 100

    # filling

    def add_library(
        self, title: str, type: str = "show", folder: Path | None = None, *, path: str = "", agent: str = ""
    ) -> str:
        """A library; `folder` is where its files really lie, `path` what the server calls that (the same when left out).

        Everybody with whom all libraries are shared sees it. The key comes back.
        """
        with self.world.lock:
            key = str(max(map(int, self.sections)) + 1)
            everything = frozenset(self.sections)
            place = path or (str(folder) if folder else f"/data/{title.lower().replace(' ', '-')}")
            self.sections[key] = Library(key, type, title, agent or AGENTS.get(type, "com.plexapp.agents.none"), place)
            if folder is not None:
                self.folders[key] = folder
            for account in self.world.accounts.values():
                if account.libraries == everything:
                    account.libraries |= {key}
                if account.kept_libraries == everything:
                    account.kept_libraries |= {key}
            return key

    def add_movie(
        self,
        library: str,
        title: str,
        year: int | None = None,
        *,
        tmdb: int | None = None,
        imdb: str = "",
        rating: str = "",
        genres: tuple[str, ...] = (),
        summary: str = "",
        score: float | None = None,
        file: str = "",
        added_at: int | None = None,
    ) -> Item:
        """A film; with neither `tmdb` nor `imdb` it is unmatched and has no Guid."""
        guids = (*((f"imdb://{imdb}",) if imdb else ()), *((f"tmdb://{tmdb}",) if tmdb else ()))
        item = self.new_item("movie", library, title, added_at=added_at)
        item.year, item.guids, item.rating, item.genres = year, guids, rating, genres
        item.summary, item.score = summary, score
        item.files = [file or f"{self.sections[library].path}/{title} ({year})/{title} ({year}).mkv"]
        return item

    def add_show(
        self,
        library: str,
        title: str,
        year: int | None = None,
        *,
        tvdb: int | None = None,
        tmdb: int | None = None,
        seasons: dict[int, int] | None = None,
        rating: str = "",
        genres: tuple[str, ...] = (),
        summary: str = "",
        added_at: int | None = None,
    ) -> Item:
        """A show with `seasons`, each a number and how many episodes it has."""
        show = self.new_item("show", library, title, added_at=added_at)
        guids = (*((f"tmdb://{tmdb}",) if tmdb else ()), *((f"tvdb://{tvdb}",) if tvdb else ()))
        show.year, show.guids, show.rating, show.genres, show.summary = year, guids, rating, genres, summary
        for number, count in (seasons or {}).items():
            season = self.season_of(show, number)
            for index in range(1, count + 1):
                self.add_episode(season, index, f"Episode {index}")
        return show

    def season_of(self, show: Item, number: int) -> Item:
        """The season of a show, made when it is not there."""
        for item in self.items.values():
            if item.parent is show and item.index == number:
                return item
        season = self.new_item("season", show.library, f"Season {number}", added_at=show.added_at)
        season.parent, season.index = show, number
        return season

    def add_episode(self, season: Item, index: int, title: str, file: str = "") -> Item:
        show = season.top
        item = self.new_item("episode", season.library, title)
        item.parent, item.index, item.duration_ms = season, index, 1_500_000
        name = f"{show.title} - s{season.index:02}e{index:02}"
        item.files = [file or f"{self.sections[season.library].path}/{show.title}/Season {season.index:02}/{name}.mkv"]
        return item

    def new_item(self, type: str, library: str, title: str, *, added_at: int | None = None) -> Item:
        """A bare item; keys and times grow."""
        with self.world.lock:
            self.last_key += 1
            key = str(self.last_key)
            when = added_at if added_at is not None else int(time.time()) - 100_000 + self.last_key
            item = Item(
                key, type, library, title, when, guid=f"plex://{type}/{uuid.uuid5(uuid.NAMESPACE_OID, key).hex[:24]}"
            )
            self.items[key] = item
            return item

    def watch(self, account: Account, item: Item, at_ms: int = 600_000) -> None:
        """The account has begun to watch."""
        item.seen[account.key], item.seen_at[account.key] = at_ms, int(time.time())

    def remove(self, rating_key: str) -> None:
        """Gone from the library, with what hangs below it; a collection whose last member goes vanishes."""
        with self.world.lock:
            for child in [one for one in self.items.values() if one.parent and one.parent.rating_key == rating_key]:
                self.remove(child.rating_key)
            self.items.pop(rating_key, None)
            for one in [one for one in self.items.values() if rating_key in one.members]:
                one.members.remove(rating_key)
                if not one.members:
                    self.items.pop(one.rating_key)

    # reading back

    @property
    def calls(self) -> list[Call]:
        """What the server, not plex.tv, was asked for."""
        return [call for call in self.world.calls if call.place == "server"]

    def of_library(self, library: str, type: str = "") -> list[Item]:
        return [item for item in self.items.values() if item.library == library and type in ("", item.type)]

    def collections(self, library: str = "") -> list[Item]:
        return [item for item in self.items.values() if item.type == "collection" and library in ("", item.library)]

    def members(self, collection: Item) -> list[str]:
        """The titles in a collection, in its own order."""
        return [self.items[key].title for key in collection.members]

    def find_file(self, path: str) -> Item | None:
        return next((item for item in self.items.values() if path in item.files), None)

    def visible(self, account: Account) -> dict[str, Library]:
        """The libraries an account sees; the owner sees all."""
        owned = account.own_machine == self.world.machine_id
        return {key: one for key, one in self.sections.items() if owned or key in account.libraries}

    def catch_up(self) -> None:
        """Finish the scans whose time has come; called before each answer."""
        due = [scan for scan in self.scans if scan.ends_at <= time.monotonic()]
        self.scans = [scan for scan in self.scans if scan not in due]
        for scan in due:
            look_into(self, scan)
